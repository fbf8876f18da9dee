"""Days between stages, phases and pathways, and where a lost visit goes when no day is free."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from domain.language.names import Author, Role, counted
from domain.language.protocol import Days, Rate, Stage
from domain.language.visits import MissVisit, VisitProposed
from domain.rules.calendar import to_propose
from domain.rules.spacing import too_close, too_soon
from domain.rules.steps import Ask
from tests.course import Course
from tests.domain.scenes import FIRST, ONE, TWO, a_course, minutes
from tests.domain.schedules import PER_DAY, PER_WEEK, days_of, rescheduled, stimulated
from tests.domain.simulation import COMBINED, DTMS, INDUCTION

MANAGER = Author("a-care-manager", Role.CARE_MANAGER)
MONDAY = date(2027, 1, 4)


def test_a_stage_by_the_day_takes_its_days_before_the_next():
    """Ten sessions of five a day take two days; the weekly stage begins on the third."""
    daily, weekly = Stage(10, Rate(5, 1, PER_DAY)), Stage(2, Rate(1, 1, PER_WEEK))
    protocol = stimulated(daily, weekly, gap_between_sessions=minutes(50), days=Days.WEEKDAYS)
    assert days_of(protocol, 0, MONDAY) == [MONDAY, MONDAY + timedelta(days=1)]
    assert days_of(protocol, 1, MONDAY)[0] == MONDAY + timedelta(days=2)


def test_a_lost_visit_that_fits_nowhere_follows_the_last():
    """No day of the next sixty keeps its distance: it is made up for that long after the others."""
    every_14_weeks = (Stage(2, Rate(1, 14, PER_WEEK)),)
    protocol = rescheduled(INDUCTION, stages=every_14_weeks, at_least_apart=98, plan_ahead=200)
    course = Course(FIRST, protocol)
    course.run(Ask.CHECK_IN)
    last = course.pathway.visits[TWO].at.day
    assert last == FIRST.day + timedelta(weeks=14)
    course.do(MissVisit(ONE), MANAGER)
    (made_up,) = [fact for fact in course.facts(VisitProposed) if fact.replaces == ONE]
    assert made_up.at.day == last + timedelta(days=98)
    assert to_propose(protocol, course.pathway, course.now) == ()


@pytest.mark.parametrize(("days", "apart"), [((99, 2), 99), ((0, 2), 2), ((0, 0), 1)])
def test_an_earlier_pathway_keeps_its_distance_like_a_phase(days: tuple[int, int], apart: int):
    """After treatment in an earlier pathway wait as long as any phase asks; a day at the least."""
    protocol = replace(COMBINED, days_between=days)
    first = protocol.phases[0]
    schedule = replace(first.schedule, at_least_apart=0)
    protocol = replace(protocol, phases=(replace(first, schedule=schedule), *protocol.phases[1:]))
    assert protocol.days_after_earlier == apart
    pathway = replace(a_course().pathway, treated_on=MONDAY)
    assert list(too_soon(protocol, pathway, MONDAY + timedelta(days=apart))) == []
    (block,) = too_soon(protocol, pathway, MONDAY + timedelta(days=apart - 1))
    assert block.rule == "earlier-pathway"
    assert block.finding == (
        f"{counted(apart - 1, 'day')} from treatment in an earlier pathway, "
        f"at least {apart} required"
    )


@pytest.mark.parametrize(
    ("days", "least", "same_day"), [(0, 1, False), (0, 0, True), (2, 2, False), (2, 2, True)]
)
def test_two_phases_keep_their_days_and_share_one_only_where_that_is_allowed(
    days: int, least: int, *, same_day: bool
):
    """Days between phases are asked in both directions; none at all still means another day."""
    protocol = replace(COMBINED, days_between=(days, 2), same_day=same_day)
    for apart in range(4):
        one, other = MONDAY, MONDAY + timedelta(days=apart)
        for pair in ((INDUCTION, one, DTMS, other), (DTMS, other, INDUCTION, one)):
            found = list(too_close(protocol, *pair, "visit 1"))
            assert [block.rule for block in found] == ["between-phases"] * (apart < least)


def test_two_treatments_on_one_day_need_a_protocol_that_allows_it():
    """Where that is allowed, no day need lie between an earlier pathway and this one."""
    first = COMBINED.phases[0]
    schedule = replace(first.schedule, at_least_apart=0)
    phases = (replace(first, schedule=schedule), *COMBINED.phases[1:])
    protocol = replace(COMBINED, phases=phases, days_between=(0, 0), same_day=True)
    assert protocol.days_after_earlier == 0
    assert replace(protocol, same_day=False).days_after_earlier == 1
