"""A slip of the pen in a protocol never breaks the loader, and in a signed one is told."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.loader import SHIPPED, load_protocols
from protocols.problems import ProtocolProblems
from tests.protocols.protocol_folder import copied

FILES = sorted(path.name for path in SHIPPED.glob("*.yaml"))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(FILES), st.data())
def test_no_slip_of_the_pen_breaks_the_loader(file, data):
    """With any character wrong a signed file gives a list of problems, and never a traceback."""
    text = (SHIPPED / file).read_text()
    place = data.draw(st.integers(0, len(text) - 1))
    slip = data.draw(st.sampled_from(["", ":", "-", "[", "{", "#", '"', "\n", "\t", " ", "7", "&"]))
    with TemporaryDirectory() as name:
        folder = copied(Path(name))
        slipped = text[:place] + slip + text[place + 1 :]
        (folder / file).write_text(slipped)
        try:
            load_protocols(folder)
        except ProtocolProblems as found:
            assert all(problem.line >= 1 for problem in found.problems)  # noqa: PT017
        else:
            assert slipped == text
