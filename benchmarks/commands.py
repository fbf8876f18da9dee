"""`./dev bench commands`: what one reading by the API costs, beside the least it could cost.

The floor is a raw Update on a workflow that only answers, and one insert into a table, both on the
servers that Kairos runs on. Floor and Kairos take turns, first one after the other, then many at
once on as many pathways, with deliveries to the EHR going on.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx2
import psycopg
from temporalio.client import Client, WorkflowHandle

from benchmarks.floor import QUEUE
from benchmarks.ground import Store, a_folder, cpu_of_family, pathways_of
from benchmarks.report import Report
from clinic import Clinic
from demo.staff import Staff, hire

WITHIN = 60.0
INSERT = "insert into floor (id, body) values (%s, %s)"

Call = Callable[[int], Awaitable[bool]]


async def measure(serial: int, at_once: int, each: int, rounds: int, report: Report) -> None:
    """Measure one after the other and many at once, in turns, and print how they compare."""
    with a_folder() as folder:
        async with (
            Clinic.start("up", folder) as clinic,
            httpx2.AsyncClient(
                base_url=clinic.addresses.api,
                trust_env=False,
                timeout=WITHIN,
                limits=httpx2.Limits(max_connections=at_once),
            ) as http,
            _floor(clinic, at_once) as floor,
        ):
            staff = hire(clinic.issuer, http)
            pathways = await pathways_of(clinic, staff, at_once)
            kairos = reading(http, staff, pathways)
            await _warm(floor, kairos, at_once)
            for _ in range(rounds):
                await _serially(floor, kairos, serial, clinic, pathways, report)
                await _together(floor, kairos, at_once, each, report)


def reading(http: httpx2.AsyncClient, staff: Staff, pathways: list[str]) -> Call:
    """Record one reading on one of the pathways; whether it was recorded."""

    async def call(number: int) -> bool:
        body = {
            "measured_at": datetime.now(UTC).isoformat(),
            "readings": [{"observation": "spo2", "value": 97, "unit": "%"}],
        }
        headers = {
            "Authorization": f"Bearer {staff.nurse.token}",
            "Idempotency-Key": str(uuid4()),
        }
        path = f"/v1/pathways/{pathways[number % len(pathways)]}/readings"
        answer = await http.post(path, json=body, headers=headers)
        return answer.status_code == httpx2.codes.CREATED

    return call


@asynccontextmanager
async def _floor(clinic: Clinic, at_once: int) -> AsyncIterator[Call]:
    """An Update and an insert on the same servers, as cheap as they come."""
    client = await Client.connect(clinic.addresses.temporal)
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.floor", clinic.addresses.temporal
    )
    url = clinic.postgres.url.replace("+psycopg", "")
    connections: asyncio.Queue[psycopg.AsyncConnection[Any]] = asyncio.Queue()
    opened = [await psycopg.AsyncConnection.connect(url, autocommit=True) for _ in range(10)]
    for connection in opened:
        connections.put_nowait(connection)
    await opened[0].execute("create table floor (id text primary key, body jsonb)")
    handles: list[WorkflowHandle[Any, Any]] = [
        await client.start_workflow("IdleLoop", id=f"floor/{n}", task_queue=QUEUE)
        for n in range(at_once)
    ]

    async def call(number: int) -> bool:
        connection = await connections.get()
        try:
            await connection.execute(INSERT, (str(uuid4()), '{"value": 97}'))
        finally:
            connections.put_nowait(connection)
        handle = handles[number % len(handles)]
        return bool(await handle.execute_update("touch", number, result_type=int) == number)

    try:
        yield call
    finally:
        worker.kill()
        await worker.wait()
        for connection in opened:
            await connection.close()


async def _warm(floor: Call, kairos: Call, at_once: int) -> None:
    for call in (floor, kairos):
        for number in range(at_once):
            await call(number)


async def _serially(
    floor: Call, kairos: Call, count: int, clinic: Clinic, pathways: list[str], report: Report
) -> None:
    """One after the other: how long each takes, and what one of ours costs where."""
    of_floor = await times(floor, count)
    store = Store(clinic.postgres.url)
    counted = _Counted(clinic, store)
    await counted.begin(pathways[0])
    of_kairos = await times(kairos, count)
    await counted.until_delivered()
    counted.print(count, report)
    await counted.print_events(pathways, report)
    for name, at, goal in (("p50", 50, "2x"), ("p99", 99, "3x")):
        mine, least = _at(of_kairos, at), _at(of_floor, at)
        what, ratio = f"one reading by the API, one after the other, {name}", f"{mine / least:.1f}x"
        report.figure(what, f"{mine:.0f} ms", f"{least:.0f} ms", ratio, goal)


async def times(call: Call, count: int) -> list[float]:
    took = []
    for number in range(count):
        began = time.monotonic()
        if not await call(number):
            raise AssertionError("a request was not accepted")
        took.append(1000 * (time.monotonic() - began))
    return took


def _at(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100, method="inclusive")[percent - 1]


async def _together(floor: Call, kairos: Call, at_once: int, each: int, report: Report) -> None:
    """Many at once: how many a second, and how many were answered."""
    rates: dict[str, float] = {}
    told: dict[str, str] = {}
    for name, call in (("floor", floor), ("Kairos", kairos)):
        took: list[float] = []
        refused = 0
        began = time.monotonic()

        async def caller(number: int, call: Call = call, took: list[float] = took) -> None:
            nonlocal refused
            for _ in range(each):
                start = time.monotonic()
                refused += not await call(number)
                took.append(1000 * (time.monotonic() - start))

        await asyncio.gather(*(caller(number) for number in range(at_once)))
        rates[name] = at_once * each / (time.monotonic() - began)
        told[name] = (
            f"{rates[name]:.0f} a second, p50 {_at(took, 50):.0f} ms, p99 {_at(took, 99):.0f} ms,"
            f" {refused} of {len(took)} not answered"
        )
    ratio = f"1/{rates['floor'] / rates['Kairos']:.1f}"
    report.figure(
        f"readings by the API, {at_once} callers at once",
        told["Kairos"],
        told["floor"],
        ratio,
        "1/5, all answered",
    )


class _Counted:
    """What the parts did while commands were sent."""

    def __init__(self, clinic: Clinic, store: Store) -> None:
        self._clinic = clinic
        self._store = store
        self._parts: dict[str, int] = {}
        self._before: dict[str, float] = {}
        self._commits = 0
        self._after: dict[str, float] = {}

    async def begin(self, _: str) -> None:
        """Remember how it stands."""
        await self.until_delivered()
        names = ("api", "worker", "temporal", "postgres")
        owned = self._clinic.run.processes()
        self._parts = {
            name: pid for name in names for key, pid in owned.items() if key.startswith(name)
        }
        self._before = {name: cpu_of_family(pid) for name, pid in self._parts.items()}
        self._commits = self._store.commits()

    async def until_delivered(self) -> None:
        """Return when nothing waits to be written to the EHR."""
        waits = "select count(*) from delivery where state in ('intent', 'sent', 'unknown')"
        while self._store.count(f"{waits} and not needs_person", {}):  # noqa: ASYNC110
            await asyncio.sleep(0.05)

    def print(self, count: int, report: Report) -> None:
        """What each cost since."""
        after = {name: cpu_of_family(pid) for name, pid in self._parts.items()}
        each = {name: 1000 * (after[name] - self._before[name]) / count for name in after}
        parts = ", ".join(f"{name} {value:.0f}" for name, value in each.items())
        cost = f"{sum(each.values()):.0f} ms ({parts})"
        report.figure("CPU of a command with its delivery", cost, goal="60 ms")
        commits = (self._store.commits() - self._commits) / count
        report.figure("transactions of a command with its delivery", f"{commits:.1f}", goal="4")

    async def print_events(self, pathways: list[str], report: Report) -> None:
        """How many events of history one command makes."""
        client = await Client.connect(self._clinic.addresses.temporal)
        handle = client.get_workflow_handle(f"pathway/{pathways[0]}")
        described = await handle.describe()
        length = described.history_length
        report.figure("events of the first pathway's run so far", str(length), goal="8 a command")
