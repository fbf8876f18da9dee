"""Levels of risk are the protocol's: what each holds, what it asks by when, what it hastens."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.language.clocks import LocalTime, instant
from domain.language.errors import Refused
from domain.language.holds import LiftHold, PlaceHold
from domain.language.names import Author, HoldReason, Role, VisitStatus
from domain.language.observations import RecordReadings
from domain.language.phases import FirstVisitHastened, SignOrder
from domain.language.protocol import CombinedProtocol
from domain.language.release import ReleaseVisit
from domain.language.tasks import AcknowledgeTask
from domain.language.visits import MoveVisit
from domain.planner import steps
from domain.rules.risk import earliest, risk_now
from domain.rules.steps import Ask, AskPerson
from tests.course import BASELINE, Course
from tests.domain.scenes import FIRST, ONE, a_course, dosed, minutes, ready, rules
from tests.domain.simulation import COMBINED, INDUCTION, readings

MANAGER = Author("a-care-manager", Role.CARE_MANAGER)
NURSE = Author("a-nurse", Role.NURSE)
PRESCRIBER = Author("a-prescriber", Role.PRESCRIBER)
DAY = timedelta(days=1)
LEVELS = {str(level.id): level for level in COMBINED.phase(INDUCTION).risk_levels}
LATER = LocalTime(date(2026, 12, 14), time(9))
"""A Monday two weeks after the course begins: the first visit that was to be had."""


def referred(first: LocalTime = LATER) -> Course:
    """A patient whose first visit is far off, on the Friday before the scene's first Monday."""
    course = Course(first)
    course.now = instant(LocalTime(date(2026, 11, 27), time(10)), course.pathway.zone)
    course.assess("madrs", *BASELINE)
    return course


def judged(course: Course, answer: str) -> None:
    """A clinician judges the risk."""
    course.do(RecordReadings(course.now, readings(suicide_risk=answer)), NURSE)


def asked(course: Course, ask: Ask) -> list[AskPerson]:
    """What is asked of people in this way now."""
    found = steps(course.protocol, course.pathway, course.now)
    return [step for step in found if isinstance(step, AskPerson) and step.ask is ask]


@pytest.mark.parametrize("level", ["high", "moderate"])
def test_each_level_has_its_own_time_and_who_comes_next(level):
    """What a clinician judged is looked at within the level's time, then it is the director's."""
    course = dosed()
    judged(course, level)
    (step,) = asked(course, Ask.REVIEW_RISK)
    rule = LEVELS[level]
    assert (step.rule, step.due) == (f"risk-{level}", course.now + rule.look.within)
    course.wait(rule.look.within)
    (step,) = asked(course, Ask.REVIEW_RISK)
    assert step.roles == (Role.PRESCRIBER, Role.MEDICAL_DIRECTOR)


def test_what_is_judged_as_low_or_none_asks_nobody():
    """Only what the levels name is a risk."""
    course = dosed()
    for answer in ("low", "none found"):
        judged(course, answer)
        assert asked(course, Ask.REVIEW_RISK) == []
        assert risk_now(course.protocol, course.pathway, course.now) is None


def test_passive_thoughts_hold_the_next_treatment_and_not_the_way_home():
    """At the low level nobody treats before a prescriber has looked; the patient may go home."""
    course = dosed()
    course.run(Ask.RELEASE)
    course.assess("phq9", *(0,) * 8, 1)
    (step,) = asked(course, Ask.REVIEW_RISK)
    assert step.rule == "risk-low"
    assert course.attempt(ReleaseVisit(ONE), NURSE) is None


def test_a_plan_keeps_the_patient_here():
    """At the higher levels nobody leaves either, but against advice."""
    course = dosed()
    course.run(Ask.RELEASE)
    judged(course, "high")
    assert rules(course.attempt(ReleaseVisit(ONE), NURSE)) == ["review-first"]


@pytest.mark.parametrize("answer", ["moderate", "high"])
def test_no_level_lets_anybody_be_treated_before_it_was_seen(answer):
    """With the patient ready for the dose, the judgement holds it."""
    course = ready()
    judged(course, answer)
    assert "review-first" in rules(course.attempt(course.treatment(ONE, course.now), NURSE))


def test_what_a_level_wants_recorded_is_asked_until_it_is_there():
    """After item 9 at 2 a clinician's judgement is asked for by the level's time, and ends it."""
    course = dosed()
    course.assess("phq9", *(1,) * 8, 2)
    (step,) = asked(course, Ask.ASSESS)
    assert step.roles == (Role.NURSE, Role.PRESCRIBER)
    assert step.due == course.now + LEVELS["moderate"].look.within
    course.wait(minutes(5))
    judged(course, "low")
    assert asked(course, Ask.ASSESS) == []


def test_the_most_severe_of_the_last_readings_counts_while_it_is_not_too_old():
    """A later answer of zero takes item 9's place and not the judgement's; then days do."""
    course = dosed()
    judged(course, "high")
    course.assess("phq9", *(1,) * 8, 2)
    found = risk_now(course.protocol, course.pathway, course.now)
    assert found is not None
    assert found.level.id == "high"
    course.wait(minutes(1))
    judged(course, "low")
    found = risk_now(course.protocol, course.pathway, course.now)
    assert found is not None
    assert (found.level.id, found.says) == (
        "moderate",
        "PHQ-9 item 9 (thoughts of death or self-harm) 2 points",
    )
    assert risk_now(course.protocol, course.pathway, course.now + 14 * DAY) is None


def test_visits_of_a_patient_at_risk_are_proposed_from_the_earliest_day():
    """Once the order is signed visits begin on the next possible day, not two weeks later."""
    course = referred()
    judged(course, "high")
    course.do(SignOrder(INDUCTION), PRESCRIBER)
    (fact,) = course.facts(FirstVisitHastened)
    assert fact == FirstVisitHastened(INDUCTION, FIRST, LEVELS["high"].rule)
    days = [visit.at.day for visit in course.pathway.visits_in(INDUCTION)]
    assert (days[0], len(days)) == (FIRST.day, 8)
    assert asked(course, Ask.BRING_FORWARD) == []


def test_without_risk_visits_begin_where_they_were_asked_for():
    """Nothing is hastened by the calendar alone, nor by a level that hastens nothing."""
    course = referred()
    course.assess("phq9", *(0,) * 8, 1)
    course.do(SignOrder(INDUCTION), PRESCRIBER)
    assert course.facts(FirstVisitHastened) == []
    assert course.pathway.visits_in(INDUCTION)[0].at == LATER
    assert asked(course, Ask.BRING_FORWARD) == []


def planned() -> Course:
    """A first visit that is planned in two weeks, and then the risk rises."""
    course = referred()
    course.do(SignOrder(INDUCTION), PRESCRIBER)
    judged(course, "high")
    return course


def test_a_planned_first_visit_is_asked_to_come_sooner():
    """Those who move visits, and a prescriber, are asked for the earliest day, by a time."""
    course = planned()
    (step,) = asked(course, Ask.BRING_FORWARD)
    assert Role.CARE_MANAGER in step.roles
    assert "to Monday 2026-11-30 09:00 EST" in step.says
    assert step.due == course.now + LEVELS["high"].look.within


def test_the_first_visit_may_be_moved_forward_without_a_new_order():
    """Two weeks sooner passes at high risk, and then nobody is asked any more."""
    course = planned()
    course.do(MoveVisit(ONE, FIRST), MANAGER)
    assert course.pathway.visits[ONE].at == FIRST
    assert asked(course, Ask.BRING_FORWARD) == []


def test_only_the_first_visit_and_only_forward():
    """The second stays within its days, and no visit moves back by more than the protocol says."""
    course = planned()
    second = course.pathway.visits_in(INDUCTION)[1]
    refusal = course.attempt(MoveVisit(second.id, LocalTime(date(2026, 12, 4), time(9))), MANAGER)
    assert rules(refusal) == ["may-move-by"]
    late = course.attempt(MoveVisit(ONE, LocalTime(date(2026, 12, 21), time(9))), MANAGER)
    assert "may-move-by" in rules(late)


def test_without_risk_nobody_moves_a_visit_by_two_weeks():
    """The same move is refused for want of a new order."""
    course = referred()
    course.do(SignOrder(INDUCTION), PRESCRIBER)
    assert rules(course.attempt(MoveVisit(ONE, FIRST), MANAGER)) == ["may-move-by"]


def test_why_it_cannot_come_sooner_is_said_in_words():
    """Somebody's words end the question; the visit stays where it is."""
    course = planned()
    (key,) = [k for k in course.pathway.tasks if k.startswith(f"{Ask.BRING_FORWARD}/")]
    course.do(AcknowledgeTask(key, "Admitted until the 12th; told the ward."), MANAGER)
    assert asked(course, Ask.BRING_FORWARD) == []
    assert course.pathway.visits[ONE].at == LATER


def test_nothing_is_hastened_once_treatment_has_begun():
    """After the first dose the rhythm is the protocol's, whatever the risk."""
    course = dosed()
    judged(course, "high")
    assert asked(course, Ask.BRING_FORWARD) == []


def test_an_open_hold_is_not_hastened_past():
    """While a hold is open no visits are proposed; once it is lifted they are, from then on."""
    course = referred()
    course.do(PlaceHold(HoldReason.SUICIDE_RISK, "seen today"), PRESCRIBER)
    judged(course, "high")
    course.do(SignOrder(INDUCTION), PRESCRIBER)
    assert course.facts(FirstVisitHastened) == []
    (hold,) = course.pathway.open_holds()
    course.do(LiftHold(hold, "No intent any more."), PRESCRIBER)
    assert len(course.facts(FirstVisitHastened)) == 1


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 20 * 24))
def test_the_earliest_is_never_past_and_always_allowed(hours: int):
    """Whatever the hour, what is proposed as the earliest is to come and would be accepted."""
    course = referred()
    course.do(SignOrder(INDUCTION), PRESCRIBER)
    course.now += timedelta(hours=hours)
    judged(course, "high")
    first = course.pathway.visits_in(INDUCTION)[0]
    at = earliest(course.protocol, course.pathway, course.now, moving=first)
    assert at is not None
    assert instant(at, course.pathway.zone) > course.now
    if first.status is VisitStatus.PROPOSED and at.day < first.at.day:
        assert course.attempt(MoveVisit(first.id, at), MANAGER) is None


def test_a_protocol_pinned_before_there_were_levels_judges_as_it_did():
    """No levels: only what the vocabulary wants seen is asked, and nothing is hastened."""
    phases = tuple(replace(phase, risk_levels=()) for phase in COMBINED.phases)
    old: CombinedProtocol = replace(COMBINED, phases=phases)
    course = Course(FIRST, old)
    course.run("check-in")
    judged(course, "moderate")
    assert asked(course, Ask.REVIEW_RISK) == []
    judged(course, "high")
    (step,) = asked(course, Ask.REVIEW_RISK)
    assert step.rule == "prescriber-sees"


@pytest.mark.long
def test_what_was_read_before_a_phase_is_not_held_against_its_levels():
    """A later phase with another level does not ask again about what was judged in an earlier."""
    phases = [replace(phase, risk_levels=()) for phase in COMBINED.phases[:1]]
    course = Course(FIRST, replace(COMBINED, phases=(*phases, *COMBINED.phases[1:])))
    course.run("check-in")
    judged(course, "moderate")
    course.run(COMBINED.phases[1].id)
    assert not [k for k in course.pathway.tasks if "suicide_risk" in k]


def test_a_course_in_trouble_still_refuses_in_words():
    """The refusal says what was judged and who has not looked."""
    course = ready()
    judged(course, "high")
    refusal = course.attempt(course.treatment(ONE, course.now), NURSE)
    assert isinstance(refusal, Refused)
    assert "suicide risk as judged by a clinician is high" in str(refusal)


def test_a_course_signed_at_once_is_as_it_was():
    """A course without risk is planned as before."""
    course = a_course()
    course.run(Ask.CHECK_IN)
    assert course.facts(FirstVisitHastened) == []
