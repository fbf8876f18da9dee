"""A clinic without its API, for tests of what happens behind it: every part real, one process.

PostgreSQL, the time-skipping Temporal server and the EHR are processes; the worker runs here.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import partial
from uuid import uuid4

from sqlalchemy import select
from temporalio.client import Client
from temporalio.worker import Worker

from activities.capabilities import probe
from activities.deliveries import Deliveries
from activities.drain import Drain
from activities.recovery import Recovery
from clinic import DevServer, FaultProxy, Ledger, RunDirectory, TestServer, VirtualTime
from domain.enrolment import Enrolment
from domain.language.clocks import LocalTime
from domain.language.commands import Command, Wish
from domain.language.errors import Unavailable
from domain.language.names import (
    Author,
    ConnectionId,
    EhrPatientId,
    PathwayId,
    RequestId,
    Role,
    SiteId,
)
from domain.language.pathway import Pathway
from domain.language.phases import PathwayStarted
from domain.language.protocol import CombinedProtocol
from domain.language.refusal import error_of
from fhir_adapters.ehr import Ehr, Ehrs
from fhir_adapters.exchange.client import EhrClient
from fhir_adapters.profile.generic import GENERIC
from store import columns, inbox, pathways
from store.database import Database
from store.ehr_tables import DeliveryRow
from store.listener import Listener
from store.records import CommandRecord, PathwayRecord
from temporal.clock import Clock, clock_for
from temporal.gateway import connect, look, start_pathway, tell
from temporal.versions import deployment
from tests.standing import StandingEhr
from turns.plans import Plans
from turns.settle import Settling
from turns.take import Turns
from workflows.messages import (
    PATHWAYS_QUEUE,
    ROLL_OVER_AT,
    PathwayInput,
    Settled,
)
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
    wire: FaultProxy
    ehr: EhrClient  # straight to the EHR, past the wire
    protocol: CombinedProtocol
    drain: Drain
    turns: Turns
    settling: Settling
    recovery: Recovery
    pathway_id: str = ""
    patient: str = ""

    async def enrol(
        self, first_day: date, hour: time = time(9), *, roll_over_at: int = ROLL_OVER_AT
    ) -> None:
        """Register a patient in the EHR and start their pathway."""
        self.patient = (await self.ehr.create("Patient", _patient(), None)).ehr_id
        await self.enrol_again(first_day, hour, roll_over_at=roll_over_at)

    async def enrol_again(
        self, first_day: date, hour: time = time(9), *, roll_over_at: int = ROLL_OVER_AT
    ) -> None:
        """Start another pathway of the same patient."""
        self.pathway_id = str(uuid4())
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
        request = RequestId(str(uuid4()))
        enrolment = Enrolment(request, MANAGER, started, LocalTime(first_day, hour))
        async with self.database.begin() as tx:
            await inbox.receive(tx, self._received(request, inbox.START, MANAGER, enrolment), now)
            await pathways.reserve(tx, pathway, self.protocol, "fingerprint", now)
        await start_pathway(self.client, PathwayInput(self.pathway_id, roll_over_at))
        await self.settled(request)

    async def receive(
        self,
        by: Author,
        wish: Wish,
        request: str | None = None,
        *,
        pathway_id: str = "",
        expects: int | None = None,
    ) -> str:
        """Commit a command to the inbox as the API does; its id."""
        command = Command(RequestId(request or str(uuid4())), by, wish, expects)
        received = self._received(command.id, wish.kind, by, command)
        if pathway_id:
            received = replace(received, pathway_id=pathway_id)
        async with self.database.begin() as tx:
            await inbox.receive(tx, received, await self.clock.now())
        return command.id

    async def do(
        self,
        by: Author,
        wish: Wish,
        request: str | None = None,
        *,
        expects: int | None = None,
    ) -> Settled:
        """Send a command as the API would. Raises what it was refused with."""
        command_id = await self.receive(by, wish, request, expects=expects)
        settled = await self.settled(command_id)
        if settled.state == "rejected":
            raise await self.refusal(command_id)
        return settled

    async def settled(self, command_id: str, pathway_id: str = "") -> Settled:
        """A command's outcome, asked for again by its id for as long as nobody knows it yet.

        That is what a caller of the API does on a slow machine: how soon is no fact of a test.
        """
        while True:
            try:
                return await self.settling.settle(pathway_id or self.pathway_id, command_id)
            except Unavailable as error:
                if type(error) is not Unavailable:  # its kinds are answers
                    raise

    async def command(self, command_id: str) -> CommandRecord:
        """A command as the inbox holds it."""
        async with self.database.begin() as tx:
            row = await inbox.find(tx, command_id)
        assert row is not None
        return row

    async def refusal(self, command_id: str) -> Exception:
        """What a command was refused with."""
        return error_of(columns.refusal_from_json((await self.command(command_id)).problem or {}))

    def _received(
        self, command_id: str, kind: str, by: Author, asked: Command | Enrolment
    ) -> inbox.Received:
        return inbox.Received(
            id=command_id,
            pathway_id=self.pathway_id,
            site_id="manhattan",
            kind=kind,
            author_id=by.id,
            idempotency_key=command_id,
            fingerprint="f",
            body=columns.command_to_json(asked),
        )

    async def until_quiet(self, minutes: int = 1) -> None:
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

    async def row(self) -> PathwayRecord:
        """The pathway's row."""
        async with self.database.begin() as tx:
            row = await pathways.find(tx, self.pathway_id)
        assert row is not None
        return row

    async def pathway(self) -> Pathway:
        """The pathway as it is stored."""
        return columns.pathway_from_json((await self.row()).projection)

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
async def a_world(
    database: Database,
    protocol: CombinedProtocol,
    standing: StandingEhr,
    *,
    real_time: bool = False,
    drained_by_hand: bool = False,
) -> AsyncIterator[World]:
    """Start the parts and a worker; stop them again. The EHR stands all the time.

    In real time on the development server, which knows builds of workers: there a test starts the
    pathways' workers itself (`working`).
    """
    run = RunDirectory("world")
    async with AsyncExitStack() as stack:
        stack.callback(run.close)
        ehr = standing.server
        wire = FaultProxy(ehr.port, standing.port)
        stack.callback(wire.close)
        temporal = DevServer(run, run.path / "temporal.db") if real_time else TestServer(run)
        stack.push_async_callback(temporal.stop)
        await temporal.start()
        client = await connect(temporal.address, "default")
        clock = clock_for("system" if real_time else "temporal-test-server", client)
        ehrs = Ehrs([Ehr(CONNECTION, wire.base_url, GENERIC)])
        stack.push_async_callback(ehrs.close)
        await probe(database, ehrs[CONNECTION], clock)
        plans = Plans(ehrs)
        deliveries = Deliveries(database, ehrs[CONNECTION], plans, clock, "a-world")
        drain = Drain(database, ehrs[CONNECTION], deliveries, clock, "a-world", 4)
        turns = Turns(database, plans, clock)
        ledger = Ledger(database.url)
        stack.push_async_callback(ledger.close)
        direct = await stack.enter_async_context(EhrClient(ehr.base_url, GENERIC))
        world = World(
            database,
            client,
            clock,
            await VirtualTime.at(temporal.address, ledger, limit_seconds=30),
            wire,
            direct,
            protocol,
            drain,
            turns,
            Settling(turns, partial(tell, client), partial(look, client)),
            Recovery(database, client, clock),
        )
        if not drained_by_hand:
            await stack.enter_async_context(draining(drain, database))
        if not real_time:
            await stack.enter_async_context(working(client, turns))
        yield world


@asynccontextmanager
async def draining(drain: Drain, database: Database) -> AsyncIterator[None]:
    """The lanes are drained, and their bells heard, as a worker does."""
    listener = Listener(database.url, "a-world", lambda _: drain.ring())
    tasks = [asyncio.create_task(each.run()) for each in (drain, listener)]
    try:
        yield
    finally:
        await drain.stop()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def working(client: Client, turns: Turns, shape: str | None = None) -> Worker:
    """A worker of pathways, of a build if a shape is named. One a client at a time."""
    return Worker(
        client,
        task_queue=PATHWAYS_QUEUE,
        workflows=WORKFLOWS,
        workflow_runner=runner(),
        activities=[turns.take_turn],
        deployment_config=deployment(shape) if shape else None,
    )


__all__ = ["MANAGER", "NURSE", "PRESCRIBER", "World", "a_world", "working"]
