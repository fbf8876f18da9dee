"""Putting a change into an EHR's own resource: the elements meant to change, nothing else lost.

Works on the raw JSON, in which numbers kept their digits and unknown elements their place. Must
not validate: what an EHR holds may be more than R4 knows.
"""

from collections.abc import Mapping
from typing import Any


def merged(raw: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the resource with these top-level elements replaced, in the EHR's own order.

    An element's companion (`_status` beside `status`) says something about the old value and goes.
    Participants are changed one by one, because an EHR adds its own to ours.
    """
    if "participant" in changes:
        together = _participants(raw.get("participant"), changes["participant"])
        changes = {**changes, "participant": together}
    stale = {f"_{key}" for key, value in changes.items() if raw.get(key) != value}
    kept = {key: changes.get(key, value) for key, value in raw.items() if key not in stale}
    return kept | {key: value for key, value in changes.items() if key not in raw}


def _participants(held: Any, mine: list[Any]) -> list[Any]:
    """Lay ours over those that have the same actor, in their place; add those that are new."""
    left = list(mine)
    together = []
    for theirs in held if isinstance(held, list) else []:
        own = next((each for each in left if _same_actor(each, theirs)), None)
        if own is None:
            together.append(theirs)
        else:
            left.remove(own)
            together.append({**theirs, **own, "actor": theirs["actor"]})
    return [*together, *left]


def _same_actor(mine: Mapping[str, Any], theirs: Any) -> bool:
    actor = theirs.get("actor") if isinstance(theirs, Mapping) else None
    if not isinstance(actor, Mapping):
        return False
    wanted = mine["actor"]
    if "reference" in wanted:
        held = str(actor.get("reference", "")).partition("/_history/")[0]
        return f"/{held}".endswith(f"/{wanted['reference']}")
    return bool(wanted["identifier"] == actor.get("identifier"))
