"""What each connection's EHR said that it can do, as it said it last."""

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from store.database import Transaction
from store.ehr_tables import CapabilityRow
from store.records import CapabilityRecord, capability_record


async def save(
    tx: Transaction, connection_id: str, statement: dict[str, Any], at: datetime
) -> None:
    """Keep a connection's CapabilityStatement in place of the one before."""
    row = insert(CapabilityRow).values(connection_id=connection_id, statement=statement, read_at=at)
    await tx.execute(
        row.on_conflict_do_update(
            index_elements=["connection_id"],
            set_={"statement": statement, "read_at": at, "lists_less_since": None},
        )
    )


async def doubt(tx: Transaction, connection_id: str, at: datetime) -> datetime:
    """Keep since when a connection's EHR lists less than what is kept; the first time stays."""
    row = await tx.get(CapabilityRow, connection_id)
    if row is None:
        return at
    row.lists_less_since = row.lists_less_since or at
    return row.lists_less_since


async def find(tx: Transaction, connection_id: str) -> CapabilityRecord | None:
    row = await tx.get(CapabilityRow, connection_id)
    return None if row is None else capability_record(row)


async def read_at(tx: Transaction, connection_id: str) -> datetime | None:
    """Say when a connection's CapabilityStatement was read last; None if it never was."""
    wanted = select(CapabilityRow.read_at).where(CapabilityRow.connection_id == connection_id)
    return (await tx.execute(wanted)).scalar_one_or_none()
