"""Copies of the shipped protocols that a test may spoil, and what the loader says of them."""

import re
import shutil
from pathlib import Path

import pytest

from protocols.loader import SHIPPED, load_protocols
from protocols.lock import LOCK, frozen_hash
from protocols.problems import ProtocolProblems

ESK, TMS = "esketamine_induction.yaml", "accelerated_dtms.yaml"
MAINT, WAY, VOC = "maintenance.yaml", "combined_pathway.yaml", "vocabulary.yaml"

# File, what stands there, what is written instead, where the problem is (a piece of the line it is
# reported on) and a piece of what is said.
Wrong = tuple[str, str, str, str, str]


def copied(folder: Path) -> Path:
    """Copy the shipped protocols and their lock into a folder."""
    for path in (*SHIPPED.glob("*.yaml"), SHIPPED / LOCK):
        shutil.copy(path, folder)
    return folder


def freeze_as_it_is(folder: Path) -> None:
    """Write a lock that fits, so that only the other problems are heard."""
    lines = []
    for path in sorted(folder.glob("*.yaml")):
        text = path.read_text()
        name = re.search(r"^(?:protocol|pathway|vocabulary): (\S+)$", text, re.MULTILINE)
        if name and "\nstatus: draft" not in text:
            lines.append(f"{frozen_hash(text)}  {path.name}  {name[1]} 1\n")
    (folder / LOCK).write_text("".join(lines))


def problems(folder: Path) -> list[str]:
    """Load and give what is wrong, one line each."""
    with pytest.raises(ProtocolProblems) as caught:
        load_protocols(folder)
    return str(caught.value).splitlines()


def spoil(path: Path, old: str, new: str) -> list[str]:
    """Replace a piece of text that must be there; give the lines that stand there now."""
    text = path.read_text()
    assert old in text, old
    path.write_text(text.replace(old, new, 1))
    return path.read_text().splitlines()


def check_told(folder: Path, wrong: Wrong) -> None:
    """Spoil one thing and check that it is reported where it stands, and how."""
    file, old, new, place, said = wrong
    lines = spoil(folder / file, old, new)
    freeze_as_it_is(folder)
    told = [line for line in problems(folder) if said in line]
    assert told, problems(folder)
    where, number, _ = told[0].split(":", 2)
    assert where == file
    assert place in lines[int(number) - 1]
