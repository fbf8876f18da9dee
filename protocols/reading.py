"""Reading a block key by key: every key is taken once, and what nobody took is a problem.

After a problem the reader goes on with a stand-in, so that all problems are heard at once. A
stand-in never leaves the loader: `load_protocols` raises if there is any problem at all.
"""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from protocols.problems import Page
from protocols.quantities import NotUnderstood, parse_count
from protocols.yaml_lines import Block, Entry, Items, Node, Scalar

T = TypeVar("T")
Word = TypeVar("Word", bound=StrEnum)


class Section:
    """A block of keys. Remembers which keys were asked for and which have a problem."""

    def __init__(self, page: Page, block: Block, path: str = "", *, given: bool = True) -> None:
        """Read `block`; `given` is False for the stand-in of a section that is not there."""
        self.page = page
        self.block = block
        self.path = path
        self.given = given
        self._bad: set[str] = set()
        self._asked: set[str] = set()
        self._inner: dict[str, Section] = {}

    def line(self, key: str) -> int:
        """Say where a key stands, or where its block begins if it is not there."""
        entry = self.block.entries.get(key)
        return self.block.line if entry is None else entry.line

    def wrong(self, key: str, message: str, line: int | None = None) -> None:
        """Note a problem with a key."""
        self._bad.add(key)
        self.page.say(self.line(key) if line is None else line, f"{self._name(key)}: {message}")

    def here(self, message: str) -> None:
        """Note a problem with the block as a whole."""
        self._bad.add("")
        self.page.say(self.block.line, f"{self.path}: {message}" if self.path else message)

    def sound_throughout(self) -> bool:
        """Say whether nothing in this block or the blocks inside has had a problem so far."""
        return not self._bad and all(section.sound_throughout() for section in self._inner.values())

    def says(self, key: str, word: str) -> bool:
        """Say whether a key has exactly this word as its value."""
        entry = self.block.entries.get(key)
        found = entry is not None and isinstance(entry.value, Scalar) and entry.value.text == word
        return self.has(key) and found

    def is_block(self, key: str) -> bool:
        """Say whether a key has a block as its value."""
        entry = self.block.entries.get(key)
        return entry is not None and isinstance(entry.value, Block)

    def sound(self, *keys: str) -> bool:
        """Say whether all these keys were given and read without a problem."""
        return all(key in self.block.entries and key not in self._bad for key in keys)

    def has(self, key: str) -> bool:
        """Say whether a key is given; asking makes it a known key."""
        self._asked.add(key)
        return key in self.block.entries

    def read(self, key: str, parse: Callable[[str], T], stand_in: T) -> T:
        """Read a required value with `parse`."""
        written = self._written(key)
        return stand_in if written is None else self.understand(key, written, parse, stand_in)

    def understand(self, key: str, written: Scalar, parse: Callable[[str], T], stand_in: T) -> T:
        """Parse one written value that belongs to a key, noting the problem if that fails."""
        if written.refused:
            self._bad.add(key)
            return stand_in
        try:
            return parse(written.text)
        except NotUnderstood as problem:
            self.wrong(key, str(problem), written.line)
            return stand_in

    def text(self, key: str) -> str:
        """Read required words."""
        return self.read(key, str, "")

    def count(self, key: str) -> int:
        """Read a required whole number, 1 or more, whose unit the key names."""
        return self.read(key, parse_count, 1)

    def choice(self, key: str, words: type[Word]) -> Word:
        """Read a required word of a closed list."""
        return self.read(key, lambda text: choose(text, words), next(iter(words)))

    def only(self, key: str, supported: str, why: str) -> None:
        """Read a required key that has one supported value; any other is refused, not ignored."""
        text = self.text(key)
        if self.sound(key) and text != supported:
            self.wrong(key, f'"{text}" is not supported today, only "{supported}": {why}')

    def skip(self, key: str) -> None:
        """Leave a key unread without calling it unknown."""
        self._asked.add(key)

    def absent(self, key: str, why: str) -> None:
        """Refuse a key that means nothing here."""
        if self.has(key):
            self.wrong(key, why)

    def section(self, key: str) -> "Section":
        """Read a required block; asked for again, it is the same section."""
        if key in self._inner:
            return self._inner[key]
        entry = self._entry(key)
        if entry is not None and not isinstance(entry.value, Block):
            self._shape(key, entry.value, "must be a block of keys and values")
            entry = None
        return self._open(key, entry)

    def sections(self, key: str) -> list["Section"]:
        """Read a required list of blocks, which may be written as `[]`."""
        found = []
        for number, item in enumerate(self._items(key), start=1):
            if isinstance(item, Block):
                found.append(self._open(f"{key}[{number}]", Entry(item.line, item)))
            else:
                self._shape(key, item, "must be a list of blocks such as {name: …, role: …}")
        return found

    def words(self, key: str) -> list[Scalar]:
        """Read a required list of words, at least one."""
        items = self._items(key)
        found = [item for item in items if isinstance(item, Scalar)]
        for item in items:
            if not isinstance(item, Scalar):
                self._shape(key, item, "must be a list of words such as [nurse, prescriber]")
        if self.sound(key) and not found:
            self.wrong(key, "must name at least one")
        return found

    def each(self) -> Iterator[tuple[str, "Section"]]:
        """Read a block whose keys are names and whose values are blocks."""
        for key in self.block.entries:
            yield key, self.section(key)

    def _name(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def _entry(self, key: str) -> Entry | None:
        if self.has(key):
            return self.block.entries[key]
        if self.given:
            self.wrong(key, "missing; it has no default")
        return None

    def _written(self, key: str) -> Scalar | None:
        entry = self._entry(key)
        if entry is not None and isinstance(entry.value, Scalar):
            return entry.value
        if entry is not None:
            self._shape(key, entry.value, "must be one value")
        return None

    def _items(self, key: str) -> tuple[Node, ...]:
        entry = self._entry(key)
        if entry is None:
            return ()
        if isinstance(entry.value, Items):
            return entry.value.items
        self._shape(key, entry.value, "must be a list such as [one, another]")
        return ()

    def _shape(self, key: str, node: Node, message: str) -> None:
        if isinstance(node, Scalar) and node.refused:
            self._bad.add(key)
        else:
            self.wrong(key, message, node.line)

    def _open(self, key: str, entry: Entry | None) -> "Section":
        inner = entry.value if entry is not None else None
        block = inner if isinstance(inner, Block) else Block({}, self.line(key))
        if entry is not None:  # a missing key is reported at the line that names its block
            block = Block(block.entries, entry.line)
        section = Section(self.page, block, self._name(key), given=entry is not None)
        self._inner[key] = section
        return section

    def close(self) -> None:
        """Report every key, here and in the blocks inside, that nothing asked for."""
        for key in self.block.entries.keys() - self._asked:
            near = get_close_matches(key, sorted(self._asked), n=1)
            known = (
                f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(self._asked))}"
            )
            self.wrong(key, f"unknown key; {known}")
        for section in self._inner.values():
            section.close()


def choose(text: str, words: type[Word]) -> Word:
    """Find a word of a closed list."""
    try:
        return words(text)
    except ValueError:
        message = f'"{text}" is not one of: {", ".join(words)}'
        raise NotUnderstood(message) from None
