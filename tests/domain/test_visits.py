"""Which days visits fall on, and what becomes of those that are missed, moved or never booked."""

from collections import Counter
from datetime import date, time, timedelta
from itertools import pairwise

import pytest

from domain.language.clocks import LocalTime, instant, local_day
from domain.language.names import PhaseDecision, VisitId, VisitStatus
from domain.language.phases import Decide, SignOrder
from domain.language.protocol import MissedRule, Period, Rate, Stage
from domain.language.release import ReleaseVisit
from domain.language.visits import BookVisit, MoveVisit
from domain.rules.calendar import to_propose
from domain.rules.steps import Ask
from tests.course import Course
from tests.domain.scenes import FIRST, ONE, TWO, a_course, minutes, rules
from tests.domain.schedules import days_of, gaps, h1_course, rescheduled, ten_a_day
from tests.domain.simulation import COMBINED, DTMS, INDUCTION, MAINTENANCE, NEW_YORK

MONDAY = date(2027, 1, 4)


def planned(course: Course) -> list[date]:
    """List the days of all visits that are still to come."""
    live = (VisitStatus.PROPOSED, VisitStatus.BOOKED)
    visits = course.pathway.visits_in(course.pathway.phase)
    return [visit.at.day for visit in visits if visit.status in live]


def test_the_standard_course_is_twenty_weekdays_then_twice_a_week():
    """H1: 20 sessions on weekdays in four weeks, then Monday and Thursday for twelve weeks."""
    acute, continuation = (days_of(h1_course(), stage, MONDAY) for stage in (0, 1))
    assert [len(acute), len(continuation)] == [20, 24]
    assert {day.weekday() for day in acute} == {0, 1, 2, 3, 4}
    assert acute[-1] == MONDAY + timedelta(days=25)
    assert continuation[0] == MONDAY + timedelta(weeks=4)
    assert [day.strftime("%a") for day in continuation[:4]] == ["Mon", "Thu", "Mon", "Thu"]
    assert continuation[-1] == MONDAY + timedelta(weeks=15, days=3)


@pytest.mark.long
def test_the_standard_course_runs_to_its_end():
    """The H1 course is given in full by staff who follow what is next."""
    course = Course(LocalTime(MONDAY, time(9)), h1_course())
    course.run(Ask.DECIDE)
    assert len(course.treatments()) == 44


@pytest.mark.long
def test_ten_a_day_on_five_days_with_their_gaps():
    """50 sessions fill five days of ten, each 50 minutes or more after the one before."""
    assert gaps(days_of(ten_a_day(), 0, date(2027, 1, 8))) == [1, 1, 1, 1]
    course = Course(LocalTime(MONDAY, time(8)), ten_a_day())
    course.run(Ask.DECIDE)
    sessions = course.pathway.sessions_in(DTMS)
    assert [session.number for session in sessions] == list(range(1, 51))
    days = [local_day(session.started, NEW_YORK) for session in sessions]
    assert [days.count(MONDAY + timedelta(days=day)) for day in range(5)] == [10] * 5
    between = [b.started - (a.ended or a.started) for a, b in pairwise(sessions)]
    assert min(between) == minutes(50)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (date(2027, 1, 4), "Mon Thu Mon Thu Mon Thu Mon Thu"),
        (date(2027, 1, 6), "Wed Fri Wed Fri Wed Fri Wed Fri"),
        (date(2027, 1, 7), "Thu Mon Thu Mon Thu Mon Thu Mon"),
        (date(2027, 1, 9), "Mon Thu Mon Thu Mon Thu Mon Thu"),
    ],
)
def test_induction_is_twice_a_week_from_any_first_day(first, expected):
    """Eight visits, two a week, never on a weekend nor on consecutive days."""
    days = days_of(COMBINED, 0, first)
    assert " ".join(day.strftime("%a") for day in days) == expected
    assert min(gaps(days)) >= 2


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (4, "Mon Wed Fri Mon"),
        (6, "Wed Fri Mon Wed"),
        (8, "Fri Mon Wed Fri"),
    ],
)
def test_three_a_week_are_spread_over_the_week(first, expected):
    """Three visits a week on weekdays are as far apart as the weekend lets them be."""
    stages = (Stage(4, Rate(3, 1, Period.WEEK)),)
    days = days_of(rescheduled(INDUCTION, stages=stages), 0, date(2027, 1, first))
    assert " ".join(day.strftime("%a") for day in days) == expected


def test_maintenance_is_weekly_four_times_then_every_two_weeks():
    """Four weekly visits, then one every two weeks for as long as nobody decides otherwise."""
    maintenance = rescheduled(MAINTENANCE)
    weekly, open_end = days_of(maintenance, 0, MONDAY), days_of(maintenance, 1, MONDAY, 6)
    assert gaps([*weekly, *open_end]) == [7, 7, 7, 7, 14, 14, 14, 14, 14]


@pytest.mark.long
def test_a_missed_induction_visit_is_booked_again():
    """A missed visit is proposed anew on the first free day, and all eight doses are given."""
    course = a_course(script={("come", TWO): "misses"})
    course.run(Ask.DECIDE)
    visits = course.pathway.visits
    again = next(visit for visit in visits.values() if visit.replaces == TWO)
    assert visits[TWO].status is VisitStatus.MISSED
    assert again.at == LocalTime(date(2026, 12, 4), time(9))
    assert len(course.pathway.sessions_in(INDUCTION)) == 8


@pytest.mark.long
def test_a_missed_visit_of_a_continued_schedule_is_not_made_up_for():
    """Where the schedule continues, a missed visit is lost and the others stay where they are."""
    protocol = rescheduled(INDUCTION, missed=MissedRule.CONTINUE_SCHEDULE)
    course = a_course(protocol=protocol, script={("come", TWO): "misses"})
    course.run(Ask.DECIDE)
    assert len(course.pathway.visits) == 8
    assert len(course.pathway.sessions_in(INDUCTION)) == 7


@pytest.mark.long
def test_visits_that_nobody_booked_do_not_stop_the_pathway():
    """A proposal whose time passes unbooked becomes somebody's task, is missed and booked again."""
    course = a_course()
    course.run(Ask.BOOK_VISITS)
    course.wait(timedelta(days=10))
    late = [t.says for t in course.pathway.tasks.values() if t.rule == "visit-overdue"]
    assert len(late) == 3
    assert all("was never booked" in says for says in late)
    assert course.attempt(BookVisit(ONE)) is not None
    course.run(Ask.DECIDE)
    assert len(course.pathway.sessions_in(INDUCTION)) == 8


@pytest.mark.parametrize("late", [0, 8, 30, 70, 400])
def test_an_order_signed_late_still_leads_to_a_whole_course(late):
    """However late the order is signed, eight visits are proposed, none of them in the past."""
    course = a_course()
    course.wait(timedelta(days=late))
    course.do(SignOrder(INDUCTION))
    days = planned(course)
    assert len(days) == 8
    assert min(days) > local_day(course.now, NEW_YORK)
    assert min(gaps(days)) >= 2
    assert max(in_a_week(days).values()) <= 2


def in_a_week(days: list[date]) -> Counter[int]:
    """Count the days of each week of the phase."""
    return Counter((day - FIRST.day).days // 7 for day in days)


@pytest.mark.long
@pytest.mark.parametrize("missed", [(2,), (1, 2, 3), (3, 4, 7, 8), (5, 6, 7, 8, 9, 10, 11)])
def test_missed_visits_are_made_up_for_at_the_weekly_rate(missed):
    """However many visits are missed, no week has more than the two that the rate allows."""
    script = {("come", f"{INDUCTION}-visit-{number}"): "misses" for number in missed}
    course = a_course(script=script)
    course.run(Ask.DECIDE)
    given = [local_day(s.started, NEW_YORK) for s in course.pathway.sessions_in(INDUCTION)]
    assert len(given) == 8
    assert max(in_a_week(given).values()) <= 2


def test_a_proposal_keeps_its_distance_from_a_moved_visit():
    """A regular day too near to another visit of the phase is not proposed."""
    protocol = rescheduled(INDUCTION, plan_ahead=1, at_least_apart=3)
    course = a_course(protocol=protocol)
    course.do(SignOrder(INDUCTION))
    course.do(MoveVisit(ONE, LocalTime(date(2026, 12, 1), time(9))))
    course.wait(timedelta(days=3))
    assert date(2026, 12, 3) not in planned(course)


def test_visits_are_planned_only_so_far_ahead():
    """No visit is proposed beyond the days that the protocol plans ahead, and each in time."""
    course = a_course(protocol=rescheduled(MAINTENANCE, plan_ahead=28))
    course.do(SignOrder(MAINTENANCE))
    assert planned(course) == [FIRST.day + timedelta(weeks=week) for week in range(4)]
    course.wait(timedelta(days=8))
    assert planned(course)[-1] == FIRST.day + timedelta(weeks=4)


def test_a_visit_moves_within_its_days_without_a_new_order():
    """A visit may move by a day from where it was proposed, not by two, and not step by step."""
    course = a_course()
    course.run(TWO)
    course.do(MoveVisit(TWO, LocalTime(date(2026, 12, 4), time(15, 30))))
    two_days = MoveVisit(TWO, LocalTime(date(2026, 12, 5), time(9)))
    assert "may-move-by" in rules(course.attempt(two_days))


@pytest.mark.parametrize(
    ("to", "rule"),
    [
        (LocalTime(date(2026, 12, 1), time(9)), "at-least-apart"),
        (LocalTime(date(2026, 11, 30), time(8)), "not-in-the-past"),
    ],
)
def test_a_visit_may_not_be_put_where_the_rules_forbid_it(to, rule):
    """A visit is not moved next to another one, nor into the past."""
    course = a_course()
    course.run(TWO)
    assert rule in rules(course.attempt(MoveVisit(TWO, to)))


@pytest.mark.long
def test_no_treatment_falls_on_a_day_of_another():
    """The next phase begins no sooner than its days after the last treatment of the one before."""
    course = a_course()
    course.run(Ask.DECIDE)
    last = course.pathway.sessions_in(INDUCTION)[-1]
    course.assess("madrs", *(1,) * 10)
    course.do(Decide(INDUCTION, PhaseDecision.CONTINUE, "Response."))
    course.do(SignOrder(DTMS))
    assert planned(course)[0] >= local_day(last.started, NEW_YORK) + timedelta(days=2)


def test_an_hour_that_a_clock_change_skips_is_proposed_an_hour_later():
    """A course at half past two keeps its hour, except in the night that has none."""
    course = a_course(LocalTime(date(2027, 3, 8), time(2, 30)), protocol=ten_a_day())
    course.do(SignOrder(DTMS))
    assert {visit.at.hour for visit in course.pathway.visits.values()} == {time(2, 30)}
    course = a_course(LocalTime(date(2027, 3, 12), time(2, 30)), protocol=ten_a_day())
    course.do(SignOrder(DTMS))
    hours = {visit.at.day.day: visit.at.hour for visit in course.pathway.visits.values()}
    assert hours == {n: time(3 if n == 14 else 2, 30) for n in range(12, 17)}


@pytest.mark.long
def test_the_last_visit_of_a_course_takes_only_what_is_left():
    """When a shortened day leaves two sessions over, the extra visit ends after these two."""
    third = VisitId(f"{DTMS}-visit-3")
    course = a_course(protocol=rescheduled(DTMS))
    course.run(third)
    while len(course.pathway.sessions_at(third)) < 3:
        course.follow_next()
    course.wait(minutes(30))
    course.measure(third, clinically_stable="confirmed")
    course.do(ReleaseVisit(third))
    course.run(Ask.DECIDE)
    assert len(course.pathway.sessions_in(DTMS)) == 30
    assert len(course.pathway.visits) == 7


@pytest.mark.long
def test_proposals_are_never_in_the_past_and_never_twice():
    """Asked again and again through a course, no proposal is past, and none is repeated."""
    course = a_course(choices=[1, 0, 2, 1] * 20)
    for _ in range(300):
        course.follow_next()
        plans = to_propose(COMBINED, course.pathway, course.now)
        assert plans == ()
        for visit in course.pathway.visits.values():
            proposed = next(x for x in course.events if x.id.endswith(f"proposed/{visit.id}"))
            assert instant(visit.proposed, NEW_YORK) > proposed.at


def test_no_visit_is_put_on_a_day_without_treatment():
    """A visit is not moved to a Saturday where treatment is given on weekdays."""
    course = a_course(LocalTime(date(2026, 12, 4), time(9)))
    course.do(SignOrder(INDUCTION))
    refusal = course.attempt(MoveVisit(ONE, LocalTime(date(2026, 12, 5), time(9))))
    assert rules(refusal) == ["treatment-day"]
    assert "Saturday is not a treatment day; treatment days are weekdays" in str(refusal)
