"""At which visit a treatment was, and what a later session of a visit still asks."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.language.authorizations import Authorization, AuthorizationRecorded, AuthorizedUnit
from domain.language.findings import Blocked
from domain.language.names import Author, EventId, ObservationName, Role, RuleId, Treatment, VisitId
from domain.language.pathway import Observed, Standing
from domain.language.standing import Limits
from domain.language.visits import CheckIn
from domain.rules.refusing import found
from domain.rules.spacing import too_close
from domain.rules.standing import ended_at
from domain.rules.treating import blocks_treating
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import ONE, TWO, dosed, minutes, ready
from tests.domain.simulation import COMBINED, INDUCTION

NURSE = Author("a-nurse", Role.NURSE)
THREE = VisitId(f"{INDUCTION}-visit-3")
RIDE = ObservationName("ride_home")


def here(course: Course, visit: VisitId, after: timedelta = timedelta()) -> list[Blocked]:
    """What is said of where the patient was, of a treatment at a visit so long after now."""
    known = blocks_treating(COMBINED, course.pathway, visit, course.now + after)
    return [block for block in known if block.rule == "at-another-visit"]


def changed(course: Course, visit: VisitId, **parts: object) -> None:
    """Change what is known of a visit."""
    visits = course.pathway.visits
    other = replace(visits[visit], **parts)  # type: ignore[arg-type]
    course.pathway = replace(course.pathway, visits={**visits, visit: other})


def test_a_treatment_is_at_the_visit_at_which_the_patient_was():
    """At another day's visit it is a slip of the pen, for those who check patients in."""
    course = dosed()
    says = found(
        "at-another-visit",
        "the patient was at esketamine induction visit 1 at that time: record it there",
        CheckIn.MAY,
    )
    says = replace(says, stops=True)
    assert here(course, TWO) == [says]
    assert here(course, TWO, -minutes(600)) == []  # before they came
    assert here(course, TWO, timedelta(days=1)) == []  # on a day on which they came to none
    assert here(course, ONE) == []
    changed(course, ONE, left_at=course.now)
    assert here(course, TWO) == [says]
    assert here(course, TWO, timedelta(microseconds=1)) == []


def test_a_visit_of_the_day_itself_is_where_it_may_have_been():
    """By its own day, or because the patient was checked in there on it."""
    course = dosed()
    today = course.pathway.visits[ONE].at
    later = course.pathway.visits[TWO].at
    changed(course, TWO, at=today)
    assert here(course, TWO) == []
    changed(course, TWO, at=later, checked_in=course.now)
    assert here(course, TWO) == []
    changed(course, TWO, at=later, checked_in=course.now - timedelta(days=1))
    assert here(course, TWO) != []


def test_each_other_visit_is_looked_at():
    """Nobody came to the first; at the second they were."""
    course = dosed()
    came = course.pathway.visits[ONE].checked_in
    changed(course, ONE, checked_in=None)
    changed(course, TWO, checked_in=came)
    assert [block.finding for block in here(course, THREE)] == [
        "the patient was at esketamine induction visit 2 at that time: record it there"
    ]


def test_the_first_session_asks_for_what_is_fresh():
    """A screen of 31 days ago is not one of the last 30, before a first dose."""
    course = ready()
    at = course.now + timedelta(days=31)
    asked = [b for b in blocks_treating(COMBINED, course.pathway, ONE, at) if b.missing]
    assert "contraindications" in {block.rule for block in asked}


@pytest.mark.parametrize(("before", "fresh"), [(719, True), (720, True), (721, False)])
def test_what_was_not_fresh_at_the_first_session_is_not_so_later(before: float, *, fresh: bool):
    """A ride arranged more than twelve hours before the dose was none for it, nor is one since."""
    course = dosed()
    said = Observed(EventId("e"), course.now - minutes(before), None, "arranged", ONE)
    course.pathway = replace(course.pathway, readings={**course.pathway.readings, RIDE: (said,)})
    for later in (minutes(1), timedelta(days=3)):
        known = blocks_treating(COMBINED, course.pathway, ONE, course.now + later)
        assert ("ride-home" not in {block.rule for block in known}) is fresh


def test_a_dose_is_held_against_what_a_letter_leaves_of_it():
    """60 mg authorized: 56 are paid for, and 84 are not."""
    course = ready()
    day = course.pathway.visits[ONE].at.day
    says = AuthorizationRecorded(
        Treatment.ESKETAMINE, "A", day, day, 60, AuthorizedUnit.MILLIGRAM, ("J0013",)
    )
    held = {EventId("A"): Authorization(says, course.now)}
    course.pathway = replace(course.pathway, authorizations=held)
    for mg, paid in ((56, True), (84, False)):
        known = blocks_treating(COMBINED, course.pathway, ONE, course.now, mg=mg)
        assert ("authorization" not in {block.rule for block in known}) is paid


def test_twice_on_one_day_stops_and_a_day_too_near_does_not():
    """The same day would be twice the dose; a day too near is a clinician's to judge."""
    day = dosed().pathway.visits[ONE].at.day
    for days, stops in ((0, True), (1, False)):
        other = day + timedelta(days=days)
        (block,) = too_close(COMBINED, INDUCTION, day, INDUCTION, other, "visit x")
        assert block.stops is stops


def test_what_ends_a_decision_about_before_the_dose():
    """Readings of before the dose and of other visits; from the dose's own instant on, none."""
    course = dosed()
    given = course.now
    limits = Limits((), (), lasting=False)
    gate = RuleId("blood-pressure-before")
    until = given + timedelta(days=9)

    def ended(after: timedelta, visit: VisitId | None, *, lasting: bool = False) -> bool:
        beyond = {EventId("e"): (given + after, visit)}
        decision = Standing(
            INDUCTION,
            gate,
            given - timedelta(days=1),
            until,
            PRESCRIBER,
            "known",
            (),
            replace(limits, lasting=lasting),
            beyond=beyond,
        )
        return ended_at(course.pathway, decision) == given + after

    moment = timedelta(microseconds=1)
    assert ended(-moment, ONE)
    assert not ended(timedelta(), ONE)
    assert not ended(minutes(40), ONE)
    assert ended(minutes(40), TWO)
    assert ended(minutes(40), None)
    assert ended(minutes(40), ONE, lasting=True)
