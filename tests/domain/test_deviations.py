"""What happened although a rule said no is recorded as such, and nothing is made up for it."""

from datetime import timedelta
from itertools import pairwise

import pytest

from domain.language.commands import Wish
from domain.language.errors import Malformed
from domain.language.findings import blocks_of
from domain.language.holds import LiftHold, PlaceHold
from domain.language.names import Author, HoldReason, PhaseDecision, Role, VisitId, VisitStatus
from domain.language.phases import Decide, SignOrder
from domain.language.protocol import Period, Rate, Stage
from domain.language.release import Disposition, NotTreated, ReleaseVisit, VisitReleased
from domain.language.treatment import (
    DoseGiven,
    RecordStimulation,
    ReportDose,
    ReportStimulation,
)
from domain.language.visits import CancelVisit, CheckIn
from domain.rules.leaving import check_may_release
from domain.rules.steps import Ask, AskPerson
from domain.rules.treating import check_may_treat
from tests.course import SESSION, Course
from tests.domain.scenes import (
    FIT_TO_LEAVE,
    ONE,
    TWO,
    a_course,
    checked_in,
    dose,
    dosed,
    minutes,
    ready,
    rules,
)
from tests.domain.schedules import rescheduled
from tests.domain.simulation import DTMS, INDUCTION, MAINTENANCE

WHY = "It was given before the reading was written down."
TMS = VisitId(f"{DTMS}-visit-1")


def given(course: Course, visit: VisitId = ONE, mg: int = 56, ago: int = 0) -> ReportDose:
    """Report that a dose was given all the same."""
    return ReportDose(visit, course.now - minutes(ago), mg, "lot-1", WHY)


def test_a_dose_given_against_a_rule_is_recorded_with_why():
    """A dose at 150/95 is refused, and kept once somebody reports it; it counts as given."""
    course = ready()
    course.measure(ONE, systolic_bp=150, diastolic_bp=95)
    assert rules(dose(course)) == ["blood-pressure-before", "blood-pressure-before"]
    course.do(given(course))
    (fact,) = course.facts(DoseGiven)
    assert (fact.deviation, len(fact.findings)) == (WHY, 2)
    assert "fit-to-leave" in rules(course.attempt(ReleaseVisit(ONE)))
    assert any(key.startswith(Ask.REVIEW_DEVIATION) for key in course.pathway.tasks)


def test_one_device_of_two_is_recorded_as_what_it_was():
    """28 mg, one device: the patient sneezed; it is observed for two hours like any dose."""
    course = ready()
    course.do(given(course, mg=28))
    (fact,) = course.facts(DoseGiven)
    assert (fact.mg, fact.devices) == (28, 1)


def test_a_dose_entered_after_release_is_not_lost():
    """A dose that nobody entered before the patient was released can still be entered that day."""
    course = ready()
    course.wait(minutes(1))
    course.do(ReleaseVisit(ONE, not_treated=NotTreated.OTHER))
    course.wait(minutes(60))
    course.do(given(course, ago=61))
    assert len(course.pathway.sessions_in(INDUCTION)) == 1


def test_a_hold_after_the_dose_does_not_make_it_unsaid():
    """A dose given before a hold was placed and entered after it is recorded."""
    course = ready()
    course.wait(minutes(5))
    course.do(PlaceHold(HoldReason.ADVERSE_EVENT, "dizzy"))
    course.do(given(course, ago=5))
    assert len(course.pathway.sessions_in(INDUCTION)) == 1


def test_a_report_of_no_broken_rule_is_a_slip():
    """Where no rule stands in the way, it is recorded and not reported."""
    course = ready()
    assert isinstance(course.attempt(given(course)), Malformed)


@pytest.mark.parametrize("mg", [0, -28, 30, 57])
def test_a_dose_of_no_whole_device_is_malformed(mg):
    """Milligrams that no number of devices holds are a slip of the pen, whatever is said."""
    course = ready()
    assert isinstance(course.attempt(given(course, mg=mg)), Malformed)


def test_a_stimulation_cut_short_says_why_and_is_looked_at():
    """400 of 1980 pulses are refused as a session, and reported become a prescriber's task."""
    course = ready(TMS)
    started = course.now
    course.wait(SESSION)
    short = RecordStimulation(TMS, started, course.now, 400, 120, 66)
    assert rules(course.attempt(short)) == ["stimulation-pulses"]
    course.do(ReportStimulation(TMS, started, course.now, 400, 120, 66, "Pain; stopped."))
    course.wait(minutes(50))
    course.measure(TMS, fit_to_stimulate="confirmed", hearing_protection="worn")
    began = course.now
    course.wait(SESSION)
    next_one = RecordStimulation(TMS, began, course.now, 1980, 120, 66)
    assert rules(course.attempt(next_one)) == ["review-first"]


def test_two_stimulations_at_one_time_are_never_recorded():
    """A session that begins while another was being given is a slip, recorded or reported."""
    course = ready(TMS)
    started = course.now
    course.wait(SESSION)
    course.do(RecordStimulation(TMS, started, course.now, 1980, 120, 66))
    again = ReportStimulation(TMS, started, course.now, 1980, 120, 66, "double")
    assert "overlap" in rules(course.attempt(again))


def test_a_contraindication_found_later_stops_what_comes_after():
    """What was passed before the first dose and found otherwise since forbids the second."""
    course = ready(TWO)
    course.measure(TWO, intracerebral_hemorrhage="present")
    assert rules(dose(course, TWO, 84)) == ["contraindications"]


def test_what_is_learned_during_a_day_stops_the_next_stimulation():
    """A day check that is no longer clear after the first stimulation forbids the second."""
    course = ready(TMS)
    course.do(stimulation(course))
    course.measure(TMS, tms_day_check="not clear")
    course.wait(minutes(50))
    course.measure(TMS, fit_to_stimulate="confirmed", hearing_protection="worn")
    assert rules(course.attempt(stimulation(course))) == ["day-check"]


def stimulation(course: Course) -> Wish:
    """Give a stimulation and write it down."""
    started = course.now
    course.wait(SESSION)
    return course.treatment(TMS, started)


def test_the_motor_threshold_is_not_asked_for_behind_a_contraindication():
    """Nobody is asked to stimulate for a threshold while TMS is contraindicated."""
    course = checked_in(TMS)
    course.measure(TMS, metal_near_coil="present")
    step = course.run(Ask.RECORD, Ask.CLEAR_GATE)
    assert isinstance(step, AskPerson)
    assert (step.ask, step.rule) == (Ask.CLEAR_GATE, "tms-screen")


def test_a_late_click_of_release_is_judged_at_the_time_they_left():
    """Readings at 120 minutes and a click at 180: released as of then, without a false word."""
    course = dosed()
    course.wait(minutes(40))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.wait(minutes(81))
    course.measure(ONE, **FIT_TO_LEAVE)
    left = course.now
    course.wait(timedelta(hours=20))
    assert "fit-to-leave" in rules(course.attempt(ReleaseVisit(ONE)))
    course.do(ReleaseVisit(ONE, left_at=left))
    (event,) = [x for x in course.events if isinstance(x.fact, VisitReleased)]
    assert (event.at, event.fact.findings) == (left, ())  # type: ignore[union-attr]


@pytest.mark.parametrize("early", [121, 1000])
def test_nobody_leaves_before_they_came_or_were_treated(early):
    """A time of leaving before the check-in or the dose is a slip."""
    course = dosed()
    course.wait(minutes(120))
    left = ReleaseVisit(ONE, left_at=course.now - minutes(early))
    assert isinstance(course.attempt(left), Malformed)


def test_a_patient_never_released_becomes_a_task_and_blocks_the_next_check_in():
    """The day after, an open visit is somebody's task; no second one begins before it is closed."""
    course = dosed()
    course.run(Ask.RELEASE)
    course.wait(timedelta(days=3) - minutes(140))
    assert any("not discharged" in t.says for t in course.pathway.tasks.values() if not t.closed)
    assert rules(course.attempt(CheckIn(TWO))) == ["released-first"]


def test_who_watched_the_dose_lets_the_patient_go():
    """A TMS operator does not release a patient after esketamine."""
    course = dosed()
    leave = ReleaseVisit(ONE, Disposition.AGAINST_ADVICE, "left")
    with pytest.raises(Exception, match="this is for a nurse or a prescriber"):
        course.do(leave, Author("an-operator", Role.TMS_OPERATOR))


def test_a_visit_is_called_off_ahead_and_made_up_for():
    """A cancelled visit is proposed anew; its reason is kept; one who came is not cancelled."""
    course = a_course()
    course.run(TWO)
    course.do(CancelVisit(TWO, "The patient has a cold."))
    assert course.pathway.visits[TWO].status is VisitStatus.CANCELLED
    assert any(visit.replaces == TWO for visit in course.pathway.visits.values())
    assert course.attempt(CancelVisit(ONE, "late")) is not None
    assert isinstance(course.attempt(CancelVisit(VisitId(f"{INDUCTION}-visit-3"), " ")), Malformed)


def test_nothing_is_proposed_while_held():
    """A hold stops proposals until it is lifted, so that nobody books what may not be given."""
    course = a_course()
    course.do(PlaceHold(HoldReason.PATIENT_REQUEST, "travels"))
    course.do(SignOrder(INDUCTION))
    course.wait(timedelta(days=20))
    assert course.pathway.visits == {}
    course.do(LiftHold(course.pathway.open_holds()[0], "Back."))
    assert len(course.pathway.visits) == 8


@pytest.mark.long
def test_a_phase_that_cannot_be_finished_is_left_for_the_next():
    """TMS contraindicated on its first day: move on to maintenance; its visits are called off."""
    course = a_course()
    course.run(TMS)
    course.do(Decide(DTMS, PhaseDecision.MOVE_ON, "TMS is contraindicated."))
    assert course.pathway.phase == MAINTENANCE
    left = [v.status for v in course.pathway.visits_in(DTMS)]
    assert set(left) == {VisitStatus.CANCELLED}


@pytest.mark.long
def test_nobody_moves_on_while_the_patient_is_here_or_after_the_last_phase():
    """Moving on waits for the release, and leads nowhere from maintenance."""
    course = checked_in()
    move_on = Decide(INDUCTION, PhaseDecision.MOVE_ON, "Not tolerated.")
    assert rules(course.attempt(move_on)) == ["released-first"]
    course = a_course()
    course.run(f"{MAINTENANCE}-visit-1")
    assert course.attempt(Decide(MAINTENANCE, PhaseDecision.MOVE_ON, "Not tolerated.")) is not None


@pytest.mark.long
def test_a_visit_without_a_dose_is_not_made_up_for_in_a_continued_schedule():
    """Sent home at the second weekly maintenance visit: the rhythm stays, nothing is added."""
    course = a_course()
    course.run(f"{MAINTENANCE}-visit-2")
    visit = VisitId(f"{MAINTENANCE}-visit-2")
    while course.pathway.visits[visit].checked_in is None:
        course.follow_next()
    course.do(ReleaseVisit(visit, not_treated=NotTreated.DECLINED))
    days = sorted(v.at.day for v in course.pathway.visits_in(course.pathway.phase))
    assert {(later - day).days for day, later in pairwise(days)} <= {7, 14}


@pytest.mark.long
def test_no_session_beyond_the_stage_and_none_of_another_phase():
    """A stage with all its sessions given takes no more; a visit of a phase that is left, none."""
    course = ready(TWO)
    one_only = rescheduled(INDUCTION, stages=(Stage(1, Rate(2, 1, Period.WEEK)),))
    answer = check_may_treat(one_only, course.pathway, TWO, course.now)
    assert "sessions" in {block.rule for block in blocks_of(answer)}
    course = a_course()
    course.run(TMS)
    answer = check_may_treat(course.protocol, course.pathway, TWO, course.now)
    assert "phase" in {block.rule for block in blocks_of(answer)}


def test_readings_of_no_visit_are_not_the_forty_minute_ones():
    """What was measured at forty minutes but not at this visit does not meet its timed check."""
    course = dosed()
    course.wait(minutes(40))
    course.measure(None, **FIT_TO_LEAVE)
    look = check_may_release(course.protocol, course.pathway, ONE, course.now)
    assert "readings-at-40-minutes" in {block.rule for block in blocks_of(look)}
