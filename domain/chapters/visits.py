"""Visits: booked, moved, kept, missed or canceled by people. Kairos only proposes them."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from domain.language.chart import ChartFact
from domain.language.clocks import LocalTime, instant, local_day, wall
from domain.language.errors import Malformed, Refused
from domain.language.findings import Blocked, CheckResult, result_of
from domain.language.names import VisitId, VisitStatus, counted, spoken
from domain.language.pathway import Pathway, Visit
from domain.language.protocol import CombinedProtocol
from domain.language.visits import (
    BookVisit,
    BookVisits,
    CancelVisit,
    CheckIn,
    MissVisit,
    MoveVisit,
    VisitBooked,
    VisitCancelled,
    VisitCheckedIn,
    VisitFact,
    VisitMissed,
    VisitMoved,
    VisitWish,
)
from domain.rules import chart
from domain.rules.attendance import check_nobody_is_here, insist_visit, visit_that_is
from domain.rules.calendar import treatment_day
from domain.rules.refusing import found, insist, insist_reason
from domain.rules.risk import may_come_sooner
from domain.rules.spacing import too_close, too_soon

STILL_TO_COME = (VisitStatus.PROPOSED, VisitStatus.BOOKED)


def check_meant(pathway: Pathway, wish: VisitWish) -> None:
    """Raise Malformed unless there is such a visit, or are all of them, each named once."""
    meant = wish.visits if isinstance(wish, BookVisits) else (wish,)
    if not meant:
        raise Malformed("name at least one visit")
    for each in meant:
        insist_visit(pathway, each.visit)
    if len({each.visit for each in meant}) < len(meant):
        raise Malformed("name each visit once")


def decide(
    protocol: CombinedProtocol, pathway: Pathway, wish: VisitWish, now: datetime
) -> tuple[VisitFact | ChartFact, ...]:
    """Say what becomes of the visit."""
    match wish:
        case BookVisit(visit=visit, at=wanted):
            proposed = visit_that_is(pathway, visit, VisitStatus.PROPOSED)
            at = wanted or proposed.at
            insist(check_may_be_at(protocol, pathway, visit, at, now), "book")
            return (VisitBooked(visit, at),)
        case BookVisits(visits=several):
            return tuple(_booked(protocol, pathway, several, now))
        case MoveVisit(visit=visit, to=to):
            visit_that_is(pathway, visit, *STILL_TO_COME)
            insist(check_may_be_at(protocol, pathway, visit, to, now), "move")
            return (VisitMoved(visit, to),)
        case CheckIn(visit=visit, chart=reading):
            here = _checked_in(pathway, visit, now)
            return (here,) if reading is None else (here, chart.read(protocol, pathway, reading))
        case MissVisit(visit=visit):
            return (_missed(pathway, visit, now),)
        case CancelVisit(visit=visit, reason=reason):
            insist_reason(reason)
            visit_that_is(pathway, visit, *STILL_TO_COME)
            return (VisitCancelled(visit, reason.strip()),)
        case unknown:
            assert_never(unknown)


def _booked(
    protocol: CombinedProtocol, pathway: Pathway, several: Sequence[BookVisit], now: datetime
) -> Iterator[VisitBooked]:
    """Book one after the other, each beside those before it; what stands in one's way names it."""
    for each in several:
        try:
            proposed = visit_that_is(pathway, each.visit, VisitStatus.PROPOSED)
            at = each.at or proposed.at
            may = check_may_be_at(protocol, pathway, each.visit, at, now)
            insist(may, f"book {spoken(each.visit)}")
        except Malformed as error:
            raise Malformed(f"{each.visit}: {error}") from None
        booked = replace(proposed, at=at, status=VisitStatus.BOOKED)
        pathway = replace(pathway, visits={**pathway.visits, each.visit: booked})
        yield VisitBooked(each.visit, at)


def check_may_be_at(
    protocol: CombinedProtocol, pathway: Pathway, visit: VisitId, at: LocalTime, now: datetime
) -> CheckResult:
    """May this visit take place at this local time? Raises Malformed for a time that is not one."""
    return result_of(tuple(_placing(protocol, pathway, pathway.visits[visit], at, now)))


def _placing(
    protocol: CombinedProtocol, pathway: Pathway, visit: Visit, at: LocalTime, now: datetime
) -> Iterator[Blocked]:
    schedule = protocol.phase(visit.phase).schedule
    if instant(at, pathway.zone) <= now:
        yield found("not-in-the-past", "the requested time is in the past", BookVisit.MAY)
    if not treatment_day(at.day, schedule.days):
        finding = f"{at.day:%A} is not a treatment day; treatment days are {schedule.days}"
        yield found("treatment-day", finding, BookVisit.MAY)
    moved = abs((at.day - visit.proposed.day).days)
    sooner = at.day < visit.proposed.day and may_come_sooner(protocol, pathway, visit, now)
    if moved > schedule.may_move_by and not sooner:
        most = counted(schedule.may_move_by, "day")
        finding = (
            f"it may be moved by at most {most} from {visit.proposed.day:%A} {visit.proposed.day}"
        )
        yield found("may-move-by", finding, BookVisit.MAY)
    for other in pathway.visits.values():
        if other.id == visit.id or other.status in (VisitStatus.CANCELLED, VisitStatus.MISSED):
            continue
        what = spoken(other.id)
        blocks = too_close(protocol, visit.phase, at.day, other.phase, other.at.day, what)
        yield from (replace(block, who=BookVisit.MAY) for block in blocks)
    yield from too_soon(protocol, pathway, at.day)


def _checked_in(pathway: Pathway, visit: VisitId, now: datetime) -> VisitCheckedIn:
    booked = visit_that_is(pathway, visit, VisitStatus.BOOKED).at
    insist(check_nobody_is_here(pathway), "check in")
    if booked.day != local_day(now, pathway.zone):
        day = f"{booked.day:%A} {booked.day}"
        block = found("visit-day", f"booked for {day}", BookVisit.MAY)
        raise Refused(f"{spoken(visit)} is on {day}, not today; move it first", (block,))
    return VisitCheckedIn(visit)


def _missed(pathway: Pathway, visit: VisitId, now: datetime) -> VisitMissed:
    at = visit_that_is(pathway, visit, *STILL_TO_COME).at
    if instant(at, pathway.zone) > now:
        block = found("visit-due", "the visit has not started yet", BookVisit.MAY)
        says = f"{spoken(visit)} is not due until {wall(at, pathway.zone)}"
        raise Refused(says, (block,))
    return VisitMissed(visit)
