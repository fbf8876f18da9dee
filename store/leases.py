"""Leases: what only one process of the installation should do. By the machines' time, passed in."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from store.database import Transaction
from store.tables import LeaseRow


async def take(tx: Transaction, name: str, holder: str, now: datetime, lasts: timedelta) -> bool:
    """Take a lease that is free, run out or our own; whether it is ours until `now + lasts`.

    Two holders at once must do no harm: machines' clocks differ.
    """
    mine = {"holder": holder, "until": now + lasts}
    taken = (
        insert(LeaseRow)
        .values(name=name, **mine)
        .on_conflict_do_update(
            index_elements=["name"],
            set_=mine,
            where=(LeaseRow.until < now) | (LeaseRow.holder == holder),
        )
        .returning(LeaseRow.name)
    )
    return (await tx.execute(taken)).first() is not None


async def give_back(tx: Transaction, name: str, holder: str) -> None:
    """Let another take a lease at once, if it is this holder's."""
    mine = (LeaseRow.name == name, LeaseRow.holder == holder)
    await tx.execute(delete(LeaseRow).where(*mine))
