"""Several visits booked at once: all of them, or none, each beside the others."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from domain.language.clocks import LocalTime
from domain.language.errors import Malformed
from domain.language.names import VisitId, VisitStatus, spoken
from domain.language.phases import SignOrder
from domain.language.visits import BookVisit, BookVisits
from tests.course import Course
from tests.domain.scenes import a_course, rules
from tests.domain.simulation import INDUCTION, Refusal


def proposed() -> tuple[Course, tuple[BookVisit, ...]]:
    """A course whose first visits were proposed, and the wishes to book each."""
    course = a_course()
    course.do(SignOrder(INDUCTION))
    course.run_rules()
    visits = course.pathway.visits_in(INDUCTION)
    return course, tuple(BookVisit(visit.id) for visit in visits)


def statuses(course: Course) -> set[VisitStatus]:
    """What the visits of the first phase are."""
    return {visit.status for visit in course.pathway.visits_in(INDUCTION)}


def refused(course: Course, *wanted: BookVisit) -> Refusal:
    """What is said of a booking that does not go; nothing of it happened."""
    before = course.pathway.visits
    refusal = course.attempt(BookVisits(wanted))
    assert refusal is not None
    assert course.pathway.visits == before
    return refusal


def test_all_that_were_proposed_are_booked_by_one_wish():
    """An induction's eight visits, each at its proposed time, one event each."""
    course, wanted = proposed()
    before = len(course.events)
    course.do(BookVisits(wanted))
    assert statuses(course) == {VisitStatus.BOOKED}
    kinds = [event.fact.kind for event in course.events[before:]]
    assert kinds[: len(wanted)] == ["visit-booked"] * len(wanted)
    for visit in course.pathway.visits_in(INDUCTION):
        assert visit.at == visit.proposed


def test_one_that_may_not_be_keeps_all_of_them_from_being_booked():
    """The last on a Sunday: the rule and the visit are named, and none is booked."""
    course, (*others, last) = proposed()
    at = course.pathway.visits[last.visit].at
    sunday = at.day + timedelta(days=6 - at.day.weekday())
    refusal = refused(course, *others, replace(last, at=LocalTime(sunday, at.hour)))
    assert "treatment-day" in rules(refusal)
    assert spoken(last.visit) in str(refusal)
    assert statuses(course) == {VisitStatus.PROPOSED}


def test_each_is_held_against_those_booked_with_it():
    """Two moved to one day are too close, although neither is to where the other was proposed."""
    course, (first, second, *_) = proposed()
    day = course.pathway.visits[first.visit].at.day + timedelta(days=1)
    hour = course.pathway.visits[first.visit].at.hour
    both = [replace(each, at=LocalTime(day, hour)) for each in (first, second)]
    refusal = refused(course, *both)
    assert spoken(second.visit) in str(refusal)


@pytest.mark.parametrize("slip", ["none", "twice", "unknown"])
def test_a_slip_in_the_list_is_named(slip: str):
    """An empty list, a visit named twice, one that there is not."""
    course, (first, *_) = proposed()
    wanted = {
        "none": (),
        "twice": (first, first),
        "unknown": (first, BookVisit(VisitId("another-visit-9"))),
    }[slip]
    refusal = refused(course, *wanted)
    said = {"none": "at least one", "twice": "once", "unknown": "no such visit"}
    assert said[slip] in str(refusal)


def test_a_time_that_a_clock_change_skips_names_its_visit():
    """The visit is named with the hours that can be meant."""
    course, (first, *_) = proposed()
    skipped = LocalTime(date(2027, 3, 14), time(2, 30))
    refusal = course.attempt(BookVisits((replace(first, at=skipped),)))
    assert isinstance(refusal, Malformed)
    assert first.visit in str(refusal)
