"""Reads a schedule, and checks that its parts agree with one another.

Days here are local calendar days; gaps and lengths of visits are elapsed time.
"""

from datetime import date, timedelta
from itertools import islice, pairwise
from math import ceil

from domain.language.protocol import Days, MissedRule, Period, Rate, Schedule, Stage
from domain.rules.calendar import regular_days
from protocols.quantities import (
    parse_count,
    parse_days,
    parse_elapsed,
    parse_rate,
    print_days,
    print_rate,
)
from protocols.reading import Section

MONDAY = date(2001, 1, 1)
"""Any Monday: proposed days depend on the day of the week and on nothing else."""

_NO_TIME = timedelta(0)
_NO_RATE = Rate(1, 1, Period.WEEK)


def read_schedule(section: Section) -> Schedule:
    """Read a schedule. Keys that mean nothing for its stages are refused, not ignored."""
    written = section.sections("stages")
    stages = tuple(_stage(stage, last=stage is written[-1]) for stage in written)
    if section.sound("stages") and not stages:
        section.wrong("stages", "must have at least one stage")
    is_open = any(stage.sessions is None for stage in stages)
    several = any(stage.per_visit > 1 for stage in stages)
    schedule = Schedule(
        stages=stages,
        days=section.choice("days", Days),
        at_least_apart=section.read("at_least_apart", parse_days, 1),
        gap_between_sessions=_gap(section, several=several),
        may_move_by=section.read("may_move_by", lambda text: parse_days(text, least=0), 0),
        finish_within=_finish(section, is_open=is_open),
        plan_ahead=section.read("plan_ahead", parse_days, 1),
        visit_length=section.read("visit_length", parse_elapsed, _NO_TIME),
        missed=section.choice("missed", MissedRule),
        review_every=_review(section, is_open=is_open),
    )
    if all(stage.sound_throughout() for stage in written):
        _check(section, schedule)
    return schedule


def _stage(section: Section, *, last: bool) -> Stage:
    rate = section.read("rate", parse_rate, _NO_RATE)
    lengths = [key for key in ("sessions", "weeks", "open") if section.has(key)]
    if len(lengths) != 1:
        section.here("say how long in exactly one way: sessions, weeks, or open: until decided")
        return Stage(1, rate)
    if lengths == ["open"]:
        section.only("open", "until decided", "an open stage ends by a decision")
        if not last:
            section.wrong("open", "only the last stage may stay open")
        if rate.period is Period.DAY:
            section.wrong("open", "a rate per day needs a number of sessions")
        return Stage(None, rate)
    if lengths == ["weeks"]:
        return Stage(_sessions_in_weeks(section, rate), rate)
    sessions = section.count("sessions")
    if rate.period is Period.DAY:
        _check_days(section, sessions, rate)
    else:
        section.absent("days", "belongs to a rate per day; a rate per week says when by itself")
    return Stage(sessions, rate)


def _sessions_in_weeks(section: Section, rate: Rate) -> int:
    weeks = section.read("weeks", parse_count, 1)
    if not section.sound("weeks", "rate"):
        return 1
    if rate.period is Period.DAY:
        section.wrong("weeks", "a rate per day needs sessions and days instead")
        return 1
    if weeks % rate.every:
        section.wrong("weeks", f"{weeks} weeks cannot be divided into periods of {rate.every}")
    return max(1, weeks // rate.every * rate.sessions)


def _check_days(section: Section, sessions: int, rate: Rate) -> None:
    days = section.count("days")
    needed = ceil(sessions / rate.sessions)
    if section.sound("sessions", "rate", "days") and days != needed:
        section.wrong("days", f"{sessions} sessions at {print_rate(rate)} take {needed} days")


def _gap(section: Section, *, several: bool) -> timedelta | None:
    if several:
        return section.read("gap_between_sessions", parse_elapsed, _NO_TIME)
    section.absent("gap_between_sessions", "no stage here gives several sessions a day")
    return None


def _finish(section: Section, *, is_open: bool) -> int | None:
    if is_open:
        section.absent("finish_within", "an open phase is reviewed and has no end to keep")
        return None
    return section.read("finish_within", parse_days, 1)


def _review(section: Section, *, is_open: bool) -> int | None:
    if is_open:
        return section.read("review_every", parse_days, 1)
    section.absent("review_every", "only an open phase is reviewed; this one ends by itself")
    return None


def _check(section: Section, schedule: Schedule) -> None:
    """Check what can be kept: days apart, the visit's length and the time to finish."""
    if section.sound("days", "at_least_apart"):
        _check_apart(section, schedule)
    gap = schedule.gap_between_sessions
    if gap is not None and section.sound("gap_between_sessions", "visit_length"):
        most = max(stage.per_visit for stage in schedule.stages)
        if schedule.visit_length <= gap * (most - 1):
            section.wrong("visit_length", f"is too short for {most} sessions and their gaps")
    if schedule.finish_within is not None and section.sound("finish_within", "days"):
        least = planned_days(schedule)
        if schedule.finish_within < least:
            section.wrong("finish_within", f"is too short: the stages take {print_days(least)}")


def _check_apart(section: Section, schedule: Schedule) -> None:
    """Check the days that would be proposed, whichever day of the week a phase begins on."""
    for number, stage in enumerate(schedule.stages):
        pattern = max(7, stage.rate.sessions) + 1  # visits until it repeats
        closest = min(
            (
                (later - earlier).days
                for first in range(7)
                for earlier, later in pairwise(
                    islice(regular_days(schedule, number, MONDAY + timedelta(first)), pattern)
                )
            ),
            default=schedule.at_least_apart,
        )
        if closest < schedule.at_least_apart:
            section.wrong(
                "at_least_apart",
                f"{print_rate(stage.rate)} would be proposed {print_days(closest)} apart, "
                f"not {print_days(schedule.at_least_apart)}",
            )


def planned_days(schedule: Schedule) -> int:
    """Count the calendar days that the stages take if no visit is missed or moved.

    An open stage counts nothing; weekends between treatment days are not counted.
    """
    days = 0
    for stage in schedule.stages:
        visits = stage.visits or 0
        if stage.rate.period is Period.DAY:
            days += (visits - 1) * schedule.at_least_apart + 1
        else:
            days += ceil(visits / stage.rate.sessions) * 7 * stage.rate.every
    return days
