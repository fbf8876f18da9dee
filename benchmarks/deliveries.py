"""`./dev bench deliveries`: how fast what waits in the ledger reaches the EHR, once each.

Observations are put into the ledger as copies of one that the API recorded, for patients made for
it, and their lanes are woken. Before and after that the same bodies are created and read back by a
bare loop, as many at once, on the same EHR. How often each stands is counted in the EHR itself.
"""

import asyncio
import json
import statistics
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import httpx2

from benchmarks.ground import Store, a_folder, a_pathway, cpu_of
from benchmarks.report import Report
from clinic import Clinic
from clinic.environment import CONNECTION
from demo.staff import hire

AT_ONCE = 8
"""Requests at once in the bare loop: as many as a connection of Kairos has lanes at work."""

WITHIN = 900.0
"""Seconds after which what is not delivered counts as lost."""

SYSTEM = "urn:kairos:bench"

COPY = """
insert into delivery
  (key, site_id, pathway_id, connection_id, patient_id, event_id, artefact, resource_type, action,
   body, needs, state, needs_person, attempts, differences, created_at, changed_at)
select %(artefact)s || n, site_id, pathway_id, %(connection)s, %(patient)s, event_id || n,
   %(artefact)s || n, resource_type, action,
   replace(replace(body::text, artefact, %(artefact)s || n), patient_id, %(patient)s)::jsonb,
   '[]', 'intent', false, 0, '[]', now(), now()
from delivery cross join generate_series(1, %(each)s) n where id = %(id)s
"""

RING = """
insert into lane (connection_id, patient_id, ready_at, rests, rank, bell)
values (%(connection)s, %(patient)s, now(), 0, 1, 1)
on conflict (connection_id, patient_id) do update set ready_at = now(), bell = lane.bell + 1;
select pg_notify('kairos_lanes', %(connection)s)
"""


async def measure(patients: int, each: int, report: Report) -> None:
    """Fill the ledger, let it drain between two bare loops, and print how the two compare."""
    with a_folder() as folder:
        async with (
            Clinic.start("up", folder) as clinic,
            httpx2.AsyncClient(base_url=clinic.addresses.api, trust_env=False) as http,
            httpx2.AsyncClient(base_url=clinic.addresses.ehr, trust_env=False) as ehr,
        ):
            await _measure(clinic, http, ehr, patients, each, report)


async def _measure(
    clinic: Clinic,
    http: httpx2.AsyncClient,
    ehr: httpx2.AsyncClient,
    patients: int,
    each: int,
    report: Report,
) -> None:
    store, count = Store(clinic.postgres.url), patients * each
    template = await one_observation(clinic, http, store)
    made = [await patient(ehr, n) for n in range(patients)]
    before = await bare(ehr, bodies(store, template, made, each, "before"))
    worker = clinic.run.processes()["worker"]
    cost = cpu_of(worker)
    took = await _drained(store, template, made, each)
    cost = cpu_of(worker) - cost
    after = await bare(ehr, bodies(store, template, made, each, "after"))
    least = statistics.mean((before, after))
    report.line(f"bare loop: {before:.1f} and {after:.1f} s")
    report.figure(
        f"writes, each read back: {patients} patients with {each} each, {AT_ONCE} at once",
        f"{count / took:.0f} a second",
        f"{count / least:.0f} a second, a bare loop",
        f"{least / took:.2f}",
        "0.7",
    )
    report.figure("the worker's CPU, a write", f"{1000 * cost / count:.1f} ms")
    stands = await counted(ehr, made, each)
    twice, missing = sum(n > 1 for n in stands.values()), sum(n < 1 for n in stands.values())
    person = store.count("select count(*) from delivery where needs_person", {})
    stood = f"{twice} more than once, {missing} missing, {person} to a person"
    report.figure(f"of {count:,} writes, in the EHR", stood, goal="0, 0, 0")


async def one_observation(clinic: Clinic, http: httpx2.AsyncClient, store: Store) -> int:
    """Have one reading recorded and written by the API; the id of its delivery."""
    staff = hire(clinic.issuer, http)
    pathway = await a_pathway(clinic, staff)
    taken = {
        "measured_at": datetime.now(UTC).isoformat(),
        "readings": [{"observation": "spo2", "value": 97, "unit": "%"}],
    }
    await staff.nurse.do(f"/v1/pathways/{pathway}/readings", taken)
    wanted = "select count(*) from delivery where resource_type = 'Observation' and state = %(s)s"
    await until(store, wanted, {"s": "confirmed"}, 1)
    return store.count("select id from delivery where resource_type = 'Observation'", {})


async def patient(ehr: httpx2.AsyncClient, number: int) -> str:
    patient = {
        "resourceType": "Patient",
        "identifier": [{"system": SYSTEM, "value": f"patient-{number}"}],
        "name": [{"family": "Bench"}],
    }
    answer = await ehr.post("/Patient", json=patient)
    return str(answer.raise_for_status().json()["id"])


def bodies(
    store: Store, template: int, patients: list[str], each: int, run: str
) -> list[dict[str, Any]]:
    """The same Observations for the bare loop, under identifiers of their own."""
    text = "select body::text, artefact, patient_id from delivery where id = %(id)s"
    body, artefact, patient = store.row(text, {"id": template})
    return [
        json.loads(body.replace(artefact, f"{run}-{whose}-{n}").replace(patient, whose))
        for whose in patients
        for n in range(1, each + 1)
    ]


async def bare(ehr: httpx2.AsyncClient, bodies: list[dict[str, Any]]) -> float:
    """Create each on condition that it is not there, and read it back; how long that took."""
    waiting = iter(bodies)

    async def work() -> None:
        for body in waiting:
            (known,) = body["identifier"][:1]
            condition = f"identifier={known['system']}|{known['value']}"
            made = await ehr.post("/Observation", json=body, headers={"If-None-Exist": condition})
            made.raise_for_status()
            (await ehr.get(f"/Observation/{made.json()['id']}")).raise_for_status()

    began = time.monotonic()
    await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return time.monotonic() - began


async def _drained(store: Store, template: int, patients: list[str], each: int) -> float:
    """Put the deliveries into the ledger and ring for their lanes; how long until all are there."""
    fill(store, template, patients, each)
    began = time.monotonic()
    ring(store, patients)
    wanted = "select count(*) from delivery where artefact like 'kairos-%%' and state = %(s)s"
    await until(store, wanted, {"s": "confirmed"}, len(patients) * each)
    return time.monotonic() - began


def fill(
    store: Store,
    template: int,
    patients: list[str],
    each: int,
    run: str = "kairos",
    connection: str = CONNECTION,
) -> None:
    """Put copies of one delivery into the ledger, for that connection; nobody is told yet."""
    for whose in patients:
        copies = {"artefact": f"{run}-{whose}-", "patient": whose, "each": each, "id": template}
        store.run(COPY, copies | {"connection": connection})


def ring(store: Store, patients: list[str], connection: str = CONNECTION) -> None:
    """Ring for each lane in a transaction of its own, as whoever commits a delivery does.

    A bell wakes one lane, and PostgreSQL sends what is alike in one transaction once.
    """
    for whose in patients:
        store.run(RING, {"connection": connection, "patient": whose})


async def until(store: Store, query: str, values: dict[str, object], count: int) -> None:
    deadline = time.monotonic() + WITHIN
    while store.count(query, values) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(f"not {count} after {WITHIN:g} s: {query}")
        await asyncio.sleep(0.1)


async def counted(
    ehr: httpx2.AsyncClient, patients: list[str], each: int, run: str = "kairos"
) -> Counter[str]:
    """How often each Observation that was meant stands in the EHR, by its identifier."""
    stands = Counter({f"{run}-{whose}-{n}": 0 for whose in patients for n in range(1, each + 1)})
    for whose in patients:
        page: str | None = f"/Observation?subject=Patient/{whose}&_count=200"
        while page is not None:
            bundle = (await ehr.get(page)).raise_for_status().json()
            for entry in bundle.get("entry", []):
                for identifier in entry["resource"].get("identifier", []):
                    if identifier["value"] in stands:
                        stands[identifier["value"]] += 1
            links = {link["relation"]: link["url"] for link in bundle.get("link", [])}
            page = links.get("next")
    return stands
