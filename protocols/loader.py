"""Loads a folder of protocols: the way from what clinicians signed to the domain's rules.

All files are read and every problem is collected before anything is said. Nothing is returned
unless there is no problem at all, so no value that a file left out can ever reach a patient.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from domain.language.protocol import CombinedProtocol, Protocol
from protocols.book import ProtocolBook
from protocols.lock import VOCABULARY, Signed, check_frozen, frozen_hash, read_lock
from protocols.problems import Page, Problem, ProtocolProblems
from protocols.read_names import read_head
from protocols.read_pathway import Pinned, is_kept_only, read_pathway
from protocols.read_phase import read_phase
from protocols.read_vocabulary import NO_WORDS, Words, read_vocabulary
from protocols.reading import Section
from protocols.yaml_lines import compose

SHIPPED = Path(__file__).parent

Read = TypeVar("Read", Protocol, CombinedProtocol)


def load_protocols(folder: Path) -> ProtocolBook:
    """Load every protocol of a folder. Raises ProtocolProblems that lists all there is to fix."""
    reading = _read(folder)
    lock = read_lock(folder, reading.problems)
    check_frozen(lock, reading.signed, reading.problems, reading.unread)
    return reading.book()


def signed_files(folder: Path) -> list[Signed]:
    """List the files that approval concerns. Raises ProtocolProblems if one is not sound."""
    reading = _read(folder)
    reading.book()
    return reading.signed


@dataclass(frozen=True, slots=True)
class _File:
    """One readable file."""

    top: Section
    sha256: str


class _Reading:
    """What was read of a folder so far, and every problem met."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.problems: list[Problem] = []
        self.signed: list[Signed] = []
        self.unread: list[str] = []
        self.words: Words = NO_WORDS
        self.phases: dict[Pinned, Protocol] = {}
        self.pathways: dict[Pinned, CombinedProtocol] = {}

    def book(self) -> ProtocolBook:
        """Give what was read, or raise if anything at all is wrong."""
        if self.problems:
            raise ProtocolProblems(self.problems)
        return ProtocolBook(
            self.words.vocabulary,
            tuple(phase for _, phase in sorted(self.phases.items())),
            tuple(pathway for _, pathway in sorted(self.pathways.items())),
        )

    def open(self, path: Path) -> _File | None:
        """Read a file's text and keys; None, with the problem noted, if it cannot be read."""
        page = Page(path.name, self.problems)
        try:
            text = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as wrong:
            page.say(1, f"not UTF-8 text, from byte {wrong.start} on: save it as UTF-8")
            return None
        block = compose(text, page)
        return None if block is None else _File(Section(page, block), frozen_hash(text))

    def keep_only(self, file: _File) -> None:
        """A retired pathway of an older vocabulary: its lock is held, and it is not read."""
        head = read_head(file.top, "pathway")
        line = file.top.line("status")
        page = file.top.page
        self.signed.append(Signed(page.file, line, head.id, head.version, head.status, file.sha256))

    def keep(self, read: Read, file: _File, kind: str, shelf: dict[Pinned, Read]) -> None:
        """Put a protocol or pathway where it belongs, unless its version is there already."""
        file.top.close()
        page = file.top.page
        name = (read.id, read.version)
        line = file.top.line("status")
        self.signed.append(Signed(page.file, line, *name, read.status, file.sha256))
        if not file.top.sound(kind, "version"):
            return
        if name in shelf:
            first = next(f.file for f in self.signed if (f.id, f.version) == name)
            file.top.wrong("version", f"{name[0]} version {name[1]} is already in {first}")
        else:
            shelf[name] = read


def _read(folder: Path) -> _Reading:
    reading = _Reading(folder)
    if not (folder / VOCABULARY).is_file():
        reading.problems.append(Problem(VOCABULARY, 1, f"there is no {VOCABULARY} in the folder"))
    for path in sorted(folder.glob("*.yml")):
        reading.problems.append(Problem(path.name, 1, "is not read: its name must end in .yaml"))
    opened = {path.name: reading.open(path) for path in sorted(folder.glob("*.yaml"))}
    reading.unread = [name for name, file in opened.items() if file is None]
    vocabulary = opened.pop(VOCABULARY, None)
    if vocabulary is not None:
        reading.words = read_vocabulary(vocabulary.top)
        vocabulary.top.close()
        head, line = reading.words.head, vocabulary.top.line("status")
        signed = Signed(VOCABULARY, line, head.id, head.version, head.status, vocabulary.sha256)
        reading.signed.append(signed)
    files = [file for file in opened.values() if file is not None]
    phases = [file for file in files if file.top.has("protocol")]
    pathways = [file for file in files if file.top.has("pathway") and file not in phases]
    for file in phases:
        protocol = read_phase(file.top, reading.words, file.sha256)
        reading.keep(protocol, file, "protocol", reading.phases)
    complete = len(phases) + len(pathways) == len(opened)
    hash_of_words = "" if vocabulary is None else vocabulary.sha256
    for file in pathways:
        if is_kept_only(file.top, reading.words):
            reading.keep_only(file)
            continue
        pathway = read_pathway(
            file.top,
            reading.phases,
            reading.words,
            (file.sha256, hash_of_words),
            complete=complete,
        )
        reading.keep(pathway, file, "pathway", reading.pathways)
    for file in files:
        if file not in phases and file not in pathways:
            file.top.here("must begin with protocol: or pathway: and its id")
    return reading
