"""A delivery as the ledger holds one, and one of each outcome."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.delivery import outcomes as o
from domain.delivery.resolve import Choice, Kind, SupersedeAs, ThisOne
from domain.delivery.words import Action, Delivery, DeliveryDecision, DeliveryState
from domain.language.names import (
    Author,
    ConnectionId,
    EhrPatientId,
    EventId,
    PathwayId,
    Role,
    SiteId,
)

NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)
OPERATOR = Author("operations-1", Role.OPERATIONS)

EACH: tuple[o.AttemptOutcome, ...] = (
    o.Equal("2"),
    o.Differs(("status",), "2"),
    o.WrongPatient(("subject",), "2"),
    o.Claimed("Observation/1 is already what another delivery became"),
    o.NotReadBack("404", gone=True),
    o.NotReadBack("403", gone=False),
    o.RefusedByEhr("422", sent=True),
    o.RefusedByEhr("the resource is another patient's", sent=False),
    o.Stale(),
    o.NeverLeft(),
    o.NeverLeft(ours=True),
    o.Busy("429", None),
    o.Busy("429", 120),
    o.Lost(ehr_answers=True),
    o.Lost(ehr_answers=False),
    o.Silent(ehr_answers=True),
    o.Silent(ehr_answers=False),
    o.Absent(early=True),
    o.Absent(early=False),
    o.Absent(early=False, proved=False),
    o.Absent(early=False, behind=True),
    o.Absent(early=False, lag=timedelta(minutes=5)),
    o.Ambiguous(2),
    o.Unproven("the search did not come to its end"),
    o.Broke("KeyError"),
)

OF_A_SEND = tuple(
    each for each in EACH if not isinstance(each, o.Absent | o.Ambiguous | o.Unproven)
)
OF_A_LOOK = tuple(each for each in EACH if not isinstance(each, o.RefusedByEhr | o.Stale))


def a_delivery(state: DeliveryState = DeliveryState.INTENT, **also: Any) -> Delivery:
    """A create that nothing was tried of yet, unless said otherwise."""
    made = Delivery(
        id=7,
        site_id=SiteId("here"),
        pathway_id=PathwayId("p1"),
        connection_id=ConnectionId("ehr"),
        patient_id=EhrPatientId("patient-1"),
        event_id=EventId("e1"),
        artefact="a",
        resource_type="Observation",
        action=Action.CREATE,
        body={},
        needs=(),
        state=state,
        needs_person=False,
        attempts=0,
        ehr_id=None,
        ehr_version=None,
        differences=(),
        reason=None,
        created_at=NOW,
        changed_at=NOW,
    )
    return replace(made, **also)


def settled(stands: Delivery, decision: DeliveryDecision, at: datetime) -> Delivery:
    """The delivery as the ledger holds it after a decision."""
    return replace(
        stands,
        state=decision.state,
        attempts=decision.attempts,
        reason=decision.reason,
        needs_person=decision.needs_person,
        ehr_id=decision.ehr_id,
        ehr_version=decision.ehr_version,
        differences=decision.differences,
        refusal=decision.refusal,
        put_off=decision.put_off,
        vouched_at=at if decision.vouched else stands.vouched_at,
        changed_at=stands.changed_at if decision.state is stands.state else at,
    )


def chosen(kind: Kind) -> Choice:
    """A choice of this kind, with what it needs."""
    if issubclass(kind, SupersedeAs | ThisOne):
        return kind("looked into", "77")
    return kind("looked into")
