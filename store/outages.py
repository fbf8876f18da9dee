"""EHRs that are away: noted once for all processes, and asked by one of them at a time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from store.database import Transaction
from store.ehr_tables import OutageRow


@dataclass(frozen=True, slots=True)
class Outage:
    """Since when an EHR is away, and when it is to be asked next."""

    since: datetime
    ask_at: datetime
    reason: str


async def note(
    tx: Transaction, connection_id: str, now: datetime, ask_at: datetime, reason: str
) -> bool:
    """Note that an EHR is away; False if that is known."""
    row = {"connection_id": connection_id, "since": now, "ask_at": ask_at, "reason": reason}
    added = insert(OutageRow).values(row).on_conflict_do_nothing()
    return (await tx.execute(added.returning(OutageRow.connection_id))).first() is not None


async def of(tx: Transaction, connection_id: str) -> Outage | None:
    """Say whether an EHR is away."""
    wanted = select(OutageRow.since, OutageRow.ask_at, OutageRow.reason).where(
        OutageRow.connection_id == connection_id
    )
    row = (await tx.execute(wanted)).first()
    return None if row is None else Outage(*row)


async def may_ask(
    tx: Transaction, connection_id: str, holder: str, now: datetime, again_at: datetime
) -> bool:
    """Say whether it is this process that asks an EHR now; the next is asked at `again_at`."""
    asks = (
        update(OutageRow)
        .where(OutageRow.connection_id == connection_id, OutageRow.ask_at <= now)
        .values(ask_at=again_at, holder=holder)
        .returning(OutageRow.connection_id)
    )
    return (await tx.execute(asks)).first() is not None


async def ask_now(tx: Transaction, connection_id: str, now: datetime) -> None:
    """Have an EHR that is away asked at once."""
    sooner = (OutageRow.connection_id == connection_id, OutageRow.ask_at > now)
    await tx.execute(update(OutageRow).where(*sooner).values(ask_at=now))


async def has_asked(tx: Transaction, connection_id: str, holder: str) -> None:
    """Note that a process waits for no answer any more."""
    mine = (OutageRow.connection_id == connection_id, OutageRow.holder == holder)
    await tx.execute(update(OutageRow).where(*mine).values(holder=None))


async def over(tx: Transaction, connection_id: str) -> None:
    """Note that an EHR is back."""
    await tx.execute(delete(OutageRow).where(OutageRow.connection_id == connection_id))
