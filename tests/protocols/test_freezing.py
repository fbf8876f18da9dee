"""An approved protocol is frozen: it cannot change, vanish or become a draft again unnoticed."""

import shutil

import pytest

from domain.language.protocol import Status
from protocols.__main__ import main
from protocols.loader import SHIPPED, load_protocols
from protocols.lock import LOCK
from tests.protocols.protocol_folder import ESK, VOC, WAY, copied, problems, spoil


@pytest.fixture
def folder(tmp_path):
    """Give a copy of the shipped protocols, lock included."""
    return copied(tmp_path)


def test_an_approved_file_is_frozen(folder, capsys):
    """A change to an approved file is refused, and freezing again does not accept it."""
    text = (folder / ESK).read_text()
    (folder / ESK).write_text(text.replace("at most 140 mmHg", "at most 145 mmHg"))
    (told,) = problems(folder)
    assert told.startswith(f"{ESK}:8: status: the approved file of esketamine-induction version 1")
    assert main(["freeze", str(folder)]) == 1
    assert "was changed: restore it" in capsys.readouterr().out


def test_retiring_is_the_one_change_that_keeps_the_hash(folder):
    """A retired protocol still fits its lock; a frozen one cannot be a draft again or vanish."""
    text = (folder / WAY).read_text()
    (folder / WAY).write_text(text.replace("status: approved", "status: retired"))
    assert load_protocols(folder).combined("esketamine-then-dtms").status is Status.RETIRED
    draft = text.replace("status: approved", "status: draft").replace("approved_by:", "by:")
    (folder / WAY).write_text(draft)
    assert any("cannot be a draft again" in line for line in problems(folder))
    (folder / WAY).unlink()
    assert any("no file has esketamine-then-dtms version 1 any" in p for p in problems(folder))


def test_an_approved_pathway_has_approved_phases_only(folder):
    """A pathway cannot be approved over a phase that was retired."""
    text = (folder / ESK).read_text()
    (folder / ESK).write_text(text.replace("status: approved", "status: retired"))
    (told,) = problems(folder)
    assert "esketamine-induction version 1 is retired: an approved pathway has approved" in told


def test_check_and_freeze_are_commands(folder, capsys):
    """The checker lists problems and exits with 1; freezing what is approved makes it pass."""
    assert main(["check", str(folder)]) == 0
    (folder / LOCK).write_text("not a line of the lock\n")
    assert main(["check", str(folder)]) == 1
    assert f"{LOCK}:1: is not `sha256  file" in capsys.readouterr().out
    (folder / LOCK).unlink()
    assert main(["check", str(folder)]) == 1
    assert "is approved but not frozen: run python -m protocols freeze" in capsys.readouterr().out
    assert main(["freeze", str(folder)]) == 0
    assert (folder / LOCK).read_text() == (SHIPPED / LOCK).read_text()
    assert main(["freeze", str(folder)]) == 0
    assert "nothing new to freeze" in capsys.readouterr().out
    shutil.copy(folder / ESK, folder / "copy.yaml")
    assert any("version 1 is already in copy.yaml" in line for line in problems(folder))


@pytest.mark.parametrize(
    ("limit", "loosened"),
    [
        ("prescriber_sees: above 0 points   # any", "prescriber_sees: above 2 points   # any"),
        ("prescriber_sees: above 180 mmHg", "prescriber_sees: above 290 mmHg"),
        ("prescriber_sees: below 90 %", "prescriber_sees: below 60 %"),
        ("range: 40 to 300", "range: 40 to 400"),
        (
            "answers: [absent, present]\n    recorded_by: [prescriber]",
            "answers: [absent, present]\n    recorded_by: [prescriber, nurse]",
        ),
        ("code: 8480-6, display: Systolic", "code: 8462-4, display: Systolic"),
    ],
)
def test_the_vocabularys_limits_are_signed(folder, limit, loosened):
    """Alert limits, ranges, who records what and codes cannot change under what was approved."""
    spoil(folder / VOC, limit, loosened)
    told = problems(folder)
    assert any("the approved file of clinic-vocabulary version 1 was changed" in t for t in told)


def test_a_new_vocabulary_is_a_new_version_of_what_was_signed_with_it(folder, capsys):
    """A pathway of version 1 says so; retired, with its next version beside it, all is sound."""
    spoil(folder / VOC, "version: 1\n", "version: 2\n")
    spoil(folder / VOC, "prescriber_sees: above 180 mmHg", "prescriber_sees: above 170 mmHg")
    (told,) = [line for line in problems(folder) if line.startswith(WAY)]
    assert "the folder has clinic-vocabulary version 2: retire this pathway" in told
    text = (folder / WAY).read_text()
    newer = text.replace("version: 1\n", "version: 2\n", 1)
    newer = newer.replace("clinic-vocabulary version 1", "clinic-vocabulary version 2")
    (folder / "combined_pathway_v2.yaml").write_text(newer)
    (folder / WAY).write_text(text.replace("status: approved", "status: retired"))
    assert main(["freeze", str(folder)]) == 0
    said = capsys.readouterr().out
    assert "frozen: clinic-vocabulary version 2" in said
    book = load_protocols(folder)
    assert [(found.id, found.version) for found in book.approved()] == [("esketamine-then-dtms", 2)]
    assert book.vocabulary.version == 2
    assert "clinic-vocabulary 1" in (folder / LOCK).read_text()


def test_an_approved_pathway_has_an_approved_vocabulary_only(folder):
    """A draft of a vocabulary starts nothing."""
    text = (folder / VOC).read_text()
    text = text.replace("status: approved", "status: draft")
    approvers = text[text.index("approved_by:") : text.index("illustrative:")]
    (folder / VOC).write_text(text.replace(approvers, "approved_by: []\n"))
    assert any("has an approved vocabulary only" in line for line in problems(folder))


def test_a_pathway_names_its_vocabulary(folder):
    """Left out, or of another name, it is told."""
    text = (folder / WAY).read_text()
    line = next(line for line in text.splitlines() if line.startswith("vocabulary:"))
    (folder / WAY).write_text(text.replace(line, ""))
    assert any("vocabulary: missing" in told for told in problems(folder))
    (folder / WAY).write_text(text.replace("clinic-vocabulary version 1", "other version 1"))
    assert any("the folder has clinic-vocabulary version 1" in told for told in problems(folder))
