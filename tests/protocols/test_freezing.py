"""An approved protocol is frozen: it cannot change, vanish or become a draft again unnoticed."""

import shutil

import pytest

from domain.language.protocol import Status
from protocols.__main__ import main
from protocols.loader import SHIPPED, load_protocols
from protocols.lock import LOCK
from tests.protocols.protocol_folder import ESK, WAY, copied, problems


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
    assert any("version 1 is in copy.yaml already" in line for line in problems(folder))
