"""`./dev bench demo`: how long the demo takes, how fast it writes, and what its processes weigh.

Runs the demo several times as a whole process. Then performs the same FHIR calls against a fresh
EHR in a bare httpx2 loop, so that the rate can be compared with doing nothing else.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.report import Report
from benchmarks.weights import megabytes
from clinic import Clinic, Ehr, RunDirectory
from demo.recount import read_deliveries
from demo.staff import hire
from demo.story import tell_story
from demo.watching import Nobody


def whole_runs(runs: int, report: Report) -> list[dict[str, Any]]:
    """Run the demo that many times as a process of its own; return each run's figures."""
    results = []
    for number in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "figures.json"
            began = time.monotonic()
            subprocess.run(
                [sys.executable, "-m", "demo", "--json", str(file)],
                check=True,
                stdout=subprocess.DEVNULL,
            )
            figures = json.loads(file.read_text("utf-8"))
            figures["wall"] = time.monotonic() - began
        seconds = figures["seconds"]
        report.line(
            f"run {number + 1}: {figures['wall']:.1f} s in all, start {seconds['start']}, "
            f"story {seconds['story']}, stop {seconds['stop']}; equal: {figures['equal']}"
        )
        results.append(figures)
    return results


async def weigh_and_collect(report: Report) -> tuple[list[dict[str, Any]], float]:
    """Tell the story once more here; say what each process weighs; return what was written."""
    async with Clinic.start("demo") as clinic:
        began = time.monotonic()
        await tell_story(clinic, Nobody())
        story = time.monotonic() - began
        for name, weight in sorted(megabytes(clinic.run.processes()).items()):
            report.figure(f"memory of {name}, proportional set size", f"{weight:.0f} MiB")
        async with httpx2.AsyncClient(base_url=clinic.addresses.api, trust_env=False) as http:
            operations = hire(clinic.issuer, http).operations
            return [each async for each in read_deliveries(operations)], story


async def bare_loop(deliveries: list[dict[str, Any]]) -> float:
    """Do the same creates and updates, each read back, with nothing around them; in seconds."""
    run = RunDirectory("bench")
    ehr = Ehr(run, run.path / "ehr")
    try:
        await ehr.start()
        async with httpx2.AsyncClient(base_url=ehr.base_url, trust_env=False) as http:
            known: dict[str, str] = {}
            began = time.monotonic()
            for each in deliveries:
                await _write(http, each, known)
            return time.monotonic() - began
    finally:
        await ehr.stop()
        run.close()


async def _write(http: httpx2.AsyncClient, delivery: dict[str, Any], known: dict[str, str]) -> None:
    kind, artefact, body = delivery["resource_type"], delivery["artefact"], delivery["resource"]
    if artefact in known:
        path = f"/{kind}/{known[artefact]}"
        held = (await http.get(path)).json()
        await http.put(path, json={**held, **body})
    else:
        answer = await http.post(f"/{kind}", json=body)
        known[artefact] = answer.json()["id"]
    await http.get(f"/{kind}/{known[artefact]}")


async def compare(report: Report) -> None:
    """Compare the demo's rate of writes with the bare loop's."""
    deliveries, story = await weigh_and_collect(report)
    bare = await bare_loop(deliveries)
    count = len(deliveries)
    what, said = f"the story's {count} writes", f"in {story:.1f} s, {count / story:.0f} a second"
    report.figure(what, said, f"a bare loop in {bare:.1f} s, {count / bare:.0f} a second")


def measure(runs: int, report: Report) -> None:
    """Measure and print."""
    results = whole_runs(runs, report)
    for name in ("start", "story", "stop"):
        figures = [run["seconds"][name] for run in results]
        report.figure(
            f"./dev demo, {name}, median of {runs}", f"{statistics.median(figures):.1f} s"
        )
    walls = [run["wall"] for run in results]
    report.figure(f"./dev demo in all, median of {runs}", f"{statistics.median(walls):.1f} s")
    asyncio.run(compare(report))
