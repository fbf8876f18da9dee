"""The pathway itself in the EHR: an EpisodeOfCare, and a US Core CarePlan that shows its phases.

Both are active from the start and end with the pathway. Must not list visits: Appointments do.
"""

from html import escape
from typing import Any

from domain.language.events import Event
from domain.language.names import PathwayOutcome, PhaseId
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol, Protocol
from fhir_adapters.content import elements, identifiers
from fhir_adapters.content.drafts import Draft, Scene, changed, created
from fhir_adapters.content.orders import how_ended
from fhir_adapters.profile.artefacts import ArtefactKind

_CATEGORY = "http://hl7.org/fhir/us/core/CodeSystem/careplan-category"


def open_episode(scene: Scene) -> Draft:
    title = scene.protocol.title
    body = {
        "status": "active",
        "type": [elements.concept(title)],
        "patient": scene.patient,
        "managingOrganization": elements.organization(scene.after.site),
        "period": {"start": scene.at},
    }
    artefact = identifiers.episode(scene.after.id)
    return created(ArtefactKind.EPISODE, artefact, body, f"Care pathway started: {title}.")


def close_episode(scene: Scene, outcome: PathwayOutcome) -> Draft:
    body = {"status": "finished", "period": _whole(scene)}
    artefact = identifiers.episode(scene.after.id)
    return changed(ArtefactKind.EPISODE, artefact, body, f"Care pathway {outcome}.", noted=True)


def start_care_plan(scene: Scene) -> Draft:
    """Write the CarePlan with every phase still to come."""
    title = scene.protocol.title
    body: dict[str, Any] = {
        "meta": elements.profile("us-core-careplan"),
        "text": _narrative(scene, None),
        "status": "active",
        "intent": "plan",
        "category": [
            {"coding": [{"system": _CATEGORY, "code": "assess-plan"}]},
        ],
        "title": title,
        "subject": scene.patient,
        "period": {"start": scene.at},
        "activity": _activity(scene.protocol, scene.after, None),
    }
    episode = scene.link(ArtefactKind.EPISODE, identifiers.episode(scene.after.id), "EpisodeOfCare")
    if episode is not None:
        body["supportingInfo"] = [episode]
    says = f"Care pathway started: {title}. Phases: {_phases(scene.protocol)}."
    return created(ArtefactKind.CARE_PLAN, identifiers.care_plan(scene.after.id), body, says)


def show_protocol(scene: Scene, version: int) -> Draft:
    """Show in the CarePlan the phases of the version that the pathway goes on under."""
    return _shown(scene, f"Care pathway moved to version {version} of its protocol.")


def show_phase(scene: Scene, phase: PhaseId) -> Draft:
    """Mark in the CarePlan which phase the pathway is in now."""
    return _shown(scene, f"Care pathway entered the phase {scene.protocol.phase(phase).title}.")


def _shown(scene: Scene, says: str) -> Draft:
    body = {
        "text": _narrative(scene, None),
        "activity": _activity(scene.protocol, scene.after, None),
    }
    return changed(
        ArtefactKind.CARE_PLAN, identifiers.care_plan(scene.after.id), body, says, noted=True
    )


def end_care_plan(scene: Scene, outcome: PathwayOutcome) -> Draft:
    """Complete the CarePlan, or revoke it when the pathway was stopped."""
    body = {
        "text": _narrative(scene, outcome),
        "status": "completed" if outcome is PathwayOutcome.COMPLETED else "revoked",
        "period": _whole(scene),
        "activity": _activity(scene.protocol, scene.after, outcome),
    }
    says = f"Care pathway {outcome}."
    return changed(
        ArtefactKind.CARE_PLAN, identifiers.care_plan(scene.after.id), body, says, noted=True
    )


def reopen(scene: Scene) -> tuple[Draft, Draft]:
    """Make the CarePlan and the EpisodeOfCare active again, where the end was decided in error."""
    period = {"start": elements.moment(started(scene.after, scene.event))}
    plan = {
        "text": _narrative(scene, None),
        "status": "active",
        "period": period,
        "activity": _activity(scene.protocol, scene.after, None),
    }
    says = "Care pathway active again: it was ended in error."
    episode = {"status": "active", "period": period}
    return (
        changed(
            ArtefactKind.CARE_PLAN, identifiers.care_plan(scene.after.id), plan, says, noted=True
        ),
        changed(
            ArtefactKind.EPISODE, identifiers.episode(scene.after.id), episode, says, noted=True
        ),
    )


def show_phase_again(scene: Scene, phase: PhaseId) -> Draft:
    """Mark in the CarePlan that the pathway is in this phase after all."""
    title = scene.protocol.phase(phase).title
    return _shown(scene, f"Care pathway back in {title}: it was moved on in error.")


def _activity(
    protocol: CombinedProtocol, pathway: Pathway, outcome: PathwayOutcome | None
) -> list[dict[str, Any]]:
    return [
        {
            "detail": {
                "code": elements.concept(phase.title),
                "status": _status(pathway, phase, outcome),
                "description": f"{phase.title} (protocol {phase.id} version {phase.version})",
            }
        }
        for phase in protocol.phases
    ]


def _status(pathway: Pathway, phase: Protocol, outcome: PathwayOutcome | None) -> str:
    if phase.id not in pathway.phases:
        return "not-started" if outcome is None else "cancelled"
    if phase.id == pathway.phase and outcome is None:
        return "in-progress"
    return how_ended(phase, pathway, outcome if phase.id == pathway.phase else None)


def _whole(scene: Scene) -> dict[str, str]:
    """The period from the first phase's entry, which is the pathway's start, to now."""
    return {"start": elements.moment(started(scene.after, scene.event)), "end": scene.at}


def started(pathway: Pathway, event: Event) -> Any:
    """Say when the pathway started: its first phase is entered by the same command."""
    return min((phase.entered for phase in pathway.phases.values()), default=event.at)


def _phases(protocol: CombinedProtocol) -> str:
    return ", ".join(phase.title for phase in protocol.phases)


def _narrative(scene: Scene, outcome: PathwayOutcome | None) -> dict[str, str]:
    """Say in words what the activities say, for whoever reads nothing else of the plan."""
    protocol = scene.protocol
    items = "".join(
        f"<li>{escape(phase.title)}: {_status(scene.after, phase, outcome).replace('-', ' ')}</li>"
        for phase in protocol.phases
    )
    ended = "" if outcome is None else f" ({outcome})"
    div = f"<p>{escape(protocol.title)}{ended}</p><ol>{items}</ol>"
    return {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml">{div}</div>'}
