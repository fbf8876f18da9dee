"""The tables. Migrations make them; a test compares the two."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Json = dict[str, Any]

GOES_ON = "status = 'open' or due_at is not null"


class Base(DeclarativeBase):
    """All tables, with constraint names that a migration can refer to."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012  SQLAlchemy's own name
        str: Text,
        Json: JSONB,
        list[str]: JSONB,
        datetime: DateTime(timezone=True),
        int: Integer,
    }


class ProtocolRow(Base):
    """A protocol as pathways have it pinned: once, however many have it, and never changed."""

    __tablename__ = "protocol"

    sha256: Mapped[str] = mapped_column(primary_key=True)  # of the body as it stands here
    body: Mapped[Json]


class PathwayRow(Base):
    """A pathway as it is now: the projection of its events, and the protocol pinned to it.

    `rules` names the rules that made the projection: others make it anew from the events.
    `due_at` is when the answer may change by time alone, by the clinic's clock.
    """

    __tablename__ = "pathway"

    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    connection_id: Mapped[str]
    patient_id: Mapped[str]
    patient_fingerprint: Mapped[str]
    status: Mapped[str]  # starting, open, finished
    phase: Mapped[str]
    version: Mapped[int]  # events recorded so far
    protocol_sha256: Mapped[str] = mapped_column(ForeignKey("protocol.sha256"))
    projection: Mapped[Json]
    rules: Mapped[str]
    due_at: Mapped[datetime | None]
    started_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    restarted_at: Mapped[datetime | None]  # its workflow was gone, and started again from here
    urgency: Mapped[int]  # of its most pressing task, or that nothing waits
    next_says: Mapped[str | None]
    next_who: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    next_due: Mapped[datetime | None]
    task_due: Mapped[datetime | None]  # of the open task that is due first
    scores: Mapped[list[Any] | None] = mapped_column(
        JSONB
    )  # the last of each score whose fall is judged
    scored_at: Mapped[datetime | None]  # when the last of these was taken
    listed: Mapped[str | None]  # a digest of its open tasks as they are listed

    __table_args__ = (
        CheckConstraint("status in ('starting', 'open', 'finished')", name="status"),
        Index(
            "uq_pathway_open",
            "connection_id",
            "patient_id",
            unique=True,
            postgresql_where=text("status <> 'finished'"),
        ),
        Index(None, "site_id", "id"),
        Index(
            "ix_pathway_going_on",
            "id",
            postgresql_where=text(GOES_ON),
        ),
        Index(
            "ix_pathway_pressing",
            "site_id",
            "urgency",
            text("coalesce(next_due, 'infinity'::timestamptz)"),
            "id",
        ),
        Index("ix_pathway_patient", "connection_id", "patient_id"),
        Index("ix_pathway_rules", "rules", postgresql_where=text(GOES_ON)),
    )


class TaskRow(Base):
    """An open task of a pathway as it is now, for lists; gone once it is closed."""

    __tablename__ = "task"

    pathway_id: Mapped[str] = mapped_column(ForeignKey("pathway.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    connection_id: Mapped[str]
    patient_id: Mapped[str]
    phase: Mapped[str]
    visit: Mapped[str | None]
    ask: Mapped[str]
    rule: Mapped[str]
    says: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    urgency: Mapped[int]
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    was_due: Mapped[datetime | None]
    raised: Mapped[int]
    acknowledged: Mapped[bool]

    __table_args__ = (
        Index(
            "ix_task_pressing",
            "site_id",
            "urgency",
            text("coalesce(due_at, 'infinity'::timestamptz)"),
            "pathway_id",
            "id",
        ),
    )


class VisitRow(Base):
    """A visit of a pathway as it is now, for lists; gone once it is cancelled."""

    __tablename__ = "visit"

    pathway_id: Mapped[str] = mapped_column(ForeignKey("pathway.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    site_id: Mapped[str]
    connection_id: Mapped[str]
    patient_id: Mapped[str]
    phase: Mapped[str]
    status: Mapped[str]
    starts_at: Mapped[datetime]
    checked_in: Mapped[datetime | None]
    given: Mapped[int]  # sessions
    planned: Mapped[int]

    __table_args__ = (Index("ix_visit_time", "site_id", "starts_at", "pathway_id", "id"),)


class PatientRow(Base):
    """Who a patient is, as last read in the EHR. `changed_at`: when it was first another."""

    __tablename__ = "patient"

    connection_id: Mapped[str] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str | None]
    birth_date: Mapped[str | None]  # a year, a year and a month, or a day
    identifier: Mapped[str | None]  # of the connection's system
    fingerprint: Mapped[str]  # of birth date and identifiers
    read_at: Mapped[datetime]
    changed_at: Mapped[datetime | None]


class CommandRow(Base):
    """The inbox: a command, before it goes to the workflow and until its outcome is known."""

    __tablename__ = "command"

    id: Mapped[str] = mapped_column(primary_key=True)
    pathway_id: Mapped[str] = mapped_column(index=True)
    site_id: Mapped[str]
    kind: Mapped[str]
    author_id: Mapped[str]
    idempotency_key: Mapped[str]
    fingerprint: Mapped[str]  # sha256 of method, route and body
    body: Mapped[Json]
    state: Mapped[str]  # received, applied, rejected
    version: Mapped[int | None]  # the pathway's version once applied
    problem: Mapped[Json | None]
    received_at: Mapped[datetime]
    settled_at: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("author_id", "idempotency_key"),
        CheckConstraint("state in ('received', 'applied', 'rejected')", name="state"),
        Index("ix_command_received", "received_at", postgresql_where=text("state = 'received'")),
    )


class EventRow(Base):
    """What happened, in the order it was recorded. Only ever added to."""

    __tablename__ = "event"

    pathway_id: Mapped[str] = mapped_column(ForeignKey("pathway.id"), primary_key=True)
    seq: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str]
    kind: Mapped[str]
    at: Mapped[datetime]
    author_id: Mapped[str]
    author_role: Mapped[str]
    recorded_at: Mapped[datetime]
    rules: Mapped[str]  # those that decided it
    fact: Mapped[Json]

    __table_args__ = (UniqueConstraint("pathway_id", "event_id"),)


class AuditRow(Base):
    """Who did what, for investigation. Nothing functional is ever read from here."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    site_id: Mapped[str]
    pathway_id: Mapped[str]
    action: Mapped[str]
    actor_id: Mapped[str]
    actor_role: Mapped[str]
    subject: Mapped[str]  # the event or delivery concerned
    request_id: Mapped[str | None]
    at: Mapped[datetime]


class JobRow(Base):
    """How something that runs beside the lanes went last. By the machines' time."""

    __tablename__ = "job"

    name: Mapped[str] = mapped_column(primary_key=True)
    done_at: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    why: Mapped[str | None]


class LeaseRow(Base):
    """Who does what only one process of the installation should do, and until when."""

    __tablename__ = "lease"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str]
    until: Mapped[datetime]


class OriginRow(Base):
    """Which database this is, as PostgreSQL itself says. One that was restored is another."""

    __tablename__ = "origin"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    system: Mapped[str]
    timeline: Mapped[int]
    restored_at: Mapped[datetime | None]  # when it was last seen to be another than before

    __table_args__ = (CheckConstraint("id = 1", name="one"),)
