"""`./dev bench outage`: how an EHR that was away catches up with what waited meanwhile.

The EHR is stopped, Observations of many patients are put into the ledger, and the EHR is started
again. What it costs while nothing can be written, when the first write is there, and when all are,
beside a bare loop that creates and reads back as many, before and after.
"""

import asyncio
import statistics
import time

import httpx2

from benchmarks.deliveries import (
    AT_ONCE,
    bare,
    bodies,
    counted,
    fill,
    one_observation,
    patient,
    ring,
    until,
)
from benchmarks.ground import Store, a_folder, cpu_of_family
from benchmarks.report import Report
from clinic import Clinic

CONFIRMED = "select count(*) from delivery where artefact like 'kairos-%%' and state = %(s)s"


async def measure(patients: int, each: int, seconds: float, report: Report) -> None:
    """Take the EHR away for so many seconds, and print what that cost and how it was made up."""
    with a_folder() as folder:
        async with (
            Clinic.start("up", folder) as clinic,
            httpx2.AsyncClient(base_url=clinic.addresses.api, trust_env=False) as http,
            httpx2.AsyncClient(base_url=clinic.addresses.ehr, trust_env=False) as ehr,
        ):
            store, count = Store(clinic.postgres.url), patients * each
            template = await one_observation(clinic, http, store)
            made = [await patient(ehr, n) for n in range(patients)]
            before = await bare(ehr, bodies(store, template, made, each, "before"))
            await clinic.ehr.stop()
            fill(store, template, made, each)
            ring(store, made)
            await _while_it_is_away(clinic, seconds, report)
            first, all_of_them = await _back(clinic, store, count)
            after = await bare(ehr, bodies(store, template, made, each, "after"))
            least = statistics.mean((before, after))
            report.line(f"bare loop of {count}, {AT_ONCE} at once: {before:.1f} and {after:.1f} s")
            report.figure("EHR away: first write once it is back", f"{first:.1f} s", goal="3 s")
            report.figure(
                f"EHR away: all of {patients} x {each} writes once it is back",
                f"{all_of_them:.1f} s",
                f"{least:.1f} s, a bare loop",
                f"{all_of_them / least:.2f}x",
                "1.5x",
            )
            stands = await counted(ehr, made, each)
            twice = sum(n > 1 for n in stands.values())
            missing = sum(n < 1 for n in stands.values())
            stood = f"{twice} more than once, {missing} missing"
            report.figure(f"of {count:,} writes, in the EHR", stood, goal="0, 0")


async def _while_it_is_away(clinic: Clinic, seconds: float, report: Report) -> None:
    """Let time pass, and print what each part used of a core."""
    parts = {
        name: pid
        for name, pid in clinic.run.processes().items()
        if name.startswith(("worker", "temporal", "postgres", "api"))
    }
    before = {name: cpu_of_family(pid) for name, pid in parts.items()}
    await asyncio.sleep(seconds)
    used = {name: cpu_of_family(pid) - before[name] for name, pid in parts.items()}
    shares = ", ".join(f"{name} {100 * each / seconds:.1f}" for name, each in used.items())
    whole = 100 * sum(used.values()) / seconds
    what = f"EHR away: share of a core meanwhile ({seconds:g} s)"
    report.figure(what, f"{whole:.1f} % ({shares})", goal="5 %")


async def _back(clinic: Clinic, store: Store, count: int) -> tuple[float, float]:
    """Start the EHR; seconds from when it answers until the first write is there, and all."""
    await clinic.ehr.start()
    began = time.monotonic()
    await until(store, CONFIRMED, {"s": "confirmed"}, 1)
    first = time.monotonic() - began
    await until(store, CONFIRMED, {"s": "confirmed"}, count)
    return first, time.monotonic() - began
