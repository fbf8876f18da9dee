"""`./dev bench KIND`: what Kairos costs, compared with the least possible.

With `--keep` the run is saved for `docs/performance.md`; `all` runs every kind in turn.
"""

import argparse
import asyncio
from collections.abc import Callable, Coroutine
from types import ModuleType
from typing import Any

from benchmarks import (
    commands,
    deliveries,
    demo,
    domain_rate,
    outage,
    peers,
    recovery,
    restart,
    scale,
)
from benchmarks.peers import comparison
from benchmarks.report import Report

Arguments = argparse.Namespace
Measure = Callable[[Arguments, Report], Coroutine[Any, Any, None] | None]

KINDS: dict[str, tuple[ModuleType, dict[str, Any], Measure]] = {
    "commands": (
        commands,
        {"serial": 100, "at-once": 50, "each": 8, "rounds": 2},
        lambda a, report: commands.measure(a.serial, a.at_once, a.each, a.rounds, report),
    ),
    "deliveries": (
        deliveries,
        {"patients": 20, "each": 50},
        lambda a, report: deliveries.measure(a.patients, a.each, report),
    ),
    "peers": (
        peers,
        {"patients": 20, "each": 50, "lost": 50, "rounds": 3},
        lambda a, report: comparison.measure(a.patients, a.each, a.lost, a.rounds, report),
    ),
    "outage": (
        outage,
        {"patients": 100, "each": 10, "seconds": 40.0},
        lambda a, report: outage.measure(a.patients, a.each, a.seconds, report),
    ),
    "scale": (
        scale,
        {"sizes": "100,1000,5000"},
        lambda a, report: scale.measure([int(each) for each in a.sizes.split(",")], report),
    ),
    "restart": (
        restart,
        {"pathways": 100},
        lambda a, report: restart.measure(a.pathways, report),
    ),
    "recovery": (
        recovery,
        {"pathways": 5_000, "gone": 100},
        lambda a, report: recovery.measure(a.pathways, a.gone, report),
    ),
    "domain": (domain_rate, {}, lambda _, report: domain_rate.measure(report)),
    "demo": (demo, {"runs": 3}, lambda a, report: demo.measure(a.runs, report)),
}
"""Each kind with its arguments and their defaults."""


def main() -> None:
    """Measure what was asked for, and print it."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    kinds = parser.add_subparsers(dest="what", required=True, metavar="KIND")
    for name, (module, defaults, _) in KINDS.items():
        kind = kinds.add_parser(name, help=_method(module))
        for argument, value in defaults.items():
            kind.add_argument(f"--{argument}", type=type(value), default=value)
        kind.add_argument("--keep", action="store_true")
    every = kinds.add_parser("all", help="Every kind in turn, each with its defaults.")
    every.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    if arguments.what != "all":
        _run(arguments.what, arguments)
        return
    for name in KINDS:
        _run(name, parser.parse_args([name, *(["--keep"] if arguments.keep else [])]))


def _run(name: str, arguments: Arguments) -> None:
    module, defaults, measure = KINDS[name]
    given = vars(arguments)
    words = [
        f"--{argument} {given[argument.replace('-', '_')]}"
        for argument, value in defaults.items()
        if given[argument.replace("-", "_")] != value
    ]
    report = Report(" ".join(["./dev bench", name, *words]), _method(module))
    measured = measure(arguments, report)
    if measured is not None:
        asyncio.run(measured)
    if arguments.keep:
        report.keep()


def _method(module: ModuleType) -> str:
    """How it is measured: what its module says, in one paragraph."""
    says = " ".join((module.__doc__ or "").split())
    return says.partition("`: ")[2]


if __name__ == "__main__":
    main()
