"""The tables of what is written to EHRs: deliveries, their lanes, and what is known of each EHR."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from store.tables import Base, Json

METADATA = Base.metadata
"""Of all tables: these and those of `store/tables.py`, which are read with it."""


class DeliveryRow(Base):
    """One write to an EHR: what is intended, and how far it has come. Ids order a lane."""

    __tablename__ = "delivery"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    key: Mapped[str] = mapped_column(unique=True)
    site_id: Mapped[str]
    pathway_id: Mapped[str] = mapped_column(ForeignKey("pathway.id"))
    connection_id: Mapped[str]
    patient_id: Mapped[str]
    event_id: Mapped[str]
    artefact: Mapped[str]
    resource_type: Mapped[str]
    action: Mapped[str]
    body: Mapped[Json]
    needs: Mapped[list[str]]
    state: Mapped[str]
    needs_person: Mapped[bool]
    attempts: Mapped[int]
    ehr_id: Mapped[str | None]
    ehr_version: Mapped[str | None]
    differences: Mapped[list[str]]
    reason: Mapped[str | None]
    said: Mapped[str | None]  # by the EHR when it refused, in its words, which may quote a patient
    refusal: Mapped[str | None]  # of the last write, until it is known what became of it
    put_off: Mapped[bool | None]  # the last write: the EHR said that it would not do it now
    vouched_at: Mapped[datetime | None]  # when a person had it sent, unless it is found
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]  # when it last was about to leave for the EHR
    not_before: Mapped[datetime | None]  # left alone until then

    __table_args__ = (
        Index(
            "ix_delivery_lane",
            "connection_id",
            "patient_id",
            "id",
            postgresql_where=text("state in ('intent', 'sent', 'unknown', 'refused', 'misfiled')"),
        ),
        Index("ix_delivery_artefact", "connection_id", "artefact", "id"),
        Index(None, "pathway_id", "id"),
        Index(
            "ix_delivery_waiting",
            "site_id",
            "state",
            "id",
            postgresql_where=text("state <> 'confirmed'"),
        ),
        Index("ix_delivery_person", "site_id", "id", postgresql_where=text("needs_person")),
    )


class LinkRow(Base):
    """Which resource of an EHR an artefact of ours became."""

    __tablename__ = "ehr_link"

    connection_id: Mapped[str] = mapped_column(primary_key=True)
    artefact: Mapped[str] = mapped_column(primary_key=True)
    resource_type: Mapped[str]
    ehr_id: Mapped[str]

    __table_args__ = (UniqueConstraint("connection_id", "resource_type", "ehr_id"),)


class SearchRow(Base):
    """What is known of a way to look for a type of resource in an EHR."""

    __tablename__ = "ehr_search"

    connection_id: Mapped[str] = mapped_column(primary_key=True)
    resource_type: Mapped[str] = mapped_column(primary_key=True)
    way: Mapped[str] = mapped_column(primary_key=True)
    proved_at: Mapped[datetime | None]  # when one of ours was first found by it
    withdrawn_at: Mapped[datetime | None]  # when what was written came back without our identifier
    lag_seconds: Mapped[float | None]  # longest time seen from a write to its being found


class CapabilityRow(Base):
    """The CapabilityStatement that a connection's EHR gave last."""

    __tablename__ = "capability"

    connection_id: Mapped[str] = mapped_column(primary_key=True)
    statement: Mapped[Json]
    read_at: Mapped[datetime]
    lists_less_since: Mapped[datetime | None]  # what was read since then, and is not believed yet


class LaneRow(Base):
    """A patient's deliveries to one EHR: whether one of them is ready, and who has it in hand.

    `bell` counts how often somebody said that there is more: whoever lets go of the lane finds out
    that it rang meanwhile. `takes` counts how often it was taken. Times are of the pace.
    """

    __tablename__ = "lane"

    connection_id: Mapped[str] = mapped_column(primary_key=True)
    patient_id: Mapped[str] = mapped_column(primary_key=True)
    ready_at: Mapped[datetime | None]  # none: nothing that could go
    rests_until: Mapped[datetime | None]  # the EHR was busy for this patient
    rests: Mapped[int]  # how often in a row
    rank: Mapped[int]  # 0 for what somebody may act on at the bedside, 1 for the rest
    bell: Mapped[int] = mapped_column(BigInteger)
    takes: Mapped[int | None] = mapped_column(BigInteger)
    holder: Mapped[str | None]

    __table_args__ = (
        Index(
            "ix_lane_ready",
            "connection_id",
            "rank",
            "ready_at",
            postgresql_where=text("ready_at is not null and holder is null"),
        ),
        Index("ix_lane_held", "connection_id", postgresql_where=text("holder is not null")),
    )


class OutageRow(Base):
    """An EHR that is away: since when, why that is thought, when it is asked next, who asks now."""

    __tablename__ = "outage"

    connection_id: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    ask_at: Mapped[datetime]
    reason: Mapped[str]
    holder: Mapped[str | None]
