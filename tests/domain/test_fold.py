"""What happened is applied once, whatever comes again or late; what is about nothing is left."""

from datetime import timedelta

import pytest

from domain.language.baselines import BaselineNamed
from domain.language.events import Event
from domain.language.holds import HoldPlaced, LiftHold, PlaceHold
from domain.language.names import KAIROS, Author, EventId, HoldReason, ObservationName, Role, RuleId
from domain.language.observations import RecordReadings
from domain.language.overrides import OverrideGate
from domain.language.pathway import Pathway
from domain.language.standing import DecideAhead, DecidedAhead, DecisionEnded, EndDecision
from domain.language.tasks import TaskOpened, TaskRaised
from domain.language.treatment import RecordDose
from domain.language.visits import VisitProposed
from domain.rules.fold import apply, fold
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import ONE, dosed, minutes, ready
from tests.domain.simulation import COMBINED, INDUCTION, readings

NURSE = Author("a-nurse", Role.NURSE)
WORDS = COMBINED.vocabulary
MADRS = ObservationName("madrs_total")
PRESSURE = RuleId("blood-pressure-before")


def eventful() -> Course:
    """A visit with a hold, an override, a decision ahead, a dose, and a risk that rose."""
    course = ready()
    last = course.first_visit.day + timedelta(days=7)
    course.do(DecideAhead(PRESSURE, last, "known; measured at home each day"), PRESCRIBER)
    course.do(EndDecision(next(iter(course.pathway.standing)), "a new plan"), PRESCRIBER)
    course.do(PlaceHold(HoldReason.ADVERSE_EVENT, "dizzy"), NURSE)
    course.do(LiftHold(course.pathway.open_holds()[0], "Looked at."), PRESCRIBER)
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=152, diastolic_bp=94)
    course.do(OverrideGate(ONE, PRESSURE, "Benefit outweighs the risk today."))
    course.do(RecordDose(ONE, course.now, 56, "lot-1"))
    course.do(RecordReadings(course.now, readings(suicide_risk="high")), NURSE)
    course.wait(timedelta(days=1))
    return course


def test_each_event_that_comes_again_changes_nothing():
    """Applied twice at once, or once more at the end, every event leaves the pathway as it is."""
    course = eventful()
    kinds = {type(event.fact) for event in course.events}
    assert {VisitProposed, HoldPlaced, DecidedAhead, DecisionEnded, TaskOpened, TaskRaised} <= kinds
    pathway = Pathway(course.pathway.id)
    for event in course.events:
        pathway = apply(pathway, event, WORDS)
        assert apply(pathway, event, WORDS) == pathway
    assert pathway == course.pathway
    for event in course.events:
        assert apply(pathway, event, WORDS) == pathway


@pytest.mark.parametrize("kind", [HoldPlaced, DecidedAhead])
def test_what_ends_a_thing_that_was_entered_in_error_ends_nothing(kind: type):
    """A hold or a decision left out of the fold is not brought back by what ended it."""
    course = eventful()
    without = [event for event in course.events if not isinstance(event.fact, kind)]
    pathway = fold(Pathway(course.pathway.id), without, WORDS)
    assert (pathway.holds if kind is HoldPlaced else pathway.standing) == {}


def test_the_later_of_two_namings_stands_in_whatever_order():
    """The second baseline of a phase stands, also when the first is read after it."""
    pathway = dosed().pathway
    named = [
        Event(
            EventId(f"named-{n}"),
            at,
            KAIROS,
            BaselineNamed(INDUCTION, MADRS, EventId(f"e{n}"), at, number=n),
        )
        for n, at in ((2, dosed().now), (3, dosed().now))
    ]
    one, other = fold(pathway, named, WORDS), fold(pathway, named[::-1], WORDS)
    assert one.baselines == other.baselines
    assert one.baselines[f"{INDUCTION}/{MADRS}"].event == "e3"
