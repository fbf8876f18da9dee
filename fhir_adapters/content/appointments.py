"""A visit as an Appointment: proposed, booked, arrived, then fulfilled, missed or cancelled.

The EHR's copy follows the visit as it stands now, so that an event that comes late never takes it
back. Must not touch what the EHR added: `merge.py` changes our participants and keeps its own.
"""

from datetime import UTC
from typing import Any

from domain.language.clocks import in_minutes, wall
from domain.language.names import VisitId, VisitStatus, spoken
from domain.language.pathway import Visit
from fhir_adapters.content import elements, identifiers, orders
from fhir_adapters.content.drafts import Draft, Scene, changed, created
from fhir_adapters.profile.artefacts import ArtefactKind
from fhir_adapters.profile.plan import NATIVE_TYPE

_STATUS = {
    VisitStatus.PROPOSED: "proposed",
    VisitStatus.BOOKED: "booked",
    VisitStatus.CHECKED_IN: "arrived",
    VisitStatus.RELEASED: "fulfilled",
    VisitStatus.MISSED: "noshow",
    VisitStatus.CANCELLED: "cancelled",
}

_AGREED = (VisitStatus.BOOKED, VisitStatus.CHECKED_IN, VisitStatus.RELEASED)
"""Where a visit stands once the patient has agreed to it."""


def propose(scene: Scene, visit_id: VisitId) -> Draft:
    """Write a proposed visit. No EHR without Appointment is told of what is not booked yet."""
    visit = scene.after.visits[visit_id]
    rules = scene.protocol.phase(visit.phase)
    body: dict[str, Any] = {
        "status": "proposed",
        "serviceType": [elements.concept(rules.title)],
        "description": f"{rules.title}: {spoken(visit_id)}",
        **_times(scene, visit),
        "minutesDuration": in_minutes(rules.schedule.visit_length),
        "participant": _participants(scene, "needs-action"),
    }
    kind = orders.kind_of(rules)
    order = scene.link(kind, identifiers.order(scene.after, visit.phase), NATIVE_TYPE[kind])
    if order is not None:  # `basedOn` takes a ServiceRequest and nothing else
        course = kind is ArtefactKind.COURSE_ORDER
        body["basedOn" if course else "supportingInformation"] = [order]
    artefact = identifiers.visit(scene.after.id, visit_id)
    when = wall(visit.at, scene.after.zone)
    says = f"Visit proposed: {body['description']}, {when}."
    return created(ArtefactKind.APPOINTMENT, artefact, body, says, noted=False)


def follow(scene: Scene, visit_id: VisitId, *, noted: bool) -> Draft:
    """Bring the Appointment to where the visit stands: its status and its time."""
    visit = scene.after.visits[visit_id]
    rules = scene.protocol.phase(visit.phase)
    body: dict[str, Any] = {"status": _STATUS[visit.status], **_times(scene, visit)}
    if visit.status in _AGREED:
        body["participant"] = _participants(scene, "accepted")
    artefact = identifiers.visit(scene.after.id, visit_id)
    when = wall(visit.at, scene.after.zone)
    says = f"Visit {spoken(visit.status)}: {rules.title}: {spoken(visit_id)}, {when}."
    return changed(ArtefactKind.APPOINTMENT, artefact, body, says, noted=noted)


def cancel(scene: Scene, visit_id: VisitId, reason: str) -> Draft:
    """Cancel a visit that does not take place: it was called off, or its phase has ended."""
    ended = scene.after.outcome is not None
    why = reason or ("the care pathway ended" if ended else "its phase of the pathway ended")
    body = {"status": "cancelled", "cancelationReason": elements.concept(why)}
    artefact = identifiers.visit(scene.after.id, visit_id)
    says = f"Visit cancelled, {why}: {spoken(visit_id)}."
    booked = scene.before.visits[visit_id].status is VisitStatus.BOOKED
    return changed(ArtefactKind.APPOINTMENT, artefact, body, says, noted=booked)


def _participants(scene: Scene, patient: str) -> list[dict[str, Any]]:
    """The patient, who is asked once the visit is booked, and the place, which is its own."""
    return [
        {"actor": scene.patient, "status": patient},
        {"actor": elements.place(scene.after.site), "status": "accepted"},
    ]


def _times(scene: Scene, visit: Visit) -> dict[str, str]:
    length = scene.protocol.phase(visit.phase).schedule.visit_length
    zone = scene.after.zone
    start = elements.clinic_time(visit.at, zone)
    stop = (start.astimezone(UTC) + length).astimezone(start.tzinfo)
    return {"start": elements.with_offset(start), "end": elements.with_offset(stop)}
