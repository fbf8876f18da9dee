"""Benefit is judged against the last score before treatment, and nobody moves that by the way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.chapters.phases import check_may_decide
from domain.language.baselines import BaselineNamed, NameBaseline
from domain.language.errors import Conflict, Malformed
from domain.language.findings import Blocked, blocks_of
from domain.language.names import EventId, ObservationName, PhaseDecision
from domain.language.observations import RecordAssessment, ScaleAssessed
from domain.language.phases import Decide, DecisionMade
from domain.language.protocol import CombinedProtocol
from domain.language.requirements import Requirement
from domain.language.requirements import Test as Comparison
from domain.rules.steps import Ask
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import FIRST, ONE, dosed
from tests.domain.simulation import COMBINED, INDUCTION

MADRS, PHQ9 = ObservationName("madrs_total"), ObservationName("phq9_total")


def items(total: int, number: int = 10, high: int = 6) -> tuple[int, ...]:
    """Items that sum to a total."""
    each, rest = divmod(total, number)
    assert each + bool(rest) <= high
    return tuple(each + (place < rest) for place in range(number))


def score(course: Course, total: int, days_ago: float = 0) -> None:
    """A MADRS of so many days ago, its tenth item at zero."""
    at = course.now - timedelta(days=days_ago)
    course.do(RecordAssessment("madrs", at, (*items(total, 9), 0)))


def at_four_weeks(course: Course) -> list[Blocked]:
    """What stands in the way of the decision at the end of the induction."""
    return list(blocks_of(check_may_decide(course.protocol, course.pathway, INDUCTION, course.now)))


def test_the_score_at_referral_is_no_baseline():
    """38 at referral, 24 before the first dose, 18 at four weeks: a fall of 25 percent, said so."""
    course = Course(FIRST, madrs=items(24))
    score(course, 38, days_ago=55)
    course.run(Ask.GIVE)
    score(course, 24)
    course.do(course.treatment(ONE, course.now))
    course.wait(timedelta(days=28))
    score(course, 18)
    (block,) = at_four_weeks(course)
    assert block.finding is not None
    assert block.finding.startswith("MADRS reduction 25 percent, required at least 50 percent")
    assert "from 24 on 2026-11-30" in block.finding


def test_a_score_dated_back_opens_no_gate():
    """A 38 entered at four weeks with a date before the first dose leaves the baseline at 24."""
    course = dosed()
    first = course.pathway.baselines[f"{INDUCTION}/{MADRS}"]
    course.wait(timedelta(days=28))
    score(course, 20)
    before = at_four_weeks(course)
    score(course, 38, days_ago=28.5)
    assert course.pathway.baselines[f"{INDUCTION}/{MADRS}"] == first
    assert at_four_weeks(course) == before
    course.run_rules()
    assert [t for t in course.pathway.tasks if t.startswith(Ask.REVIEW_BASELINE)]


def test_a_prescriber_names_another_baseline_with_a_reason():
    """What came late counts once a prescriber says so, and the task is done then."""
    course = dosed()
    course.wait(timedelta(days=28))
    score(course, 19)
    score(course, 40, days_ago=28.5)
    late = [event for event in course.events if isinstance(event.fact, ScaleAssessed)][-1]
    for reason in ("", "-"):
        wish = NameBaseline(INDUCTION, MADRS, late.id, reason)
        assert isinstance(course.attempt(wish, PRESCRIBER), Malformed)
    course.do(NameBaseline(INDUCTION, MADRS, late.id, "rated by the same rater at referral"))
    assert at_four_weeks(course) == []
    course.run_rules()
    open_tasks = [key for key, task in course.pathway.tasks.items() if not task.closed]
    assert not [key for key in open_tasks if key.startswith(Ask.REVIEW_BASELINE)]


def test_nothing_is_named_before_the_first_treatment_or_that_is_not_there():
    """Until then the last score counts by itself; an unknown entry, phase or score is malformed."""
    course = Course(FIRST)
    course.run(Ask.GIVE)
    entry = [event for event in course.events if isinstance(event.fact, ScaleAssessed)][-1]
    assert isinstance(course.attempt(NameBaseline(INDUCTION, MADRS, entry.id, "why")), Conflict)
    course.do(course.treatment(ONE, course.now))
    nothing = EventId("nothing")
    for wish in (
        NameBaseline(INDUCTION, MADRS, nothing, "why"),
        NameBaseline(INDUCTION, ObservationName("spo2"), entry.id, "why"),
    ):
        assert isinstance(course.attempt(wish), Malformed)


@pytest.mark.parametrize(("total", "judged"), [(0, False), (9, False), (10, True), (28, True)])
def test_no_fall_is_judged_from_next_to_nothing(total: int, *, judged: bool):
    """A baseline of 0, or below what the protocol states, says so and is no missing one."""
    course = Course(FIRST, madrs=items(total))
    course.run(Ask.GIVE)
    score(course, total)
    course.do(course.treatment(ONE, course.now))
    course.wait(timedelta(days=28))
    score(course, 5)
    blocks = at_four_weeks(course)
    too_low = [block for block in blocks if "a reduction is judged" in str(block.finding)]
    assert bool(too_low) is not judged
    assert all(block.missing is None for block in blocks)


def test_without_a_score_before_treatment_a_prescriber_is_asked_for_one():
    """What is missing is the score from before, and not the one of a minute ago."""
    course = dosed()
    wrong = [event for event in course.events if isinstance(event.fact, ScaleAssessed)]
    without = [event for event in course.events if event not in wrong]
    course.events, course.pathway = [], type(course.pathway)(course.pathway.id)
    course.record(e for e in without if not isinstance(e.fact, BaselineNamed))
    course.run_rules()
    course.wait(timedelta(days=28))
    score(course, 12)
    (block,) = at_four_weeks(course)
    assert "from before the first treatment" in str(block.missing)
    assert block.who == (PRESCRIBER.role,)


@pytest.mark.parametrize("decision", [PhaseDecision.STOP, PhaseDecision.MOVE_ON])
def test_whatever_is_decided_says_what_the_gate_said(decision: PhaseDecision):
    """To stop or to move on is possible at any time, and is recorded with what was known."""
    course = dosed()
    course.wait(timedelta(days=1))
    course.attempt(Decide(INDUCTION, decision, "the patient's wish"))
    made = course.facts(DecisionMade)
    assert not made or made[-1].findings


def on(scale: ObservationName, reduction: str) -> CombinedProtocol:
    """The shipped protocol, its benefit judged by the fall of another score."""
    first, *others = COMBINED.phases
    least = next(g for g in first.gates if g.id == "benefit-at-four-weeks").require[0].value
    need = Requirement(ObservationName(reduction), Comparison.AT_LEAST, least)
    gates = tuple(
        replace(gate, require=(need,)) if gate.id == "benefit-at-four-weeks" else gate
        for gate in first.gates
    )
    rule = first.benefit[MADRS]
    changed = replace(first, gates=gates, benefit={scale: rule})
    return replace(COMBINED, phases=(changed, *others))


def test_any_scale_may_judge_benefit():
    """By PHQ-9: 18 before the first dose and 12 at four weeks is a fall of 33.3 percent."""
    course = Course(FIRST, protocol=on(PHQ9, "phq9_reduction"))
    course.run(Ask.GIVE)
    course.wait(timedelta(minutes=1))
    course.do(RecordAssessment("phq9", course.now, (*items(18, 8, 3), 0)))
    course.do(course.treatment(ONE, course.now))
    course.wait(timedelta(days=28))
    course.do(RecordAssessment("phq9", course.now, (*items(12, 8, 3), 0)))
    (block,) = at_four_weeks(course)
    assert str(block.finding).startswith("PHQ-9 reduction 33.3 percent")
