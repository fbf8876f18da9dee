"""Looking for a write whose answer was lost: is it in the EHR, provably not there, or unknown?

By our identifier where the EHR can search for it and keeps it, by `target` for Provenance, else
by content: same patient, code, time and values. An empty answer proves absence only if every filter
was honoured, nothing was withheld, and that kind of search has shown something of ours before
(`shown.py`); otherwise a person looks. Must never write.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain.delivery.words import Action, Intent
from fhir_adapters.content import identifiers
from fhir_adapters.content.references import resolve
from fhir_adapters.exchange.client import EhrClient
from fhir_adapters.exchange.compare import Bases, as_instant, differences, patient_of, referred
from fhir_adapters.exchange.failures import EhrRefused, NoAnswer, Unsafe
from fhir_adapters.exchange.headers import version_of
from fhir_adapters.exchange.paging import SearchResult
from fhir_adapters.exchange.shown import Parameters, Proofs, Way, parameters, time_of, ways_for
from fhir_adapters.profile.operation_outcome import leaves_doubt
from fhir_adapters.profile.plan import EhrPlan
from fhir_adapters.profile.vendor import Vendor
from fhir_adapters.profile.verdicts import Verdict

_NOTHING_KNOWN = Proofs()
_MARK = re.compile(r"identifier(\[[0-9]+\])?|entity(\[[0-9]+\]\.what(\.identifier(\..*)?)?)?")


@dataclass(frozen=True, slots=True)
class FoundInEhr:
    """It is there, once."""

    ehr_id: str
    version: str | None
    resource: dict[str, Any]
    way: Way | None = None  # by which it was found


@dataclass(frozen=True, slots=True)
class Absent:
    """It was not found in any of these ways; a change: it is not as the change has it.

    What that proves depends on whether one of the ways finds what is there.
    """

    ways: tuple[Way, ...] = ()


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
    client: EhrClient,
    plan: EhrPlan,
    intent: Intent,
    known: Mapping[str, str],
    proofs: Proofs = _NOTHING_KNOWN,
    taken: Collection[str] = (),
) -> Finding:
    """Look for what an intent would write; `known` maps artefact ids to `Type/id`.

    For a change: whether the resource already has it. `taken` are ids of what other deliveries
    became: they are none of it. Raises NeverSent, NoAnswer or Busy.
    """
    try:
        if intent.action is Action.UPDATE:
            return await _find_change(client, intent, known)
        body = resolve(intent.body, known)
        return await _find_created(client, plan, intent, body, proofs, taken)
    except EhrRefused as refused:
        if refused.strange:
            raise NoAnswer(f"{refused}; that is no FHIR").saying(refused.said) from None
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
    client: EhrClient,
    plan: EhrPlan,
    intent: Intent,
    body: dict[str, Any],
    proofs: Proofs,
    taken: Collection[str],
) -> Finding:
    """Look in one way after the other, until one finds it or has proved that it would."""
    support = plan.support(intent.resource_type)
    empty: list[Way] = []
    for way in ways_for(support, proofs):
        params = parameters(way, support, intent.artefact, body, client.bases)
        if params is None:
            continue
        if way is Way.IDENTIFIER:
            found = await _by_identifier(client, intent, params)
        else:
            found = await _by_content(client, plan, intent, body, params, taken)
        if isinstance(found, FoundInEhr):
            return replace(found, way=way)
        if not isinstance(found, Absent):
            return found
        empty.append(way)
        if way in proofs.proved:
            break
    if empty:
        return Absent(tuple(empty))
    if intent.resource_type == "Provenance":
        return Unproven("Provenance cannot be searched by target here")
    return Unproven(f"{intent.resource_type} can be searched neither by identifier nor patient")


async def _by_identifier(client: EhrClient, intent: Intent, params: Parameters) -> Finding:
    result = await client.search(intent.resource_type, params)
    hits = [hit for hit in result.resources if carries(hit, intent.artefact)]
    return _verdict(client.vendor, result, hits, honoured=len(hits) == len(result.resources))


async def _by_content(
    client: EhrClient,
    plan: EhrPlan,
    intent: Intent,
    body: dict[str, Any],
    params: Parameters,
    taken: Collection[str],
) -> Finding:
    """Look among what names the same patient, or is about the same, and take what says the same."""
    patient = patient_of(body, client.bases)
    result = await client.search(intent.resource_type, params)
    if intent.resource_type == "Provenance":
        honoured = all(_targets(hit, params[0][1], client.bases) for hit in result.resources)
    else:
        honoured = all(patient_of(hit, client.bases) == patient for hit in result.resources)
    ours = [hit for hit in result.resources if carries(hit, intent.artefact)]
    if ours:
        return _verdict(client.vendor, result, ours, honoured=honoured)
    strangers = [
        hit for hit in result.resources if not carries(hit, None) and hit["id"] not in taken
    ]
    rewritten = {"identifier", "entity", *plan.rewrites(intent.resource_type)}
    content = {key: value for key, value in body.items() if key not in rewritten}
    same = [hit for hit in strangers if not differences(content, hit, client.bases)]
    if not same and any(_alike(content, hit, client.bases) for hit in strangers):
        return Unproven("the EHR has a similar entry for the same time with different content")
    return _verdict(client.vendor, result, same, honoured=honoured)


def _verdict(
    vendor: Vendor, result: SearchResult, hits: list[dict[str, Any]], *, honoured: bool
) -> Finding:
    hidden = max((result.total or 0) - len(result.resources), 0)
    if hits and len(hits) + hidden > 1:
        return Ambiguous(len(hits) + hidden)
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
    values = [
        entry.get("value")
        for entry in _identifiers(resource)
        if entry.get("system") == identifiers.SYSTEM
    ]
    return bool(values) if artefact is None else artefact in values


def marks(paths: Iterable[str]) -> tuple[str, ...]:
    """List those paths of differences at which a resource carries our identifier."""
    return tuple(path for path in paths if _MARK.fullmatch(path))


def _identifiers(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    found = resource.get("identifier")
    listed = found if isinstance(found, list) else [found]
    entities = resource.get("entity")
    for entity in entities if isinstance(entities, list) else []:
        what = entity.get("what") if isinstance(entity, Mapping) else None
        listed = [*listed, what.get("identifier") if isinstance(what, Mapping) else None]
    yield from (entry for entry in listed if isinstance(entry, Mapping))


def _targets(hit: Mapping[str, Any], target: str, bases: Bases) -> bool:
    targets = hit.get("target")
    listed = targets if isinstance(targets, list) else [targets]
    references = [entry.get("reference") for entry in listed if isinstance(entry, Mapping)]
    return any(isinstance(r, str) and referred(r, bases) == target for r in references)


def _alike(content: Mapping[str, Any], hit: Mapping[str, Any], bases: Bases) -> bool:
    """Say whether a hit has the same time and code, whatever else it says."""
    mine, theirs = as_instant(time_of(content) or ""), as_instant(time_of(hit) or "")
    if mine is None or mine != theirs:
        return False
    code = {key: content[key] for key in ("code",) if key in content}
    return not differences(code, hit, bases, whole=False)
