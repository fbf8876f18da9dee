"""What the routes work with. Made once at the start of the process and handed to the application.

`Door` is the API's only way to a workflow; tests put another one in its place.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
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
from domain.language.commands import Command
from domain.language.errors import Unavailable
from fhir_adapters.exchange.client import EhrClient, Held
from fhir_adapters.exchange.paging import SearchResult
from protocols.book import ProtocolBook
from protocols.loader import load_protocols
from settings import ApiSettings, Clinic, load_clinic
from store.database import Database
from store.pathways import PinnedProtocols
from store.schema import newest
from temporal import gateway as door
from temporal.clock import Clock, clock_for
from workflows.messages import ROLL_OVER_AT, Ack, PathwayInput

HEALTH_PATIENCE = timedelta(seconds=2)

log = structlog.get_logger("kairos.api")


class Door(Protocol):
    """The way to the workflows."""

    async def start_pathway(self, start: PathwayInput) -> None:
        """Start a pathway; starting it again is the same one. Raises Unavailable."""
        ...

    async def send(self, pathway_id: str, command: Command) -> Ack:
        """Send a command. Raises Refused, Conflict, Malformed or Unavailable."""
        ...

    async def wake_lane(self, connection_id: str, patient_id: str) -> None:
        """Have a lane look for work. Raises Unavailable."""
        ...

    async def check(self) -> None:
        """Raise Unavailable unless Temporal answers."""
        ...


class Ehr(Protocol):
    """What the API asks of an EHR: reading only."""

    async def capability(self) -> dict[str, Any]:
        """Read its CapabilityStatement. Raises Unavailable."""
        ...

    async def read(self, resource_type: str, ehr_id: str) -> Held:
        """Read a resource. Raises EhrRefused, Unavailable or Malformed."""
        ...

    async def search(
        self, resource_type: str, params: Sequence[tuple[str, str]], *, pages: int = 1
    ) -> SearchResult:
        """Search for resources. Raises EhrRefused or Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything a route may use."""

    clinic: Clinic
    protocols: ProtocolBook
    database: Database
    door: Door
    clock: Clock
    ehr: Callable[[str], Ehr]
    tokens: Tokens
    cursors: Cursors
    schema: str  # the revision that the code expects
    roll_over_at: int = ROLL_OVER_AT
    pinned: PinnedProtocols = field(default_factory=PinnedProtocols)


class TemporalDoor:
    """The door to a Temporal cluster."""

    def __init__(self, client: Client) -> None:
        """Use this connection."""
        self._client = client

    async def start_pathway(self, start: PathwayInput) -> None:
        """Start a pathway's workflow."""
        await door.start_pathway(self._client, start)

    async def send(self, pathway_id: str, command: Command) -> Ack:
        """Send a command to a pathway's workflow."""
        return await door.send(self._client, pathway_id, command)

    async def wake_lane(self, connection_id: str, patient_id: str) -> None:
        """Wake a lane."""
        try:
            await door.wake_lane(self._client, connection_id, patient_id)
        except RPCError as error:
            raise Unavailable("the lane could not be woken") from error

    async def check(self) -> None:
        """Ask Temporal for anything at all."""
        try:
            await self._client.workflow_service.get_system_info(
                GetSystemInfoRequest(), timeout=HEALTH_PATIENCE
            )
        except RPCError as error:
            raise Unavailable("Temporal does not answer") from error


class ReachableClock:
    """Another clock, whose being out of reach is Unavailable like everything else's."""

    def __init__(self, clock: Clock) -> None:
        """Ask this clock."""
        self._clock = clock

    async def now(self) -> datetime:
        """The time now, in UTC."""
        try:
            return await self._clock.now()
        except RPCError as error:
            raise Unavailable("the clinic's clock does not answer") from error


async def _connected(settings: ApiSettings) -> Client:
    """Connect to Temporal, however long it takes to be there."""
    while True:
        try:
            return await door.connect(settings.temporal_address, settings.temporal_namespace)
        except RuntimeError:
            log.warning("api_waits_for_temporal")
            await asyncio.sleep(1)


@asynccontextmanager
async def open_parts(settings: ApiSettings) -> AsyncIterator[Parts]:
    """Read what there is to read, connect, and close everything at the end."""
    clinic = load_clinic(settings.clinic_file)
    protocols = load_protocols(settings.protocols_dir)
    async with AsyncExitStack() as closing:
        client = await _connected(settings)
        database = Database(settings.database_url.get_secret_value())
        closing.push_async_callback(database.close)
        ehrs = {each.id: EhrClient(each.base_url) for each in clinic.connections}
        for ehr in ehrs.values():
            closing.push_async_callback(ehr.close)
        fetch = partial(read_key_set, settings.oidc_jwks)
        yield Parts(
            clinic=clinic,
            protocols=protocols,
            database=database,
            door=TemporalDoor(client),
            clock=ReachableClock(clock_for(settings.clinical_clock, client)),
            ehr=ehrs.__getitem__,
            tokens=Tokens(settings.oidc_issuer, settings.oidc_audience, fetch),
            cursors=Cursors(settings.cursor_secret.get_secret_value()),
            schema=newest(),
            roll_over_at=settings.roll_over_at,
        )
