"""What each EHR says that it can do: read from it now and then, and kept for who plans from it.

One that says less than it did is not believed at once: a server that has just started may list
nothing yet, and what is not planned meanwhile is never written.
"""

from datetime import datetime, timedelta
from typing import Any

from domain.language.errors import Malformed
from fhir_adapters.ehr import Ehr
from store import capabilities
from store.database import Database
from temporal.clock import Clock

LESS_AFTER = timedelta(minutes=15)
"""How long an EHR must go on listing less than before until that is believed."""


async def probe(database: Database, ehr: Ehr, clock: Clock) -> None:
    """Read an EHR's CapabilityStatement and keep it.

    Raises Unavailable if it does not answer, and Malformed for a statement that nothing can be
    planned from, or that lists less for the first time: the one before it stays.
    """
    statement = await ehr.statement()
    less = await _kept(database, ehr, statement, await clock.now(), await clock.pace())
    if less:
        raise Malformed(
            f"the EHR lists less than before ({', '.join(less)}); that is believed if it still does"
            f" so after {LESS_AFTER // timedelta(minutes=1)} minutes, or an integrator reads it"
        )


async def _kept(
    database: Database, ehr: Ehr, statement: dict[str, Any], now: datetime, pace: datetime
) -> tuple[str, ...]:
    """Keep a statement, unless it lists less than the one before and does so since a short time."""
    async with database.begin() as tx:
        known = await capabilities.find(tx, ehr.connection_id)
        try:
            before = None if known is None else ehr.plan(known.statement)
        except Malformed:
            before = None
        less = () if before is None else ehr.plan(statement).less_than(before)
        if less and pace - await capabilities.doubt(tx, ehr.connection_id, pace) < LESS_AFTER:
            return less
        await capabilities.save(tx, ehr.connection_id, statement, now)
    return ()
