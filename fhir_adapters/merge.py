"""Putting a change into an EHR's own resource: the elements meant to change, nothing else lost.

Works on the raw JSON, in which numbers kept their digits and unknown elements their place. Must
not validate: what an EHR holds may be more than R4 knows.
"""

from collections.abc import Mapping
from typing import Any


def merged(raw: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resource with these top-level elements replaced, in the EHR's own order.

    An element's companion (`_status` beside `status`) says something about the old value and goes.
    """
    stale = {f"_{key}" for key, value in changes.items() if raw.get(key) != value}
    kept = {key: changes.get(key, value) for key, value in raw.items() if key not in stale}
    return kept | {key: value for key, value in changes.items() if key not in raw}
