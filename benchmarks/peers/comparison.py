"""The comparison: every client in every way to the EHR, in an order drawn by chance.

With nothing lost it goes in rounds, for a machine is not equally fast all the time: in each round
every client has its turn, and it is compared with Kairos in the same round.
"""

import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx2

from benchmarks.deliveries import AT_ONCE, bodies, counted, one_observation, patient
from benchmarks.ground import Store, a_folder
from benchmarks.peers.figures import Figures, Row, Run, show
from benchmarks.peers.kairos import Kairos, connect, this_one
from benchmarks.peers.others import Others
from benchmarks.peers.programs import Program, javascript_programs, python_programs
from benchmarks.peers.wires import LossyWire
from benchmarks.report import Report
from clinic import Clinic
from clinic.environment import CONNECTION

QUIET, CONDITIONAL, UNCONDITIONAL = CONNECTION, "lossy", "lossy-unconditional"
"""The ways to the EHR, by the connections that Kairos has for them."""

CALM = 0.25
"""Cores that other programs may use in a run whose seconds count."""

MOST_TRIES = 3

Contestant = Program | Kairos


@dataclass(frozen=True)
class Ground:
    """What every run needs."""

    clinic: Clinic
    store: Store
    template: int
    ehr: httpx2.AsyncClient
    bases: dict[str, str]
    wires: dict[str, LossyWire]
    patients: int
    each: int


async def measure(patients: int, each: int, lost_each: int, rounds: int, report: Report) -> None:
    """Run all of it, saying how each run went, and show what it came to."""
    show(await compared(patients, each, lost_each, rounds, report), report)


async def compared(
    patients: int, each: int, lost_each: int, rounds: int, report: Report
) -> Figures:
    """Run all of it; `rounds` of those with nothing lost."""
    others = javascript_programs()
    left_out = others if isinstance(others, str) else None
    programs = [*python_programs(), *([] if isinstance(others, str) else others)]
    ours = this_one()
    contestants: list[Contestant] = [*programs, ours]
    todo: list[tuple[Contestant, str]] = []
    for _ in range(rounds):
        todo += [(one, QUIET) for one in random.sample(contestants, len(contestants))]
    lossy = [(one, way) for one in contestants for way in (CONDITIONAL, UNCONDITIONAL)]
    todo += random.sample(lossy, len(lossy))
    runs: dict[tuple[Contestant, str], list[Run]] = {}
    async with _ground(patients, each, lost_each) as ground:
        for number, (one, way) in enumerate(todo, start=1):
            done = await _undisturbed(ground, one, way, f"run{number}")
            runs.setdefault((one, way), []).append(done)
            report.line(_said(number, len(todo), one, way, done))

    def row(one: Contestant) -> Row:
        (conditional,), (unconditional,) = runs[one, CONDITIONAL], runs[one, UNCONDITIONAL]
        return Row(one.who, one.version, tuple(runs[one, QUIET]), conditional, unconditional)

    by_speed = sorted(map(row, programs), key=lambda each: each.seconds)
    rows = (*by_speed, row(ours))
    return Figures(patients, each, AT_ONCE, lost_each, rounds, rows, left_out)


@asynccontextmanager
async def _ground(patients: int, each: int, lost_each: int) -> AsyncIterator[Ground]:
    """A clinic whose EHR can be reached directly and over two wires that lose answers."""
    async with AsyncExitStack() as stack:
        wires = {
            CONDITIONAL: LossyWire(lost_each, conditional=True),
            UNCONDITIONAL: LossyWire(lost_each, conditional=False),
        }
        for wire in wires.values():
            stack.callback(wire.close)
        folder = stack.enter_context(a_folder())
        clinic = await stack.enter_async_context(Clinic.start("up", folder))
        for wire in wires.values():
            wire.upstream_port = clinic.ehr.port
        client = httpx2.AsyncClient
        http, ehr = [
            await stack.enter_async_context(client(base_url=base, trust_env=False))
            for base in (clinic.addresses.api, clinic.addresses.ehr)
        ]
        store = Store(clinic.postgres.url)
        template = await one_observation(clinic, http, store)
        over_wires = {way: wire.base_url for way, wire in wires.items()}
        await connect(clinic, over_wires)
        bases = {QUIET: clinic.addresses.ehr, **over_wires}
        yield Ground(clinic, store, template, ehr, bases, wires, patients, each)


async def _undisturbed(ground: Ground, one: Contestant, way: str, name: str) -> Run:
    """A run; where seconds count and others were busy it is done again, and the calmest taken."""
    tries: list[Run] = []
    while len(tries) < MOST_TRIES:
        tries.append(await _run(ground, one, way, f"{name}-{len(tries)}"))
        if way != QUIET or tries[-1].others <= CALM:
            break
    return min(tries, key=lambda run: run.others)


async def _run(ground: Ground, one: Contestant, way: str, name: str) -> Run:
    """One client at all of the work, for patients of its own."""
    made = [await patient(ground.ehr, number) for number in range(ground.patients)]
    wire = ground.wires.get(way)
    if wire is not None:
        wire.begin()
    others = Others(ground.clinic)
    if isinstance(one, Kairos):
        seconds, told = await one.deliver(
            ground.store, ground.template, way, made, ground.each, name
        )
    else:
        these = bodies(ground.store, ground.template, made, ground.each, name)
        seconds, told = await one.work(ground.bases[way], these)
    used = others.cores()
    stands = await counted(ground.ehr, made, ground.each, name)
    return Run(
        seconds=seconds,
        lost=0 if wire is None else len(wire.dropped),
        surplus=sum(max(0, times - 1) for times in stands.values()),
        missing=sum(not times for times in stands.values()),
        told=told,
        others=used,
    )


def _said(number: int, of: int, one: Contestant, way: str, run: Run) -> str:
    conditions = {
        QUIET: "nothing lost",
        CONDITIONAL: f"{run.lost} answers lost, conditional create",
        UNCONDITIONAL: f"{run.lost} answers lost, no conditional create",
    }
    counts = f"{run.surplus} surplus, {run.missing} missing, {run.told} told"
    counts += f", others {run.others:.1f} cores"
    return f"{number}/{of} {one.who}, {conditions[way]}: {run.seconds:.1f} s, {counts}"
