"""What is recorded for whose it was, in full; and refusals of several chapters, word for word."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from domain.language.baselines import NameBaseline
from domain.language.commands import Command
from domain.language.corrections import CorrectEntry, WrongPatient
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.events import Event, Fact
from domain.language.names import (
    Author,
    EventId,
    ObservationName,
    PathwayId,
    RequestId,
    Role,
    RuleId,
    VisitId,
)
from domain.language.observations import (
    Measurement,
    Reading,
    ReadingsTaken,
    RecordAssessment,
    RecordReadings,
    ScaleAssessed,
)
from domain.language.release import NotTreated, ReleaseVisit
from domain.language.standing import DecideAhead, EndDecision
from domain.language.treatment import DoseGiven, ReportDose, ReportStimulation, StimulationGiven
from domain.rules.moves import onward
from domain.rules.refusing import found
from tests.course import PRESCRIBER
from tests.domain.scenes import ONE, checked_in, dosed, minutes, ready
from tests.domain.simulation import COMBINED, INDUCTION, readings

NURSE = Author("a-nurse", Role.NURSE)
WHY = "Known, with a plan; looked at each week."
AT = datetime(2026, 11, 30, 14, tzinfo=UTC)
THERE, VISIT = PathwayId("p2"), VisitId("their-visit")
TOLD = "First entered for another patient, in error: two charts"
SPO2, RIDE = ObservationName("spo2"), ObservationName("ride_home")


def half(fact: Fact) -> Command:
    """The command that records this entry for whose it was."""
    wish = CorrectEntry(EventId("e"), " two charts ", wrong_patient=WrongPatient(THERE, VISIT))
    command = Command(RequestId("6f1c1d9e-0000-4000-8000-000000000001"), NURSE, wish)
    sent = onward(COMBINED, command, Event(EventId("e"), AT, NURSE, fact))
    assert sent is not None
    assert sent[0] == THERE
    return sent[1]


@pytest.mark.parametrize(
    ("fact", "wish"),
    [
        (
            DoseGiven(ONE, 3, 84, 3, "lot-1"),
            ReportDose(VISIT, AT, 84, "lot-1", TOLD, moved=True),
        ),
        (
            StimulationGiven(ONE, 2, AT + minutes(20), 1980, 119, 61),
            ReportStimulation(VISIT, AT, AT + minutes(20), 1980, 119, 61, TOLD, moved=True),
        ),
        (
            ScaleAssessed("phq9", (1,) * 8 + (0,), 8),
            RecordAssessment("phq9", AT, (1,) * 8 + (0,)),
        ),
        (
            ReadingsTaken((Reading(SPO2, Decimal(97)), Reading(RIDE, None, "arranged")), ONE),
            RecordReadings(
                AT,
                (Measurement(SPO2, Decimal(97), "%"), Measurement(RIDE, answer="arranged")),
                VISIT,
            ),
        ),
    ],
)
def test_each_entry_goes_on_as_it_was(fact: Fact, wish: object):
    """All of its figures, at its own time, at the visit there; in the words of who took it back."""
    assert half(fact).wish == wish


def test_the_other_half_is_of_the_same_author_under_an_id_of_its_own():
    """In the form of every id, the same for one command and another for another."""
    command = half(DoseGiven(ONE, 1, 56, 2, "l"))
    assert command.by == NURSE
    assert [len(part) for part in command.id.split("-")] == [8, 4, 4, 4, 12]
    assert set(command.id) <= set("0123456789abcdef-")
    assert half(ScaleAssessed("phq9", (0,) * 9, 0)).id == command.id
    wish = CorrectEntry(EventId("e"), "two", wrong_patient=WrongPatient(THERE, VISIT))
    event = Event(EventId("e"), AT, NURSE, DoseGiven(ONE, 1, 56, 2, "l"))
    other = onward(COMBINED, Command(RequestId("another"), NURSE, wish), event)
    assert other is not None
    assert other[1].id != command.id


def test_a_move_to_the_patients_own_pathway_names_its_field():
    """It is the pathway that is not another's."""
    course = dosed()
    given = [event for event in course.events if isinstance(event.fact, DoseGiven)][-1]
    wish = CorrectEntry(given.id, "why", wrong_patient=WrongPatient(course.pathway.id, ONE))
    refusal = course.attempt(wish, NURSE)
    assert isinstance(refusal, Malformed)
    assert str(refusal) == "this is the same patient's pathway; name the other's"
    assert refusal.unknown == "pathway"


def test_what_is_said_of_a_decision_ahead_that_is_not_made_or_not_there():
    """Each in a sentence that is also what blocks; unknown names say of what kind they are."""
    course = ready()
    last = course.first_visit.day
    ride, pressure = RuleId("ride-home"), RuleId("blood-pressure-before")
    refusal = course.attempt(DecideAhead(ride, last, WHY), PRESCRIBER)
    assert isinstance(refusal, Refused)
    assert refusal.blocked_by == (found("decided-each-time", str(refusal)),)
    assert str(refusal) == "ride home is checked each time: no standing decision is allowed for it"
    far = last + timedelta(days=29)
    refusal = course.attempt(DecideAhead(pressure, far, WHY), PRESCRIBER)
    assert isinstance(refusal, Refused)
    assert refusal.blocked_by == (found("decided-too-far", str(refusal)),)
    refusal = course.attempt(DecideAhead(RuleId("nothing"), last, WHY), PRESCRIBER)
    assert isinstance(refusal, Malformed)
    assert refusal.unknown == "gate"
    refusal = course.attempt(EndDecision(EventId("nothing"), "why"), PRESCRIBER)
    assert isinstance(refusal, Malformed)
    says = "there is no such standing decision here; they are listed with the pathway"
    assert (str(refusal), refusal.unknown) == (says, "decision")
    (event,) = course.do(DecideAhead(pressure, last, WHY), PRESCRIBER)
    course.do(EndDecision(event.id, "why"), PRESCRIBER)
    again = course.attempt(EndDecision(event.id, "why"), PRESCRIBER)
    assert isinstance(again, Conflict)
    assert str(again) == "this standing decision has already ended"


def test_what_is_said_of_a_baseline_that_is_not_named():
    """Of another score, before anything was given, of an unknown entry, and of a later one."""
    course = ready()
    score = ObservationName("madrs_total")
    wish = NameBaseline(INDUCTION, score, EventId("nothing"), "why")
    other = course.attempt(replace(wish, score=SPO2), PRESCRIBER)
    assert str(other) == "score must be one whose reduction is judged: madrs_total, phq9_total"
    early = course.attempt(wish, PRESCRIBER)
    says = (
        "no treatment was given in esketamine induction yet: "
        "the last score before treatment will be the baseline"
    )
    assert (type(early), str(early)) == (Conflict, says)
    course.do(course.treatment(ONE, course.now))
    unknown = course.attempt(wish, PRESCRIBER)
    assert str(unknown) == "no such score is recorded on this pathway; its timeline lists them"
    course.wait(minutes(5))
    course.assess("madrs", *(1,) * 10)
    late = course.pathway.readings[score][-1].evidence
    refusal = course.attempt(replace(wish, event=late), PRESCRIBER)
    says = "a baseline must be from before the first treatment; this is a later score"
    assert (type(refusal), str(refusal)) == (Malformed, says)
    course.pathway = replace(course.pathway, readings={})
    assert "no such score" in str(course.attempt(wish, PRESCRIBER))


def test_what_is_said_of_times_and_words_that_do_not_fit_a_visit():
    """A reading of another day, a reason for a dose that was given, and who may not score."""
    course = checked_in()
    before = course.now - timedelta(days=1)
    refusal = course.attempt(RecordReadings(before, readings(spo2=97), ONE), NURSE)
    assert str(refusal) == "measured_at is on a different day from the visit; leave visit out"
    later = ReleaseVisit(ONE, left_at=course.now + timedelta(hours=1))
    assert str(course.attempt(later, NURSE)).startswith("left_at is in the future")
    operator = Author("o", Role.TMS_OPERATOR)
    score = course.attempt(RecordAssessment("madrs", course.now, (1,) * 10), operator)
    assert str(score).startswith("may not record: MADRS is recorded by ")
    course = dosed()
    given = course.attempt(ReleaseVisit(ONE, not_treated=NotTreated.DECLINED), NURSE)
    assert str(given) == "a treatment is recorded at this visit: leave not_treated out"
    course.wait(minutes(5))
    early = ReleaseVisit(ONE, left_at=course.now - minutes(5.5))
    refusal = course.attempt(early, NURSE)
    assert "left_at must be later than" in str(refusal)
