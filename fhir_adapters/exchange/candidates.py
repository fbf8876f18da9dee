"""What in an EHR could be a write of which nobody knows whether it arrived, for a person to see.

Must not decide: whatever names the same patient near the same time is shown, the likeliest first.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from domain.delivery.words import Intent
from domain.language.names import EhrPatientId
from fhir_adapters.content.references import resolve
from fhir_adapters.exchange.chart import ReadOnly
from fhir_adapters.exchange.compare import differences, patient_of
from fhir_adapters.exchange.reconcile import carries, marks
from fhir_adapters.exchange.shown import Proofs, parameters, ways_for
from fhir_adapters.profile.plan import EhrPlan

MOST = 20
_WHATEVER = Proofs()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One resource that it could be. `marked` if it carries our identifier of it."""

    ehr_id: str
    marked: bool
    differences: tuple[str, ...]  # paths at which it is not what was meant
    resource: Mapping[str, Any]


async def candidates(
    client: ReadOnly,
    plan: EhrPlan,
    intent: Intent,
    known: Mapping[str, str],
    patient: EhrPatientId,
    taken: Collection[str],
) -> tuple[Candidate, ...]:
    """Look in every way that the EHR offers; `taken` are ids of what other writes became.

    Raises NeverSent, NoAnswer, Busy or EhrRefused; Malformed if what it refers to is not there.
    """
    body = resolve(dict(intent.body), known)
    support = plan.support(intent.resource_type)
    found: dict[str, Mapping[str, Any]] = {}
    for way in ways_for(support, _WHATEVER):
        params = parameters(way, support, intent.artefact, body, client.bases)
        if params is not None:
            result = await client.search(intent.resource_type, params)
            found |= {hit["id"]: hit for hit in result.resources}
    could_be = (
        _candidate(client, intent, body, ehr_id, hit)
        for ehr_id, hit in found.items()
        if ehr_id not in taken and _could_be(client, intent, patient, hit)
    )
    return tuple(sorted(could_be, key=_likeliest)[:MOST])


def _could_be(
    client: ReadOnly, intent: Intent, patient: EhrPatientId, hit: Mapping[str, Any]
) -> bool:
    if carries(hit, None) and not carries(hit, intent.artefact):
        return False
    return patient_of(hit, client.bases) in (None, f"Patient/{patient}")


def _candidate(
    client: ReadOnly,
    intent: Intent,
    body: Mapping[str, Any],
    ehr_id: str,
    hit: Mapping[str, Any],
) -> Candidate:
    differ = differences(body, hit, client.bases)
    lost = marks(differ)
    left = tuple(path for path in differ if path not in lost)
    return Candidate(ehr_id, carries(hit, intent.artefact), left, hit)


def _likeliest(candidate: Candidate) -> tuple[bool, int, str]:
    return (not candidate.marked, len(candidate.differences), candidate.ehr_id)
