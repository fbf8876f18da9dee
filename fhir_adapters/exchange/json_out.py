"""Writing JSON to outside: the same value gives the same bytes, and Decimal keeps its digits.

The standard encoder would turn a Decimal into a float or refuse it. Must not reorder keys: an
EHR's own resource goes back as it came, but for what was meant to change.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def write_json(value: Any) -> bytes:
    """Serialize a JSON value compactly in UTF-8. TypeError for what is not one."""
    return _text(value).encode("utf-8")


def _text(value: Any) -> str:
    match value:
        case Mapping():
            return "{" + ",".join(f"{_key(k)}:{_text(v)}" for k, v in value.items()) + "}"
        case list() | tuple():
            return "[" + ",".join(_text(item) for item in value) + "]"
        case Decimal():
            if not value.is_finite():
                raise TypeError("a number is not finite")
            return str(value)
        case None | bool() | int() | float() | str():
            return json.dumps(value, ensure_ascii=False, allow_nan=False)
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise TypeError("a key is not text")
    return json.dumps(key, ensure_ascii=False)
