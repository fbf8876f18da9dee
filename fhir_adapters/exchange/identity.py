"""Who an EHR's Patient says that somebody is: the identifiers and the name that hold on a day.

For people to compare with who is before them. Reads leniently what an EHR wrote, and passes on no
sign that could turn the words around it.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

LONGEST_NAME = 200

_USES = ("official", "usual")
"""Uses of a name, the one that people go by at a desk first (FHIR R4, NameUse)."""

_NOT_NOW = ("old", "maiden", "temp", "nickname", "anonymous")
_DAY = len("1980-01-01")


def each_of(listed: object) -> list[object]:
    """What stands in a list; a server that writes one without a list means that one."""
    if listed is None:
        return []
    return listed if isinstance(listed, list) else [listed]


def identifiers(resource: Mapping[str, Any], today: date) -> Iterator[tuple[str, str]]:
    """The identifiers that hold on a day: not old ones, not ones that ended or begin later."""
    for entry in each_of(resource.get("identifier")):
        if not isinstance(entry, Mapping) or not isinstance(entry.get("value"), str):
            continue
        if entry.get("use") == "old" or not _holds(entry.get("period"), today):
            continue
        system = entry.get("system")
        yield (system if isinstance(system, str) else "", entry["value"])


def name_of(resource: Mapping[str, Any], today: date) -> str | None:
    """The name that holds on a day, as one line; None if the EHR gives none."""
    names = [
        name
        for name in each_of(resource.get("name"))
        if isinstance(name, Mapping)
        and name.get("use") not in _NOT_NOW
        and _holds(name.get("period"), today)
    ]
    names.sort(key=_rank)
    return next((line for line in map(_line, names) if line), None)


def shown(text: str) -> str:
    """A text of an EHR as one line that shows nothing but itself: no control or direction signs."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def _rank(name: Mapping[str, Any]) -> int:
    use = name.get("use")
    return _USES.index(use) if use in _USES else len(_USES)


def _line(name: Mapping[str, Any]) -> str:
    text, family = name.get("text"), name.get("family")
    if isinstance(text, str) and shown(text):
        whole, last = shown(text), shown(family) if isinstance(family, str) else ""
        # Some put only what somebody is called by into the text: no name is shown without its end.
        half = " " not in whole and bool(last) and last.casefold() not in whole.casefold()
        return (f"{whole} {last}" if half else whole)[:LONGEST_NAME].strip()
    parts = [*each_of(name.get("given")), name.get("family"), *each_of(name.get("suffix"))]
    return shown(" ".join(part for part in parts if isinstance(part, str)))[:LONGEST_NAME]


def _holds(period: object, today: date) -> bool:
    """Say whether a period is going on; a time that is not whole counts to its end."""
    if not isinstance(period, Mapping):
        return True
    start, end, now = period.get("start"), period.get("end"), today.isoformat()
    begun = not isinstance(start, str) or start[:_DAY] <= now
    over = isinstance(end, str) and end[:_DAY] < now[: len(end)]
    return begun and not over
