"""The clinician's pages say what the protocols say, and the committed ones are current."""

import shutil

import pytest

from protocols.loader import SHIPPED, load_protocols
from protocols.render import page_name, pages
from tools.docs import GENERATED, main, stale, wanted


@pytest.fixture(scope="module")
def book():
    """Load the shipped protocols once."""
    return load_protocols(SHIPPED)


@pytest.fixture(scope="module")
def made(book):
    """Make the pages once."""
    return pages(book)


def test_committed_pages_are_current(capsys):
    """Every generated page in the repository is what would be written today."""
    assert main(["--check"]) == 0, capsys.readouterr().out


def test_every_protocol_has_a_page_that_says_it_is_illustrative(book, made):
    """Each phase and pathway has its own page, with its warning on top and its hash."""
    for found in (*book.phases, *book.all()):
        page = made[page_name(found)]
        assert "> **ILLUSTRATIVE, not for care.** " + found.illustrative in page
        assert found.sha256 in page
        assert page_name(found) in made["README.md"]


def test_every_gate_is_a_sentence_with_its_reason_and_source(book, made):
    """No gate or timed check is left out of its page."""
    for phase in book.phases:
        page = made[page_name(phase)]
        for rule in (*phase.gates, *phase.timed_checks):
            assert f"- **{rule.id}**: " in page
            assert (
                f"*Why:* {rule.why} *Source:* {rule.source} ({phase.sources[rule.source]})" in page
            )


def test_a_gate_reads_as_its_sentence(made):
    """Blood pressure before a dose is written with unit, age and who may override."""
    assert (
        "- **blood-pressure-before**: systolic blood pressure at most 140 mmHg and diastolic blood "
        "pressure at most 90 mmHg, measured within 30 min. Otherwise hold for a clinician; a "
        "prescriber may override with a reason." in made["esketamine-induction-v1.md"]
    )
    assert "Otherwise stop; nobody can override this." in made["accelerated-dtms-v1.md"]


def test_the_example_weeks_hold_every_session(made):
    """The accelerated course shows 30 sessions on six days, the induction eight on two a week."""
    assert "| 2 | 26–30 |" in made["accelerated-dtms-v1.md"]
    assert "and so on, until decided" in made["maintenance-v1.md"]
    weeks = [line for line in made["esketamine-induction-v1.md"].splitlines() if line[:3] == "| 4"]
    assert weeks[0].split("|")[2:4].count(" 7 ") == 1
    assert " 8 " in weeks[0]


def test_diagrams_use_no_word_that_mermaid_keeps_for_itself(made):
    """A step called `end` would break the diagram for every reader."""
    for page in made.values():
        for line in page.split("```mermaid")[1:]:
            steps = [part.strip() for part in line.split("```")[0].splitlines()[2:]]
            assert steps
            assert not any(step.split("{")[0].split("[")[0] == "end" for step in steps)


def test_the_vocabulary_page_lists_everything(book, made):
    """Every observation and every item of a scale is on the page, with its code."""
    page = made["vocabulary.md"]
    assert all(f"| `{name}` |" in page for name in book.vocabulary.observations)
    assert "9. Thoughts that you would be better off dead" in page
    assert "LOINC 85354-9" in page


def test_a_page_that_differs_is_missing_or_left_over_is_named(tmp_path, capsys):
    """The check names each page that is not current, and writing makes it current."""
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    (folder,) = GENERATED
    shutil.copy(tmp_path / folder / "README.md", tmp_path / folder / "old.md")
    (tmp_path / folder / "vocabulary.md").write_text("by hand")
    (tmp_path / folder / "README.md").unlink()
    names = [f"{folder}/{name}" for name in ("README.md", "old.md", "vocabulary.md")]
    assert stale(wanted(), tmp_path) == names
    capsys.readouterr()
    assert main(["--check"], tmp_path) == 1
    assert [line.split(" ")[0] for line in capsys.readouterr().out.splitlines()] == names
    assert main([], tmp_path) == 0
    assert main(["--check"], tmp_path) == 0
    assert not (tmp_path / folder / "old.md").exists()
