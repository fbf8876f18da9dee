"""`./dev bench restart`: how soon pathways answer, and are written down, when a process is killed.

Each of the pathways is asked to record one reading while all is warm, then after the worker was
killed with -9, and then after the API was; each is restarted meanwhile. A request without an answer
is sent again with the same key. Measured: until it is answered, and until the EHR confirms it.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import uuid4

import httpx2

from benchmarks.ground import Store, a_folder, pathways_of
from benchmarks.report import Report
from clinic import Clinic
from demo.staff import Staff, hire

AT_ONCE = 10
AGAIN = 0.1
"""Seconds after which whoever was not answered asks again."""

WITHIN = 300.0
"""Seconds after which what is not in the EHR counts as lost."""

WAITING = "select count(*) from delivery where state <> 'confirmed'"

Restart = Callable[[], Awaitable[None]]


async def measure(count: int, report: Report) -> None:
    """Have all answer warm, with the worker killed and with the API killed."""
    with a_folder() as folder:
        async with (
            Clinic.start("up", folder) as clinic,
            httpx2.AsyncClient(base_url=clinic.addresses.api, trust_env=False, timeout=30) as http,
        ):
            staff, store = hire(clinic.issuer, http), Store(clinic.postgres.url)
            pathways = await pathways_of(clinic, staff, count)
            await _asked(http, staff, pathways, store)
            warm = await _asked(http, staff, pathways, store)
            report.figure(f"{count} pathways answer a reading, all warm", _said(*warm))
            kills = {
                "worker": (clinic.kill_worker, clinic.start_worker),
                "API": (clinic.kill_api, clinic.start_api),
            }
            goals = {"worker": "1.5x answered", "API": ""}
            for name, (kill, start) in kills.items():
                kill()
                starting = asyncio.ensure_future(start())
                after = await _asked(http, staff, pathways, store)
                await starting
                what = f"the same from kill -9 of the {name} on"
                ratio = f"{after[0] / warm[0]:.1f}x answered, {after[1] / warm[1]:.1f}x in the EHR"
                report.figure(what, _said(*after), _said(*warm), ratio, goals[name])
            events = "select count(*) from event where fact::text like '%%\"spo2\"%%'"
            report.figure("readings meant and recorded", f"{4 * count}, {store.count(events, {})}")


async def _asked(
    http: httpx2.AsyncClient, staff: Staff, pathways: list[str], store: Store
) -> tuple[float, float, int]:
    """Seconds until all were answered and until all is in the EHR; how often one asked again."""
    waiting, again = iter(pathways), 0

    async def caller() -> None:
        nonlocal again
        for pathway in waiting:
            again += await _until_answered(http, staff, pathway)

    began = time.monotonic()
    await asyncio.gather(*(caller() for _ in range(AT_ONCE)))
    answered = time.monotonic() - began
    deadline = began + WITHIN
    while store.count(WAITING, {}):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not all in the EHR after {WITHIN:g} s")
        await asyncio.sleep(0.05)
    return answered, time.monotonic() - began, again


async def _until_answered(http: httpx2.AsyncClient, staff: Staff, pathway: str) -> int:
    """Record one reading, whatever happens on the way; how often it had to be asked for again."""
    body = {
        "measured_at": datetime.now(UTC).isoformat(),
        "readings": [{"observation": "spo2", "value": 97, "unit": "%"}],
    }
    headers = {"Authorization": f"Bearer {staff.nurse.token}", "Idempotency-Key": str(uuid4())}
    again = 0
    while True:
        try:
            path = f"/v1/pathways/{pathway}/readings"
            answer = await http.post(path, json=body, headers=headers)
            if answer.status_code == httpx2.codes.CREATED:
                return again
        except httpx2.TransportError:
            pass
        again += 1
        await asyncio.sleep(AGAIN)


def _said(answered: float, delivered: float, again: int) -> str:
    """The times in words."""
    asked = f", {again} asked again" if again else ""
    return f"answered after {answered:.1f} s{asked}, in the EHR after {delivered:.1f} s"
