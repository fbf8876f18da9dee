"""What is taken back as another patient's: which entries can be, and what is said of them."""

import pytest

from domain.language.commands import Command
from domain.language.corrections import CorrectEntry, WrongPatient
from domain.language.errors import Malformed
from domain.language.names import Author, EventId, PathwayId, RequestId, Role, VisitId
from domain.language.observations import ReadingsTaken, ScaleAssessed
from domain.language.treatment import DoseGiven, StimulationGiven
from domain.language.visits import VisitBooked, VisitCheckedIn
from domain.rules import moves
from domain.turn import onward
from tests.course import PRESCRIBER, SESSION, Course
from tests.domain.scenes import ONE, checked_in, dosed, ready
from tests.domain.simulation import DTMS

NURSE = Author("a-nurse", Role.NURSE)
THERE = WrongPatient(PathwayId("p2"), ONE)
TMS = VisitId(f"{DTMS}-visit-1")
WHY = "The charts of two patients were open side by side."


def entry(course: Course, kind: type) -> EventId:
    """The last entry of this kind."""
    return [event for event in course.events if isinstance(event.fact, kind)][-1].id


def asked_onward(course: Course, wish: CorrectEntry) -> object:
    """What a correction asks of the other pathway."""
    command = Command(RequestId("6f1c1d9e-0000-4000-8000-000000000001"), NURSE, wish)
    return onward(course.protocol, command, course.events)


@pytest.mark.parametrize("kind", [VisitBooked, VisitCheckedIn])
def test_what_is_nobody_elses_goes_nowhere(kind: type):
    """A booking or a check-in is entered there by hand: neither half of a move is made of it."""
    here = checked_in()
    wish = CorrectEntry(entry(here, kind), WHY, wrong_patient=THERE)
    assert isinstance(here.attempt(wish, PRESCRIBER), Malformed)
    with pytest.raises(Malformed, match="must be entered by hand"):
        asked_onward(here, wish)


def test_a_check_in_says_that_it_is_entered_there():
    """Taken back here without a treatment at its visit, it is entered there: never moved."""
    here = checked_in()
    wish = CorrectEntry(entry(here, VisitCheckedIn), WHY, wrong_patient=THERE)
    refusal = here.attempt(wish, NURSE)
    assert "(visit checked in) cannot be moved" in str(refusal)


def test_an_entry_that_is_only_taken_back_goes_nowhere():
    """Without another patient, or for one who has no pathway here, there is no other half."""
    here = dosed()
    assert asked_onward(here, CorrectEntry(entry(here, DoseGiven), WHY)) is None
    elsewhere = CorrectEntry(entry(here, DoseGiven), WHY, wrong_patient=WrongPatient())
    assert asked_onward(here, elsewhere) is None


def stimulated() -> Course:
    """A patient right after the first stimulation."""
    course = ready(TMS)
    wish = course.treatment(TMS, course.now)
    course.wait(SESSION)
    course.do(wish)
    return course


def measured() -> Course:
    """A patient of whom two things were just recorded together."""
    course = checked_in()
    course.measure(ONE, spo2=97, ride_home="arranged")
    return course


@pytest.mark.parametrize(
    ("begin", "kind", "says"),
    [
        (dosed, DoseGiven, "Dose 1 (56 mg)"),
        (stimulated, StimulationGiven, "Stimulation 1"),
        (dosed, ScaleAssessed, "A score of PHQ-9"),
        (measured, ReadingsTaken, "A reading of oxygen saturation, safe ride home"),
    ],
)
def test_what_was_taken_back_is_named(begin, kind: type, says: str):
    """A prescriber is asked about the dose, stimulation, score or readings by name."""
    here = begin()
    original = next(event for event in here.events if event.id == entry(here, kind))
    assert moves.said(here.protocol, original) == says
    here.do(CorrectEntry(original.id, WHY, wrong_patient=THERE), PRESCRIBER)
    (found,) = here.pathway.elsewhere.values()
    assert (found.about, found.moved_to) == (says, THERE.pathway)
