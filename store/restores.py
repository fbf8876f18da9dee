"""Noticing that this database was restored, and what may not be believed after that.

A backup knows nothing of what was written to EHRs since. So after a restore whatever it calls not
sent yet is looked for in the EHR before it is sent.
"""

from datetime import datetime

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert

from store import ledger, queue
from store.database import Transaction
from store.tables import OriginRow

WITHIN_SECONDS = 3600.0
"""How long it may take to note it of every delivery that was open."""

_WHO = text(
    "select system_identifier || '/' || (select oid from pg_database"
    " where datname = current_database()), timeline_id"
    " from pg_control_system() cross join pg_control_checkpoint()"
)


async def is_another(tx: Transaction, at: datetime) -> bool:
    """Say whether this is another database than when we looked last, and remember which it is.

    Loaded from a dump it has another number in its cluster, or another cluster's identifier;
    recovered to a point in time, or a standby that took over, it has another timeline. A copy of
    the data directory has neither: there only the pathways' own runs notice, by what they have
    seen stored.
    """
    here = tuple((await tx.execute(_WHO)).one())
    known = select(OriginRow.system, OriginRow.timeline)
    if (found := (await tx.execute(known)).first()) is not None and tuple(found) == here:
        return False
    system, timeline = here
    first = insert(OriginRow).values(id=1, system=system, timeline=timeline)
    await tx.execute(first.on_conflict_do_nothing())
    row = (await tx.execute(select(OriginRow).with_for_update())).scalar_one()
    if (row.system, row.timeline) == here:  # it is new, or another has noticed just now
        return False
    row.system, row.timeline = system, timeline
    await tx.flush()
    await distrust(tx, at)
    return True


async def restored_at(tx: Transaction) -> datetime | None:
    """Say when the database was last noticed to have been restored."""
    return (await tx.execute(select(OriginRow.restored_at))).scalar_one_or_none()


async def distrust(tx: Transaction, at: datetime) -> int:
    """Believe no delivery any more that counts as unsent; say how many, and note when."""
    await tx.execute(update(OriginRow).values(restored_at=at))
    changed = await ledger.distrust(tx, at)
    await queue.ring_for_what_is_open(tx, at)
    return changed
