"""Reading JSON from outside: strict, bounded and without losing a digit.

Numbers with a point become Decimal, so that `17.50` goes back as `17.50`. Refuses duplicate keys,
NaN and infinities, and nesting deeper than any FHIR resource. Must not log what it reads.
"""

import json
from decimal import Decimal
from typing import Any

MOST_DEPTH = 64


class Unreadable(ValueError):  # noqa: N818  reads as what it is
    """The text is not JSON that may be believed. The message never quotes it."""


def read_json(text: bytes) -> Any:
    """Parse one JSON value in UTF-8."""
    try:
        found = json.loads(
            text.decode("utf-8"),
            parse_float=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_no_duplicates,
        )
    except Unreadable:
        raise
    except (ValueError, RecursionError, ArithmeticError):
        raise Unreadable("not JSON in UTF-8") from None
    _check_depth(found)
    return found


def read_object(text: bytes) -> dict[str, Any]:
    """Parse one JSON object."""
    found = read_json(text)
    if not isinstance(found, dict):
        raise Unreadable("not a JSON object")
    return found


def _no_constant(_: str) -> None:
    raise Unreadable("a number is not finite")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Unreadable("a key stands twice in one object")
    return found


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MOST_DEPTH):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    if any(isinstance(item, dict | list) for item in level):
        raise Unreadable(f"nested deeper than {MOST_DEPTH}")
