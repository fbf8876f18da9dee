"""JSON from outside is read in one way, or not at all."""

import ast
import sys
from decimal import Decimal
from pathlib import Path

import pytest

import strict_json
from strict_json import DEEPEST, Unreadable, read_json, read_object

CANARY = "canary"


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":"canary"}',
        b'["canary", NaN]',
        b'{"canary":-Infinity}',
        b"[" * (DEEPEST + 1) + b'"canary"' + b"]" * (DEEPEST + 1),
        b"[" * 100_000,
        b'{"canary":' * 100_000,
        b'"canary \xff"',
        b'\xef\xbb\xbf"canary"',
        b"",
        b'{"canary"',
        b"9" * 5000,
        b'"canary \\u0000"',
        b'{"a":["canary \\ud83d"]}',
        b'{"canary \\udc00":1}',
    ],
)
def test_json_that_may_not_be_believed_is_refused(text: bytes):
    """Duplicate keys, NaN, depth above 64 and what is no JSON are refused without a quotation."""
    with pytest.raises(Unreadable) as refused:
        read_json(text)
    assert str(refused.value).startswith(("it ", "an object ", "a string ", "NaN "))
    assert CANARY not in str(refused.value)


def test_the_deepest_nesting_is_read():
    """The bound is above anything that FHIR nests, and is reached exactly."""
    assert read_json(b"[" * DEEPEST + b"]" * DEEPEST)


def test_a_number_keeps_its_digits():
    """A fraction is read as it was written, and never by way of a float."""
    assert str(read_json(b"17.50")) == "17.50"
    assert read_json(b"[1, 1e2]") == [1, Decimal("1e2")]


def test_a_reader_of_numbers_may_refuse():
    """Whoever reads with narrower numbers says so, and the text is as unreadable."""

    def never(_text: str) -> int:
        raise ValueError(CANARY)

    with pytest.raises(Unreadable) as refused:
        read_json(b'{"a": 1}', integer=never)
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("text", [b"[]", b"1", b"null", b'"{}"'])
def test_only_an_object_is_an_object(text: bytes):
    """Where an object is wanted, no other value will do."""
    with pytest.raises(Unreadable):
        read_object(text)


def test_it_stands_on_the_standard_library_alone():
    """Every package may use the reader, since it brings nothing with it."""
    nodes = list(ast.walk(ast.parse(Path(strict_json.__file__).read_text("utf-8"))))
    named = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in named} <= sys.stdlib_module_names
