"""Who decided, gave or signed what, as US Core Provenance: a person as author, Kairos as assembler.

R4 gives Provenance no identifier. The id of the event that it comes from stands in `entity`, where
a search by `target` finds it again. Must not be written about something that is not in the EHR.
"""

from datetime import timedelta
from typing import Any

from domain.language.clocks import local_day
from domain.language.corrections import EntryVoided
from domain.language.holds import HoldLifted
from domain.language.names import Role, spoken
from domain.language.overrides import GateOverridden
from domain.language.phases import DecisionMade, ProtocolChanged
from domain.language.release import Disposition, VisitReleased
from domain.language.standing import DecidedAhead, DecisionEnded
from fhir_adapters.content import elements, identifiers
from fhir_adapters.content.drafts import Draft, Scene, created
from fhir_adapters.profile.artefacts import ArtefactKind

_PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


def vouch(scene: Scene, kind: ArtefactKind, artefact: str, activity: str) -> tuple[Draft, ...]:
    """Say who did what an artefact records; nothing if this EHR does not hold the artefact."""
    target = scene.link(kind, artefact)
    if target is None:
        return ()
    return (_draft(scene, ArtefactKind.PROVENANCE, target, activity, ()),)


def override(scene: Scene, fact: GateOverridden) -> Draft:
    """Say who let a held gate pass at a visit, why, and knowing which findings."""
    target = scene.link(
        ArtefactKind.APPOINTMENT, identifiers.visit(scene.after.id, fact.visit), "Appointment"
    )
    activity = f"{spoken(fact.gate)} overridden"
    reasons = (fact.reason, *fact.findings)
    return _draft(scene, ArtefactKind.OVERRIDE, target or scene.patient, activity, reasons)


LEFT = {
    Disposition.AGAINST_ADVICE: "patient left against medical advice",
    Disposition.EMERGENCY: "patient sent to an emergency department",
    Disposition.ADMITTED: "patient admitted",
    Disposition.DIED: "patient died",
}


def left_otherwise(scene: Scene, fact: VisitReleased) -> Draft:
    """Say who saw where a patient went who was not simply let go, why, and what was not met then.

    The Appointment cannot: it is over all the same. A condition of supply was not kept, so where
    no resource can say so a person is asked to enter it.
    """
    visit = identifiers.visit(scene.after.id, fact.visit)
    target = scene.link(ArtefactKind.APPOINTMENT, visit, "Appointment")
    reasons = (fact.words or fact.against_advice, *fact.findings)
    activity = LEFT[fact.disposition]
    return _draft(scene, ArtefactKind.OVERRIDE, target or scene.patient, activity, reasons)


def taken_back(scene: Scene, fact: EntryVoided) -> Draft:
    """Say who called an entry an error, and why; a Provenance of the entry has no status for it."""
    reasons = (fact.reason, f"entry {fact.event}")
    activity = "entry marked as made in error"
    return _draft(scene, ArtefactKind.OVERRIDE, scene.patient, activity, reasons)


def decision(scene: Scene, fact: DecisionMade) -> Draft:
    """Say who decided at a phase's end or review, why, and knowing which findings."""
    target = scene.link(ArtefactKind.CARE_PLAN, identifiers.care_plan(scene.after.id), "CarePlan")
    title = scene.protocol.phase(fact.phase).title
    activity = f"decision to {spoken(fact.decision)}: {title}"
    reasons = (fact.reason, *fact.findings)
    return _draft(scene, ArtefactKind.DECISION, target or scene.patient, activity, reasons)


def protocol_changed(scene: Scene, fact: ProtocolChanged) -> Draft:
    """Say who moved the pathway to another version of its protocol, and why."""
    target = scene.link(ArtefactKind.CARE_PLAN, identifiers.care_plan(scene.after.id), "CarePlan")
    activity = f"protocol changed from version {fact.before} to {fact.version}"
    return _draft(scene, ArtefactKind.DECISION, target or scene.patient, activity, (fact.reason,))


def decided_ahead(scene: Scene, fact: DecidedAhead) -> Draft:
    """Say who let a gate pass for some days, how far, and in which words."""
    target = scene.link(ArtefactKind.CARE_PLAN, identifiers.care_plan(scene.after.id), "CarePlan")
    day = local_day(fact.until - timedelta(microseconds=1), scene.after.zone)
    activity = f"standing decision about {spoken(fact.gate)}, through {day:%A} {day}"
    reasons = (fact.words, *(f"allows: {each}" for each in fact.allows))
    return _draft(scene, ArtefactKind.DECISION, target or scene.patient, activity, reasons)


def decision_ended(scene: Scene, fact: DecisionEnded) -> Draft:
    """Say that a standing decision holds no more, and why."""
    target = scene.link(ArtefactKind.CARE_PLAN, identifiers.care_plan(scene.after.id), "CarePlan")
    known = scene.after.standing.get(fact.decision)
    about = "" if known is None else f" about {spoken(known.gate)}"
    activity = f"standing decision{about} ended"
    return _draft(scene, ArtefactKind.DECISION, target or scene.patient, activity, (fact.reason,))


def lifted(scene: Scene, fact: HoldLifted) -> tuple[Draft, ...]:
    """Say who lifted a hold and why."""
    target = scene.link(ArtefactKind.HOLD, identifiers.hold(scene.after.id, fact.hold), "Flag")
    if target is None:
        return ()
    return (_draft(scene, ArtefactKind.PROVENANCE, target, "hold lifted", (fact.reason,)),)


def _draft(
    scene: Scene,
    kind: ArtefactKind,
    target: dict[str, Any],
    activity: str,
    reasons: tuple[str, ...],
) -> Draft:
    artefact = identifiers.event(scene.after.id, scene.event.id)
    site = elements.organization(scene.after.site)
    body: dict[str, Any] = {
        "meta": elements.profile("us-core-provenance"),
        "target": [target],
        "occurredDateTime": scene.at,
        "recorded": elements.moment(scene.recorded),
    }
    if reasons:
        body["reason"] = [elements.concept(reason) for reason in reasons]
    author = scene.event.by
    if author.role is not Role.KAIROS:
        body["agent"] = [
            {
                "type": _type("author", "Author"),
                "role": [elements.concept(str(author.role))],
                "who": scene.author,
                "onBehalfOf": site,
            }
        ]
    assembler = {
        "type": _type("assembler", "Assembler"),
        "who": elements.kairos(),
        "onBehalfOf": site,
    }
    body["agent"] = [*body.get("agent", []), assembler]
    body["activity"] = elements.concept(activity)
    source = {"identifier": identifiers.identifier(artefact), "display": "Kairos event"}
    body["entity"] = [{"role": "source", "what": source}]
    says = f"{activity[0].upper()}{activity[1:]} ({author.role}, {scene.when})"
    says = f"{says}: {'; '.join(reasons)}" if reasons else f"{says}."
    return created(kind, artefact, body, says)


def _type(code: str, display: str) -> dict[str, Any]:
    return {"coding": [{"system": _PARTICIPANT, "code": code, "display": display}]}
