"""What the routes work with. Made once at the start of the process and handed to the application.

`Gateway` settles commands, and is the API's only way to a workflow; tests put another one in its
place.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog
from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
from temporalio.client import Client
from temporalio.service import RPCError

from api.edge.cursors import Cursors
from api.edge.tokens import Tokens, read_key_set
from domain.language.errors import Unavailable
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from fhir_adapters.ehr import Ehrs
from fhir_adapters.exchange.chart import ReadOnly
from fhir_adapters.profile.plan import EhrPlan
from protocols.book import ProtocolBook
from protocols.loader import load_protocols
from settings import ApiSettings, Installation, load_installation
from store import pathways
from store.database import Database, Transaction
from store.protocols import PinnedProtocols
from store.records import PathwayRecord
from store.schema import newest
from temporal import gateway as to_temporal
from temporal import versions
from temporal.clock import Clock, MovableClock, clock_for
from turns.plans import Plans
from turns.settle import Settling
from turns.take import Turns
from workflows.messages import ROLL_OVER_AT, PathwayInput, Settled

HEALTH_PATIENCE = timedelta(seconds=2)

log = structlog.get_logger("kairos.api")


class Gateway(Protocol):
    """The way to the workflows."""

    async def start_pathway(self, start: PathwayInput) -> bool:
        """Start a pathway; False if it runs already. Raises Unavailable."""
        ...

    async def send(self, pathway_id: str, command_id: str) -> Settled:
        """Settle a command that stands in the inbox. Raises Unavailable."""
        ...

    async def look(self, pathway_id: str) -> None:
        """Have a pathway look at what is due. Raises Unavailable."""
        ...

    async def check(self) -> None:
        """Raise Unavailable unless Temporal answers."""
        ...

    async def without_worker(self) -> list[str]:
        """List the builds whose runs no worker takes. Raises Unavailable."""
        ...


class Ehr(Protocol):
    """What the API asks of an EHR; `fhir_adapters.ehr.Ehr` is one."""

    @property
    def client(self) -> ReadOnly:
        """The way to it."""
        ...

    async def statement(self) -> dict[str, Any]:
        """Read its CapabilityStatement. Raises EhrRefused, Unavailable or Malformed."""
        ...

    def plan(self, statement: Mapping[str, Any]) -> EhrPlan:
        """Plan from its CapabilityStatement. Raises Malformed."""
        ...


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Everything a route may use."""

    installation: Installation
    protocols: ProtocolBook
    database: Database
    gateway: Gateway
    clock: Clock
    ehr: Callable[[str], Ehr]
    tokens: Tokens
    cursors: Cursors
    schema: str  # the revision that the code expects
    movable: MovableClock | None = None  # the clock, where it can be moved on
    roll_over_at: int = ROLL_OVER_AT
    pinned: PinnedProtocols = field(default_factory=PinnedProtocols)

    async def see(self, tx: Transaction, record: PathwayRecord) -> tuple[CombinedProtocol, Pathway]:
        """The protocol that a pathway has pinned, and what it is by the rules of this build."""
        protocol = await self.pinned.of(tx, record.protocol_sha256)
        return protocol, await pathways.folded(tx, record, protocol)


class TemporalGateway:
    """Settles commands here, and reaches the workflows in a Temporal cluster."""

    def __init__(self, client: Client, turns: Turns, roll_over_at: int = ROLL_OVER_AT) -> None:
        self._client = client
        tell = partial(to_temporal.tell, client, roll_over_at=roll_over_at)
        self._settling = Settling(turns, tell, self.look)

    async def start_pathway(self, start: PathwayInput) -> bool:
        return await to_temporal.start_pathway(self._client, start)

    async def send(self, pathway_id: str, command_id: str) -> Settled:
        return await self._settling.settle(pathway_id, command_id)

    async def close(self) -> None:
        """Wait for what is being told."""
        await self._settling.close()

    async def look(self, pathway_id: str) -> None:
        await to_temporal.look(self._client, pathway_id)

    async def check(self) -> None:
        """Ask Temporal for anything at all."""
        try:
            await self._client.workflow_service.get_system_info(
                GetSystemInfoRequest(), timeout=HEALTH_PATIENCE
            )
        except RPCError as error:
            raise Unavailable("Temporal does not answer") from error

    async def without_worker(self) -> list[str]:
        """Hold the builds with runs against those with a worker."""
        found = await versions.builds(self._client)
        return sorted(found.stranded) if found else []


class ReachableClock(Clock):
    """Another clock, whose being out of reach is Unavailable like everything else's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    async def now(self) -> datetime:
        return await self._ask(self._clock.now)

    async def pace(self) -> datetime:
        return await self._ask(self._clock.pace)

    async def _ask(self, which: Callable[[], Awaitable[datetime]]) -> datetime:
        try:
            return await which()
        except RPCError as error:
            raise Unavailable("the clinic's clock does not answer") from error


@asynccontextmanager
async def open_dependencies(settings: ApiSettings) -> AsyncIterator[Dependencies]:
    """Read what there is to read, connect, and close everything at the end."""
    installation = load_installation(settings.installation_file)
    settings.check_rehearsal(installation)
    protocols = load_protocols(settings.protocols_dir)
    async with AsyncExitStack() as closing:
        client = await to_temporal.connected(
            settings.temporal_address, settings.temporal_namespace, settings.metrics_address
        )
        database = Database(settings.database_url.get_secret_value())
        closing.push_async_callback(database.close)
        ehrs = Ehrs.of(installation.connections)
        closing.push_async_callback(ehrs.close)
        clock = clock_for(settings.clinical_clock, client, settings.clock_file, database.time)
        turns = Turns(database, Plans(ehrs), clock)
        gateway = TemporalGateway(client, turns, settings.roll_over_at)
        closing.push_async_callback(gateway.close)
        fetch = partial(read_key_set, settings.oidc_jwks)
        yield Dependencies(
            installation=installation,
            protocols=protocols,
            database=database,
            gateway=gateway,
            clock=ReachableClock(clock),
            ehr=ehrs.__getitem__,
            tokens=Tokens(settings.oidc_issuer, settings.oidc_audience, fetch),
            cursors=Cursors(settings.cursor_secret.get_secret_value()),
            schema=newest(),
            movable=clock if isinstance(clock, MovableClock) else None,
            roll_over_at=settings.roll_over_at,
        )
