"""Ask an EHR what it can do, and keep what it says. Asking twice is harmless."""

from api.dependencies import Dependencies
from api.edge.problems import Problem
from api.reading.ehr_failures import problem_of
from domain.language.errors import Malformed, Unavailable
from fhir_adapters.exchange.failures import EhrFailure
from store import capabilities
from store.records import CapabilityRecord


async def learn(deps: Dependencies, connection: str) -> CapabilityRecord:
    """Read and keep a connection's CapabilityStatement, which must be one that can be planned."""
    try:
        statement = await deps.ehr(connection).statement()
    except EhrFailure as error:
        raise problem_of(error, connection) from None
    except Malformed as error:
        detail = f"{connection} cannot be used as a FHIR R4 server: {error}"
        raise Problem("capability-unknown", detail) from None
    except Unavailable as error:
        raise problem_of(error, connection) from None
    now = await deps.clock.now()
    async with deps.database.begin() as tx:
        await capabilities.save(tx, connection, statement, now)
        row = await capabilities.find(tx, connection)
    assert row is not None  # noqa: S101  it was saved in this transaction
    return row
