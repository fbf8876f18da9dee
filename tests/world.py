"""A clinic without its API, for tests of what happens behind it: every part real, one process.

PostgreSQL, the time-skipping Temporal server and the EHR are processes; the worker runs here.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import uuid4

from sqlalchemy import select
from temporalio.client import Client
from temporalio.worker import Worker

from activities.deliveries import Deliveries
from activities.plans import Connections, Plans, probe
from activities.records import Records
from clinic import Ehr, RunDirectory, TestServer, VirtualTime, Wire
from domain.decide import start
from domain.language.clocks import LocalTime
from domain.language.commands import Command, Wish
from domain.language.events import Event
from domain.language.names import (
    Author,
    ConnectionId,
    EhrPatientId,
    EventId,
    PathwayId,
    RequestId,
    Role,
    SiteId,
)
from domain.language.pathway import Pathway
from domain.language.phases import PathwayStarted
from domain.language.protocol import CombinedProtocol
from fhir_adapters.exchange.client import EhrClient
from store import codec, inbox, pathways
from store.database import Database
from store.tables import DeliveryRow
from temporal.clock import Clock, clock_for
from temporal.gateway import connect, send, start_pathway
from workflows.messages import PATHWAYS_QUEUE, Ack, PathwayInput, ehr_queue
from workflows.runner import WORKFLOWS, runner

CONNECTION = "ehr"
NURSE = Author("nurse-1", Role.NURSE)
PRESCRIBER = Author("prescriber-1", Role.PRESCRIBER)
MANAGER = Author("manager-1", Role.CARE_MANAGER)


@dataclass
class World:
    """What a test holds on to."""

    database: Database
    client: Client
    clock: Clock
    virtual: VirtualTime
    wire: Wire
    ehr: EhrClient  # straight to the EHR, past the wire
    protocol: CombinedProtocol
    deliveries: Deliveries
    pathway_id: str = ""
    patient: str = ""

    async def enrol(self, first_day: date, hour: time = time(9)) -> None:
        """Register a patient in the EHR and start their pathway."""
        made = await self.ehr.create("Patient", _patient(), None)
        self.patient, self.pathway_id = made.ehr_id, str(uuid4())
        request = RequestId(str(uuid4()))
        now = await self.clock.now()
        pathway = Pathway(
            PathwayId(self.pathway_id),
            EhrPatientId(self.patient),
            ConnectionId(CONNECTION),
            SiteId("manhattan"),
            "America/New_York",
        )
        started = PathwayStarted(
            pathway.patient,
            pathway.connection,
            pathway.site,
            pathway.zone,
            self.protocol.id,
            self.protocol.version,
            self.protocol.sha256,
        )
        facts = start(self.protocol, started, LocalTime(first_day, hour))
        events = tuple(
            Event(EventId(f"{request}/{place}"), now, MANAGER, fact)
            for place, fact in enumerate(facts)
        )
        async with self.database.begin() as tx:
            await pathways.reserve(tx, pathway, self.protocol, "fingerprint", now)
        begin = PathwayInput(
            Pathway(pathway.id), self.protocol, first_request=request, begin=events
        )
        await start_pathway(self.client, begin)

    async def do(self, by: Author, wish: Wish, request: str | None = None) -> Ack:
        """Send a command as the API would."""
        request_id = RequestId(request or str(uuid4()))
        now = await self.clock.now()
        received = inbox.Received(
            request_id, self.pathway_id, "manhattan", wish.kind, by.id, request_id, "f", {}
        )
        async with self.database.begin() as tx:
            await inbox.receive(tx, received, now)
        return await send(self.client, self.pathway_id, Command(request_id, by, wish))

    async def settled(self, minutes: int = 1) -> None:
        """Let everything that is under way finish."""
        await self.virtual.move_by(timedelta(minutes=minutes))

    async def now(self) -> datetime:
        """Clinical time."""
        return await self.clock.now()

    async def ledger(self) -> list[DeliveryRow]:
        """Every delivery, in order."""
        async with self.database.begin() as tx:
            rows = await tx.execute(select(DeliveryRow).order_by(DeliveryRow.id))
            return list(rows.scalars())

    async def pathway(self) -> Pathway:
        """The pathway as it is stored."""
        async with self.database.begin() as tx:
            row = await pathways.find(tx, self.pathway_id)
        assert row is not None
        return codec.pathway_from_json(row.projection)

    async def in_ehr(self, resource_type: str) -> list[dict[str, object]]:
        """Every resource of a type in the EHR."""
        found = await self.ehr.search(resource_type, [("patient", f"Patient/{self.patient}")])
        return list(found.resources)


def _patient() -> dict[str, object]:
    return {
        "resourceType": "Patient",
        "active": True,
        "identifier": [{"system": "urn:test:mrn", "value": str(uuid4())}],
        "birthDate": "1980-01-01",
    }


@asynccontextmanager
async def a_world(database: Database, protocol: CombinedProtocol) -> AsyncIterator[World]:
    """Start the parts and a worker; stop them again."""
    run = RunDirectory("world")
    async with AsyncExitStack() as stack:
        stack.callback(run.close)
        wire = Wire()
        stack.callback(wire.close)
        ehr = Ehr(run, run.path / "ehr", known_as=wire.base_url)
        stack.push_async_callback(ehr.stop)
        await ehr.start()
        wire.upstream_port = ehr.port
        temporal = TestServer(run)
        stack.push_async_callback(temporal.stop)
        await temporal.start()
        client = await connect(temporal.address, "default")
        clock = clock_for("temporal-test-server", client)
        connections = Connections({CONNECTION: wire.base_url})
        stack.push_async_callback(connections.close)
        await probe(database, connections, CONNECTION, clock)
        plans = Plans()
        deliveries = Deliveries(database, connections, plans, clock)
        direct = await stack.enter_async_context(EhrClient(ehr.base_url))
        world = World(
            database,
            client,
            clock,
            await VirtualTime.at(temporal.address, limit_seconds=30),
            wire,
            direct,
            protocol,
            deliveries,
        )
        await stack.enter_async_context(
            Worker(client, task_queue=ehr_queue(CONNECTION), activities=[deliveries.deliver])
        )
        await stack.enter_async_context(
            Worker(
                client,
                task_queue=PATHWAYS_QUEUE,
                workflows=WORKFLOWS,
                workflow_runner=runner(),
                activities=[Records(database, plans, client).record_events],
            )
        )
        yield world


__all__ = ["MANAGER", "NURSE", "PRESCRIBER", "World", "a_world"]
