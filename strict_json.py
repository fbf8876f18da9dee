"""The one reader of JSON from outside: plain, bounded and unambiguous, or refused.

Parsers disagree about duplicate keys, NaN, byte order marks, half characters and deep nesting, so a
text with any of these is not JSON here. Standard library only; must not log or quote what it reads.
"""

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NoReturn

_NO_TEXT = re.compile("[\x00\ud800-\udfff]")

DEEPEST = 64
"""Levels of nesting; no FHIR resource and no request has as many."""


class Unreadable(ValueError):  # noqa: N818  reads as what it is
    """The text is not JSON that may be believed. The message says why and quotes nothing."""


def read_json(
    raw: bytes,
    *,
    integer: Callable[[str], Any] = int,
    fraction: Callable[[str], Any] = Decimal,
) -> Any:
    """Parse one JSON value in UTF-8, or raise Unreadable.

    A number with a point or an exponent becomes a Decimal, so that `17.50` goes back as `17.50`.
    Another reader of numbers may be given; a ValueError of its own makes the text unreadable too.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("it is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise Unreadable("it begins with a byte order mark; leave it out")
    try:
        value = json.loads(
            text,
            parse_int=integer,
            parse_float=fraction,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
    except Unreadable:
        raise
    except json.JSONDecodeError as error:
        raise Unreadable(f"it is not JSON at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise _too_deep() from None
    except (ValueError, ArithmeticError):
        raise Unreadable("it holds a number that cannot be read") from None
    _check_depth(value)
    if "\\u" in text:  # only an escape can bring what UTF-8 itself cannot hold
        _check_strings(value)
    return value


def read_object(raw: bytes) -> dict[str, Any]:
    """Parse one JSON object, or raise Unreadable."""
    found = read_json(raw)
    if not isinstance(found, dict):
        raise Unreadable("it is not a JSON object")
    return found


def _no_constant(_name: str) -> NoReturn:
    raise Unreadable("NaN and Infinity are not allowed")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Unreadable("an object has the same key twice")
    return made


def _too_deep() -> Unreadable:
    return Unreadable(f"it is nested deeper than {DEEPEST} levels")


def _check_strings(value: Any) -> None:
    """Refuse strings that no database and no other parser could hold."""
    match value:
        case str():
            if _NO_TEXT.search(value):
                raise Unreadable("a string contains NUL or an unpaired surrogate")
        case dict():
            for key, inner in value.items():
                _check_strings(key)
                _check_strings(inner)
        case list():
            for inner in value:
                _check_strings(inner)
        case _:
            return


def _check_depth(value: Any) -> None:
    """Go down level by level, without recursion."""
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    if any(isinstance(item, dict | list) for item in level):
        raise _too_deep()
