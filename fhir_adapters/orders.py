"""A signed order: a MedicationRequest for esketamine, a ServiceRequest for a course of deep TMS.

The drug's code is the vocabulary's verified RxNorm concept. A course of deep TMS has words only: no
SNOMED code was verified for it, and the CPT codes that were are for single sessions' billing.
"""

from typing import Any

from domain.names import Outcome, PhaseId, Treatment
from domain.protocol import DoseRule, Protocol, Rate, StimulationRule
from fhir_adapters import elements, identifiers
from fhir_adapters.drafts import Draft, Scene, changed, created
from fhir_adapters.vendors import Artefact


def sign(scene: Scene, phase: PhaseId) -> Draft:
    """Write a phase's order."""
    rules = scene.protocol.phase(phase)
    artefact = identifiers.order(scene.after.id, phase)
    if rules.dose is not None:
        return _medication(scene, artefact, rules, rules.dose)
    return _course(scene, artefact, rules)


def end(scene: Scene, phase: PhaseId, outcome: Outcome) -> Draft:
    """End a phase's order, so that no active order outlives its phase."""
    rules = scene.protocol.phase(phase)
    kind = kind_of(rules)
    done = outcome is Outcome.COMPLETED
    ended = "stopped" if kind is Artefact.MEDICATION_ORDER else "revoked"
    body = {"status": "completed" if done else ended}
    says = f"Order {'completed' if done else 'stopped'}: {rules.title}."
    artefact = identifiers.order(scene.after.id, phase)
    return changed(kind, artefact, body, says, noted=True)


def kind_of(rules: Protocol) -> Artefact:
    """Say which kind of order a phase has."""
    esketamine = rules.treatment is Treatment.ESKETAMINE
    return Artefact.MEDICATION_ORDER if esketamine else Artefact.COURSE_ORDER


def medication(scene: Scene, drug: str) -> dict[str, Any]:
    """Name a drug by the vocabulary's verified code."""
    code = scene.protocol.vocabulary.drugs[drug]
    return elements.concept(code.display, code)


def _medication(scene: Scene, artefact: str, rules: Protocol, dose: DoseRule) -> Draft:
    text = f"{_doses(dose)}; {_rates(rules)}; given in the clinic under supervision"
    drug = medication(scene, dose.drug)
    body = {
        "meta": elements.profile("us-core-medicationrequest"),
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": drug,
        "subject": scene.patient,
        "authoredOn": scene.at,
        "requester": scene.author,
        "dosageInstruction": [{"text": text}],
    }
    says = f"Order signed, to be entered as an order: {drug['text']}. {rules.title}: {text}."
    return created(Artefact.MEDICATION_ORDER, artefact, body, says)


def _course(scene: Scene, artefact: str, rules: Protocol) -> Draft:
    text = _stimulation(rules.stimulation)
    text = f"{_rates(rules)}; {text}" if text else _rates(rules)
    body = {
        "meta": elements.profile("us-core-servicerequest"),
        "status": "active",
        "intent": "order",
        "code": elements.concept(rules.title),
        "subject": scene.patient,
        "authoredOn": scene.at,
        "requester": scene.author,
        "note": [{"text": text}],
    }
    says = f"Order signed, to be entered as an order: {rules.title}: {text}."
    return created(Artefact.COURSE_ORDER, artefact, body, says)


def _doses(dose: DoseRule) -> str:
    then = " or ".join(f"{mg} mg" for mg in dose.then_mg)
    if dose.first_mg:
        return f"{dose.first_mg} mg at the first session, then {then}"
    return f"{then} at each session"


def _rates(rules: Protocol) -> str:
    stages = (
        f"{'open' if stage.sessions is None else stage.sessions} sessions, {_rate(stage.rate)}"
        for stage in rules.schedule.stages
    )
    return ", then ".join(stages)


def _rate(rate: Rate) -> str:
    every = str(rate.period) if rate.every == 1 else f"{rate.every} {rate.period}s"
    return f"{rate.sessions} per {every}"


def _stimulation(rule: StimulationRule | None) -> str:
    if rule is None:
        return ""
    return (
        f"{rule.coil} coil, {rule.target}, {rule.intensity_percent_mt} percent of motor threshold, "
        f"{rule.frequency_hz} Hz, {rule.pulses} pulses each session"
    )
