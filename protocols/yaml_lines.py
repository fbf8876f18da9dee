"""YAML as text with line numbers: the safe subset that people can read in one way only.

Every scalar stays the text that was written: `yes` is never True and `1:30` never ninety. What
PyYAML would quietly accept (a key twice, bare yes and no, an empty value, anchors, tags, a second
document) is a problem here. This module must not know what a protocol is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from protocols.problems import Page

BARE_WORDS = frozenset({"yes", "no", "on", "off", "true", "false", "y", "n"})
NO_VALUE = frozenset({"", "~", "null"})


@dataclass(frozen=True, slots=True)
class Scalar:
    """A written value. `refused` means that a problem was already noted for it."""

    text: str
    line: int
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple["Node", ...]
    line: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A key's line and its value."""

    line: int
    value: "Node"


@dataclass(frozen=True, slots=True)
class Block:
    """Keys and values in the order written."""

    entries: Mapping[str, Entry]
    line: int


Node = Scalar | Items | Block


def compose(text: str, page: Page) -> Block | None:
    """Read one file's text. Returns None, with the problem noted, if nothing can be read."""
    try:
        return _Composer(text, page).document()
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        page.say(mark.line + 1 if mark else 1, f"not YAML: {wrong.problem or wrong.context}")
    except yaml.YAMLError as wrong:  # a character that YAML does not allow; it has no mark
        page.say(1, f"not YAML: {str(wrong).splitlines()[0]}")
    return None


class _Composer:
    """Follows PyYAML's parsing events, which know the lines and keep values as text."""

    def __init__(self, text: str, page: Page) -> None:
        self._events: Iterator[yaml.Event] = yaml.parse(text, Loader=yaml.CSafeLoader)
        self._page = page

    def document(self) -> Block | None:
        next(self._events)  # the start of the stream
        if not isinstance(next(self._events), yaml.DocumentStartEvent):
            self._page.say(1, "the file is empty")
            return None
        top = self._node(next(self._events), "the file")
        next(self._events)  # the end of the document
        after = next(self._events)
        if isinstance(after, yaml.DocumentStartEvent):
            self._page.say(_line(after), "a second document starts here: one file, one protocol")
        if not isinstance(top, Block):
            self._page.say(top.line, "the file must be keys and values, such as `version: 1`")
            return None
        return top

    def _node(self, event: yaml.Event, name: str) -> Node:
        if isinstance(event, yaml.AliasEvent):
            return self._refuse(event, f"{name}: write the value out instead of *{event.anchor}")
        if isinstance(event, yaml.NodeEvent) and event.anchor is not None:
            self._page.say(_line(event), f"{name}: write values out instead of &{event.anchor}")
        tag = getattr(event, "tag", None)
        if tag is not None:
            self._page.say(_line(event), f"{name}: the tag {tag} is not used here")
        if isinstance(event, yaml.MappingStartEvent):
            return self._block(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._items(event, name)
        assert isinstance(event, yaml.ScalarEvent)  # noqa: S101  the only kind of event left
        return self._scalar(event, name)

    def _block(self, start: yaml.Event) -> Block:
        entries: dict[str, Entry] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, "a key")
            name = key.text if isinstance(key, Scalar) else "a key"
            if not isinstance(key, Scalar):
                self._page.say(key.line, "a key must be a word, not a list or a block")
            value = self._node(next(self._events), name)
            if name in entries:
                first = entries[name].line
                self._page.say(key.line, f"{name}: given twice; it is already on line {first}")
            else:
                entries[name] = Entry(key.line, value)
        return Block(entries, _line(start))

    def _items(self, start: yaml.Event, name: str) -> Items:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, name))
        return Items(tuple(items), _line(start))

    def _scalar(self, event: yaml.ScalarEvent, name: str) -> Scalar:
        plain = not event.style
        text = str(event.value).strip()
        if plain and text.lower() in BARE_WORDS:
            return self._refuse(
                event,
                f"{name}: a bare {text} is ambiguous: write the answer in words, "
                "such as confirmed or not confirmed",
            )
        if text == "" or (plain and text.lower() in NO_VALUE):
            return self._refuse(event, f"{name}: has no value")
        return Scalar(text, _line(event))

    def _refuse(self, event: yaml.Event, message: str) -> Scalar:
        self._page.say(_line(event), message)
        return Scalar(str(getattr(event, "value", "")), _line(event), refused=True)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark is not None else 1
