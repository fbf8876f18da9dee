"""The verbs that a delivery is made of: find, send, read back. The ledger's moves are not here.

Whoever delivers commits "sent" first, then calls `send`; after a lost answer `find` says whether
it may be sent again. Must not retry, wait, or decide what a failure means for the ledger.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain.delivery.words import Action, Intent, LastSeen
from domain.language.names import EhrPatientId
from fhir_adapters.content import identifiers
from fhir_adapters.content.references import resolve
from fhir_adapters.content.shape import check_shape
from fhir_adapters.exchange.client import EhrClient, Written
from fhir_adapters.exchange.compare import (
    ELSEWHERE,
    cannot_tell_whose,
    differences,
    is_anothers,
)
from fhir_adapters.exchange.failures import Disputed, Unsafe, WrongPatient
from fhir_adapters.exchange.merge import merged, tags_of, undisputed
from fhir_adapters.exchange.reconcile import (
    Absent,
    Ambiguous,
    Finding,
    FoundInEhr,
    Unproven,
    carries,
    find,
    marks,
    place_of,
)
from fhir_adapters.profile.plan import EhrPlan

__all__ = [
    "Absent",
    "Ambiguous",
    "Comparison",
    "Finding",
    "FoundInEhr",
    "Unproven",
    "find",
    "read_back",
    "send",
]

_NOTHING = LastSeen()


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the EHR holds against what was meant. `differences` are paths, never values.

    `rewritten` are differences that this EHR is known to make. `wrong_patient` is the worst there
    is: nothing more of that patient may be sent. `elsewhere` if it names the patient at an address
    that is not known as this EHR's, so that nobody can tell. `unmarked` if the EHR holds it without
    the identifier that it was sent with: that alone makes it no other.
    """

    equal: bool
    differences: tuple[str, ...]
    rewritten: tuple[str, ...]
    wrong_patient: bool
    version: str | None
    elsewhere: bool = False
    unmarked: bool = False


async def send(
    client: EhrClient,
    plan: EhrPlan,
    intent: Intent,
    known: Mapping[str, str],
    patient: EhrPatientId,
    last_seen: LastSeen = _NOTHING,
) -> Written:
    """Write an intent. `known` maps the artefacts already in the EHR to `Type/id`.

    A change that the EHR already has is not sent, nor one of what someone else has changed since
    it was `last_seen` there: Disputed. Where the EHR gives no versions that is told by comparing,
    a moment before it is written. Raises NeverSent, OutcomeUnknown, Busy,
    EhrRefused or Stale; Malformed and Unsafe before a byte is sent; NoAnswer if a change could
    not read what it would change.
    """
    support = plan.support(intent.resource_type)
    body = resolve(intent.body, known)
    if intent.action is Action.CREATE and support.create:
        check_shape(body)
        if is_anothers(body, patient, client.bases):
            raise Unsafe("the resource belongs to another patient")
        condition = identifiers.query(intent.artefact) if support.creates_once else None
        return await client.create(intent.resource_type, body, condition)
    if intent.action is Action.UPDATE and support.update:
        before = replace(last_seen, elements=_of(intent, last_seen, known))
        return await _change(client, intent, known, body, before, patient)
    raise Unsafe(f"this EHR does not advertise {intent.action} for {intent.resource_type}")


async def read_back(
    client: EhrClient,
    resource_type: str,
    ehr_id: str,
    intended: Mapping[str, Any],
    *,
    patient: EhrPatientId,
    rewrites: frozenset[str] = frozenset(),
    whole: bool = True,
    artefact: str = "",
) -> Comparison:
    """Read what was written and compare it with `intended`, whose references are resolved.

    Not `whole` if that is only what a change says. `rewrites` (`EhrPlan.rewrites`) names
    top-level elements that this EHR replaces by its own. `artefact` is what it was marked with.
    """
    held = await client.read(resource_type, ehr_id)
    unmarked = carries(intended, artefact) and not carries(held.resource, artefact)
    found = differences(intended, held.resource, client.bases, whole=whole)
    lost = set(marks(found)) if unmarked else ()
    rewritten = tuple(path for path in found if path.split(".")[0].split("[")[0] in rewrites)
    left = tuple(path for path in found if path not in rewritten and path not in lost)
    wrong = is_anothers(held.resource, patient, client.bases)
    elsewhere = cannot_tell_whose(held.resource, patient, client.bases)
    equal = not left and not wrong and not elsewhere
    return Comparison(equal, left, rewritten, wrong, held.version, elsewhere, unmarked)


async def _change(
    client: EhrClient,
    intent: Intent,
    known: Mapping[str, str],
    changes: Mapping[str, Any],
    before: LastSeen,
    patient: EhrPatientId,
) -> Written:
    resource_type, ehr_id = place_of(intent, known)
    held = await client.read(resource_type, ehr_id)
    if is_anothers(held.resource, patient, client.bases):
        raise WrongPatient
    if cannot_tell_whose(held.resource, patient, client.bases):
        raise Unsafe(ELSEWHERE)
    if "SUBSETTED" in tags_of(held.resource):  # written back, the rest would be lost
        raise Unsafe(f"the EHR shows only a part of the {resource_type}: an update is not safe")
    differ = differences(changes, held.resource, client.bases, whole=False)
    if not differ:
        return Written(held.ehr_id, held.version, existed=True, whole=held.resource)
    if held.version is None and not client.changes_unversioned:
        raise Unsafe(
            f"this EHR gives no version for {resource_type}, so an update is not safe; an"
            " integrator can allow it with `changes_unversioned`"
        )
    write, whole = dict(changes), merged(held.resource, changes)
    if held.version is None or held.version != before.version:
        write, disputed = undisputed(changes, before.elements, held.resource, client.bases)
        if disputed:
            raise Disputed(ehr_id, disputed, differ)
    if not write:
        return Written(ehr_id, held.version, existed=True, whole=whole)
    body = merged(held.resource, write)
    return replace(await client.update(resource_type, ehr_id, body, held.version), whole=whole)


def _of(intent: Intent, last_seen: LastSeen, known: Mapping[str, str]) -> dict[str, Any]:
    """Resolve those elements that stood before and are to change."""
    touched = {key: value for key, value in last_seen.elements.items() if key in intent.body}
    resolved: dict[str, Any] = resolve(touched, known)
    return resolved
