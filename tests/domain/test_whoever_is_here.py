"""Whoever is here is watched and asked about, in whichever phase, and after the end too."""

from dataclasses import replace
from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.due import looked_at_next
from domain.language.corrections import CorrectEntry
from domain.language.errors import Refused
from domain.language.holds import SEEN_AFTER_THE_END, LiftHold, PlaceHold
from domain.language.names import (
    Author,
    HoldReason,
    PhaseDecision,
    Role,
    RuleId,
    VisitId,
    VisitStatus,
)
from domain.language.overrides import OverrideGate
from domain.language.phases import Decide, SignOrder
from domain.language.release import Disposition, ReleaseVisit, VisitReleased
from domain.language.treatment import ReportDose
from domain.language.visits import BookVisit, MissVisit, MoveVisit, VisitMissed
from domain.planner import steps
from domain.rules.steps import Ask, AskPerson, Await, Finished
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import FIT_TO_LEAVE, ONE, TWO, checked_in, dosed, minutes, ready, rules
from tests.domain.simulation import DTMS, INDUCTION

NURSE = Author("a-nurse", Role.NURSE)
MANAGER = Author("a-care-manager", Role.CARE_MANAGER)


def next_steps(course: Course) -> tuple[object, ...]:
    """All that is next, now."""
    return steps(course.protocol, course.pathway, course.now)


def about(course: Course, visit: VisitId) -> list[object]:
    """What is next of one visit."""
    return [step for step in next_steps(course) if str(getattr(step, "about", "")) == visit]


def in_the_next_phase() -> Course:
    """A course that went on to deep TMS with a visit of the induction missed."""
    course = dosed()
    course.run(TWO)
    course.wait(timedelta(days=3))
    course.do(MissVisit(TWO))
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "Does not come for the spray any more."))
    course.run_rules()
    assert course.pathway.phase == DTMS
    return course


def test_a_dose_of_the_phase_before_is_observed_and_released():
    """Reported at a missed visit of the induction: watched like any, and asked about the day on."""
    course = in_the_next_phase()
    told = ReportDose(TWO, course.now, 56, "lot-2", "Given by the evening team.")
    course.do(told, NURSE)
    assert any(isinstance(step, Await) for step in about(course, TWO))
    assert not [s for s in about(course, TWO) if getattr(s, "ask", "") is Ask.GIVE]
    course.wait(timedelta(days=1))
    (step,) = about(course, TWO)
    assert isinstance(step, AskPerson)
    assert step.ask is Ask.RESOLVE_VISIT


def stopped() -> Course:
    """A pathway that was stopped after its first dose."""
    course = dosed()
    course.run(TWO)
    course.wait(timedelta(days=3))
    course.do(Decide(INDUCTION, PhaseDecision.STOP, "The patient's wish."))
    course.run_rules()
    return course


def test_a_dose_reported_after_the_end_is_observed_and_its_patient_goes_home():
    """Readings are asked for when due, a missed check is overridden, and the release is taken."""
    course = stopped()
    assert looked_at_next(course.protocol, course.pathway, course.now) is None
    given = course.now
    course.do(ReportDose(TWO, given, 56, "lot-2", "Given before anybody heard of it."), NURSE)
    assert any(isinstance(step, Await) for step in about(course, TWO))
    assert isinstance(next_steps(course)[-1], Finished)
    due = looked_at_next(course.protocol, course.pathway, given)
    assert due is not None
    assert given < due <= given + minutes(35)
    course.wait(minutes(36))
    asks = [s for s in about(course, TWO) if isinstance(s, AskPerson)]
    assert [s.ask for s in asks] == [Ask.RECORD]
    course.wait(minutes(90))
    course.measure(TWO, **FIT_TO_LEAVE)
    check = RuleId("readings-at-40-minutes")
    assert rules(course.attempt(ReleaseVisit(TWO), NURSE)) == [check]
    course.do(OverrideGate(TWO, check, "Watched all the time; nothing was written."), PRESCRIBER)
    assert course.attempt(ReleaseVisit(TWO), NURSE) is None
    assert course.facts(VisitReleased)[-1].disposition is Disposition.HOME
    assert course.pathway.outcome is not None


def test_whoever_is_still_here_is_looked_at_daily_after_the_end():
    """Nothing is due by the hour any more, nobody has said when they left: at each midnight."""
    course = stopped()
    course.do(ReportDose(TWO, course.now, 56, "lot-2", "Given all the same."), NURSE)
    tasks = {key: replace(t, closed=True) for key, t in course.pathway.tasks.items()}
    course.pathway = replace(course.pathway, tasks=tasks)
    later = course.now + timedelta(hours=5)
    due = looked_at_next(course.protocol, course.pathway, later)
    assert due is not None
    assert later < due <= later + timedelta(hours=24)
    assert due.astimezone(ZoneInfo(course.pathway.zone)).time() == time()


@pytest.mark.parametrize("reason", HoldReason)
def test_what_is_seen_after_the_end_is_taken_and_asked_about(reason: HoldReason):
    """What somebody has to look at still is; a hold for the payer holds nothing any more."""
    course = stopped()
    refusal = course.attempt(PlaceHold(reason, "seen at home"), NURSE)
    if reason not in SEEN_AFTER_THE_END:
        assert rules(refusal) == ["pathway-open"]
        return
    assert refusal is None
    (step,) = [s for s in next_steps(course) if getattr(s, "ask", "") is Ask.LIFT_HOLD]
    assert isinstance(step, AskPerson)
    assert step.says == (
        f"Hold ({reason.replace('-', ' ')}): see the patient, then lift it, saying what you found."
    )
    (hold,) = course.pathway.open_holds()
    course.do(LiftHold(hold, "Seen: a headache that passed."), PRESCRIBER)
    assert not [s for s in next_steps(course) if getattr(s, "ask", "") is Ask.LIFT_HOLD]


def test_a_hold_that_holds_nothing_any_more_is_asked_about_by_nobody():
    """Placed before the end for a review of treatment: over with it."""
    course = dosed()
    course.run(TWO)
    course.do(PlaceHold(HoldReason.MEDICAL_REVIEW, "a look at the dose"), NURSE)
    course.do(Decide(INDUCTION, PhaseDecision.STOP, "The patient's wish."))
    course.run_rules()
    assert not [s for s in next_steps(course) if getattr(s, "ask", "") is Ask.LIFT_HOLD]


def test_a_patient_under_observation_past_midnight_is_observed():
    """The next day begins and the two hours are not over: observed still, then asked about."""
    course = ready()
    late = course.now.replace(hour=4, minute=0) + timedelta(days=1)  # 23:00 at the clinic
    visit = replace(course.pathway.visits[ONE], checked_in=late - minutes(30))
    course.pathway = replace(course.pathway, visits={**course.pathway.visits, ONE: visit})
    course.now = late
    course.do(ReportDose(ONE, late, 56, "lot-1", "Held up at the ward."), NURSE)
    for after, over in ((59, False), (61, False), (119, False), (120, True), (720, True)):
        found = steps(course.protocol, course.pathway, late + minutes(after))
        asked = [step for step in found if getattr(step, "ask", "") is Ask.RESOLVE_VISIT]
        assert bool(asked) is over


def died() -> Course:
    """A patient who is recorded as having died at the first visit."""
    course = checked_in()
    course.do(ReleaseVisit(ONE, Disposition.DIED, "Collapsed; resuscitation failed."), NURSE)
    return course


def test_nothing_is_planned_for_a_patient_who_has_died():
    """No decision but to stop, no order, no visit; what happened is still recorded."""
    course = died()
    visit = course.pathway.visits_in(INDUCTION)[1]
    for wish in (
        Decide(INDUCTION, PhaseDecision.MOVE_ON, "by mistake"),
        SignOrder(INDUCTION),
        BookVisit(visit.id, visit.at),
        MoveVisit(visit.id, visit.at),
    ):
        refusal = course.attempt(wish)
        assert isinstance(refusal, Refused)
        assert "stop the pathway, or correct that entry" in str(refusal)
    course.do(PlaceHold(HoldReason.ADVERSE_EVENT, "resuscitation"), NURSE)
    stop = course.attempt(Decide(INDUCTION, PhaseDecision.STOP, "Died."), PRESCRIBER)
    assert rules(stop) == ["review-first"]  # by those who look at a death first, and nothing else


def test_a_visit_in_place_of_one_that_was_not_missed_is_called_off():
    """Missed by mistake, then taken back: the visit in its place goes, and the others stand."""
    course = dosed()
    course.run(TWO)
    course.wait(timedelta(days=3))
    before = {v.id for v in course.pathway.visits.values() if v.status is VisitStatus.PROPOSED}
    course.do(MissVisit(TWO))
    course.run_rules()
    missed = next(e for e in course.events if isinstance(e.fact, VisitMissed))
    instead = [v for v in course.pathway.visits.values() if v.replaces == TWO]
    assert instead
    course.do(CorrectEntry(missed.id, "They came."), PRESCRIBER)
    course.run_rules()
    open_ones = {v.id for v in course.pathway.visits.values() if v.status is VisitStatus.PROPOSED}
    assert not {v.id for v in instead} & open_ones
    assert before <= open_ones | {
        v.id for v in course.pathway.visits.values() if v.status is VisitStatus.BOOKED
    }
