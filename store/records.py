"""What the store tells others: plain values, read from its rows and never changed.

Rows stay inside `store`. A record is a moment's view: what is to change is taken with a lock by the
function that changes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from domain.delivery.words import Action, Delivery, DeliveryState
from domain.language.names import (
    CommandState,
    ConnectionId,
    EhrPatientId,
    EventId,
    PathwayId,
    PathwayStatus,
    SiteId,
)
from store.ehr_tables import CapabilityRow
from store.tables import CommandRow, EventRow, PathwayRow


@dataclass(frozen=True, slots=True)
class Next:
    """What comes next on a pathway: the most pressing of its steps."""

    says: str
    who: list[str]  # whom it waits for; nobody: time
    due: datetime | None  # or when the time is over that it waits for


@dataclass(frozen=True, slots=True)
class PathwayRecord:
    """A pathway as it was when it was read; `version` counts its recorded events.

    What it is now comes from `pathways.folded`: the projection may be one of other rules.
    """

    id: str
    site_id: str
    connection_id: str
    patient_id: str
    status: PathwayStatus
    phase: str
    version: int
    protocol_sha256: str
    projection: Mapping[str, Any]
    rules: str
    due_at: datetime | None
    restarted_at: datetime | None
    started_at: datetime
    changed_at: datetime
    urgency: int  # of its most pressing task
    next: Next | None
    listed: str | None  # a digest of its open tasks as they are listed
    task_due: datetime | None  # of the open task that is due first
    scores: Sequence[Mapping[str, Any]]  # the last of each score whose fall is judged
    scored_at: datetime | None


@dataclass(frozen=True, slots=True)
class EventRecord:
    """One thing that happened, with its place among the pathway's events."""

    seq: int
    event_id: str
    kind: str
    at: datetime
    recorded_at: datetime
    rules: str
    author_id: str
    author_role: str
    fact: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """A command of the inbox and how far it has come."""

    id: str
    pathway_id: str
    site_id: str
    kind: str
    author_id: str
    idempotency_key: str
    fingerprint: str
    body: Mapping[str, Any]
    state: CommandState
    version: int | None
    problem: Mapping[str, Any] | None
    received_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class CapabilityRecord:
    """The CapabilityStatement that a connection's EHR gave last."""

    connection_id: str
    statement: Mapping[str, Any]
    read_at: datetime


def pathway_record(row: PathwayRow | Row[Any]) -> PathwayRecord:
    return PathwayRecord(
        id=row.id,
        site_id=row.site_id,
        connection_id=row.connection_id,
        patient_id=row.patient_id,
        status=PathwayStatus(row.status),
        phase=row.phase,
        version=row.version,
        protocol_sha256=row.protocol_sha256,
        projection=row.projection,
        rules=row.rules,
        due_at=row.due_at,
        restarted_at=row.restarted_at,
        started_at=row.started_at,
        changed_at=row.changed_at,
        urgency=row.urgency,
        next=None
        if row.next_says is None
        else Next(row.next_says, row.next_who or [], row.next_due),
        listed=row.listed,
        task_due=row.task_due,
        scores=row.scores or [],
        scored_at=row.scored_at,
    )


def event_record(row: EventRow) -> EventRecord:
    return EventRecord(
        seq=row.seq,
        event_id=row.event_id,
        kind=row.kind,
        at=row.at,
        recorded_at=row.recorded_at,
        rules=row.rules,
        author_id=row.author_id,
        author_role=row.author_role,
        fact=row.fact,
    )


def command_record(row: CommandRow) -> CommandRecord:
    return CommandRecord(
        id=row.id,
        pathway_id=row.pathway_id,
        site_id=row.site_id,
        kind=row.kind,
        author_id=row.author_id,
        idempotency_key=row.idempotency_key,
        fingerprint=row.fingerprint,
        body=row.body,
        state=CommandState(row.state),
        version=row.version,
        problem=row.problem,
        received_at=row.received_at,
        settled_at=row.settled_at,
    )


def capability_record(row: CapabilityRow) -> CapabilityRecord:
    return CapabilityRecord(row.connection_id, row.statement, row.read_at)


def delivery_of(row: Any) -> Delivery:
    return Delivery(
        id=row.id,
        site_id=SiteId(row.site_id),
        pathway_id=PathwayId(row.pathway_id),
        connection_id=ConnectionId(row.connection_id),
        patient_id=EhrPatientId(row.patient_id),
        event_id=EventId(row.event_id),
        artefact=row.artefact,
        resource_type=row.resource_type,
        action=Action(row.action),
        body=row.body,
        needs=tuple(row.needs),
        state=DeliveryState(row.state),
        needs_person=row.needs_person,
        attempts=row.attempts,
        ehr_id=row.ehr_id,
        ehr_version=row.ehr_version,
        differences=tuple(row.differences),
        reason=row.reason,
        said=row.said,
        created_at=row.created_at,
        changed_at=row.changed_at,
        sent_at=row.sent_at,
        refusal=row.refusal,
        put_off=bool(row.put_off),
        vouched_at=row.vouched_at,
    )
