"""`./dev bench scale`: whether anything costs more where more pathways are open.

Fifty pathways are started by the API; the others are copies of one in the store, whose workflows
the sweep starts. At each size: one reading by the API, one after the other, and each list through
the API, 200 times, beside its own query asked of PostgreSQL bare; what the worker weighs, and what
the store takes. Last, what it costs to look at a pathway whose workflow has left the worker's
cache, beside one whose has not.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx2
import psycopg
from temporalio.client import Client

from benchmarks.commands import reading, times
from benchmarks.ground import Store, a_folder, pathways_of
from benchmarks.recovery import COPY
from benchmarks.report import Report
from benchmarks.weights import megabytes
from clinic import Clinic
from demo.staff import Staff, hire
from temporal.gateway import connect, running_pathways
from workflows.messages import pathway_workflow_id

REAL = 50
TAKEN = 4
"""Events of history by which a look is taken: the signal, and a workflow task to its end."""
COMMANDS = 100
LOOKS = 200
WITHIN = 900.0

LISTS = {
    "the list of tasks of one role": ("/v1/tasks", {"role": "prescriber", "limit": "50"}),
    "the list of overdue tasks": ("/v1/tasks", {"overdue": "true", "limit": "50"}),
    "the list of visits": ("/v1/visits", {"limit": "50"}),
    "the list of pathways": ("/v1/pathways", {"limit": "50"}),
    "the list of writes that wait for a person": (
        "/v1/deliveries",
        {"needs_person": "true", "limit": "50"},
    ),
}
BARE = (
    "select * from task where site_id = 'manhattan' order by urgency,"
    " coalesce(due_at, 'infinity'::timestamptz), pathway_id, id limit 50"
)


async def measure(sizes: list[int], report: Report) -> None:
    """Grow the store from size to size, and measure at each."""
    with a_folder() as folder:
        async with (
            Clinic.start("up", folder) as clinic,
            httpx2.AsyncClient(base_url=clinic.addresses.api, trust_env=False, timeout=60) as http,
        ):
            staff, store = hire(clinic.issuer, http), Store(clinic.postgres.url)
            client = await connect(clinic.addresses.temporal, "default")
            real = await pathways_of(clinic, staff, REAL)
            signed = {"phase": "esketamine-induction"}
            await staff.prescriber.do(f"/v1/pathways/{real[0]}/orders", signed)
            first: dict[str, float] = {}
            before = 0
            for size in sizes:
                await _grow(store, real[0], before, size - REAL)
                before = size - REAL
                await _running(client, size)
                store.run("analyze", {})
                found = await _at(http, staff, real, clinic, report, size)
                first = first or found
                _compare(first, found, size, report)
                worker = megabytes({"worker": clinic.run.processes()["worker"]})["worker"]
                report.figure(f"worker, {size:,} open", f"{worker:.0f} MiB")
                report.figure(f"PostgreSQL, {size:,} open", _kept(store, size))
            await _misses(client, real, report)


async def _grow(store: Store, first: str, before: int, count: int) -> None:
    """Copy the first pathway until there are so many beside the real ones."""
    store.run(COPY, {"after": before, "count": count, "id": first})


async def _running(client: Client, size: int) -> None:
    """Wait until each has a workflow."""
    deadline = time.monotonic() + WITHIN
    while len(await running_pathways(client) or ()) < size:
        if time.monotonic() > deadline:
            raise TimeoutError(f"not {size} running after {WITHIN:g} s")
        await asyncio.sleep(1)
    await asyncio.sleep(10)  # the last of them come to rest


async def _at(
    http: httpx2.AsyncClient,
    staff: Staff,
    real: list[str],
    clinic: Clinic,
    report: Report,
    size: int,
) -> dict[str, float]:
    """Milliseconds, median and 95th of a hundred, of a command and of each list."""
    call = reading(http, staff, real)
    await times(call, REAL)
    found: dict[str, float] = {}
    took = await times(call, COMMANDS)
    found["one reading by the API, p50"] = statistics.median(took)
    with psycopg.connect(clinic.postgres.url.replace("+psycopg", ""), autocommit=True) as bare:
        took = await times(_bare(bare), LOOKS)
        floor = statistics.quantiles(took, n=20)[18]
    for name, (path, params) in LISTS.items():
        took = await times(_look(http, staff, path, params), LOOKS)
        found[f"{name}, p95"] = statistics.quantiles(took, n=20)[18]
    report.line(f"{size:,} open: a list's query asked bare, p95 {floor:.1f} ms")
    return found


def _bare(connection: psycopg.Connection) -> Callable[[int], Awaitable[bool]]:
    async def call(_: int) -> bool:
        return len(connection.execute(BARE).fetchall()) > 0

    return call


def _look(
    http: httpx2.AsyncClient, staff: Staff, path: str, params: dict[str, str]
) -> Callable[[int], Awaitable[bool]]:
    async def call(_: int) -> bool:
        headers = {"Authorization": f"Bearer {staff.care_manager.token}"}
        answer = await http.get(path, params=params, headers=headers)
        return answer.status_code == httpx2.codes.OK

    return call


def _compare(first: dict[str, float], found: dict[str, float], size: int, report: Report) -> None:
    for name, value in found.items():
        ratio = f"{value / first[name]:.2f}x of the smallest"
        goal = "1.3x" if name.startswith("one") else "50 ms"
        report.figure(f"{name}, {size:,} open", f"{value:.1f} ms", "", ratio, goal)


def _kept(store: Store, size: int) -> str:
    """What a pathway takes of the store, by table."""
    query = "select pg_total_relation_size(%(table)s::regclass)"
    sizes = {
        table: store.count(query, {"table": table}) / (1024 * size)
        for table in ("pathway", "event", "audit", "task", "visit")
    }
    tables = ", ".join(f"{table} {each:.1f}" for table, each in sizes.items())
    return f"{sum(sizes.values()):.1f} KiB a pathway ({tables})"


async def _misses(client: Client, real: list[str], report: Report) -> None:
    """Look at pathways whose workflow was used just now, and at ones that nobody used for long."""
    warm = [await _looked(client, each) for each in real for _ in range(2)][1::2]
    copies = [str(UUID(int=n)) for n in range(1, 41)]
    cold = [await _looked(client, each) for each in copies]
    again = [await _looked(client, each) for each in copies]
    report.figure(
        "a look at a pathway out of the worker's cache",
        f"p50 {statistics.median(cold):.0f} ms",
        f"in it p50 {statistics.median([*warm, *again]):.0f} ms",
    )


async def _looked(client: Client, pathway: str) -> float:
    """Milliseconds until a workflow has taken the turn that it was asked for."""
    handle = client.get_workflow_handle(pathway_workflow_id(pathway))
    before = (await handle.describe()).history_length
    began = time.monotonic()
    await handle.signal("look")
    while (await handle.describe()).history_length < before + TAKEN:  # noqa: ASYNC110
        await asyncio.sleep(0.002)
    return 1000 * (time.monotonic() - began)
