"""A dose that was given, as a MedicationAdministration timed by its first device.

The number of devices and their lot stand in a note. FHIR R4 has no element for the first, and the
lot only in a contained Medication, which would take the drug's code out of the administration:
a search by code would no longer find a dose. Must not say anything about billing.
"""

from typing import Any

from domain.language.names import PhaseId, VisitId, spoken
from domain.language.protocol import Protocol
from domain.language.release import VisitReleased
from domain.language.treatment import DoseGiven
from fhir_adapters.content import elements, identifiers
from fhir_adapters.content.drafts import Draft, Scene, created
from fhir_adapters.content.orders import medication
from fhir_adapters.profile.artefacts import ArtefactKind


def give(scene: Scene, fact: DoseGiven) -> Draft:
    phase = scene.after.visits[fact.visit].phase
    rules = scene.protocol.phase(phase)
    drug = rules.dose.drug if rules.dose else ""
    named = medication(scene, drug)
    details = f"Session {fact.session}; {fact.devices} devices; lot {fact.lot}"
    details += elements.under_overrides(scene.after, fact.visit, rules)
    details += elements.off_the_rules(fact)
    body: dict[str, Any] = {
        "status": "stopped" if _short(rules, fact.mg) else "completed",
        "medicationCodeableConcept": named,
        "subject": scene.patient,
        "effectiveDateTime": scene.at,
        "performer": [{"actor": scene.author}],
        "dosage": {
            "text": f"{fact.mg} mg, nasal spray",
            "dose": elements.quantity(fact.mg, "mg", "mg"),
        },
        "note": [{"text": details}],
    }
    body |= _around(scene, phase, fact.visit)
    artefact = identifiers.treatment(scene.after.id, scene.event.id)
    says = f"{named['text']} {fact.mg} mg given, first device {scene.when}. {details}."
    return created(ArtefactKind.ADMINISTRATION, artefact, body, says)


def _short(rules: Protocol, mg: int) -> bool:
    """Say whether less was given than the least that is ordered: it was begun and not finished."""
    ordered = () if rules.dose is None else (rules.dose.first_mg, *rules.dose.then_mg)
    return mg < min((each for each in ordered if each > 0), default=0)


def not_given(scene: Scene, fact: VisitReleased) -> Draft:
    """Write that no dose was given at a visit, and why: it ended before any effect."""
    phase = scene.after.visits[fact.visit].phase
    rules = scene.protocol.phase(phase)
    named = medication(scene, rules.dose.drug if rules.dose else "")
    why = spoken(str(fact.not_treated))
    body: dict[str, Any] = {
        "status": "not-done",
        "statusReason": [elements.concept(why)],
        "medicationCodeableConcept": named,
        "subject": scene.patient,
        "effectiveDateTime": scene.at,
        "performer": [{"actor": scene.author}],
    }
    body |= _around(scene, phase, fact.visit)
    artefact = identifiers.treatment(scene.after.id, scene.event.id)
    says = f"{named['text']} not given: {why}."
    return created(ArtefactKind.ADMINISTRATION, artefact, body, says)


def _around(scene: Scene, phase: PhaseId, visit: VisitId) -> dict[str, Any]:
    """Name the order, the episode and the visit that a dose belongs to, as this EHR holds them."""
    body: dict[str, Any] = {}
    order = scene.link(
        ArtefactKind.MEDICATION_ORDER, identifiers.order(scene.after, phase), "MedicationRequest"
    )
    if order is not None:
        body["request"] = order
    episode = scene.name(ArtefactKind.EPISODE, identifiers.episode(scene.after.id))
    if episode is not None:
        body["context"] = episode
    attended = scene.name(ArtefactKind.APPOINTMENT, identifiers.visit(scene.after.id, visit))
    if attended is not None:
        body["supportingInformation"] = [attended]
    return body
