"""What a prescriber must have seen stands in the way until they say that they have."""

from datetime import timedelta

import pytest

from domain.language.findings import blocks_of
from domain.language.holds import PlaceHold
from domain.language.names import Author, HoldReason, PhaseDecision, Role, TaskId, VisitId
from domain.language.observations import RecordReadings
from domain.language.overrides import OverrideGate
from domain.language.phases import Decide
from domain.language.release import Disposition, ReleaseVisit, VisitReleased
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import RecordDose, RecordStimulation, ReportDose
from domain.rules.leaving import check_may_release
from domain.rules.steps import Ask, AskPerson
from tests.course import LOW_RISK, SESSION, Course
from tests.domain.scenes import (
    FIT_TO_LEAVE,
    ONE,
    TWO,
    a_course,
    dose,
    dosed,
    minutes,
    ready,
    rules,
)
from tests.domain.simulation import DTMS, INDUCTION, readings

PRESCRIBER = Author("a-prescriber", Role.PRESCRIBER)
TMS = VisitId(f"{DTMS}-visit-1")
OPEN_RISK = (0,) * 8 + (1,)
WHY = "The score was entered after the dose had been given."
AT_FORTY = {"systolic_bp", "diastolic_bp", "spo2", "sedation_moaas", "dissociation_cadss"}


def unseen(course: Course, ask: Ask = Ask.REVIEW_RISK) -> list[TaskId]:
    """List the open tasks of a review."""
    tasks = course.pathway.tasks.items()
    return [key for key, task in tasks if key.startswith(f"{ask}/") and not task.closed]


def see(course: Course, ask: Ask = Ask.REVIEW_RISK) -> None:
    """Acknowledge them all as the prescriber."""
    for task in unseen(course, ask):
        course.do(AcknowledgeTask(task, "Seen; we go on."), PRESCRIBER)


def test_a_new_score_does_not_clear_a_positive_one():
    """All zeros a minute after a positive item 9 pass the gate, and the dose still waits."""
    course = ready()
    course.assess("phq9", *OPEN_RISK)
    course.wait(minutes(1))
    course.assess("phq9", *LOW_RISK)
    assert rules(dose(course)) == ["review-first"]
    see(course)
    assert dose(course) is None


def test_suicidal_thoughts_on_madrs_are_seen_as_well():
    """MADRS item 10 above one asks the prescriber, whatever PHQ-9 said."""
    course = ready()
    course.assess("madrs", *(0,) * 9, 1)
    assert unseen(course) == []
    course.assess("madrs", *(0,) * 9, 2)
    assert rules(dose(course)) == ["review-first"]


@pytest.mark.parametrize(
    "found",
    [
        {"systolic_bp": 181, "diastolic_bp": 80},
        {"spo2": 89},
        {"systolic_bp": 150, "diastolic_bp": 111},
    ],
)
def test_a_dangerous_reading_after_the_dose_is_a_prescribers_at_once(found):
    """A crisis of pressure or saturation opens a task, and nobody leaves before it is seen."""
    course = dosed()
    course.wait(minutes(40))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.measure(ONE, **found)
    assert len(unseen(course)) == 1
    course.wait(minutes(81))
    course.measure(ONE, **FIT_TO_LEAVE)
    assert rules(course.attempt(ReleaseVisit(ONE))) == ["review-first"]
    see(course)
    course.do(ReleaseVisit(ONE))


@pytest.mark.parametrize(("systolic", "spo2"), [(161, 97), (150, 91)])
def test_nobody_leaves_on_readings_that_did_not_come_down(systolic, spo2):
    """Blood pressure and saturation have limits on leaving, which only a prescriber overrides."""
    course = dosed()
    course.wait(minutes(40))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.wait(minutes(81))
    course.measure(ONE, **(FIT_TO_LEAVE | {"systolic_bp": systolic, "spo2": spo2}))
    assert rules(course.attempt(ReleaseVisit(ONE))) == ["readings-to-leave"]
    course.do(OverrideGate(ONE, rule("readings-to-leave"), "Seen; the usual pressure."))
    course.do(ReleaseVisit(ONE))


def rule(name: str):
    """Name a rule."""
    return next(g.id for p in Course.protocol.phases for g in p.gates if g.id == name)


def test_nobody_ends_a_pathway_over_an_unseen_risk():
    """Stopping waits until the prescriber has acknowledged a positive item 9."""
    course = a_course()
    course.assess("phq9", *OPEN_RISK)
    stop = Decide(INDUCTION, PhaseDecision.STOP, "Patient's wish.")
    assert rules(course.attempt(stop)) == ["review-first"]
    see(course)
    course.do(stop)


def test_a_hold_for_suicide_risk_keeps_the_patient():
    """Nobody is released while a hold for suicide risk is open; against advice is recorded."""
    course = ready()
    course.do(PlaceHold(HoldReason.SUICIDE_RISK, "plans"))
    assert rules(course.attempt(ReleaseVisit(ONE))) == ["hold", "not-treated"]
    course.do(ReleaseVisit(ONE, Disposition.AGAINST_ADVICE, "Ran out of the building."))
    (task,) = unseen(course, Ask.REVIEW_DEVIATION)
    assert course.pathway.tasks[task].rule == "left-early"


def test_leaving_early_is_followed_up_before_the_next_dose():
    """A patient who left 15 minutes after the dose is a prescriber's task at once."""
    course = dosed()
    course.wait(minutes(15))
    course.do(ReleaseVisit(ONE, Disposition.AGAINST_ADVICE, "left without a word"))
    (released,) = course.facts(VisitReleased)
    assert any("time observed" in finding for finding in released.findings)
    assert len(unseen(course, Ask.REVIEW_DEVIATION)) == 1


def test_a_course_that_takes_too_long_is_asked_about():
    """After the days of a course a prescriber is asked; until they say go on nobody treats."""
    course = ready(TWO)
    most = course.protocol.phase(INDUCTION).schedule.finish_within or 0
    course.wait(timedelta(days=most + 1))
    asked = [key for key in course.pathway.tasks if key.startswith(Ask.REVIEW_LATE)]
    assert asked == [f"{Ask.REVIEW_LATE}/{INDUCTION}#1"]
    assert "finish-within" in rules(dose(course, TWO, 84))
    see(course, Ask.REVIEW_LATE)
    assert "finish-within" not in rules(dose(course, TWO, 84))


def test_a_patient_who_never_comes_is_asked_about():
    """Visits missed again and again end in a question to the prescriber, not in silence."""
    course = a_course(script={("come", f"{INDUCTION}-visit-{n}"): "misses" for n in range(1, 40)})
    course.run(Ask.REVIEW_LATE)
    assert course.pathway.sessions == {}
    step = next(s for s in [course.run(Ask.REVIEW_LATE)] if isinstance(s, AskPerson))
    assert step.roles == (Role.PRESCRIBER,)


def test_output_above_the_motor_threshold_allows_is_refused():
    """At a threshold of 55 percent, 120 percent of it is 66 of output: 67 is refused by name."""
    course = ready(TMS)
    started = course.now
    course.wait(SESSION)
    wish = RecordStimulation(TMS, started, course.now, 1980, 120, 67)
    refusal = course.attempt(wish)
    assert rules(refusal) == ["stimulation-output"]
    assert "of 55 % is at most 66 %" in str(refusal)
    course.do(RecordStimulation(TMS, started, course.now, 1980, 120, 66))


def test_a_dangerous_reading_entered_late_is_seen_however_many_came_after():
    """70 % of an hour ago, entered after fifteen good readings, still asks a prescriber."""
    course = dosed()
    for _ in range(15):
        course.wait(minutes(4))
        course.measure(ONE, spo2=97)
    late = RecordReadings(course.now - minutes(50), readings(spo2=70), ONE)
    course.do(late)
    assert len(unseen(course)) == 1
    see(course)
    assert not unseen(course)


def test_readings_of_a_visit_are_not_lost_to_later_ones():
    """All five at forty minutes and then fifteen of saturation: the check was recorded."""
    course = dosed()
    course.wait(minutes(40))
    course.measure(ONE, **{k: v for k, v in FIT_TO_LEAVE.items() if k in AT_FORTY})
    for _ in range(15):
        course.wait(minutes(6))
        course.measure(ONE, spo2=97)
    look = check_may_release(course.protocol, course.pathway, ONE, course.now)
    assert "readings-at-40-minutes" not in {block.rule for block in blocks_of(look)}


def test_what_was_given_before_the_prescriber_saw_it_is_a_deviation():
    """An acknowledgement does not reach back to a dose that was given before it."""
    course = ready()
    course.assess("madrs", *(3,) * 9, 5)
    assert unseen(course)
    course.wait(minutes(1))
    given_at = course.now
    course.wait(minutes(10))
    see(course)
    wish = RecordDose(ONE, given_at, 56, "lot-1")
    assert "review-first" in rules(course.attempt(wish))
    course.do(ReportDose(ONE, given_at, 56, "lot-1", WHY))
    assert course.pathway.sessions_at(ONE)
