"""What an entry that is taken back brought or carries, told in full."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.language.authorizations import AuthorizationRecorded
from domain.language.corrections import CorrectEntry, EntryVoided
from domain.language.events import Event
from domain.language.findings import Blocked
from domain.language.names import (
    CARE,
    Author,
    EventId,
    PhaseDecision,
    Role,
    Treatment,
)
from domain.language.phases import DecisionMade, PhaseEntered
from domain.rules.rests_on import follows, in_the_way
from domain.rules.steps import Ask
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import TWO, checked_in, dosed, moved_on
from tests.domain.simulation import DTMS, INDUCTION

NURSE = Author("a-nurse", Role.NURSE)
WHY = "It was meant for another patient."


def made(course: Course) -> Event:
    """The last decision."""
    return [event for event in course.events if isinstance(event.fact, DecisionMade)][-1]


def first(course: Course) -> Blocked | None:
    """What is to be taken back before the decision is."""
    return in_the_way(course.protocol, course.pathway, course.events, made(course))


def test_what_was_done_in_the_phase_is_named_by_what_it_was():
    """Nothing, then a visit, then a session: each is said in its own words, to those who care."""
    course = moved_on()
    assert first(course) is None
    course.run(f"{DTMS}-visit-1")
    came = replace(course.pathway.visits_in(DTMS)[0], checked_in=course.now)
    unsigned = replace(course.pathway.phases[DTMS], signed=None)
    course.pathway = replace(
        course.pathway,
        visits={**course.pathway.visits, came.id: came},
        phases={**course.pathway.phases, DTMS: unsigned},
    )
    told = first(course)
    assert told is not None
    assert (told.rule, told.who) == ("phase", CARE)
    assert told.finding == (
        "the patient has since come to a visit of accelerated deep TMS: correct that first"
    )
    course = moved_on()
    course.run(Ask.GIVE)
    course.follow_next()
    assert str((first(course) or told).finding) == (
        "sessions of accelerated deep TMS were given: correct them first"
    )


def test_a_visit_of_another_phase_is_no_hindrance():
    """That the patient came to the induction stands in no way of the decision that ended it."""
    course = moved_on()
    assert any(visit.checked_in for visit in course.pathway.visits_in(INDUCTION))
    assert course.attempt(CorrectEntry(made(course).id, WHY), PRESCRIBER) is None


@pytest.mark.parametrize("command", ["decide", "phase/decide", "a/b/c"])
def test_what_a_decision_brought_came_of_the_same_command(command: str):
    """The phase entered by the same command is found, whatever the command's name looks like."""
    course = moved_on()
    decision, entered = (
        next(e for e in reversed(course.events) if isinstance(e.fact, kind))
        for kind in (DecisionMade, PhaseEntered)
    )
    decision = replace(decision, id=EventId(f"{command}/0"))
    mine = replace(entered, id=EventId(f"{command}/1"))
    other = replace(entered, id=EventId(f"{command.rpartition('/')[0]}/other/1"))
    assert follows([decision, other, mine], decision) == mine
    assert follows([decision, other], decision) is None
    assert follows([decision, mine], mine) is None


def test_a_decision_that_brought_nothing_stands_again():
    """To continue, taken back and restored: it is a decision of the phase as before."""
    course = dosed()
    course.run(TWO)
    review = Event(
        EventId("review/0"),
        course.now,
        PRESCRIBER,
        DecisionMade(INDUCTION, PhaseDecision.CONTINUE, "Goes well.", ()),
    )
    course.record([review])
    kept = course.pathway.phases[INDUCTION]
    course.do(CorrectEntry(review.id, WHY), PRESCRIBER)
    assert course.pathway.phases[INDUCTION] != kept
    void = [e for e in course.events if isinstance(e.fact, EntryVoided)][-1]
    course.do(CorrectEntry(void.id, "It was right."), PRESCRIBER)
    assert course.pathway.phases[INDUCTION] == kept


def test_a_letter_stands_again_unless_its_number_was_recorded_anew():
    """Taken back and restored it counts; beside the same number it is refused, by that number."""
    course = checked_in()
    wish = course.authorized(Treatment.ESKETAMINE, 8)
    letter = [e for e in course.events if isinstance(e.fact, AuthorizationRecorded)][-1]
    kept = course.pathway.authorizations
    for again in (False, True):
        course.do(CorrectEntry(letter.id, WHY), PRESCRIBER)
        assert course.pathway.authorizations != kept
        void = [e for e in course.events if isinstance(e.fact, EntryVoided)][-1]
        if again:
            course.wait(timedelta(minutes=1))
            course.do(wish)
            refusal = course.attempt(CorrectEntry(void.id, WHY), PRESCRIBER)
            assert f"{wish.number} was recorded again later" in str(refusal)
        else:
            course.do(CorrectEntry(void.id, "It was right."), PRESCRIBER)
            assert course.pathway.authorizations == kept


def test_what_stands_in_the_way_of_a_check_in_is_its_treatment():
    """A check-in at which somebody was treated stays; who cares for the patient puts that right."""
    course = dosed()
    came = next(e for e in course.events if e.fact.kind == "visit-checked-in")
    block = in_the_way(course.protocol, course.pathway, course.events, came)
    assert block is not None
    assert block.finding == (
        "a treatment is recorded at esketamine induction visit 1: correct that first"
    )
    assert (block.rule, block.who) == ("treated-here", CARE)
