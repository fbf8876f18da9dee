"""What each EHR says that it can do: read from it now and then, and kept for who plans from it."""

from fhir_adapters.ehr import Ehr
from store import capabilities
from store.database import Database
from temporal.clock import Clock


async def probe(database: Database, ehr: Ehr, clock: Clock) -> None:
    """Read an EHR's CapabilityStatement and keep it.

    Raises Unavailable if it does not answer, and Malformed for a statement that nothing can be
    planned from: the one before it stays.
    """
    statement = await ehr.statement()
    async with database.begin() as tx:
        await capabilities.save(tx, ehr.connection_id, statement, await clock.now())
