"""What each EHR takes, and how: its last CapabilityStatement, read by the capability planner."""

from collections.abc import Mapping
from datetime import datetime

from domain.language.errors import Unavailable
from fhir_adapters.exchange.client import EhrClient
from fhir_adapters.profile.plan import EhrPlan, plan_for
from store import capabilities
from store.database import Database, Transaction
from temporal.clock import Clock


class Connections:
    """One HTTP client for each EHR that the clinic file names."""

    def __init__(self, base_urls: Mapping[str, str]) -> None:
        """Make the clients from base URLs by connection id; they connect when first used."""
        self._clients = {each: EhrClient(url) for each, url in base_urls.items()}

    def ids(self) -> tuple[str, ...]:
        """Every connection."""
        return tuple(self._clients)

    def client(self, connection_id: str) -> EhrClient:
        """The client of a connection."""
        return self._clients[connection_id]

    async def close(self) -> None:
        """Close all of them."""
        for client in self._clients.values():
            await client.close()


class Plans:
    """Plans by connection, made again when a newer statement was read."""

    def __init__(self) -> None:
        """Begin with none."""
        self._known: dict[str, tuple[datetime, EhrPlan]] = {}

    async def of(self, tx: Transaction, connection_id: str) -> EhrPlan:
        """The plan for a connection; Unavailable until its statement was read once."""
        stamp = await capabilities.read_at(tx, connection_id)
        if stamp is None:
            raise Unavailable(f"the capabilities of {connection_id} are not known yet")
        known = self._known.get(connection_id)
        if known is None or known[0] != stamp:
            row = await capabilities.find(tx, connection_id)
            if row is None:
                raise Unavailable(f"the capabilities of {connection_id} are not known yet")
            known = (row.read_at, plan_for(row.statement))
            self._known[connection_id] = known
        return known[1]


async def probe(
    database: Database, connections: Connections, connection_id: str, clock: Clock
) -> None:
    """Read an EHR's CapabilityStatement and keep it. Raises Unavailable if it does not answer."""
    statement = await connections.client(connection_id).capability()
    async with database.begin() as tx:
        await capabilities.save(tx, connection_id, statement, await clock.now())
