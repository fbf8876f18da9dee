"""`./dev bench domain`: how long the rules take, by the amount recorded during a visit."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from benchmarks.report import Report
from domain.automatic import automatic
from domain.decide import decide
from domain.due import next_due
from domain.language.commands import Command
from domain.language.names import Author, RequestId, Role
from domain.language.observations import RecordReadings
from domain.planner import steps
from domain.rules.fold import fold
from tests.domain import scenes
from tests.domain.simulation import readings

NURSE = Author("a-nurse", Role.NURSE)

AT = (10, 50, 300, 1_000)
"""Events after which it is measured."""

OF_THE_GOAL = 300

FOR = 0.5
"""Seconds for which each is measured."""


def measure(report: Report) -> None:
    """A patient is observed, and readings come in: what each rule then costs."""
    course = scenes.dosed()
    for most in AT:
        while len(course.events) < most:
            course.wait(timedelta(seconds=5))
            taken = readings(systolic_bp=128, diastolic_bp=82, spo2=97)
            course.do(RecordReadings(course.now, taken))
        protocol, pathway, now = course.protocol, course.pathway, course.now
        taken = readings(systolic_bp=128, diastolic_bp=82)
        command = Command(RequestId("bench"), NURSE, RecordReadings(now, taken))

        def both() -> None:
            """As in a turn: what Kairos adds by itself, then what is next, on one state."""
            state = replace(pathway)  # noqa: B023
            automatic(protocol, state, now)  # noqa: B023
            steps(protocol, state, now)  # noqa: B023

        each = {
            "both, as in a turn": both,
            "decide": lambda: decide(protocol, pathway, command, now),  # noqa: B023
            # A copy each time: what was worked out last is remembered by the very same state.
            "next": lambda: steps(protocol, replace(pathway), now),  # noqa: B023
            "automatic": lambda: automatic(protocol, replace(pathway), now),  # noqa: B023
            "due": lambda: next_due(protocol, pathway, now),  # noqa: B023
            "fold all": lambda: fold(type(pathway)(pathway.id), course.events, protocol.vocabulary),  # noqa: B023
        }
        costs = {name: _cost(what) for name, what in each.items()}
        said = ", ".join(f"{name} {cost:.2f}" for name, cost in costs.items())
        goal = "0.5 ms for both" if most == OF_THE_GOAL else ""
        report.figure(
            f"the rules, {len(course.events)} events of one visit", f"{said} ms", goal=goal
        )


def _cost(what: Callable[[], object]) -> float:
    """Milliseconds that it takes once."""
    what()
    began, times = time.perf_counter(), 0
    while time.perf_counter() - began < FOR:
        what()
        times += 1
    return 1000 * (time.perf_counter() - began) / times
