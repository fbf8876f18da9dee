"""Write down how a job went, whatever hinders that: who runs one goes on."""

from contextlib import suppress
from datetime import UTC, datetime

from domain.language.errors import Unavailable
from fhir_adapters.exchange.failures import EhrFailure
from store import jobs
from store.database import Database


def why_of(error: Exception) -> str:
    """What may be said of an error: our own words, or only its kind."""
    return str(error) if isinstance(error, EhrFailure | Unavailable) else type(error).__name__


async def note(database: Database, name: str, why: str | None = None) -> None:
    """Note that a job came to its end, or `why` it did not."""
    now = datetime.now(UTC)
    with suppress(Unavailable):
        async with database.begin() as tx:
            if why is None:
                await jobs.done(tx, name, now)
            else:
                await jobs.failed(tx, name, now, why)
