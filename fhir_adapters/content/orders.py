"""A signed order: a MedicationRequest for esketamine, a ServiceRequest for a course of deep TMS.

The drug's code is the vocabulary's verified RxNorm concept. A course of deep TMS has words only: no
SNOMED code was verified for it, and the CPT codes that were are for single sessions' billing. Rates
and doses stand in elements where the protocol has exactly one, and always in words.
"""

from typing import Any, Literal

from domain.language.names import PathwayOutcome, PhaseId
from domain.language.pathway import Pathway
from domain.language.protocol import (
    Days,
    DoseRule,
    Period,
    Protocol,
    Rate,
    Schedule,
    Stage,
    StimulationRule,
)
from domain.language.vocabulary import Code
from fhir_adapters.content import elements, identifiers
from fhir_adapters.content.drafts import Draft, Scene, changed, created
from fhir_adapters.profile.artefacts import ArtefactKind

_OUTPATIENT = Code(
    "http://terminology.hl7.org/CodeSystem/medicationrequest-category", "outpatient", "Outpatient"
)
_WHERE = "given in the clinic under supervision"
_WHY_ENDED = {
    PathwayOutcome.STOPPED: "the care pathway was stopped",
    PathwayOutcome.COMPLETED: "the care pathway was completed before every session was given",
    None: "the care pathway moved on before every session was given",
}


def sign(scene: Scene, phase: PhaseId) -> Draft:
    rules = scene.protocol.phase(phase)
    artefact = identifiers.order(scene.after, phase)
    if rules.dose is not None:
        return _medication(scene, artefact, rules, rules.dose)
    return _course(scene, artefact, rules)


def end(scene: Scene, phase: PhaseId, outcome: PathwayOutcome | None) -> Draft:
    """End a phase's order, so that no active order outlives its phase.

    `outcome` is the pathway's where it ends with the phase, None where the pathway moves on.
    """
    rules = scene.protocol.phase(phase)
    kind = kind_of(rules)
    how = how_ended(rules, scene.after, outcome)
    body: dict[str, Any] = {"status": how}
    if how != "completed":
        if kind is ArtefactKind.MEDICATION_ORDER:
            body["statusReason"] = elements.concept(_WHY_ENDED[outcome])
        else:  # a ServiceRequest has neither such an element nor two words for it
            body["status"] = "revoked"
    says = f"Order {how}: {rules.title}."
    artefact = identifiers.order(scene.after, phase)
    return changed(kind, artefact, body, says, noted=True)


def resume(scene: Scene, phase: PhaseId) -> Draft:
    """Make a phase's order active again, where what ended it was taken back."""
    rules = scene.protocol.phase(phase)
    kind = kind_of(rules)
    body: dict[str, Any] = {"status": "active"}
    if kind is ArtefactKind.MEDICATION_ORDER:
        body["statusReason"] = elements.concept("it was ended in error")
    says = f"Order active again: {rules.title}."
    return changed(kind, identifiers.order(scene.after, phase), body, says, noted=True)


def how_ended(
    rules: Protocol, pathway: Pathway, outcome: PathwayOutcome | None
) -> Literal["completed", "stopped", "cancelled"]:
    """Say how a phase that is over ended, by what was given of what was ordered.

    R4: an order is completed if all that it asks for has been done, stopped if some of it, and
    cancelled if nothing. What is ordered until it is decided otherwise is done when somebody
    decides that the pathway is complete, or that it moves on.
    """
    given = len(pathway.sessions_in(rules.id))
    ordered = [stage.sessions for stage in rules.schedule.stages]
    if given == 0:
        return "cancelled"
    if None in ordered:
        return "stopped" if outcome is PathwayOutcome.STOPPED else "completed"
    return "completed" if given >= sum(count or 0 for count in ordered) else "stopped"


def kind_of(rules: Protocol) -> ArtefactKind:
    """Say which kind of order a phase has."""
    return ArtefactKind.COURSE_ORDER if rules.dose is None else ArtefactKind.MEDICATION_ORDER


def medication(scene: Scene, drug: str) -> dict[str, Any]:
    """Name a drug by the vocabulary's verified code."""
    code = scene.protocol.vocabulary.drugs[drug]
    return elements.concept(code.display, code)


def _medication(scene: Scene, artefact: str, rules: Protocol, dose: DoseRule) -> Draft:
    drug = medication(scene, dose.drug)
    body = {
        "meta": elements.profile("us-core-medicationrequest"),
        **_head(scene),
        "category": [elements.concept("Outpatient", _OUTPATIENT)],
        "reportedBoolean": False,
        "medicationCodeableConcept": drug,
        "dosageInstruction": _instructions(rules.schedule, dose),
    }
    text = f"{_doses(dose)}; {_rates(rules)}; {_WHERE}"
    says = f"Order signed: {drug['text']}. {rules.title}: {text}."
    return created(ArtefactKind.MEDICATION_ORDER, artefact, body, says)


def _course(scene: Scene, artefact: str, rules: Protocol) -> Draft:
    text = _stimulation(rules.stimulation)
    text = f"{_rates(rules)}; {text}" if text else _rates(rules)
    body = {
        "meta": elements.profile("us-core-servicerequest"),
        **_head(scene),
        # In words: no code of the value sets that US Core names for it means this.
        "category": [elements.concept("Therapeutic procedure")],
        "code": elements.concept(rules.title),
        "note": [{"text": text}],
    }
    if len(rules.schedule.stages) == 1:  # there is one timing, and stages have each their own
        (stage,) = rules.schedule.stages
        body["occurrenceTiming"] = _timing(rules.schedule, stage, stage.sessions)
    says = f"Order signed: {rules.title}: {text}."
    return created(ArtefactKind.COURSE_ORDER, artefact, body, says)


def _head(scene: Scene) -> dict[str, Any]:
    head = {
        "status": "active",
        "intent": "order",
        "subject": scene.patient,
        "authoredOn": scene.at,
        "requester": scene.author,
    }
    plan = scene.name(ArtefactKind.CARE_PLAN, identifiers.care_plan(scene.after.id))
    return head if plan is None else {**head, "basedOn": [plan]}


def _instructions(schedule: Schedule, dose: DoseRule) -> list[dict[str, Any]]:
    """Say the first dose by itself where it is fixed, then one stage after the other."""
    found = []
    if dose.first_mg:
        text = f"{dose.first_mg} mg at the first session"
        found.append(_instruction(text, {"repeat": {"count": 1}}, (dose.first_mg,)))
    for place, stage in enumerate(schedule.stages):
        left = stage.sessions
        if left is not None and dose.first_mg and place == 0:
            left -= 1
        if left != 0:
            text = f"{_chosen(dose)}; {_stage(left, stage.rate)}"
            found.append(_instruction(text, _timing(schedule, stage, left), dose.then_mg))
    return [{"sequence": number, **each} for number, each in enumerate(found, start=1)]


def _instruction(text: str, timing: dict[str, Any], doses: tuple[int, ...]) -> dict[str, Any]:
    said = {
        "text": f"{text}; {_WHERE}",
        "timing": timing,
        "route": elements.concept("nasal"),
    }
    if len(doses) > 1:  # a range would allow what lies between
        return said
    return {**said, "doseAndRate": [{"doseQuantity": elements.quantity(doses[0], "mg", "mg")}]}


def _timing(schedule: Schedule, stage: Stage, sessions: int | None) -> dict[str, Any]:
    rate = stage.rate
    repeat: dict[str, Any] = {} if sessions is None else {"count": sessions}
    unit = "d" if rate.period is Period.DAY else "wk"
    repeat |= {"frequency": rate.sessions, "period": rate.every, "periodUnit": unit}
    if rate.period is Period.DAY and schedule.days is Days.WEEKDAYS:
        repeat["dayOfWeek"] = ["mon", "tue", "wed", "thu", "fri"]
    return {"repeat": repeat}


def _doses(dose: DoseRule) -> str:
    if dose.first_mg:
        return f"{dose.first_mg} mg at the first session, then {_chosen(dose)}"
    return f"{_chosen(dose)} at each session"


def _chosen(dose: DoseRule) -> str:
    return " or ".join(f"{mg} mg" for mg in dose.then_mg)


def _rates(rules: Protocol) -> str:
    stages = (_stage(stage.sessions, stage.rate) for stage in rules.schedule.stages)
    return ", then ".join(stages)


def _stage(sessions: int | None, rate: Rate) -> str:
    return f"{'open-ended' if sessions is None else sessions} sessions, {_rate(rate)}"


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
