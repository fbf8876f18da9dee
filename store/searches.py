"""What is known of each EHR's searches, and what an empty one is held against."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert

from domain.delivery.words import Action, Delivery, DeliveryState
from store.database import Transaction
from store.ehr_tables import DeliveryRow, SearchRow
from store.records import delivery_of
from store.tables import PathwayRow

LATELY = 2_000
"""Deliveries, of all connections, among which one is looked for that stands in the EHR."""

IN_EHR = (DeliveryState.CONFIRMED, DeliveryState.DIVERGENT)


@dataclass(frozen=True, slots=True)
class SearchRecord:
    """What is known of one way to look for one type."""

    way: str
    proved: bool
    withdrawn: bool
    lag_seconds: float | None


async def known(tx: Transaction, connection_id: str, resource_type: str) -> list[SearchRecord]:
    """List what is known of the ways to look for a type."""
    wanted = select(SearchRow).where(
        SearchRow.connection_id == connection_id, SearchRow.resource_type == resource_type
    )
    return [
        SearchRecord(
            row.way, row.proved_at is not None, row.withdrawn_at is not None, row.lag_seconds
        )
        for row in (await tx.execute(wanted)).scalars()
    ]


async def longest_lag(tx: Transaction, connection_id: str) -> timedelta | None:
    """The longest lag known of a connection's searches; None if there is none, or one fails."""
    wanted = select(
        func.max(SearchRow.lag_seconds), func.bool_or(SearchRow.withdrawn_at.is_not(None))
    ).where(SearchRow.connection_id == connection_id)
    seconds, withdrawn_any = (await tx.execute(wanted)).one()
    return None if seconds is None or withdrawn_any else timedelta(seconds=seconds)


async def settled(tx: Transaction, connection_id: str) -> frozenset[str]:
    """List the types of a connection for which a way to look is known, and how late it is."""
    wanted = select(SearchRow.resource_type).where(
        SearchRow.connection_id == connection_id,
        SearchRow.lag_seconds.is_not(None),
        SearchRow.withdrawn_at.is_(None),
    )
    return frozenset((await tx.execute(wanted)).scalars())


async def proved(
    tx: Transaction,
    connection_id: str,
    resource_type: str,
    way: str,
    at: datetime,
    lag_seconds: float | None,
) -> None:
    """Write down that one of ours was found in a way, and how long after it was written."""
    row = insert(SearchRow).values(
        connection_id=connection_id,
        resource_type=resource_type,
        way=way,
        proved_at=at,
        lag_seconds=lag_seconds,
    )
    greatest = text("greatest(ehr_search.lag_seconds, excluded.lag_seconds)")
    first = text("coalesce(ehr_search.proved_at, excluded.proved_at)")
    await tx.execute(
        row.on_conflict_do_update(
            index_elements=["connection_id", "resource_type", "way"],
            set_={"proved_at": first, "lag_seconds": greatest},
        )
    )


async def withdrawn(
    tx: Transaction, connection_id: str, resource_type: str, ways: Collection[str], at: datetime
) -> None:
    """Write down that these ways find none of ours: what was written came back without its mark."""
    for way in ways:
        row = insert(SearchRow).values(
            connection_id=connection_id, resource_type=resource_type, way=way, withdrawn_at=at
        )
        keys = ["connection_id", "resource_type", "way"]
        await tx.execute(row.on_conflict_do_update(index_elements=keys, set_={"withdrawn_at": at}))


async def standing(tx: Transaction, delivery: Delivery, most: int) -> list[Delivery]:
    """List the creates of a delivery's type that were read in its EHR last, the newest first."""
    newest = select(DeliveryRow.id).order_by(DeliveryRow.id.desc()).limit(1).scalar_subquery()
    wanted = (
        select(DeliveryRow)
        .where(
            DeliveryRow.id > newest - LATELY,
            DeliveryRow.id != delivery.id,
            DeliveryRow.connection_id == delivery.connection_id,
            DeliveryRow.resource_type == delivery.resource_type,
            DeliveryRow.action == Action.CREATE,
            DeliveryRow.state.in_(IN_EHR),
            DeliveryRow.ehr_id.is_not(None),
        )
        .order_by(DeliveryRow.id.desc())
        .limit(most)
    )
    return [delivery_of(row) for row in (await tx.execute(wanted)).scalars()]


async def taken(tx: Transaction, delivery: Delivery) -> frozenset[str]:
    """List the EHR's ids of what other deliveries of the same patient and type became."""
    pathways = select(PathwayRow.id).where(
        PathwayRow.connection_id == delivery.connection_id,
        PathwayRow.patient_id == delivery.patient_id,
    )
    wanted = select(DeliveryRow.ehr_id).where(
        DeliveryRow.pathway_id.in_(pathways),
        DeliveryRow.connection_id == delivery.connection_id,
        DeliveryRow.resource_type == delivery.resource_type,
        DeliveryRow.artefact != delivery.artefact,
        DeliveryRow.ehr_id.is_not(None),
    )
    return frozenset(each for each in (await tx.execute(wanted)).scalars() if each is not None)
