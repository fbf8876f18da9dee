"""`./dev bench recovery`: how soon thousands of idle pathways go on without their workflows.

One pathway is started by the API; the others are copies of it in the database, so no workflow ever
ran for them. The sweep has to find them all. Then some are terminated, and all are given other
rules. Who is back is asked of Temporal and of the store, not of the sweep.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from random import Random
from uuid import UUID

import httpx2

from benchmarks.ground import Store, a_folder, a_pathway, cpu_of
from benchmarks.report import Report
from clinic import Clinic
from demo.staff import hire
from temporal.gateway import connect, end, running_pathways
from workflows.messages import pathway_workflow_id

WITHIN = 600.0
"""Seconds after which a pathway that is not back counts as not found."""

COPY = """
create temporary table copy on commit drop as
  select lpad(to_hex(n), 32, '0')::uuid::text as id, 'patient-' || n as patient, '-' || n as suffix
  from generate_series(%(after)s + 1, %(count)s) n;
insert into pathway
  (id, site_id, connection_id, patient_id, patient_fingerprint, status, phase, version,
   protocol_sha256, projection, rules, due_at, started_at, changed_at, restarted_at, urgency,
   next_says, next_who, next_due, listed, task_due)
select copy.id, site_id, connection_id, copy.patient, patient_fingerprint, status, phase, version,
   protocol_sha256,
   replace(replace(projection::text, pathway.id, copy.id), patient_id, copy.patient)::jsonb,
   rules, due_at, started_at, changed_at, restarted_at, urgency, next_says, next_who, next_due,
   listed, task_due
from pathway cross join copy where pathway.id = %(id)s;
insert into task
  (pathway_id, id, site_id, connection_id, patient_id, phase, visit, ask, rule, says, roles,
   urgency, opened_at, due_at, was_due, raised, acknowledged)
select copy.id, task.id, site_id, connection_id, copy.patient, phase, visit, ask, rule, says, roles,
   urgency, opened_at, due_at, was_due, raised, acknowledged
from task cross join copy where pathway_id = %(id)s;
insert into visit
  (pathway_id, id, site_id, connection_id, patient_id, phase, status, starts_at, checked_in, given,
   planned)
select copy.id, visit.id, site_id, connection_id, copy.patient, phase, status, starts_at,
   checked_in, given, planned
from visit cross join copy where pathway_id = %(id)s;
insert into event
  (pathway_id, seq, event_id, kind, at, author_id, author_role, recorded_at, rules, fact)
select copy.id, seq, event_id || copy.suffix, kind, at, author_id, author_role, recorded_at, rules,
   fact
from event cross join copy where pathway_id = %(id)s;
"""


async def measure(pathways: int, gone: int, report: Report) -> None:
    """Make the pathways, take their workflows away, change their rules; print what it took."""
    with a_folder() as folder:
        async with (
            Clinic.start("up", folder) as clinic,
            httpx2.AsyncClient(base_url=clinic.addresses.api, trust_env=False) as http,
        ):
            await _measure(clinic, http, pathways, gone, report)


async def _measure(
    clinic: Clinic, http: httpx2.AsyncClient, count: int, gone: int, report: Report
) -> None:
    client = await connect(clinic.addresses.temporal, "default")
    staff = hire(clinic.issuer, http)
    first = await a_pathway(clinic, staff)
    store = Store(clinic.postgres.url)
    store.run(COPY, {"after": 0, "count": count - 1, "id": first})
    all_of_them = {first, *(str(UUID(int=n)) for n in range(1, count))}
    worker = clinic.run.processes()["worker"]

    async def running() -> int:
        return len(all_of_them & (await running_pathways(client) or set()))

    await _until(f"{count} in the store, none of the copies in Temporal", running, count, report)
    report.figure("the worker's CPU for it", f"{cpu_of(worker):.0f} s")
    await _quiet_minutes(worker, report)

    chosen = Random(1).sample(sorted(all_of_them), gone)
    for pathway_id in chosen:
        await end(client, pathway_workflow_id(pathway_id), "a benchmark")

    async def restarted() -> int:
        return store.count("select count(*) from pathway where restarted_at >= %(at)s", mark)

    mark = {"at": datetime.now(UTC)}
    await _until(f"{gone} of them terminated", restarted, gone, report)
    store.run("update pathway set rules = 'those of before'", {})

    async def following() -> int:
        return store.count("select count(*) from pathway where rules <> 'those of before'", {})

    await _until("all under other rules than the worker's", following, count, report)
    held = {"reason": "supply", "note": "no device in the house"}
    began = time.monotonic()
    await staff.nurse.do(f"/v1/pathways/{chosen[0]}/holds", held)
    took = f"{time.monotonic() - began:.2f} s"
    report.figure("a hold on one that was terminated, applied after", took)


async def _until(
    what: str, count: Callable[[], Awaitable[int]], wanted: int, report: Report
) -> None:
    """Wait for all of them to be back; say when the first, the middle and the last one was."""
    began = time.monotonic()
    seen: dict[str, float] = {}
    while (number := await count()) < wanted:
        since = time.monotonic() - began
        if number:
            seen.setdefault("first", since)
        if number >= wanted / 2:
            seen.setdefault("half", since)
        if since > WITHIN:
            report.figure(what, f"only {number} of {wanted} after {since:.0f} s")
            return
        await asyncio.sleep(1)
    seen["all"] = time.monotonic() - began
    report.figure(what, ", ".join(f"{name} {at:.0f} s" for name, at in seen.items()))


async def _quiet_minutes(worker: int, report: Report) -> None:
    """Say what sweeping costs the worker while nothing else happens."""
    before, minutes = cpu_of(worker), 3
    await asyncio.sleep(60 * minutes)
    share = (cpu_of(worker) - before) / (0.6 * minutes)
    report.figure("the worker while nothing happens", f"{share:.1f} % of a core")
