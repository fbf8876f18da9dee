"""Plan visits: which days a stage's visits fall on, and which are still to be proposed.

Calendar rules live here: days and hours on the clinic's wall. Nothing here books anything.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache
from itertools import pairwise
from math import ceil, floor

from domain.language.clocks import LocalTime, exists, instant, local_day
from domain.language.names import LIVE, PhaseId, VisitId, VisitStatus
from domain.language.pathway import Pathway, Visit
from domain.language.protocol import (
    CombinedProtocol,
    Days,
    MissedRule,
    Period,
    Rate,
    Schedule,
    Stage,
)

SATURDAY = 5
GONE = (VisitStatus.CANCELLED, VisitStatus.MISSED)
CUTS = (floor, lambda exact: floor(exact + Fraction(1, 2)), ceil)
"""The ways of putting an even spread on whole days; the first of equally good ones is taken."""
SEARCH_DAYS = 60
"""How far past the schedule a free day is looked for before a person is asked."""


@dataclass(frozen=True, slots=True)
class ProposedVisit:
    """A visit that should be proposed."""

    visit: VisitId
    phase: PhaseId
    stage: int
    at: LocalTime
    replaces: VisitId | None


def treatment_day(day: date, days: Days) -> bool:
    """Say whether treatment is given on that day of the week."""
    return days is Days.EVERY_DAY or day.weekday() < SATURDAY


def regular_days(schedule: Schedule, stage: int, anchor: date) -> Iterator[date]:
    """Yield the days of a stage's visits, endless for an open stage.

    The anchor is the phase's first day. Visits of one period are spread evenly over its treatment
    days: two a week on weekdays are Monday and Thursday, three are Monday, Wednesday and Friday.
    """
    week = 5 if schedule.days is Days.WEEKDAYS else 7
    start = sum(_span(earlier, week) for earlier in schedule.stages[:stage])
    this = schedule.stages[stage]
    rate = this.rate
    period = rate.every if rate.period is Period.DAY else rate.every * week
    places = _places(rate, period, _after(anchor, start, schedule.days), schedule.days)
    number = 0
    while this.visits is None or number < this.visits:
        past, place = divmod(number, len(places))
        yield _after(anchor, start + past * period + places[place], schedule.days)
        number += 1


@cache
def _places(rate: Rate, period: int, first: date, days: Days) -> tuple[int, ...]:
    """Places of a period's visits among its treatment days, those closest together far apart."""
    if rate.period is Period.DAY:
        return (0,)
    each = Fraction(period, rate.sessions)
    ways = [tuple(cut(number * each) for number in range(rate.sessions)) for cut in CUTS]
    return max(ways, key=lambda places: _closest(places, first, days, 7 * rate.every))


def _closest(places: tuple[int, ...], first: date, days: Days, length: int) -> int:
    """Calendar days between the two visits of a repeated period that are closest together."""
    visits = [_after(first, place, days) for place in places]
    visits.append(first + timedelta(days=length))
    return min((later - earlier).days for earlier, later in pairwise(visits))


def _span(stage: Stage, week: int) -> int:
    """Treatment days that a closed stage takes, whole periods."""
    visits = stage.visits or 0
    if stage.rate.period is Period.DAY:
        return visits * stage.rate.every
    return ceil(visits / stage.rate.sessions) * week * stage.rate.every


def _after(anchor: date, steps: int, days: Days) -> date:
    """Walk that many treatment days on from the anchor."""
    day = anchor
    while not treatment_day(day, days):
        day += timedelta(days=1)
    for _ in range(steps):
        day += timedelta(days=1)
        while not treatment_day(day, days):
            day += timedelta(days=1)
    return day


def to_propose(
    protocol: CombinedProtocol, pathway: Pathway, now: datetime
) -> tuple[ProposedVisit, ...]:
    """Say which visits of a pathway that goes on should be proposed now.

    None while its order is unsigned or treatment is held, or once all are.
    """
    phase = pathway.phase
    if pathway.phases[phase].signed is None or pathway.open_holds():
        return ()
    schedule = protocol.phase(phase).schedule
    proposals: list[ProposedVisit] = []
    for stage in range(len(schedule.stages)):
        proposals.extend(_stage(protocol, pathway, stage, now, proposals))
    return tuple(proposals)


def to_call_off(protocol: CombinedProtocol, pathway: Pathway) -> tuple[VisitId, ...]:
    """Name proposed visits that nobody needs any more, since an entry that was put right is enough.

    First those in place of a visit that was not missed after all, then the last ones; and none that
    is booked: those are a person's to call off.
    """
    if not pathway.phases or pathway.outcome is not None:
        return ()
    schedule = protocol.phase(pathway.phase).schedule
    found: list[VisitId] = []
    for stage, this in enumerate(schedule.stages):
        if this.sessions is None:
            continue
        mine = [v for v in pathway.visits_in(pathway.phase) if v.stage == stage]
        extra = (_planned(schedule, pathway, stage, mine) - this.sessions) // this.per_visit
        open_ones = [v for v in mine if v.status is VisitStatus.PROPOSED]
        known = pathway.visits
        open_ones.sort(
            key=lambda v: v.replaces is not None and known[v.replaces].status not in GONE
        )
        found.extend(v.id for v in open_ones[max(0, len(open_ones) - max(0, extra)) :])
    return tuple(found)


def visits_over(protocol: CombinedProtocol, pathway: Pathway, phase: PhaseId) -> bool:
    """Say whether a signed phase has no visit left to come. Never so for an open one."""
    schedule = protocol.phase(phase).schedule
    mine = pathway.visits_in(phase)
    if pathway.phases[phase].signed is None or any(v.status in LIVE for v in mine):
        return False
    stages = range(len(schedule.stages))
    here = [[v for v in mine if v.stage == stage] for stage in stages]
    return all(_wanted(schedule, pathway, stage, here[stage]) == 0 for stage in stages)


def _stage(
    protocol: CombinedProtocol,
    pathway: Pathway,
    stage: int,
    now: datetime,
    planned: list[ProposedVisit],
) -> list[ProposedVisit]:
    phase = pathway.phase
    schedule = protocol.phase(phase).schedule
    mine = [v for v in pathway.visits_in(phase) if v.stage == stage]
    anchor = pathway.phases[phase].first_visit
    today = local_day(now, pathway.zone)
    horizon = today + timedelta(days=schedule.plan_ahead)
    kept = [v for v in pathway.visits.values() if v.status not in GONE]
    elsewhere = {v.at.day for v in kept if v.phase != phase}
    taken = {v.at.day for v in kept if v.phase == phase} | {proposal.at.day for proposal in planned}
    used = {v.proposed.day for v in mine if v.replaces is None}
    number = len(pathway.visits_in(phase)) + len(planned)
    proposals: list[ProposedVisit] = []
    wanted = _wanted(schedule, pathway, stage, mine)
    all_seen = True
    for day in regular_days(schedule, stage, anchor.day):
        if wanted == 0 or day > horizon:
            all_seen = wanted == 0
            break
        if day in used or not _starts_later(day, anchor, pathway.zone, now):
            continue
        if day in elsewhere or not _apart(schedule, day, taken):
            continue
        number += 1
        taken.add(day)
        proposals.append(_proposal(phase, stage, number, day, anchor, pathway.zone, None))
        wanted = wanted - 1 if wanted is not None else None
    if wanted and all_seen:
        missed = [v.id for v in mine if v.status in GONE]
        replaced = {v.replaces for v in mine}
        lost = [visit for visit in missed if visit not in replaced]
        for extra in range(wanted):
            day = _free_day(schedule, stage, anchor.day, taken, elsewhere, today)
            taken.add(day)
            number += 1
            lost_visit = lost[extra] if extra < len(lost) else None
            proposals.append(_proposal(phase, stage, number, day, anchor, pathway.zone, lost_visit))
    return proposals


def _wanted(schedule: Schedule, pathway: Pathway, stage: int, mine: list[Visit]) -> int | None:
    """How many more visits the stage needs; None for an open one."""
    this = schedule.stages[stage]
    if this.sessions is None:
        return None
    planned = _planned(schedule, pathway, stage, mine)
    return max(0, ceil((this.sessions - planned) / this.per_visit))


def _planned(schedule: Schedule, pathway: Pathway, stage: int, mine: list[Visit]) -> int:
    """How many sessions of a stage were given, are to come, or are lost for good."""
    this = schedule.stages[stage]
    given = sum(len(pathway.sessions_at(v.id)) for v in mine)
    coming = sum(this.per_visit - len(pathway.sessions_at(v.id)) for v in mine if v.status in LIVE)
    lost = 0
    if schedule.missed is MissedRule.CONTINUE_SCHEDULE:
        over = [v for v in mine if v.status not in LIVE]
        lost = sum(this.per_visit - len(pathway.sessions_at(v.id)) for v in over)
    return given + coming + lost


def _apart(schedule: Schedule, day: date, taken: set[date]) -> bool:
    """Say whether a day keeps its distance from the phase's other visits, and is not theirs."""
    return all(abs((day - other).days) >= max(1, schedule.at_least_apart) for other in taken)


def _starts_later(day: date, anchor: LocalTime, zone: str, now: datetime) -> bool:
    at = hour_on(day, anchor, zone)
    return instant(at, zone) > now


def hour_on(day: date, anchor: LocalTime, zone: str) -> LocalTime:
    """The same hour on that day; an hour later if a clock change skips or repeats it."""
    at = LocalTime(day, anchor.hour)
    if exists(at, zone):
        return at
    return LocalTime(day, anchor.hour.replace(hour=(anchor.hour.hour + 1) % 24))


def _proposal(
    phase: PhaseId,
    stage: int,
    number: int,
    day: date,
    anchor: LocalTime,
    zone: str,
    replaces: VisitId | None,
) -> ProposedVisit:
    visit = VisitId(f"{phase}-visit-{number}")
    return ProposedVisit(visit, phase, stage, hour_on(day, anchor, zone), replaces)


def _free_day(
    schedule: Schedule,
    stage: int,
    anchor: date,
    taken: set[date],
    elsewhere: set[date],
    today: date,
) -> date:
    """Find the first treatment day from the anchor on, after today, with room and at a distance."""
    rate = schedule.stages[stage].rate
    day = max(today, anchor - timedelta(days=1))
    for _ in range(SEARCH_DAYS):
        day += timedelta(days=1)
        fits = treatment_day(day, schedule.days) and _apart(schedule, day, taken | elsewhere)
        if fits and _room(rate, anchor, day, taken):
            return day
    latest = max(taken | {today})
    return _after(latest + timedelta(days=max(1, schedule.at_least_apart)), 0, schedule.days)


def _room(rate: Rate, anchor: date, day: date, taken: set[date]) -> bool:
    """Say whether a visit on that day keeps the rate; weeks are counted from the anchor."""
    if rate.period is Period.DAY:
        return all(abs((day - other).days) >= rate.every for other in taken)
    week = (day - anchor).days // (7 * rate.every)
    there = sum((other - anchor).days // (7 * rate.every) == week for other in taken)
    return there < rate.sessions
