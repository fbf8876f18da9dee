"""Whether an EHR's search shows what stands there: what an empty answer of it is worth.

An EHR may advertise a search by identifier and file what it is sent without our identifier, or
find what was written only minutes later. So an empty answer proves that something is not there
only where the same kind of search has shown something of ours before.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from fhir_adapters.content import identifiers
from fhir_adapters.content.elements import moment
from fhir_adapters.content.references import resolve
from fhir_adapters.exchange.client import EhrClient
from fhir_adapters.exchange.compare import Bases, as_instant, patient_of, referred
from fhir_adapters.profile.capability import Support
from fhir_adapters.profile.plan import EhrPlan

_WINDOW = timedelta(days=1)
_EDGE, _LATEST = timedelta(days=2), datetime.max.replace(tzinfo=UTC)
_DATES = {
    "CarePlan": "date",
    "Communication": "sent",
    "MedicationAdministration": "effective-time",
    "MedicationRequest": "authoredon",
    "QuestionnaireResponse": "authored",
    "ServiceRequest": "authored",
    "Task": "authored-on",
}
"""Name of the search parameter for a type's time, where it is not `date`."""

Parameters = list[tuple[str, str]]


class Way(StrEnum):
    """A way to look for what was written."""

    IDENTIFIER = "identifier"  # by ours
    TARGET = "target"  # a Provenance, by what it is about, and then by content
    CONTENT = "content"  # by its patient, near its time


@dataclass(frozen=True, slots=True)
class Proofs:
    """What is known of one EHR's searches for one type.

    `proved` are the ways by which one of ours was found, `withdrawn` those that cannot find any:
    what was written came back without our identifier. `lag` is the longest time that was seen to
    pass between a write and its being found; None if nobody has looked. `elsewhere` is the same of
    the EHR's other types, None if none is known or one is not to be trusted.
    """

    proved: frozenset[Way] = frozenset()
    withdrawn: frozenset[Way] = frozenset()
    lag: timedelta | None = None
    elsewhere: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """Something of ours that was read in the EHR, so that a search that is any good shows it.

    `known` maps the artefacts that it refers to, to `Type/id`.
    """

    artefact: str
    resource_type: str
    ehr_id: str
    body: Mapping[str, Any]
    written_at: datetime
    known: Mapping[str, str] = field(default_factory=dict)


def ways_for(support: Support, proofs: Proofs) -> tuple[Way, ...]:
    """List the ways in which a type can be looked for, the surest first."""
    if support.resource_type == "Provenance":
        return (Way.TARGET,) if "target" in support.search else ()
    ways = (
        (Way.IDENTIFIER, support.finds_identifier),
        (Way.CONTENT, bool(support.search & {"patient", "subject"})),
    )
    return tuple(way for way, can in ways if can and way not in proofs.withdrawn)


def parameters(
    way: Way, support: Support, artefact: str, body: Mapping[str, Any], bases: Bases
) -> Parameters | None:
    """Build the search for a resource whose references are resolved; None if it names too little.

    By content that is whoever it is about, and a day before and after its clinical time.
    """
    match way:
        case Way.IDENTIFIER:
            return [("identifier", identifiers.token(artefact))]
        case Way.TARGET:
            return [("target", referred(str(body["target"][0]["reference"]), bases))]
        case Way.CONTENT:
            patient = patient_of(body, bases)
            by = next((name for name in ("patient", "subject") if name in support.search), None)
            if patient is None or by is None:
                return None
            value = patient if by == "subject" else patient.removeprefix("Patient/")
            return [(by, value), *_window(support, body)]


async def shows(client: EhrClient, plan: EhrPlan, way: Way, witness: Witness) -> bool:
    """Say whether a search in that way shows something that is known to stand in the EHR.

    Raises NeverSent, NoAnswer, Busy or EhrRefused.
    """
    support = plan.support(witness.resource_type)
    body = resolve(dict(witness.body), witness.known)
    params = parameters(way, support, witness.artefact, body, client.bases)
    if params is None:
        return False
    result = await client.search(witness.resource_type, params)
    return any(hit["id"] == witness.ehr_id for hit in result.resources)


def _window(support: Support, body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    parameter = _DATES.get(support.resource_type, "date")
    at = as_instant(time_of(body) or "")
    near = at is not None and datetime.min.replace(tzinfo=UTC) + _EDGE < at < _LATEST - _EDGE
    if at is not None and near and parameter in support.search:
        yield parameter, f"ge{moment(at - _WINDOW)}"
        yield parameter, f"lt{moment(at + _WINDOW)}"


def time_of(body: Mapping[str, Any]) -> str | None:
    """Take the clinical time of a resource, whatever its type calls it."""
    for key in (
        "effectiveDateTime",
        "performedDateTime",
        "authoredOn",
        "authored",
        "sent",
        "start",
    ):
        if isinstance(body.get(key), str):
            return str(body[key])
    for key in ("performedPeriod", "effectivePeriod", "period"):
        period = body.get(key)
        if isinstance(period, Mapping) and isinstance(period.get("start"), str):
            return str(period["start"])
    date = body.get("date")
    return date if isinstance(date, str) else None
