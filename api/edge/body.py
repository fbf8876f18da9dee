"""The gate for bodies: what is not plain, bounded, unambiguous JSON goes no further.

Parsers disagree about duplicate keys, NaN, huge numbers and deep nesting; here such a body is
refused before any of them decides what a clinician meant.
"""

import json
import re
from typing import Any, NoReturn

from api.edge.problems import Problem

MOST_BYTES = 256 * 1024
DEEPEST = 64
MOST_DIGITS = 15
"""Significant digits that survive every parser unchanged; no clinical value has more."""

_SURROGATE = re.compile("[\ud800-\udfff]")
_NUMBER = re.compile(r"-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?")
_MOST_EXPONENT = 30
_LONGEST_NUMBER = 40


def check_media_type(content_type: str | None) -> None:
    """Problem unless the body says that it is JSON in UTF-8."""
    kind, _, rest = (content_type or "").partition(";")
    charset = rest.strip().lower().replace('"', "")
    if kind.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        raise Problem("media-type", "send the body as application/json in UTF-8")


def too_large() -> Problem:
    """The body is over the cap."""
    return Problem("body-too-large", f"a body is at most {MOST_BYTES} bytes")


def read_json(raw: bytes) -> Any:
    """Parse a body, or raise the problem that says why it is not taken."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _unreadable("it is not UTF-8") from None
    if text.startswith("\ufeff"):
        raise _unreadable("it begins with a byte order mark; leave it out")
    _check_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_int=_integer,
            parse_float=_fraction,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise _unreadable(f"it is not JSON at {where}") from None
    _check_strings(value)
    return value


def canonical(value: Any) -> bytes:
    """One spelling for equal bodies, to tell a repeat from a reuse."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _unreadable(why: str) -> Problem:
    return Problem("unreadable-body", f"{why}; send one JSON value in UTF-8")


def _check_depth(text: str) -> None:
    """Count open brackets outside strings, without recursion."""
    depth, quoted, escaped = 0, False, False
    for sign in text:
        if quoted:
            quoted = escaped or sign != '"'
            escaped = sign == "\\" and not escaped
        elif sign == '"':
            quoted = True
        elif sign in "[{":
            depth += 1
            if depth > DEEPEST:
                raise _unreadable(f"it is nested deeper than {DEEPEST}")
        elif sign in "]}":
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _unreadable("an object has the same key twice")
    return made


def _no_constant(_name: str) -> NoReturn:
    raise _unreadable("NaN and Infinity are not numbers here")


def _integer(text: str) -> int:
    _check_number(text)
    return int(text)


def _fraction(text: str) -> float:
    _check_number(text)
    return float(text)


def _check_number(text: str) -> None:
    parts = _NUMBER.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    fits = parts is not None and (
        len((parts[1] + (parts[2] or "")).strip("0")) <= MOST_DIGITS
        and abs(int(parts[3] or 0)) <= _MOST_EXPONENT
    )
    if not fits:
        raise _unreadable(f"a number has more than {MOST_DIGITS} digits or a huge exponent")


def _check_strings(value: Any) -> None:
    """Refuse strings that a database or another parser could not hold."""
    match value:
        case str():
            if "\x00" in value or _SURROGATE.search(value):
                raise _unreadable("a string holds NUL or half a character")
        case dict():
            for key, inner in value.items():
                _check_strings(key)
                _check_strings(inner)
        case list():
            for inner in value:
                _check_strings(inner)
        case _:
            return
