"""Schedules of other protocols, built as data alone, and what is planned for them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from itertools import islice, pairwise

from domain.language.names import PhaseId
from domain.language.protocol import CombinedProtocol, Days, Period, Protocol, Rate, Stage
from domain.rules.calendar import regular_days
from tests.domain.simulation import COMBINED, DTMS

PER_DAY, PER_WEEK = Period.DAY, Period.WEEK


def stimulated(*stages: Stage, **schedule: object) -> CombinedProtocol:
    """Join one phase of stimulation with this schedule; its other rules are the shipped ones."""
    shipped = COMBINED.phase(DTMS)
    changed = replace(shipped.schedule, stages=stages, **schedule)  # type: ignore[arg-type]
    return alone(replace(shipped, schedule=changed))


def alone(phase: Protocol) -> CombinedProtocol:
    """Make a pathway of one phase."""
    return replace(COMBINED, phases=(phase,), days_between=())


def rescheduled(phase: PhaseId, **schedule: object) -> CombinedProtocol:
    """Change the schedule of one shipped phase, and start with it."""
    shipped = COMBINED.phase(phase)
    return alone(replace(shipped, schedule=replace(shipped.schedule, **schedule)))  # type: ignore[arg-type]


def h1_course() -> CombinedProtocol:
    """The standard H1 course: 20 sessions, five a week, then twice weekly for 12 weeks."""
    acute = Stage(20, Rate(5, 1, PER_WEEK))
    continuation = Stage(24, Rate(2, 1, PER_WEEK))
    return stimulated(
        acute,
        continuation,
        gap_between_sessions=None,
        finish_within=7 * 26,
        plan_ahead=7 * 20,
        visit_length=timedelta(minutes=60),
    )


def ten_a_day() -> CombinedProtocol:
    """Ten sessions a day on five days, 50 minutes between them."""
    return stimulated(
        Stage(50, Rate(10, 1, PER_DAY)),
        gap_between_sessions=timedelta(minutes=50),
        days=Days.EVERY_DAY,
        visit_length=timedelta(hours=12),
    )


def days_of(protocol: CombinedProtocol, stage: int, first: date, most: int = 99) -> list[date]:
    """List the regular days of a stage whose phase begins on a day."""
    schedule = protocol.phases[0].schedule
    return list(islice(regular_days(schedule, stage, first), most))


def gaps(days: Sequence[date]) -> list[int]:
    """Count the days from each to the next."""
    return [(later - day).days for day, later in pairwise(days)]
