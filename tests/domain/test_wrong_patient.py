"""What was entered for the wrong patient is taken back, and recorded for whose it was."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.language.commands import Command, Wish
from domain.language.corrections import CorrectEntry, WrongPatient
from domain.language.errors import Malformed, Refused
from domain.language.holds import HoldPlaced
from domain.language.names import Author, EventId, HoldReason, PathwayId, RequestId, Role
from domain.language.observations import (
    ReadingsTaken,
    RecordAssessment,
    RecordReadings,
    ScaleAssessed,
)
from domain.language.refusal import Refusal
from domain.language.release import ReleaseVisit
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import DoseGiven, ReportDose, ReportStimulation
from domain.language.visits import CheckIn, VisitBooked, VisitCheckedIn
from domain.planner import steps
from domain.rules.steps import Ask, AskPerson
from domain.turn import kept_anyway, onward
from tests.course import Course
from tests.domain.scenes import ONE, checked_in, dosed, minutes, ready, rules
from tests.domain.simulation import COMBINED, readings

NURSE = Author("a-nurse", Role.NURSE)
PRESCRIBER = Author("a-prescriber", Role.PRESCRIBER)
THERE = PathwayId("p2")
AT = datetime(2026, 11, 30, 13, tzinfo=UTC)
WHY = "The charts of two patients were open side by side."
WORDS = "Neither got a second dose; both families told. Observed until 11:30."


def entry(course: Course, kind: type) -> EventId:
    """The last entry of this kind."""
    return [event for event in course.events if isinstance(event.fact, kind)][-1].id


def moved(here: Course, kind: type, whose: WrongPatient | None = None) -> Command | None:
    """Take an entry back as another patient's; the command that is to record it there."""
    about = whose or WrongPatient(THERE, ONE)
    history = list(here.events)
    wish = CorrectEntry(entry(here, kind), WHY, wrong_patient=about)
    here.do(wish, NURSE)
    command = Command(RequestId("6f1c1d9e-0000-4000-8000-000000000001"), NURSE, wish)
    found = onward(here.protocol, command, history)
    if found is None:
        return None
    there, other = found
    assert there == THERE
    return other


def asked(course: Course, rule: str) -> list[AskPerson]:
    """What is asked of people by this rule."""
    found = steps(course.protocol, course.pathway, course.now)
    return [step for step in found if isinstance(step, AskPerson) and step.rule == rule]


def test_a_dose_leaves_one_patient_and_reaches_the_other_with_its_time():
    """Both halves: no dose here any more, one there from the same first device, with its lot."""
    here, there = dosed(), ready()
    there.now = here.now
    other = moved(here, DoseGiven)
    assert other is not None
    assert here.pathway.sessions == {}
    at = here.now
    there.now = at + minutes(10)
    there.do(other.wish, other.by)
    (session,) = there.pathway.sessions.values()
    assert (session.started, session.mg, session.visit) == (at, 56, ONE)
    (fact,) = there.facts(DoseGiven)
    assert WHY in fact.deviation
    assert fact.authorized  # no rule stood in the way there


def test_whoever_was_really_dosed_does_not_go_home_at_once():
    """Two hours count there from the first device, although nothing was recorded at the time."""
    here, there = dosed(), ready()
    there.now = here.now
    other = moved(here, DoseGiven)
    assert other is not None
    there.now += minutes(20)
    there.do(other.wish, other.by)
    assert "fit-to-leave" in rules(there.attempt(ReleaseVisit(ONE), NURSE))


def test_both_prescribers_are_asked_by_a_time():
    """Here what was given and rested on it; there a treatment that was not entered in its time."""
    here, there = dosed(), ready()
    there.now = here.now
    other = moved(here, DoseGiven)
    assert other is not None
    there.do(other.wish, other.by)
    (ours,) = asked(here, "wrong-patient")
    assert ours.due is not None
    assert "Dose 1 (56 mg) was entered here but belongs to another patient." in ours.says
    (theirs,) = asked(there, "deviation")
    assert theirs.due is not None


def test_nothing_is_given_here_before_a_prescriber_has_looked():
    """Also once the visit is otherwise ready; and their words end it."""
    here = dosed()
    moved(here, DoseGiven)
    assert "review-first" in rules(here.attempt(here.treatment(ONE, here.now), NURSE))
    (key,) = [k for k, t in here.pathway.tasks.items() if t.rule == "wrong-patient"]
    here.do(AcknowledgeTask(key, WORDS), PRESCRIBER)
    assert asked(here, "wrong-patient") == []


def test_a_dose_nobody_could_have_authorized_is_kept_as_that():
    """There the patient was not ready at all: kept, not authorized, and observed from then on."""
    here, there = dosed(), checked_in()
    there.now = here.now
    other = moved(here, DoseGiven)
    assert other is not None
    there.do(other.wish, other.by)
    (session,) = there.pathway.sessions.values()
    assert session.authorized is False


def test_a_patient_who_was_not_checked_in_there_was_there_all_the_same():
    """A dose at a visit that was only booked brings the check-in with it."""
    here, there = dosed(), Course(checked_in().first_visit)
    there.run(Ask.CHECK_IN)
    assert there.facts(VisitBooked)
    there.now = here.now
    other = moved(here, DoseGiven)
    assert other is not None
    there.do(other.wish, other.by)
    assert there.facts(VisitCheckedIn)
    assert len(there.pathway.sessions) == 1


def test_a_patient_without_a_pathway_here_is_said_to_be_recorded_elsewhere():
    """Nothing goes on to anybody; the prescriber is told to see to it."""
    here = dosed()
    assert moved(here, DoseGiven, WrongPatient()) is None
    (step,) = asked(here, "wrong-patient")
    assert "has no pathway here" in step.says


@pytest.mark.parametrize("kind", [ReadingsTaken, ScaleAssessed])
def test_readings_and_scores_move_as_they_were_taken(kind: type):
    """The same values, units and time stand there, and no more here."""
    here, there = checked_in(), checked_in()
    if kind is ReadingsTaken:
        here.measure(ONE, systolic_bp=128, diastolic_bp=79)
    else:
        here.assess("phq9", *(1,) * 8, 0)
    before = [event for event in here.events if isinstance(event.fact, kind)][-1]
    there.now = here.now
    other = moved(here, kind)
    assert other is not None
    there.do(other.wish, other.by)
    after = [event for event in there.events if isinstance(event.fact, kind)][-1]
    assert (after.at, after.fact) == (before.at, before.fact)
    assert before.id in here.pathway.voided


def test_the_other_half_has_one_name_however_often_it_is_worked_out():
    """So it is sent once, whatever dies between the halves."""
    here = dosed()
    history = list(here.events)
    wish = CorrectEntry(entry(here, DoseGiven), WHY, wrong_patient=WrongPatient(THERE, ONE))
    command = Command(RequestId("6f1c1d9e-0000-4000-8000-000000000001"), NURSE, wish)
    assert onward(here.protocol, command, history) == onward(here.protocol, command, history)


def test_taking_the_move_back_brings_the_entry_back_here():
    """It was this patient's after all: a prescriber sees that it is taken back over there."""
    here = dosed()
    moved(here, DoseGiven)
    void = [event for event in here.events if event.fact.kind == "entry-voided"][-1]
    here.do(CorrectEntry(void.id, "It was this patient's after all."), NURSE)
    assert len(here.pathway.sessions) == 1
    (step,) = asked(here, "wrong-patient")
    assert "moved to another patient's record by mistake and counts here again" in step.says
    assert "marked as entered in error in that patient's record" in step.says


def test_what_cannot_be_meant_is_said():
    """Not to the same pathway, not with something else instead, not what is nobody else's."""
    here = dosed()
    dose = entry(here, DoseGiven)
    same = WrongPatient(here.pathway.id, ONE)
    for wish, said in (
        (CorrectEntry(dose, WHY, wrong_patient=same), "same patient"),
        (
            CorrectEntry(dose, WHY, here.treatment(ONE, here.now), WrongPatient(THERE, ONE)),
            "give one only",
        ),
        (
            CorrectEntry(entry(here, VisitCheckedIn), WHY, wrong_patient=WrongPatient(THERE)),
            "mark it in error here and enter it there",
        ),
    ):
        refusal = here.attempt(wish, NURSE)
        assert isinstance(refusal, Malformed | Refused), wish
        assert said in str(refusal) or "correct that first" in str(refusal)


def test_a_dose_needs_the_visit_at_which_it_was_given():
    """Without it nothing is sent on, and nothing was taken back yet when that is asked."""
    here = dosed()
    wish = CorrectEntry(entry(here, DoseGiven), WHY, wrong_patient=WrongPatient(THERE))
    command = Command(RequestId("6f1c1d9e-0000-4000-8000-000000000001"), NURSE, wish)
    with pytest.raises(Malformed, match="name the visit"):
        onward(here.protocol, command, here.events)


def test_only_a_moved_dose_is_kept_without_a_broken_rule():
    """Whoever reports an ordinary dose as an incident is still told to record it."""
    course = ready()
    plain = ReportDose(ONE, course.now, 56, "lot-1", "nothing happened")
    assert isinstance(course.attempt(plain, NURSE), Malformed)
    assert course.attempt(replace(plain, moved=True), NURSE) is None


@pytest.mark.long
def test_a_stimulation_moves_with_its_strength():
    """Pulses, intensity, output and both of its times."""
    here = Course(checked_in().first_visit)
    here.run("accelerated-dtms")
    here.run(Ask.RELEASE)
    event = [each for each in here.events if each.fact.kind == "stimulation-given"][-1]
    history = list(here.events)
    wish = CorrectEntry(event.id, WHY, wrong_patient=WrongPatient(THERE, ONE))
    command = Command(RequestId("6f1c1d9e-0000-4000-8000-000000000001"), NURSE, wish)
    found = onward(here.protocol, command, history)
    assert found is not None
    sent = found[1].wish
    assert sent.kind == "report-stimulation"
    assert sent.started_at == event.at
    assert sent.ended_at - sent.started_at > timedelta()


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        (
            RecordReadings(AT, readings(spo2=91), ONE),
            "A reading (oxygen saturation 91 %) of Monday 2026-11-30 08:00 EST was",
        ),
        (RecordReadings(AT, readings(ride_home="arranged")), "A reading (safe ride home arranged)"),
        (RecordAssessment("madrs", AT, (1,) * 10), "A score of MADRS (items 1, 1, 1, 1, 1, 1,"),
        (ReportDose(ONE, AT, 56, "lot-7", "why"), "A dose (56 mg, lot lot-7) of Monday 2026-11-30"),
        (
            ReportStimulation(ONE, AT, AT + minutes(20), 1980, 120, 66, "why"),
            "A stimulation (1980 pulses, 120 % of motor threshold, 66 % output) of",
        ),
        (CheckIn(ONE), "Check in was entered for another patient but is this one's."),
    ],
)
def test_what_its_own_patients_record_refuses_is_kept_as_a_hold(wish: Wish, says: str):
    """With its figures and its time, why it was not recorded, and what a person is to do."""
    course = ready()
    command = Command(RequestId("half"), NURSE, wish)
    refusal = Refusal("Refused", "they had left by 09:00")
    (event,) = kept_anyway(COMBINED, course.pathway, command, refusal, course.now)
    assert isinstance(event.fact, HoldPlaced)
    assert (event.by, event.fact.reason) == (NURSE, HoldReason.UNRECORDED_ENTRY)
    assert event.id.startswith("half/")
    assert event.fact.note.startswith(says)
    assert event.fact.note.endswith(
        "It could not be recorded here: they had left by 09:00. Record it by hand, then lift this "
        "hold."
    )
