"""A standing decision covers what its protocol allows, for its days, and nothing beyond."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.chapters.treatment import rests_on
from domain.language.clocks import local_day
from domain.language.corrections import CorrectEntry
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.names import Author, EventId, PhaseDecision, Role, RuleId
from domain.language.observations import RecordReadings
from domain.language.phases import Decide
from domain.language.protocol import StandingRule
from domain.language.requirements import Requirement
from domain.language.requirements import Test as Compare
from domain.language.standing import DecideAhead, DecidedAhead, EndDecision
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import DoseGiven
from domain.rules.standing import held_for, holds, wider
from domain.rules.steps import Ask, AskPerson
from tests.domain.scenes import ONE, checked_in, dose, minutes, ready, rules
from tests.domain.simulation import DTMS, INDUCTION, readings
from tests.domain.standing import (
    MORE,
    PASSIVE,
    PRESCRIBER,
    PRESSURE,
    RISK,
    WORDS,
    ahead,
    alerts,
    ended_by,
    gate,
    known,
)


def test_without_a_decision_passive_thoughts_hold_and_ask():
    """As before: the gate holds, and a prescriber is asked to see the patient."""
    course = ready()
    course.wait(minutes(1))
    course.assess("phq9", *PASSIVE)
    assert set(rules(dose(course))) == {"suicide-risk", "review-first"}
    assert len(alerts(course)) == 1


def test_what_is_known_and_decided_costs_no_click():
    """Under the decision nobody is asked anew; the dose is granted and says what it rests on."""
    course = known()
    assert alerts(course) == []
    (says,) = rests_on(course.protocol, course.pathway, ONE, course.now)
    assert WORDS in says
    assert "a-prescriber" in says
    assert dose(course) is None
    (fact,) = course.facts(DoseGiven)
    assert fact.under == (says,)
    assert fact.findings == ()


@pytest.mark.long
def test_a_whole_induction_of_known_thoughts_needs_two_decisions():
    """Eight visits with item 9 at one: two decisions of 14 days, no override, no click."""
    course = checked_in()
    decided = 0
    for _ in range(200):
        step = course.next()
        about = getattr(step, "ask", None)
        if about in (Ask.DECIDE, Ask.REVIEW) or course.pathway.phase != INDUCTION:
            break
        here = [v for v in course.pathway.visits.values() if v.status == "checked-in"]
        if here and held_for(course.pathway, gate(course, RISK), course.now) is None:
            ahead(course)
            decided += 1
        if (
            isinstance(step, AskPerson)
            and about is Ask.RECORD
            and any(b.rule == "suicide-risk" for b in step.blocked_by)
        ):
            course.wait(minutes(1))
            course.assess("phq9", *PASSIVE)
        course.follow_next()
    assert len(course.facts(DoseGiven)) == 8
    assert decided == 2
    assert alerts(course) == []
    assert not course.pathway.overrides


def test_more_than_was_decided_ends_it_at_once():
    """Item 9 at two under a decision for one: it is over, the gate holds, a prescriber is asked."""
    course = known()
    course.wait(minutes(1))
    course.assess("phq9", *MORE)
    assert len(ended_by(course)) == 1
    assert {"suicide-risk", "review-first"} <= set(rules(dose(course)))
    assert len(alerts(course)) == 1
    course.wait(minutes(1))
    course.assess("phq9", *PASSIVE)  # lower again: the decision stays over
    assert "suicide-risk" in rules(dose(course))


def test_another_scale_may_end_it():
    """What the protocol names beside the gate's own reading ends it too: MADRS item 10 above 3."""
    course = known()
    course.wait(minutes(1))
    course.assess("madrs", *(3,) * 9, 4)
    assert len(ended_by(course)) == 1


def test_it_ends_with_its_last_day_on_the_clinics_calendar():
    """To the last minute of the last day in the clinic's zone, and not a minute longer."""
    course = ready()
    key = ahead(course, days=0)
    decision = course.pathway.standing[key]
    assert holds(course.pathway, decision, decision.until - timedelta(minutes=1))
    assert not holds(course.pathway, decision, decision.until)
    assert local_day(decision.until - timedelta(seconds=1), course.zone) == local_day(
        course.now, course.zone
    )
    course.wait(timedelta(days=1))
    course.assess("phq9", *PASSIVE)
    assert len(alerts(course)) == 1


@pytest.mark.parametrize(
    ("days", "refused"), [(-1, Malformed), (0, None), (14, None), (15, Refused), (400, Refused)]
)
def test_it_is_made_for_as_many_days_as_the_protocol_says(days: int, refused: type | None):
    """Not for the past, and not for longer than the clinic has signed."""
    course = ready()
    last = local_day(course.now, course.zone) + timedelta(days=days)
    refusal = course.attempt(DecideAhead(RISK, last, WORDS), PRESCRIBER)
    assert (type(refusal) if refusal else None) == refused


@pytest.mark.parametrize(
    "rule", ["ride-home", "contraindications", "rems-enrolled", "fit-to-leave"]
)
def test_what_the_protocol_does_not_name_is_decided_each_time(rule: str):
    """A stop, and a gate without a line for it, cannot be decided ahead; the words say so."""
    course = ready()
    refusal = course.attempt(DecideAhead(RuleId(rule), date(2026, 12, 1), WORDS), PRESCRIBER)
    assert rules(refusal) == ["decided-each-time"]


def test_there_must_be_such_a_gate_and_words():
    """An unknown gate names the known ones; dots are no words."""
    course = ready()
    today = local_day(course.now, course.zone)
    refusal = course.attempt(DecideAhead(RuleId("moon"), today, WORDS), PRESCRIBER)
    assert isinstance(refusal, Malformed)
    assert "suicide-risk" in str(refusal)
    assert isinstance(course.attempt(DecideAhead(RISK, today, " . "), PRESCRIBER), Malformed)


@pytest.mark.parametrize("role", [r for r in Role if r is not Role.PRESCRIBER])
def test_only_a_prescriber_decides_ahead(role: Role):
    """Nobody else makes or ends one."""
    course = ready()
    key = ahead(course)
    today = local_day(course.now, course.zone)
    somebody = Author("somebody", role)
    assert rules(course.attempt(DecideAhead(RISK, today, WORDS), somebody)) == ["may-wish"]
    assert rules(course.attempt(EndDecision(key, "no"), somebody)) == ["may-wish"]


def test_a_prescriber_ends_it_with_a_reason():
    """Afterwards the gate holds again, and to end it twice is a conflict."""
    course = known()
    (key,) = course.pathway.standing
    assert isinstance(course.attempt(EndDecision(key, "..."), PRESCRIBER), Malformed)
    course.do(EndDecision(key, "A new plan is needed."), PRESCRIBER)
    assert "suicide-risk" in rules(dose(course))
    assert isinstance(course.attempt(EndDecision(key, "again"), PRESCRIBER), Conflict)
    assert isinstance(course.attempt(EndDecision(EventId("x"), "no"), PRESCRIBER), Malformed)


def test_white_coat_pressure_passes_within_what_was_decided():
    """150/94 passes under a decision to 155/95; 158/94 holds, and ends it."""
    course = ready()
    ahead(course, PRESSURE, 28)
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=150, diastolic_bp=94)
    assert dose(course) is None
    later = ready()
    ahead(later, PRESSURE, 28)
    later.wait(minutes(1))
    later.measure(ONE, systolic_bp=158, diastolic_bp=94)
    assert "blood-pressure-before" in rules(dose(later))
    assert len(ended_by(later)) == 1


def test_a_reading_of_before_is_covered_by_what_is_decided_after_it():
    """The prescriber looks at 150/94 and decides: this reading passes from then on."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=150, diastolic_bp=94)
    assert "blood-pressure-before" in rules(dose(course))
    course.wait(minutes(1))
    ahead(course, PRESSURE)
    assert dose(course) is None


def test_an_alert_of_before_is_still_answered():
    """What was at risk before the decision has its own task: a decision is no acknowledgement."""
    course = ready()
    course.wait(minutes(1))
    course.assess("phq9", *PASSIVE)
    course.wait(minutes(1))
    ahead(course)
    assert rules(dose(course)) == ["review-first"]


def test_a_reading_beyond_it_that_was_an_error_never_ended_it():
    """Typed 2 for 1 and put right: the decision holds as if the slip had never been."""
    course = known()
    course.wait(minutes(1))
    course.assess("phq9", *MORE)
    wrong = [event for event in course.events if event.fact.kind == "scale-assessed"][-1]
    course.do(CorrectEntry(wrong.id, "typed 2 for 1"), PRESCRIBER)
    (key,) = course.pathway.standing
    assert holds(course.pathway, course.pathway.standing[key], course.now)
    assert dose(course) is None


def test_a_decision_made_in_error_questions_the_dose_that_rested_on_it():
    """Voided, it never covered anything: the dose given under it is looked at again."""
    course = known()
    assert dose(course) is None
    (key,) = course.pathway.standing
    course.do(CorrectEntry(key, "meant for another patient"), PRESCRIBER)
    assert not course.pathway.standing
    assert any("item 9" in f for q in course.pathway.questioned.values() for f in q.findings)


@pytest.mark.long
def test_it_ends_with_the_phase_in_which_it_was_made():
    """In the next phase the same gate is decided anew."""
    course = ready()
    key = ahead(course)
    decision = course.pathway.standing[key]
    course.run("decide")
    made = replace(decision, made=course.now, until=course.now + timedelta(days=9))
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "sooner"), PRESCRIBER)
    assert course.pathway.phase == DTMS
    assert not holds(course.pathway, made, course.now + minutes(1))


def test_its_facts_say_what_it_lets_pass():
    """In words that a nurse reads, with the protocol's figures."""
    course = ready()
    ahead(course, PRESSURE)
    (fact,) = course.facts(DecidedAhead)
    assert fact.allows == (
        "systolic blood pressure at most 155 mmHg",
        "diastolic blood pressure at most 95 mmHg",
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 60)), min_size=1, max_size=6),
    st.integers(0, 20),
)
def test_no_course_of_scores_passes_what_was_not_decided(
    scores: list[tuple[int, int]], decided_after: int
):
    """Whatever is scored, in whatever order: a dose is granted only at or below what was decided.

    Above zero it needs a decision that holds, and no score since it was made is above one.
    """
    course = ready()
    course.wait(minutes(decided_after))
    ahead(course)
    worst = last = 0
    for item9, later in scores:
        course.wait(minutes(later % 5 + 1))
        course.assess("phq9", *(1,) * 8, item9)
        worst, last = max(worst, item9), item9
    for task in alerts(course):
        course.do(AcknowledgeTask(task, WORDS), PRESCRIBER)  # type: ignore[arg-type]
    refusal = course.attempt(
        RecordReadings(
            course.now, readings(systolic_bp=120, diastolic_bp=78, ride_home="arranged"), ONE
        )
    )
    assert refusal is None
    refusal = dose(course)
    assert (refusal is not None) == (last > 0 and worst > 1)
    assert refusal is None or "suicide-risk" in rules(refusal)


def test_a_rule_that_allows_no_more_than_its_gate_is_none():
    """Wider means the same words with a number that lets more pass."""
    at_most = Requirement(gate(ready(), PRESSURE).require[0].observation, Compare.AT_MOST)
    need = replace(at_most, value=140)  # type: ignore[arg-type]
    assert wider(need, replace(need, value=141))  # type: ignore[arg-type]
    assert not wider(need, need)
    assert not wider(need, replace(need, value=139))  # type: ignore[arg-type]
    assert not wider(need, replace(need, test=Compare.AT_LEAST, value=150))  # type: ignore[arg-type]
    least = replace(need, test=Compare.AT_LEAST)
    assert wider(least, replace(least, value=130))  # type: ignore[arg-type]
    assert isinstance(gate(ready(), RISK).standing, StandingRule)
