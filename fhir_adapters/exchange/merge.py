"""Putting a change into an EHR's own resource: the elements meant to change, nothing else lost.

What someone else changed meanwhile is not overwritten.

Works on the raw JSON, in which numbers kept their digits and unknown elements their place. Must
not validate: what an EHR holds may be more than R4 knows.
"""

from collections.abc import Mapping
from typing import Any

from fhir_adapters.exchange.compare import Bases, differences


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


def tags_of(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """List the codes with which a resource is tagged."""
    meta = resource.get("meta")
    tags = meta.get("tag") if isinstance(meta, Mapping) else None
    listed = tags if isinstance(tags, list) else []
    return tuple(str(tag.get("code")) for tag in listed if isinstance(tag, Mapping))


def undisputed(
    changes: Mapping[str, Any], before: Mapping[str, Any], held: Mapping[str, Any], bases: Bases
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Merge three ways: give the elements to write, and those that two have changed.

    `before` is what stood when Kairos last saw it as meant. What is already so, or what only
    someone else changed, is neither; but a status that someone else changed is always disputed,
    for it says what becomes of all the rest.
    """

    def same(key: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
        if key not in one or key not in other:
            return key not in one and key not in other
        return not differences({key: one[key]}, other, bases, whole=False)

    changed = [key for key in changes if not same(key, changes, held)]
    free = [key for key in changed if same(key, before, held)]
    theirs = [key for key in changed if key not in free]
    disputed = [key for key in theirs if key == "status" or not same(key, changes, before)]
    return {key: changes[key] for key in free}, tuple(disputed)


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
