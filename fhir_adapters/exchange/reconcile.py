"""Looking for a write whose answer was lost: is it in the EHR, provably not there, or unknown?

By our identifier where the EHR can search for it, by `target` for Provenance, else by content:
same patient, code, time and values. An empty answer proves absence only if every filter was
honoured and nothing was withheld; otherwise a person looks. Must never write.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain.delivery.words import Action, Intent
from fhir_adapters.content import identifiers
from fhir_adapters.content.elements import moment
from fhir_adapters.content.references import resolve
from fhir_adapters.exchange.client import EhrClient
from fhir_adapters.exchange.compare import Bases, as_instant, differences, patient_of, referred
from fhir_adapters.exchange.failures import EhrRefused, Unsafe
from fhir_adapters.exchange.headers import version_of
from fhir_adapters.exchange.paging import SearchResult
from fhir_adapters.profile.operation_outcome import leaves_doubt
from fhir_adapters.profile.plan import EhrPlan
from fhir_adapters.profile.vendor import Vendor
from fhir_adapters.profile.verdicts import Verdict

_WINDOW = timedelta(days=1)
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


@dataclass(frozen=True, slots=True)
class FoundInEhr:
    """It is there, once."""

    ehr_id: str
    version: str | None
    resource: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Absent:
    """It is provably not there: it may be sent."""


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """There is more than one that it could be: a person looks."""

    count: int


@dataclass(frozen=True, slots=True)
class Unproven:
    """The EHR's answer proves nothing: it must not be sent again, a person looks."""

    why: str


Finding = FoundInEhr | Absent | Ambiguous | Unproven


async def find(
    client: EhrClient, plan: EhrPlan, intent: Intent, known: Mapping[str, str]
) -> Finding:
    """Look for what an intent would write; `known` maps artefact ids to `Type/id`.

    For a change: whether the resource already has it. Raises NeverSent, NoAnswer or Busy.
    """
    try:
        if intent.action is Action.UPDATE:
            return await _find_change(client, intent, known)
        return await _find_created(client, plan, intent, resolve(intent.body, known))
    except EhrRefused as refused:
        return Unproven(f"the EHR refused the search: {refused.status}, {refused.verdict}")


async def _find_change(client: EhrClient, intent: Intent, known: Mapping[str, str]) -> Finding:
    resource_type, ehr_id = place_of(intent, known)
    try:
        held = await client.read(resource_type, ehr_id)
    except EhrRefused as refused:
        if refused.verdict is Verdict.NOT_FOUND:
            return Unproven(f"the {resource_type} to be changed is no longer in the EHR")
        raise
    changes = resolve(intent.body, known)
    if differences(changes, held.resource, client.bases, whole=False):
        return Absent()
    return FoundInEhr(held.ehr_id, held.version, held.resource)


async def _find_created(
    client: EhrClient, plan: EhrPlan, intent: Intent, body: dict[str, Any]
) -> Finding:
    name = intent.resource_type
    search = plan.support(name).search
    if name == "Provenance":
        if "target" not in search:
            return Unproven("Provenance cannot be searched by target here")
        target = referred(str(body["target"][0]["reference"]), client.bases)
        result = await client.search(name, [("target", target)])
        honoured = all(_targets(hit, target, client.bases) for hit in result.resources)
        hits = [hit for hit in result.resources if carries(hit, intent.artefact)]
        return _verdict(client.vendor, result, hits, honoured=honoured)
    if "identifier" in search:
        result = await client.search(name, [("identifier", identifiers.token(intent.artefact))])
        hits = [hit for hit in result.resources if carries(hit, intent.artefact)]
        return _verdict(client.vendor, result, hits, honoured=len(hits) == len(result.resources))
    return await _find_by_content(client, intent, body, search)


async def _find_by_content(
    client: EhrClient, intent: Intent, body: dict[str, Any], search: frozenset[str]
) -> Finding:
    patient = patient_of(body, client.bases)
    by = next((name for name in ("patient", "subject") if name in search), None)
    if patient is None or by is None:
        return Unproven(f"{intent.resource_type} can be searched neither by identifier nor patient")
    value = patient if by == "subject" else patient.removeprefix("Patient/")
    params = [(by, value), *_window(intent.resource_type, body, search)]
    result = await client.search(intent.resource_type, params)
    honoured = all(patient_of(hit, client.bases) == patient for hit in result.resources)
    ours = [hit for hit in result.resources if carries(hit, intent.artefact)]
    if ours:
        return _verdict(client.vendor, result, ours, honoured=honoured)
    strangers = [hit for hit in result.resources if not carries(hit, None)]
    content = {key: value for key, value in body.items() if key != "identifier"}
    same = [hit for hit in strangers if not differences(content, hit, client.bases)]
    if not same and any(_alike(content, hit, client.bases) for hit in strangers):
        return Unproven("the EHR has a similar entry for the same time with different content")
    return _verdict(client.vendor, result, same, honoured=honoured)


def _verdict(
    vendor: Vendor, result: SearchResult, hits: list[dict[str, Any]], *, honoured: bool
) -> Finding:
    if len(hits) > 1:
        return Ambiguous(len(hits))
    if hits:
        return FoundInEhr(hits[0]["id"], version_of(hits[0]), hits[0])
    if not honoured:
        return Unproven("the EHR ignored the search filter and returned other resources")
    if leaves_doubt(result.issues, vendor):
        codes = ", ".join(str(issue) for issue in result.issues)
        return Unproven(f"the EHR's empty search result came with messages: {codes}")
    if not result.complete:
        return Unproven("the search could not be completed")
    return Absent()


def place_of(intent: Intent, known: Mapping[str, str]) -> tuple[str, str]:
    """Say where a change goes. Unsafe if the EHR's id is not known, or of another type."""
    resource_type, _, ehr_id = known.get(intent.artefact, "").partition("/")
    if resource_type != intent.resource_type:
        raise Unsafe(f"{intent.artefact} is not in the EHR as {intent.resource_type}")
    return resource_type, ehr_id


def carries(resource: Mapping[str, Any], artefact: str | None) -> bool:
    """Say whether a resource carries this identifier of ours (None: any of ours)."""
    values = {
        entry.get("value")
        for entry in _identifiers(resource)
        if entry.get("system") == identifiers.SYSTEM
    }
    return bool(values) if artefact is None else artefact in values


def _identifiers(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = resource.get("identifier")
    listed = found if isinstance(found, list) else [found]
    for entity in resource.get("entity") or []:
        what = entity.get("what") if isinstance(entity, Mapping) else None
        listed = [*listed, what.get("identifier") if isinstance(what, Mapping) else None]
    yield from (entry for entry in listed if isinstance(entry, Mapping))


def _targets(hit: Mapping[str, Any], target: str, bases: Bases) -> bool:
    references = [entry.get("reference") for entry in hit.get("target") or []]
    return any(isinstance(r, str) and referred(r, bases) == target for r in references)


def _window(
    name: str, body: Mapping[str, Any], search: frozenset[str]
) -> Iterator[tuple[str, str]]:
    parameter = _DATES.get(name, "date")
    at = as_instant(time_of(body) or "")
    if at is not None and parameter in search:
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


def _alike(content: Mapping[str, Any], hit: Mapping[str, Any], bases: Bases) -> bool:
    """Say whether a hit has the same time and code, whatever else it says."""
    mine, theirs = as_instant(time_of(content) or ""), as_instant(time_of(hit) or "")
    if mine is None or mine != theirs:
        return False
    code = {key: content[key] for key in ("code",) if key in content}
    return not differences(code, hit, bases, whole=False)
