"""Freezes approved files: `approved.lock` keeps the hash of what was approved.

One line a file: `sha256  file  protocol version`. An approved file whose text no longer has that
hash is refused. Retiring is the one change that keeps the hash, since it changes no rule.
"""

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from domain.language.protocol import Status
from protocols.problems import Page, Problem, ProtocolProblems

LOCK = "approved.lock"
VOCABULARY = "vocabulary.yaml"
_LINE = re.compile(r"([0-9a-f]{64})  (\S+)  (\S+) ([1-9][0-9]*)")
_RETIRED = re.compile(r"^status: retired\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Signed:
    """A protocol or pathway file as the lock knows it. `line` is where its status stands."""

    file: str
    line: int
    id: str
    version: int
    status: Status
    sha256: str


@dataclass(frozen=True, slots=True)
class Frozen:
    """One line of the lock."""

    line: int
    sha256: str
    file: str


Lock = dict[tuple[str, int], Frozen]


def frozen_hash(text: str) -> str:
    """Hash a file's text; line ends and the step from approved to retired make no difference."""
    lines = text.replace("\r\n", "\n")
    return hashlib.sha256(_RETIRED.sub("status: approved", lines, count=1).encode()).hexdigest()


def read_lock(folder: Path, problems: list[Problem]) -> Lock:
    """Read the lock; a folder without one has nothing frozen."""
    path = folder / LOCK
    page = Page(LOCK, problems)
    lock: Lock = {}
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    for number, line in enumerate(lines, start=1):
        found = _LINE.fullmatch(line)
        if found is None:
            page.say(number, "is not `sha256  file  protocol version`; this file is not edited")
        elif (key := (found[3], int(found[4]))) in lock:
            page.say(number, f"{found[3]} version {found[4]} is here twice")
        else:
            lock[key] = Frozen(number, found[1], found[2])
    return lock


def check_frozen(
    lock: Lock, files: Sequence[Signed], problems: list[Problem], unread: Collection[str] = ()
) -> None:
    """Note every approved file that is not frozen, or no longer what was frozen.

    `unread` names the files of which nothing could be read; their problem is told already.
    """
    for file in files:
        page = Page(file.file, problems)
        frozen = lock.get((file.id, file.version))
        name = f"{file.id} version {file.version}"
        if file.status is Status.DRAFT:
            if frozen is not None:
                page.say(file.line, f"status: {name} was approved and cannot be a draft again")
        elif frozen is None:
            page.say(
                file.line,
                f"status: {name} is {file.status} but not frozen: run python -m protocols freeze",
            )
        elif frozen.sha256 != file.sha256:
            further = f"version {file.version + 1}"
            way = (
                f"restore it, or make it {further}, approved by name, which pathways then name"
                if file.file == VOCABULARY
                else f"restore it, and put the change into a new file as {further}, a draft"
            )
            page.say(file.line, f"status: the approved file of {name} was changed: {way}")
    there = {(file.id, file.version) for file in files}
    vocabularies = [file for file in files if file.file == VOCABULARY]
    for (name, version), frozen in lock.items():
        # A vocabulary is one file: its older versions are what pathways have pinned.
        newer = any(file.id == name and file.version > version for file in vocabularies)
        if (name, version) not in there and frozen.file not in unread and not newer:
            Page(LOCK, problems).say(
                frozen.line,
                f"{frozen.file}: no file has {name} version {version} any more: restore it, "
                "with status retired if it is not to be started again",
            )


def freeze(folder: Path, files: Sequence[Signed]) -> list[str]:
    """Add what is approved to the lock, and list it.

    Raises ProtocolProblems, and writes nothing, if a frozen file was changed or removed.
    """
    problems: list[Problem] = []
    lock = read_lock(folder, problems)
    new = [
        file
        for file in files
        if file.status is not Status.DRAFT and (file.id, file.version) not in lock
    ]
    added: Lock = {(file.id, file.version): Frozen(0, file.sha256, file.file) for file in new}
    check_frozen({**lock, **added}, files, problems)
    if problems:
        raise ProtocolProblems(problems)
    names = {key: frozen.file for key, frozen in lock.items()}
    names |= {(file.id, file.version): file.file for file in files}
    lines = [
        f"{frozen.sha256}  {names[key]}  {key[0]} {key[1]}"
        for key, frozen in sorted({**lock, **added}.items())
    ]
    (folder / LOCK).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return [f"{file.id} version {file.version}" for file in new]
