"""Comparing what was meant with what an EHR holds. Pure; says where they differ, never how.

Every intended element must be there with an equal value: instants as instants, numbers by value,
references by what they refer to, lists in their order. An EHR may add an id, a narrative, codings,
identifiers, participants and elements of its own; it may not add to a value (a unit is a value's
meaning) nor add what turns the whole around, such as a modifier extension.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

_SERVERS_OWN = frozenset({"id", "meta", "text"})
"""Top-level elements that are the EHR's to fill."""

_MAY_BE_ADDED = frozenset(
    {
        "id",
        "extension",
        "text",
        "display",
        "type",
        "version",
        "userSelected",
        "assigner",
        "use",
        "period",
        "required",
    }
)
"""Elements that may be added inside a value without changing what it says."""

_TURNS_AROUND = ("modifierExtension", "implicitRules", "dataAbsentReason", "doNotPerform")
_MAY_GROW = frozenset({"coding", "identifier", "participant"})
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_REFERENCE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?$")


def differences(
    intended: Mapping[str, Any], found: Mapping[str, Any], base_url: str
) -> tuple[str, ...]:
    """List the paths at which the EHR's resource is not what was intended."""
    paths: list[str] = []
    for key, value in intended.items():
        if key not in _SERVERS_OWN:
            paths.extend(_member(key, value, found, key, base_url))
    paths.extend(key for key in _TURNS_AROUND if key in found and key not in intended)
    return tuple(dict.fromkeys(paths))


def patient_of(resource: Mapping[str, Any], base_url: str) -> str | None:
    """Say whose resource it is, as `Patient/id`; None if it does not say."""
    actors = resource.get("participant")
    subjects = [resource.get(key) for key in ("subject", "patient", "for")]
    if isinstance(actors, list):
        subjects += [actor.get("actor") for actor in actors if isinstance(actor, Mapping)]
    for subject in subjects:
        if isinstance(subject, Mapping) and isinstance(subject.get("reference"), str):
            place = referred(subject["reference"], base_url)
            if place.startswith("Patient/"):
                return place
    return None


def referred(reference: str, base_url: str) -> str:
    """Reduce a reference to `Type/id` if it leads into this EHR; else leave it as it is."""
    if "://" in reference and not reference.startswith(base_url.rstrip("/") + "/"):
        return reference
    found = _REFERENCE.search(reference)
    return f"{found[1]}/{found[2]}" if found else reference


def as_instant(text: str) -> datetime | None:
    """Parse a FHIR instant or dateTime with seconds and offset; None for anything else."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text))
    except ValueError:
        return None


def _member(
    key: str, value: Any, found: Mapping[str, Any], path: str, base_url: str
) -> Iterator[str]:
    if key not in found:
        yield path
    elif key == "reference" and isinstance(value, str) and isinstance(found[key], str):
        if referred(value, base_url) != referred(found[key], base_url):
            yield path
    else:
        yield from _value(value, found[key], path, base_url, may_grow=key in _MAY_GROW)


def _value(
    intended: Any, found: Any, path: str, base_url: str, *, may_grow: bool = False
) -> Iterator[str]:
    if isinstance(intended, Mapping):
        if not isinstance(found, Mapping):
            yield path
            return
        for key, value in intended.items():
            yield from _member(key, value, found, f"{path}.{key}", base_url)
        added = found.keys() - intended.keys() - _MAY_BE_ADDED
        yield from (f"{path}.{key}" for key in sorted(added))
    elif isinstance(intended, list | tuple):
        if not isinstance(found, list):
            yield path
        elif may_grow:
            yield from _each_somewhere(list(intended), found, path, base_url)
        elif len(found) != len(intended):
            yield path
        else:
            for place, (mine, theirs) in enumerate(zip(intended, found, strict=True)):
                yield from _value(mine, theirs, f"{path}[{place}]", base_url)
    elif not _same(intended, found):
        yield path


def _each_somewhere(mine: list[Any], theirs: list[Any], path: str, base_url: str) -> Iterator[str]:
    """Each intended item must be there, in its order; others may stand between."""
    left = iter(theirs)
    for place, item in enumerate(mine):
        if not any(not list(_value(item, other, "", base_url)) for other in left):
            yield f"{path}[{place}]"


def _same(intended: Any, found: Any) -> bool:
    if isinstance(intended, bool) or isinstance(found, bool):
        return intended is found
    if isinstance(intended, str) and isinstance(found, str):
        if intended == found:
            return True
        mine, theirs = as_instant(intended), as_instant(found)
        return mine is not None and mine == theirs
    if isinstance(intended, int | float | Decimal) and isinstance(found, int | float | Decimal):
        return _exact(intended) == _exact(found)
    return intended is None and found is None


def _exact(value: float | Decimal) -> Decimal:
    """The number as it is written, not as binary floating point has it."""
    return value if isinstance(value, Decimal) else Decimal(str(value))
