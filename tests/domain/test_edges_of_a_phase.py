"""Orders, decisions and visits at their edges: once only, on the day, and not before it is due."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from domain.chapters import phases
from domain.due import next_due
from domain.language.clocks import LocalTime, instant
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.names import (
    Author,
    PathwayOutcome,
    PhaseDecision,
    Role,
    VisitId,
    VisitStatus,
)
from domain.language.observations import RecordReadings
from domain.language.phases import Decide, DecisionMade, PathwayFinished, PhaseEntered, SignOrder
from domain.language.release import Disposition, ReleaseVisit
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import RecordStimulation, ReportStimulation
from domain.language.visits import CheckIn, MissVisit
from domain.planner import steps
from domain.rules.steps import Ask, AskPerson, Await
from tests.course import PRESCRIBER, SESSION, Course
from tests.domain.scenes import (
    FIRST,
    ONE,
    TWO,
    a_course,
    checked_in,
    dosed,
    minutes,
    ready,
    rules,
)
from tests.domain.simulation import COMBINED, DTMS, INDUCTION, MAINTENANCE, readings

MANAGER = Author("a-care-manager", Role.CARE_MANAGER)
NURSE = Author("a-nurse", Role.NURSE)
TMS = VisitId(f"{DTMS}-visit-1")
MONDAY = date(2027, 1, 4)


def test_an_order_is_signed_once():
    """A second signature of the same order is a conflict."""
    course = a_course()
    course.do(SignOrder(INDUCTION), PRESCRIBER)
    refusal = course.attempt(SignOrder(INDUCTION), PRESCRIBER)
    assert isinstance(refusal, Conflict)
    assert str(refusal) == "the order for esketamine induction is already signed"


@pytest.mark.long
def test_an_open_phase_continues_without_an_end():
    """A review of maintenance that says go on is recorded, and nothing else follows from it."""
    course = a_course()
    course.run(f"{MAINTENANCE}-visit-1")
    course.do(Decide(MAINTENANCE, PhaseDecision.CONTINUE, "well since"), PRESCRIBER)
    assert course.facts(DecisionMade)[-1].phase == MAINTENANCE
    assert course.pathway.phase == MAINTENANCE
    assert course.pathway.outcome is None
    assert course.facts(PathwayFinished) == []


def test_a_phase_that_is_followed_by_another_completes_nothing():
    """After the induction a phase would follow: to complete is refused, to stop is not."""
    course = Course(FIRST)
    course.run(Ask.DECIDE)
    complete = Decide(INDUCTION, PhaseDecision.COMPLETE, "well")
    refusal = course.attempt(complete, PRESCRIBER)
    assert isinstance(refusal, Refused)
    assert str(refusal) == (
        f"{COMBINED.phase(DTMS).title} is the next phase; continue or stop instead"
    )
    course.do(replace(complete, decision=PhaseDecision.STOP), PRESCRIBER)
    assert course.pathway.outcome is PathwayOutcome.STOPPED


def in_maintenance() -> Course:
    """A patient in the last phase, which has no end of its own, of whom nothing is planned."""
    course = ready()
    here = course.pathway.phases[INDUCTION]
    course.pathway = replace(course.pathway, phases={MAINTENANCE: here}, visits={})
    return course


def test_nothing_follows_the_last_phase():
    """Whoever would go on from it is told what may be decided instead."""
    refusal = in_maintenance().attempt(Decide(MAINTENANCE, PhaseDecision.MOVE_ON, "As discussed."))
    assert isinstance(refusal, Refused)
    assert str(refusal) == f"{MAINTENANCE} is the last phase; complete or stop instead"


def test_what_is_continued_without_an_end_stays_in_its_phase():
    """The decision is recorded, and enters and ends nothing."""
    course = in_maintenance()
    wish = Decide(MAINTENANCE, PhaseDecision.CONTINUE, "It holds.")
    open_phase = replace(COMBINED.phase(MAINTENANCE), gates=())
    protocol = replace(COMBINED, phases=(*COMBINED.phases[:-1], open_phase))
    facts = phases.decide(protocol, course.pathway, wish, Role.PRESCRIBER, course.now)
    assert [fact.kind for fact in facts] == ["decision-made"]


@pytest.mark.long
def test_the_next_phase_begins_after_its_days_and_never_today():
    """Decided at once it is two days after the last dose; decided late it is tomorrow."""
    for waited, first in ((0, 2), (5, 6)):
        course = Course(FIRST)
        course.run(Ask.DECIDE)
        last = course.pathway.sessions_in(INDUCTION)[-1].started
        course.now = last + timedelta(days=waited, hours=4)
        course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "as planned"), PRESCRIBER)
        (entered,) = (f for f in course.facts(PhaseEntered) if f.phase == DTMS)
        assert entered.first_visit.day == last.date() + timedelta(days=first)
        assert (entered.first_visit.hour, entered.number) == (FIRST.hour, 2)


@pytest.mark.parametrize(("late", "taken"), [(0, True), (1, False)])
def test_a_patient_is_checked_in_on_the_day_of_the_visit(late: int, *, taken: bool):
    """A day late the visit is moved first; the refusal names both days."""
    course = a_course()
    course.run(Ask.CHECK_IN)
    course.now += timedelta(days=late)
    refusal = course.attempt(CheckIn(ONE), MANAGER)
    assert (refusal is None) is taken
    if not taken:
        assert rules(refusal) == ["visit-day"]
        assert "is on Monday 2026-11-30, not today" in str(refusal)


@pytest.mark.parametrize(("early", "taken"), [(0, True), (1, False)])
def test_a_visit_is_missed_once_it_is_due(early: int, *, taken: bool):
    """A minute before its time it is still to come; from its time on it can have been missed."""
    course = a_course()
    course.run(Ask.CHECK_IN)
    course.now = instant(course.pathway.visits[ONE].at, course.zone) - minutes(early)
    refusal = course.attempt(MissVisit(ONE), MANAGER)
    assert (refusal is None) is taken
    if not taken:
        assert rules(refusal) == ["visit-due"]


def test_nobody_who_died_is_checked_in():
    """After a death was recorded no later visit takes a check-in."""
    course = dosed()
    course.do(ReleaseVisit(ONE, Disposition.DIED, "In the emergency department."), NURSE)
    two = course.pathway.visits[TWO]
    course.now = instant(two.at, course.zone)
    assert two.status is VisitStatus.BOOKED
    assert rules(course.attempt(CheckIn(TWO), MANAGER)) == ["died"]


def test_a_reading_of_another_day_is_not_of_the_visit():
    """What was measured on the day before is recorded without the visit."""
    course = checked_in()
    yesterday = course.now - timedelta(days=1)
    wish = RecordReadings(yesterday, readings(spo2=97), ONE)
    assert isinstance(course.attempt(wish, NURSE), Malformed)
    assert course.attempt(replace(wish, visit=None), NURSE) is None


@pytest.mark.long
def test_nobody_left_while_they_were_treated():
    """A time of leaving before the end of a stimulation is malformed; at its end it is not."""
    course = ready(TMS)
    wish = course.treatment(TMS, course.now)
    assert isinstance(wish, RecordStimulation)
    course.wait(SESSION + minutes(5))
    course.do(wish)
    left = ReleaseVisit(TMS, Disposition.AGAINST_ADVICE, "Went.", wish.ended_at - minutes(1))
    assert isinstance(course.attempt(left, PRESCRIBER), Malformed)
    assert course.attempt(replace(left, left_at=wish.ended_at), PRESCRIBER) is None


def test_no_stimulation_belongs_to_a_phase_of_a_drug():
    """Recorded or reported, a stimulation at a visit for a dose is a slip and is refused."""
    course = ready()
    course.wait(SESSION)
    as_given = (ONE, course.now - SESSION, course.now, 1980, 120, 66)
    for wish in (RecordStimulation(*as_given), ReportStimulation(*as_given, "It was given.")):
        assert "treatment" in rules(course.attempt(wish, PRESCRIBER))


def test_a_first_visit_beyond_the_plan_is_waited_for():
    """Signed eight weeks ahead, nothing is proposed yet: Kairos looks again in a day."""
    course = a_course(LocalTime(FIRST.day + timedelta(weeks=8), time(9)))
    course.now = instant(FIRST, course.zone)
    course.assess("madrs", *(3,) * 10)
    course.do(SignOrder(INDUCTION), PRESCRIBER)
    for key in [key for key, task in course.pathway.tasks.items() if not task.closed]:
        course.do(AcknowledgeTask(key, "Seen; a plan is made."), PRESCRIBER)
    assert steps(COMBINED, course.pathway, course.now) == (
        Await(course.now + timedelta(hours=24), "Nothing is due now.", "look-again"),
    )
    assert next_due(COMBINED, course.pathway, course.now) <= course.now + timedelta(hours=24)


def test_what_nobody_may_override_is_measured_again():
    """Sedated after two hours: kept here and measured again by those who can, nobody overrides."""
    course = dosed()
    course.wait(minutes(40))
    course.measure(ONE, **FIT)
    course.wait(minutes(80))
    course.measure(ONE, **(FIT | {"sedation_moaas": 3}))
    found = steps(COMBINED, course.pathway, course.now)
    (step,) = [s for s in found if isinstance(s, AskPerson) and s.ask is Ask.RECORD]
    assert (step.rule, step.about) == ("fit-to-leave", ONE)
    assert step.says.startswith(
        "Keep the patient at esketamine induction visit 1 and measure again: alertness"
    )
    assert step.roles == (Role.NURSE, Role.PRESCRIBER)
    assert step.source == "rems"
    assert [block.overridable for block in step.blocked_by] == [False]


FIT: dict[str, float | str] = {
    "sedation_moaas": 5,
    "dissociation_cadss": 0,
    "spo2": 97,
    "systolic_bp": 130,
    "diastolic_bp": 82,
    "respiratory_depression": "absent",
    "clinically_stable": "confirmed",
}
