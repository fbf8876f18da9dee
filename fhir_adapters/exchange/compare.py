"""Comparing what was meant with what an EHR holds. Pure; says where they differ, never how.

Every intended element must be there with an equal value: instants as instants, numbers by value,
references by what they refer to, lists in their order. An EHR may add an id, a narrative, codings
of other systems, identifiers, participants and administrative elements of its own. It may not add
to a value (a unit is a value's meaning), nor a value, a dose, a time or a second patient, nor what
turns the whole around, such as a modifier extension.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import unquote, urlsplit

from domain.language.names import EhrPatientId

_SERVERS_OWN = frozenset({"id", "meta", "text", "issued", "lastModified", "statusHistory"})
"""Top-level elements that are the EHR's to fill and to keep up."""

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
_SAYS_MORE = re.compile(
    "(abatement|asNeeded|deceased|effective|medication|occurrence|onset|performed|quantity"
    "|reported|scheduled|timing|value)([A-Z].*)?|dosage(Instruction)?"
    "|activity|bodySite|cancelationReason|clinicalStatus|complication|component|content|end"
    "|hasMember|item|outcome|payload|period|priorPrescription|relatesTo|replaces"
    "|requestedPeriod|start|statusReason|verificationStatus"
)
"""Top-level elements that say something of their own: added, they make it another thing."""

_MAY_GROW = frozenset({"coding", "identifier", "participant"})
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_REFERENCE = re.compile(r"([A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64})(?:/_history/[^/]+)?/?")
_PORTS = {"http": ":80", "https": ":443"}
_SOMEBODY = re.compile(r"(?:^|/)Patient/[^/]+(?:/_history/[^/]+)?$")

Bases = tuple[str, ...]
"""The base URLs under which an EHR is known: ours, and those that it calls itself by."""

ELSEWHERE = (
    "the EHR names the patient at an address that is not this connection's; if that address is the"
    " EHR's own, an integrator can add it to `other_base_urls`"
)


def differences(
    intended: Mapping[str, Any], found: Mapping[str, Any], bases: Bases, *, whole: bool = True
) -> tuple[str, ...]:
    """List the paths at which the EHR's resource is not what was intended.

    Not `whole` for a change, which says nothing of the elements that it does not name.
    """
    paths: list[str] = []
    for key, value in intended.items():
        if key not in _SERVERS_OWN:
            paths.extend(_member(key, value, found, key, bases))
    # False says no more of these than leaving it out does
    added = [key for key in found if key not in intended and found[key] is not False]
    paths.extend(key for key in _TURNS_AROUND if key in added)
    paths.extend(key for key in added if key.startswith("_") and key[1:] in intended)
    if whole:
        paths.extend(key for key in added if _SAYS_MORE.fullmatch(key))
    return tuple(dict.fromkeys(paths))


def is_anothers(resource: Mapping[str, Any], patient: EhrPatientId, bases: Bases) -> bool:
    """Say whether a resource names a patient who is not this one. One that names none does not.

    This one's id at another address does not either: see `cannot_tell_whose`.
    """
    every = _patients_of(resource, bases)
    return any(each != f"Patient/{patient}" and not _ends(each, patient) for each in every)


def cannot_tell_whose(resource: Mapping[str, Any], patient: EhrPatientId, bases: Bases) -> bool:
    """Say whether a resource names this patient's id at an address that is not known as the EHR's.

    It may be the EHR's inner host, which its gateway let through, or another server altogether.
    """
    every = _patients_of(resource, bases)
    return any(each != f"Patient/{patient}" and _ends(each, patient) for each in every)


def _ends(place: str, patient: EhrPatientId) -> bool:
    return re.search(rf"/Patient/{re.escape(patient)}(/_history/[^/]+)?$", place) is not None


def patient_of(resource: Mapping[str, Any], bases: Bases) -> str | None:
    """Say whose resource it is, as `Patient/id`; None if it does not say.

    A patient of another place is given as it stands there, and so is never taken for ours.
    """
    return next(_patients_of(resource, bases), None)


def _patients_of(resource: Mapping[str, Any], bases: Bases) -> Iterator[str]:
    actors = resource.get("participant")
    subjects = [resource.get(key) for key in ("subject", "patient", "for")]
    if isinstance(actors, list):
        subjects += [actor.get("actor") for actor in actors if isinstance(actor, Mapping)]
    for subject in subjects:
        if isinstance(subject, Mapping) and isinstance(subject.get("reference"), str):
            place = referred(subject["reference"], bases)
            if _SOMEBODY.search(place):
                yield place


def referred(reference: str, bases: Bases) -> str:
    """Reduce a reference to `Type/id` if it leads into this EHR; else leave it as it is.

    An address may be written in several ways: in capitals, with the usual port, with signs escaped
    that need not be, with a query that says in which form to answer.
    """
    plain = _plain(reference)
    below = (_plain(each).rstrip("/") + "/" for each in bases)
    within = next((plain.removeprefix(b) for b in below if plain.startswith(b)), plain)
    found = _REFERENCE.fullmatch(within)
    return found[1] if found else reference


def _plain(address: str) -> str:
    """Write an address in the one way in which it is compared (RFC 3986, 6.2.2 and 6.2.3)."""
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return address
    opaque = bool(parts.scheme) and not parts.netloc  # `urn:…`
    if opaque or not parts.path or "%2f" in parts.path.lower():
        return address
    host = parts.netloc.lower().removesuffix(_PORTS.get(parts.scheme, ":"))
    path = re.sub("/{2,}", "/", unquote(parts.path))
    return f"{parts.scheme}://{host}{path}" if host else path


def as_instant(text: str) -> datetime | None:
    """Parse a FHIR instant or dateTime with seconds and offset; None for anything else."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text))
    except ValueError:
        return None


def _member(
    key: str, value: Any, found: Mapping[str, Any], path: str, bases: Bases
) -> Iterator[str]:
    if key not in found:
        yield path
    elif key == "reference" and isinstance(value, str) and isinstance(found[key], str):
        if referred(value, bases) != referred(found[key], bases):
            yield path
    else:
        yield from _value(value, found[key], path, bases, grows=key in _MAY_GROW)


def _value(
    intended: Any, found: Any, path: str, bases: Bases, *, grows: bool = False
) -> Iterator[str]:
    if isinstance(intended, Mapping):
        if not isinstance(found, Mapping):
            yield path
            return
        for key, value in intended.items():
            yield from _member(key, value, found, f"{path}.{key}", bases)
        added = found.keys() - intended.keys()
        yield from (f"{path}.{key}" for key in sorted(added) if not _may_be_added(key, found[key]))
    elif isinstance(intended, list | tuple):
        if not isinstance(found, list):
            yield path
        elif grows:
            yield from _each_somewhere(list(intended), found, path, bases)
        elif len(found) != len(intended):
            yield path
        else:
            for place, (mine, theirs) in enumerate(zip(intended, found, strict=True)):
                yield from _value(mine, theirs, f"{path}[{place}]", bases)
    elif not _same(intended, found):
        yield path


def _each_somewhere(mine: list[Any], theirs: list[Any], path: str, bases: Bases) -> Iterator[str]:
    """Each intended item must be there, in its order; others that do no harm may stand between."""
    left = iter(theirs)
    others: list[Any] = []
    for place, item in enumerate(mine):
        for other in left:
            if not list(_value(item, other, "", bases)):
                break
            others.append(other)
        else:
            yield f"{path}[{place}]"
            return
    if any(_contradicts(other, mine, bases) for other in [*others, *left]):
        yield path


def _contradicts(other: Any, mine: list[Any], bases: Bases) -> bool:
    """Say whether an added item is a second patient, or another code of a system that was used."""
    if not isinstance(other, Mapping):
        return True
    if patient_of({"subject": other.get("actor")}, bases) is not None:
        return True
    used = [(item.get("system"), item.get("code")) for item in mine if "code" in item]
    system = other.get("system")
    return any(system == each for each, _ in used) and (system, other.get("code")) not in used


def _may_be_added(key: str, value: Any) -> bool:
    """Say whether an element inside a value may be the EHR's; one that ends the value may not."""
    ended = value == "old" or (isinstance(value, Mapping) and "end" in value)
    return key in _MAY_BE_ADDED and not (key in ("use", "period") and ended)


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
