"""A whole clinic on one machine: database, Temporal, EHR, API and worker, started and stopped.

`demo` is thrown away afterwards: time can be moved, and a wire between Kairos and the EHR can be
hurt. `up` keeps everything in a directory and runs on real time. Must not know anything clinical
beyond the two sites that the installation file has to name, and must not import the API or the
worker: they are processes, and their environment says what they need.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx2

from clinic.ehr import Ehr
from clinic.environment import environment_of_kairos, installation_yaml
from clinic.fault_proxy import FaultProxy
from clinic.handover import Handover
from clinic.issuer import Issuer
from clinic.kept import RememberedPorts, keep
from clinic.ports import LOOPBACK
from clinic.postgres import Postgres
from clinic.process import Child, PartFailed
from clinic.rundir import RunDirectory
from clinic.still import Ledger
from clinic.temporal_server import DevServer, TestServer
from clinic.time_mover import VirtualTime

REPOSITORY = Path(__file__).resolve().parents[1]
_MIGRATION_SECONDS = 60.0
_READY_SECONDS = 60.0
_FILL_SECONDS = 600.0
_LOOK_EVERY = 2.0


@dataclass(frozen=True)
class Commands:
    """How Kairos's own processes are started."""

    store: Sequence[str] = (sys.executable, "-m", "store", "upgrade")
    api: Sequence[str] = (sys.executable, "-m", "api")
    worker: Sequence[str] = (sys.executable, "-m", "worker")
    directory: Path = REPOSITORY


@dataclass(frozen=True)
class Addresses:
    """Where everything can be reached."""

    ehr: str
    """The EHR's own FHIR base, past any wire."""
    connection: str
    """The FHIR base that Kairos is told."""
    api: str
    temporal: str
    database: str
    ui: str | None = None
    """Temporal's web page, where there is one."""


@dataclass
class Clinic:
    """A running clinic; made by `Clinic.start`."""

    run: RunDirectory
    postgres: Postgres
    ehr: Ehr
    temporal: TestServer | DevServer
    issuer: Issuer
    addresses: Addresses
    commands: Commands
    environment: dict[str, str]
    seconds: dict[str, float] = field(default_factory=dict)
    """Real seconds: `start`, `stop` and one for each part that was started."""
    virtual_time: VirtualTime | None = None
    ehr_wire: FaultProxy | None = None
    _children: dict[str, Child] = field(default_factory=dict)

    @property
    def swept(self) -> tuple[str, ...]:
        """What was found of earlier clinics that were killed, as sentences to print."""
        return self.run.swept

    @property
    def wire(self) -> FaultProxy:
        """The wire to the EHR (demo only)."""
        if self.ehr_wire is None:
            raise _only_in_demo("connection that can be broken on purpose")
        return self.ehr_wire

    @property
    def time(self) -> VirtualTime:
        """The clock that can be moved (demo only)."""
        if self.virtual_time is None:
            raise _only_in_demo("clock that can be moved")
        return self.virtual_time

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        kind: Literal["demo", "up"] = "demo",
        directory: Path | None = None,
        *,
        commands: Commands | None = None,
        movable: bool = False,
        fill: Sequence[str] = (),
    ) -> "AsyncIterator[Clinic]":
        """Start everything and, on the way out, stop it in the order that leaves nothing waiting.

        `directory` keeps what `up` has to remember. `movable` gives `up` a clock that `PUT
        /v1/clock` moves on; `fill` is run when the database is there and nothing of Kairos is yet.
        Raises `PartFailed` with the log of the part
        that did not start.
        """
        began = time.monotonic()
        stack = AsyncExitStack()
        seconds: dict[str, float] = {}
        try:
            clinic = await _start(
                cls,
                kind=kind,
                directory=directory,
                commands=commands or Commands(),
                movable=movable,
                fill=fill,
                stack=stack,
                seconds=seconds,
            )
            seconds["start"] = time.monotonic() - began
            yield clinic
        finally:
            ending = time.monotonic()
            await stack.aclose()
            seconds["stop"] = time.monotonic() - ending

    def kill_api(self) -> None:
        self._children["api"].kill()

    def kill_worker(self) -> None:
        self._children["worker"].kill()

    async def start_api(self, *, until_ready: bool = True) -> None:
        """Start the API (again), on the same port."""
        await self._start_own("api", self.commands.api, until_ready=until_ready)

    async def start_worker(self, *, until_ready: bool = True) -> None:
        """Start the worker (again)."""
        await self._start_own("worker", self.commands.worker, until_ready=until_ready)

    async def stop_own(self, name: Literal["api", "worker"]) -> None:
        """Let the API or the worker end in order."""
        if name in self._children:
            await self._children.pop(name).stop()

    async def migrate(self) -> None:
        """Bring the database's schema up to date."""
        child = self._own("store", self.commands.store)
        code = await child.wait_ended(_MIGRATION_SECONDS)
        if code:
            raise PartFailed(f"the migrations failed with code {code}:\n{child.log_tail()}")

    async def fill(self, command: Sequence[str]) -> None:
        """Run what fills the clinic, to its end."""
        child = self._own("fill", command)
        code = await child.wait_ended(_FILL_SECONDS)
        if code:
            raise PartFailed(f"filling the clinic failed with code {code}:\n{child.log_tail()}")

    async def keep_going(self, say: Callable[[str], None]) -> None:
        """Start the API or the worker again when it ends by itself, saying so; never returns.

        Raises `PartFailed` when PostgreSQL, the EHR or Temporal has ended: nothing here can go on
        without.
        """
        while True:
            for part in (self.postgres, self.ehr, self.temporal):
                if not part.running:
                    raise PartFailed(f"{type(part).__name__} has stopped; stopping everything")
            for name in ("api", "worker"):
                if not self._children[name].running:
                    say(f"the {name} stopped unexpectedly; restarting it")
                    command = self.commands.api if name == "api" else self.commands.worker
                    await self._start_own(name, command, until_ready=False)
            await asyncio.sleep(_LOOK_EVERY)

    async def ready(self) -> None:
        """Return when the API says that it and everything it needs is ready."""
        await self._children["api"].wait_ready(self._says_ready, _READY_SECONDS)

    async def _start_own(self, name: str, command: Sequence[str], *, until_ready: bool) -> None:
        if (before := self._children.get(name)) is not None:
            before.kill()
        self._children[name] = self._own(name, command)
        if until_ready:
            await self.ready()

    def _own(self, name: str, command: Sequence[str]) -> Child:
        return Child(self.run, name, command, env=self.environment, cwd=self.commands.directory)

    async def _says_ready(self) -> bool:
        worker = self._children.get("worker")
        if worker is not None and not worker.running:
            raise PartFailed(f"the worker stopped while starting:\n{worker.log_tail()}")
        async with httpx2.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{self.addresses.api}/health/ready")
        if answer.status_code != httpx2.codes.OK:
            raise ConnectionError(f"/health/ready says {answer.status_code}: {answer.text[:500]}")
        return True


def _only_in_demo(what: str) -> RuntimeError:
    return RuntimeError(f"this clinic runs in real time on real connections; it has no {what}")


def _clock(kind: str, *, movable: bool) -> str:
    if kind == "demo":
        return "temporal-test-server"
    return "movable" if movable else "system"


async def _start(
    cls: type[Clinic],
    *,
    kind: Literal["demo", "up"],
    directory: Path | None,
    commands: Commands,
    movable: bool,
    fill: Sequence[str],
    stack: AsyncExitStack,
    seconds: dict[str, float],
) -> Clinic:
    """Start everything, read from the top; what has to be undone goes on the stack first."""
    kept, lock = await keep(directory, stack) if kind == "up" else (None, None)
    run = await asyncio.to_thread(RunDirectory, kind, also_hold=lock)
    stack.push_async_callback(asyncio.to_thread, run.close)
    home = kept or run.path
    ports = RememberedPorts(home / "ports.json")
    api_port = ports.take("api")
    stack.callback(api_port.close)

    postgres = Postgres(run, home / "postgres", ephemeral=kept is None)
    stack.push_async_callback(postgres.stop)
    wire = FaultProxy() if kind == "demo" else None
    if wire is not None:
        stack.push_async_callback(asyncio.to_thread, wire.close)
    ehr = Ehr(
        run,
        home / "ehr",
        port=ports.take("ehr"),
        known_as=wire.base_url if wire is not None else None,
    )
    stack.push_async_callback(ehr.stop)
    temporal: TestServer | DevServer = TestServer(run)
    if kind == "up":
        temporal = DevServer(
            run,
            home / "temporal.db",
            port=ports.take("temporal"),
            ui_port=ports.take("temporal-ui"),
        )
    stack.push_async_callback(temporal.stop)
    handover = Handover() if kind == "demo" else None
    if handover is not None:
        stack.push_async_callback(handover.stop)
    await _together(
        _timed("postgres", postgres.start(), seconds),
        _timed("ehr", ehr.start(), seconds),
        _timed("temporal", temporal.start(), seconds),
    )
    ports.remember()
    if wire is not None:
        wire.upstream_port = ehr.port
    if handover is not None:
        await handover.start(temporal.address)

    installation_file = home / "installation.yaml"
    connection = wire.base_url if wire is not None else ehr.base_url
    installation_file.write_text(installation_yaml(connection, all_offer_all=movable))
    issuer_directory = home / "issuer"
    issuer_directory.mkdir(mode=0o700, exist_ok=True)
    issuer = Issuer(issuer_directory)
    environment = environment_of_kairos(
        installation_file=installation_file,
        issuer=issuer,
        database_url=postgres.url,
        temporal_address=handover.address if handover is not None else temporal.address,
        api_port=api_port.number,
        clinical_clock=_clock(kind, movable=movable),
        clock_file=home / "clock.json" if movable else None,
    )
    clinic = cls(
        run=run,
        postgres=postgres,
        ehr=ehr,
        temporal=temporal,
        issuer=issuer,
        addresses=Addresses(
            ehr=ehr.base_url,
            connection=connection,
            api=f"http://{LOOPBACK}:{api_port.number}",
            temporal=temporal.address,
            database=postgres.url,
            ui=temporal.ui if isinstance(temporal, DevServer) else None,
        ),
        commands=commands,
        environment=environment,
        seconds=seconds,
        virtual_time=await _mover(temporal, postgres, stack) if kind == "demo" else None,
        ehr_wire=wire,
    )
    await _timed("migrations", clinic.migrate(), seconds)
    if fill:
        await _timed("fill", clinic.fill(fill), seconds)
    stack.push_async_callback(clinic.stop_own, "worker")
    stack.push_async_callback(clinic.stop_own, "api")
    await clinic.start_worker(until_ready=False)
    await clinic.start_api(until_ready=False)
    await _timed("api and worker", clinic.ready(), seconds)
    return clinic


async def _mover(
    temporal: TestServer | DevServer, postgres: Postgres, stack: AsyncExitStack
) -> VirtualTime:
    ledger = Ledger(postgres.url)
    stack.push_async_callback(ledger.close)
    return await VirtualTime.at(temporal.address, ledger)


async def _timed(name: str, work: Coroutine[Any, Any, None], seconds: dict[str, float]) -> None:
    began = time.monotonic()
    await work
    seconds[name] = time.monotonic() - began


async def _together(*work: Coroutine[Any, Any, None]) -> None:
    """All at once; the first failure stops the others from starting and is the one that is told."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
