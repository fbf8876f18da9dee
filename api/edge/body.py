"""The gate for bodies: strict JSON, with numbers and strings that survive every parser and store.

What is not is refused before any of them decides what a clinician meant.
"""

import json
import re
from typing import Any

from api.edge.problems import Problem
from strict_json import Unreadable, read_json

MOST_BYTES = 256 * 1024
MOST_DIGITS = 15
"""Significant digits that survive every parser unchanged; no clinical value has more."""

_NUMBER = re.compile(r"-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?")
_MOST_EXPONENT = 30
_LONGEST_NUMBER = 40


def check_media_type(content_type: str | None) -> None:
    """Problem unless the body says that it is JSON in UTF-8."""
    kind, _, rest = (content_type or "").partition(";")
    charset = rest.strip().lower().replace('"', "")
    if kind.strip().lower() != "application/json" or charset not in (
        "",
        "charset=utf-8",
        "charset=utf8",
    ):
        raise Problem("media-type", "send the body as application/json in UTF-8")


def too_large() -> Problem:
    """The body is over the cap."""
    return Problem("body-too-large", f"a body is at most {MOST_BYTES} bytes")


def read_body(raw: bytes) -> Any:
    """Parse a body, or raise the problem that says why it is not taken."""
    try:
        value = read_json(raw, integer=_integer, fraction=_fraction)
    except Unreadable as why:
        raise Problem("unreadable-body", f"{why}; send one JSON value in UTF-8") from None
    return value


def canonical(value: Any) -> bytes:
    """One spelling for equal bodies, to tell a repeat from a reuse."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


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
        raise Unreadable(f"a number has more than {MOST_DIGITS} digits or a huge exponent")
