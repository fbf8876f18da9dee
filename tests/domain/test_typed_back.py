"""What is typed with a time that lies back gets no more than what is typed now."""

from dataclasses import replace
from datetime import timedelta
from types import ModuleType

import pytest

from domain.chapters import observations, treatment
from domain.chapters.treatment import found_since
from domain.language.commands import Command, Wish
from domain.language.corrections import CorrectEntry
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.names import Author, ObservationName, RequestId, Role, RuleId, VisitId
from domain.language.observations import ReadingsTaken, RecordAssessment, RecordReadings
from domain.language.overrides import OverrideGate
from domain.language.release import Disposition, ReleaseVisit, VisitReleased
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import DoseGiven, RecordDose, RecordStimulation
from domain.rules.late import LATE, is_late, knowing
from domain.rules.steps import Ask
from domain.turn import needs_history
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import FIT_TO_LEAVE, ONE, dosed, minutes, moved_on, ready, rules
from tests.domain.simulation import COMBINED, DTMS, Refusal, readings

NURSE = Author("a-nurse", Role.NURSE)
TMS = VisitId(f"{DTMS}-visit-1")
OPERATOR = Author("a-tms-operator", Role.TMS_OPERATOR)
LONG_AGO = ready().now
OF_TREATMENT = (
    RecordDose(ONE, LONG_AGO, 56, "lot-1"),
    RecordStimulation(ONE, LONG_AGO, LONG_AGO + minutes(20), 1980, 120, 66),
)
OBSERVED = (
    RecordReadings(LONG_AGO, readings(spo2=97), ONE),
    RecordAssessment("madrs", LONG_AGO, (1,) * 10),
)
SPO2 = ObservationName("spo2")


def about_to_go() -> Course:
    """A patient who may leave, two hours after a dose, with every reading taken."""
    course = dosed()
    course.wait(minutes(40))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.wait(minutes(81))
    course.measure(ONE, **FIT_TO_LEAVE)
    return course


@pytest.mark.parametrize(("threshold", "refused"), [(40, True), (55, False), (70, False)])
def test_no_output_is_passed_by_a_time_before_a_lower_threshold(threshold: int, *, refused: bool):
    """55 % at nine, 40 % at half past: 66 % typed as of one past nine is above what is allowed."""
    course = moved_on()
    course.run(Ask.GIVE)
    visit, at = TMS, course.now + minutes(1)
    course.wait(minutes(30))
    course.measure(visit, motor_threshold=threshold)
    pulses = COMBINED.phase(DTMS).stimulation.pulses  # type: ignore[union-attr]
    wish = RecordStimulation(visit, at, at + minutes(20), pulses, 120, 66)
    refusal = course.attempt(wish, OPERATOR)
    assert isinstance(refusal, Refused) is refused
    if refused:
        assert rules(refusal) == ["stimulation-output"]


def test_what_was_found_since_and_overridden_holds_nothing():
    """152/94 a minute ago, overridden at this visit: a dose typed as of before it is recorded."""
    course = ready()
    course.wait(minutes(5))
    course.measure(ONE, systolic_bp=152, diastolic_bp=94)
    earlier = RecordDose(ONE, course.now - minutes(3), 56, "lot-1")
    assert isinstance(course.copied().attempt(earlier, NURSE), Refused)
    gate = RuleId("blood-pressure-before")
    course.do(OverrideGate(ONE, gate, "Benefit outweighs the risk today."), PRESCRIBER)
    assert course.attempt(earlier, NURSE) is None


def test_the_order_of_a_protocols_gates_hides_none():
    """Those of after a visit are passed over wherever they stand; what follows is looked at."""
    course = ready()
    course.wait(minutes(5))
    course.measure(ONE, systolic_bp=152, diastolic_bp=94)
    first, *rest = COMBINED.phases
    turned = replace(first, gates=tuple(reversed(first.gates)))
    protocol = replace(COMBINED, phases=(turned, *rest))
    found = found_since(protocol, course.pathway, ONE, course.now - minutes(3), course.now)
    assert {block.rule for block in found} == {"blood-pressure-before"}


@pytest.mark.parametrize(
    "check", [*((treatment, w) for w in OF_TREATMENT), *((observations, w) for w in OBSERVED)]
)
def test_only_what_is_put_right_may_be_long_past(check: tuple[ModuleType, Wish]):
    """61 days back is a slip where something is entered, and none where an entry is corrected."""
    chapter, wish = check
    pathway, now = ready().pathway, LONG_AGO + timedelta(days=61)
    chapter.check_meant(pathway, wish, now, long_ago=True)
    with pytest.raises(Malformed):
        chapter.check_meant(pathway, wish, now)


def leave(course: Course, ago: float) -> Refusal | None:
    """Release the patient as of so many minutes ago."""
    return course.attempt(ReleaseVisit(ONE, left_at=course.now - minutes(ago)), NURSE)


@pytest.mark.parametrize(
    "found", [{"sedation_moaas": 4}, {"clinically_stable": "not confirmed"}, {"spo2": 84}]
)
def test_nobody_left_before_a_reading_of_their_visit(found: dict[str, float | str]):
    """Whoever was measured at the visit at 11:11 was there: 11:05 is a slip, whatever was found."""
    course = about_to_go()
    course.wait(minutes(10))
    course.measure(ONE, **found)
    refusal = leave(course, 6)
    assert isinstance(refusal, Malformed)
    assert str(refusal) == "left_at must be later than the last reading here, at 11:11"
    assert leave(course, 1) is not None
    assert course.facts(VisitReleased) == []


def test_a_clock_a_minute_apart_is_no_contradiction():
    """A time of leaving up to a minute before the last reading is taken; one more is not."""
    course = about_to_go()
    course.wait(minutes(3))
    at = course.now
    course.measure(ONE, spo2=97)
    course.wait(minutes(1))
    early = ReleaseVisit(ONE, left_at=at - timedelta(seconds=61))
    assert isinstance(course.attempt(early, NURSE), Malformed)
    assert course.attempt(replace(early, left_at=at - timedelta(seconds=60)), NURSE) is None


def test_what_was_found_since_they_are_said_to_have_left_holds_them_too():
    """A reading that names no visit, and would hold them now, holds a time typed back as well."""
    course = about_to_go()
    course.wait(minutes(10))
    course.do(RecordReadings(course.now, readings(spo2=91)), NURSE)
    course.wait(minutes(1))
    assert rules(leave(course, 5)) == ["readings-to-leave"]
    assert rules(leave(course, 1)) == ["readings-to-leave"]
    course.do(RecordReadings(course.now, readings(spo2=97)), NURSE)
    course.wait(minutes(1))
    assert leave(course, 0.5) is None
    assert course.facts(VisitReleased)[-1].findings == ()


def test_a_dose_of_last_week_is_judged_by_the_readings_of_last_week():
    """Forgotten and entered late, over readings that no state keeps: nothing is missing."""
    course = ready()
    given = course.now
    course.wait(minutes(1))
    for day in range(1, 15):
        course.wait(timedelta(days=1))
        course.measure(systolic_bp=120 + day, diastolic_bp=70, spo2=97)
    wish = RecordDose(ONE, given, 56, "lot-1")
    assert is_late(wish, course.now)
    assert not any(o.at <= given for o in course.pathway.readings[ObservationName("systolic_bp")])
    known = knowing(course.pathway, course.events, given, COMBINED.vocabulary)
    assert known.readings[SPO2][-1] == course.pathway.readings[SPO2][-1]
    assert [o.at for o in known.readings[SPO2]] == sorted(o.at for o in known.readings[SPO2])
    assert course.attempt(wish, NURSE) is None
    assert course.facts(DoseGiven)[-1].authorized


def test_what_was_entered_in_error_was_never_known():
    """The reading of last week that was taken back is not among those that are known again."""
    course = ready()
    given = course.now
    wrong = [e for e in course.events if isinstance(e.fact, ReadingsTaken) and e.at == given]
    pressed = next(e for e in wrong if any(r.observation == "systolic_bp" for r in e.fact.readings))  # type: ignore[union-attr]
    course.do(CorrectEntry(pressed.id, "Of another patient."), PRESCRIBER)
    known = knowing(course.pathway, course.events, given, COMBINED.vocabulary)
    assert ObservationName("systolic_bp") not in known.readings


def test_what_is_judged_over_all_that_was_recorded():
    """An act of more than half a day ago, and a correction; what just happened is not."""
    course = ready()
    for wish in (
        RecordDose(ONE, course.now - LATE, 56, "l"),
        ReleaseVisit(ONE, left_at=course.now - LATE),
        ReleaseVisit(ONE),
    ):
        assert not is_late(wish, course.now)
    moment = timedelta(microseconds=1)
    assert is_late(ReleaseVisit(ONE, left_at=course.now - LATE - moment), course.now)
    assert not needs_history(course_command(RecordDose(ONE, course.now, 56, "l")), course.now)
    late = RecordDose(ONE, course.now - LATE - moment, 56, "l")
    assert needs_history(course_command(late), course.now)


def course_command(wish: Wish) -> Command:
    """A nurse's command."""
    return Command(RequestId("r"), NURSE, wish)


def test_readings_on_paper_go_in_after_the_patient_has_left():
    """Taken at forty minutes, typed after the release: they count for that visit's check."""
    course = dosed()
    at = course.now + minutes(40)
    course.wait(minutes(125))
    course.measure(ONE, **FIT_TO_LEAVE)
    refusal = course.attempt(ReleaseVisit(ONE), NURSE)
    assert rules(refusal) == ["readings-at-40-minutes"]
    course.do(ReleaseVisit(ONE, Disposition.AGAINST_ADVICE, "Did not want to wait."), NURSE)
    course.wait(minutes(30))
    paper = RecordReadings(at, readings(**FIT_TO_LEAVE), ONE)
    assert course.attempt(paper, NURSE) is None
    after = RecordReadings(course.now, readings(spo2=97), ONE)
    refusal = course.attempt(after, NURSE)
    assert isinstance(refusal, Malformed)
    assert "the patient left at 11:05; leave visit out, or correct the discharge" in str(refusal)


def test_a_visit_may_run_past_midnight():
    """Whoever is observed at night is measured on the next day, up to twelve hours after."""
    course = dosed()
    came = course.pathway.visits[ONE].checked_in
    assert came is not None
    day = timedelta(hours=15)
    course.wait(day)
    late = RecordReadings(came + timedelta(hours=12), readings(spo2=97), ONE)
    assert course.attempt(late, NURSE) is None
    course.wait(timedelta(hours=9))
    another = RecordReadings(came + timedelta(hours=24), readings(spo2=97), ONE)
    assert isinstance(course.attempt(another, NURSE), Malformed)


def test_a_task_that_is_closed_is_not_answered():
    """What an entry in error asked for is over: words said of it afterwards count for nothing."""
    course = ready()
    course.assess("phq9", 1, 1, 1, 1, 1, 1, 1, 1, 3)
    course.run_rules()
    scored = [event for event in course.events if event.fact.kind == "scale-assessed"][-1]
    (key,) = [k for k, task in course.pathway.tasks.items() if k.startswith("review-risk")]
    course.do(CorrectEntry(scored.id, "Typed for another patient."), PRESCRIBER)
    course.run_rules()
    assert course.pathway.tasks[key].closed
    refusal = course.attempt(AcknowledgeTask(key, "A slip of the pen."), PRESCRIBER)
    assert isinstance(refusal, Conflict)
    assert str(refusal) == "this task is closed: it was done, or is no longer needed"
    assert not isinstance(refusal, Refused)
