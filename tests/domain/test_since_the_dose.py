"""What counts for leaving was taken since the last dose; what counts for treating may be older."""

from dataclasses import replace

import pytest

from domain.language.events import Event
from domain.language.findings import Blocked, blocks_of
from domain.language.holds import PlaceHold
from domain.language.names import Author, EventId, HoldReason, ObservationName, Role, VisitStatus
from domain.language.observations import RecordReadings
from domain.language.release import ReleaseVisit
from domain.language.treatment import DoseGiven, StimulationGiven
from domain.language.visits import CheckIn
from domain.rules.gates import Look, evaluate
from domain.rules.leaving import check_may_release
from domain.rules.refusing import found
from tests.course import PRESCRIBER, SESSION, Course
from tests.domain.scenes import FIT_TO_LEAVE, ONE, checked_in, dosed, minutes, ready
from tests.domain.simulation import COMBINED, INDUCTION, readings

NURSE = Author("a-nurse", Role.NURSE)
GATES = {str(gate.id): gate for gate in COMBINED.phase(INDUCTION).gates}
STABLE = ObservationName("clinically_stable")
(CALM,) = (need for need in GATES["fit-to-leave"].require if need.observation == STABLE)
STEADY = replace(GATES["fit-to-leave"], require=(CALM,))
"""The one line of leaving that is an answer, so that nothing else is in the way."""


def look(course: Course) -> Look:
    """Look at the first visit now."""
    return Look(COMBINED, course.pathway, course.now, ONE)


def test_what_was_calm_before_the_dose_says_nothing_after_it():
    """Ten minutes after the dose a reading of before it does not count, however fresh it is."""
    course = ready()
    course.measure(ONE, clinically_stable="confirmed")
    course.wait(minutes(1))
    course.do(course.treatment(ONE, course.now))
    for gate in (STEADY, replace(STEADY, measured_within=None)):
        (block,) = evaluate(gate, look(course))
        assert block.finding is None
    course.measure(ONE, clinically_stable="confirmed")
    for gate in (STEADY, replace(STEADY, measured_within=None)):
        assert evaluate(gate, look(course)) == ()


@pytest.mark.parametrize(("age", "counts"), [(30, True), (31, False)])
def test_what_was_calm_after_the_dose_grows_old_too(age: int, *, counts: bool):
    """Taken after the dose it counts for half an hour, where the gate says so."""
    course = dosed()
    course.wait(minutes(5))
    course.measure(ONE, clinically_stable="confirmed")
    course.wait(minutes(age))
    assert (evaluate(STEADY, look(course)) == ()) is counts
    assert evaluate(replace(STEADY, measured_within=None), look(course)) == ()


def test_a_second_dose_asks_anew():
    """What was measured between two doses of a visit says nothing after the second."""
    course = dosed()
    course.wait(minutes(5))
    course.measure(ONE, clinically_stable="confirmed")
    assert evaluate(STEADY, look(course)) == ()
    course.wait(minutes(1))
    given = course.facts(DoseGiven)[-1]
    course.record([Event(EventId("2/0"), course.now, PRESCRIBER, replace(given, session=2))])
    assert [block.finding for block in evaluate(STEADY, look(course))] == [None]


def test_what_lets_treat_may_be_from_before_a_dose():
    """The pressure of before the first session still counts for the second, while it is fresh."""
    course = ready()
    course.wait(minutes(1))
    course.do(course.treatment(ONE, course.now))
    assert evaluate(GATES["blood-pressure-before"], look(course)) == ()


def test_of_any_age_is_said_without_an_age():
    """What may be of any age is missing, and nothing is said of when."""
    course = checked_in()
    says = [block.missing for block in evaluate(GATES["rems-enrolled"], look(course))]
    titles = [COMBINED.vocabulary.kind(n.observation).title for n in GATES["rems-enrolled"].require]
    assert says == [f"{title}, recorded" for title in titles]


def leaving(course: Course) -> list[Blocked]:
    """What stands between the patient and the door."""
    return list(blocks_of(check_may_release(COMBINED, course.pathway, ONE, course.now)))


def test_a_patient_who_is_ready_to_leave():
    """Nothing is in the way after two hours with every reading good, nor if nothing was given."""
    course = dosed()
    course.wait(minutes(40))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.wait(minutes(80))
    course.measure(ONE, **FIT_TO_LEAVE)
    assert leaving(course) == []
    assert leaving(checked_in()) == []


def test_who_is_not_here_does_not_leave():
    """A visit that nobody is at is released by nobody."""
    course = checked_in()
    visit = replace(course.pathway.visits[ONE], status=VisitStatus.BOOKED)
    course.pathway = replace(course.pathway, visits={**course.pathway.visits, ONE: visit})
    finding = "esketamine induction visit 1 is booked, not checked in"
    assert leaving(course) == [found("checked-in", finding, CheckIn.MAY)]


@pytest.mark.parametrize(("after", "over"), [(-1, False), (0, True), (1, True)])
def test_nobody_leaves_during_a_session(after: int, *, over: bool):
    """Until its end a session keeps the patient here; at its end it does not."""
    course = checked_in()
    end = course.now + SESSION
    given = StimulationGiven(ONE, 1, end, 1980, 120, 66)
    course.record([Event(EventId("s/0"), course.now, PRESCRIBER, given)])
    course.now = end + minutes(after)
    told = found("session-over", "the last session has not ended")
    assert (told not in leaving(course)) is over


def test_a_hold_for_suicide_risk_keeps_the_patient_here_and_no_other_does():
    """Placed for risk it is in the way of leaving; placed for anything else it is not."""
    for reason in HoldReason:
        course = checked_in()
        course.do(PlaceHold(reason, "looked at"), NURSE)
        says = "treatment is on hold (suicide risk) since Monday 2026-11-30 09:00 EST"
        wanted = [found("hold", says)] if reason is HoldReason.SUICIDE_RISK else []
        assert leaving(course) == wanted


def test_a_risk_that_nobody_has_seen_keeps_the_patient_here():
    """A prescriber looks first; against advice is recorded as that."""
    course = checked_in()
    course.do(RecordReadings(course.now, readings(suicide_risk="high")), NURSE)
    assert [(block.rule, block.stops) for block in leaving(course)] == [("review-first", True)]
    refusal = course.attempt(ReleaseVisit(ONE), NURSE)
    assert "may not discharge the patient" in str(refusal)
