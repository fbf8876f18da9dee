"""May a session be given: each thing in the way in full, and each time at its very edge."""

from dataclasses import replace
from datetime import timedelta

from domain.language.clocks import CLOCK_SKEW
from domain.language.findings import Blocked
from domain.language.holds import LiftHold, PlaceHold
from domain.language.names import (
    Author,
    HoldReason,
    PathwayOutcome,
    Role,
    RuleId,
    VisitId,
    VisitStatus,
)
from domain.language.pathway import Visit
from domain.language.visits import CheckIn
from domain.rules.refusing import found
from domain.rules.treating import blocks_treating
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import ONE, dosed, minutes, ready
from tests.domain.schedules import alone
from tests.domain.simulation import COMBINED, DTMS, INDUCTION

NURSE = Author("a-nurse", Role.NURSE)
ALONE = alone(COMBINED.phase(DTMS))
FIRST_TMS = VisitId(f"{DTMS}-visit-1")


def blocks(course: Course, at: timedelta = timedelta(), rule: str = "") -> list[Blocked]:
    """What stands in the way of a session at the first visit then, by this rule if one is named."""
    all_of_it = blocks_treating(course.protocol, course.pathway, ONE, course.now + at)
    return [block for block in all_of_it if rule in ("", block.rule)]


def test_nothing_is_in_the_way_of_a_patient_who_is_ready():
    """Nothing at all, so that whatever a test adds is what it finds."""
    assert blocks(ready()) == []


def test_an_open_hold_and_one_that_was_open_then():
    """Open it is for those who lift it; once lifted it still forbids the time it stood."""
    course = ready()
    course.wait(minutes(10))
    course.do(PlaceHold(HoldReason.SUPPLY, "recalled"), NURSE)
    (hold,) = course.pathway.open_holds()
    says = (
        "treatment is on hold (supply) since Monday 2026-11-30 09:10 EST; a prescriber or a medical"
        " director may lift the hold"
    )
    assert blocks(course) == [found("hold", says, LiftHold.MAY, stops=True)]
    course.wait(minutes(5))
    course.do(LiftHold(hold, "Another lot came."), PRESCRIBER)
    then = found("hold", "treatment was on hold at that time (supply)", stops=True)
    assert blocks(course) == []
    assert blocks(course, -minutes(1)) == blocks(course, -minutes(5)) == [then]
    assert blocks(course, -minutes(6)) == []


def test_no_order_is_missing_for_those_who_sign():
    """Without a signature treatment is not authorized, whoever gives it."""
    course = ready()
    phases = {key: replace(phase, signed=None) for key, phase in course.pathway.phases.items()}
    course.pathway = replace(course.pathway, phases=phases)
    missing = "signed order for Esketamine nasal spray, induction"
    who = COMBINED.phase(INDUCTION).ordered_by
    assert blocks(course) == [Blocked(RuleId("order-signed"), who, missing=missing, stops=True)]


def test_a_pathway_that_is_over_stops_treatment():
    """Its outcome is in the way, by name."""
    course = ready()
    course.pathway = replace(course.pathway, outcome=PathwayOutcome.STOPPED)
    assert blocks(course) == [found("pathway-open", "the pathway was stopped", stops=True)]


def test_a_visit_of_a_phase_that_was_left_takes_no_session():
    """The phase that the pathway is in now is named beside the visit's own."""
    course = dosed()
    course.pathway = replace(
        course.pathway, visits={**course.pathway.visits, ONE: here(course, phase=DTMS)}
    )
    (block,) = blocks(course, rule="phase")
    finding = "esketamine induction visit 1 is not in the present phase, esketamine induction"
    assert block == found("phase", finding, stops=True)


def here(course: Course, **changed: object) -> Visit:
    """The first visit, with this changed."""
    return replace(course.pathway.visits[ONE], **changed)  # type: ignore[arg-type]


def with_visit(course: Course, **changed: object) -> Course:
    """The same course, its first visit changed."""
    visits = {**course.pathway.visits, ONE: here(course, **changed)}
    course.pathway = replace(course.pathway, visits=visits)
    return course


def test_a_patient_who_is_not_here():
    """Not checked in, it is the front desk's and stops; on another day it does not stop."""
    course = with_visit(ready(), checked_in=None, status=VisitStatus.BOOKED)
    finding = "esketamine induction visit 1 is booked, not checked in"
    assert blocks(course) == [found("checked-in", finding, CheckIn.MAY, stops=True)]
    course = ready()
    (block,) = blocks(course, timedelta(days=1), "checked-in")
    finding = (
        "esketamine induction visit 1 was checked in on 2026-11-30, not on the day of treatment"
    )
    assert block == found("checked-in", finding, CheckIn.MAY)


def test_a_patient_who_has_left_or_had_not_come():
    """After the release it stops; before the check-in it is a finding, but for the clocks' skew."""
    course = with_visit(ready(), status=VisitStatus.RELEASED)
    finding = "esketamine induction visit 1 is over: the patient was discharged"
    assert blocks(course) == [found("visit-open", finding, stops=True)]
    course = ready()
    came = course.pathway.visits[ONE].checked_in
    assert came is not None
    early = came - CLOCK_SKEW - course.now
    assert blocks(course, early, "visit-open") == []
    (block,) = blocks(course, early - timedelta(seconds=1), "visit-open")
    finding = "esketamine induction visit 1 was not checked in at that time"
    assert block == found("visit-open", finding)
