"""Gates over tiers and of no visit, levels that find no day, comparisons without a number."""

from dataclasses import replace
from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from domain.language.clocks import LocalTime, instant
from domain.language.findings import blocks_of
from domain.language.names import Author, ObservationName, Role, RuleId
from domain.language.observations import RecordAssessment, RecordReadings, ScaleAssessed
from domain.language.phases import SignOrder
from domain.language.protocol import CombinedProtocol, Gate, Otherwise, When
from domain.language.requirements import Requirement
from domain.language.requirements import Test as Compare
from domain.language.tasks import AcknowledgeTask
from domain.planner import steps
from domain.rules.gates import Look, evaluate, timed_checks
from domain.rules.risk import earliest
from domain.rules.standing import wider
from domain.rules.steps import Ask, AskPerson
from domain.rules.treating import check_may_treat
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import ONE, dosed, minutes, ready
from tests.domain.simulation import COMBINED, INDUCTION, readings

MANAGER = Author("a-care-manager", Role.CARE_MANAGER)
NURSE = Author("a-nurse", Role.NURSE)
TIER, SYSTOLIC = ObservationName("cssrs_tier"), ObservationName("systolic_bp")
NONE = {"cssrs_wish": "absent", "cssrs_thoughts": "absent", "cssrs_behavior": "absent"}
OF_TIER = Gate(
    RuleId("screened"),
    When.BEFORE_EACH_VISIT,
    (Requirement(TIER, Compare.AT_MOST, Decimal(0)),),
    timedelta(days=7),
    Otherwise.HOLD,
    "A screener is looked at before each dose.",
    "clinic",
)


def screening() -> CombinedProtocol:
    """The shipped pathway whose induction also wants the C-SSRS screener, at its lowest tier."""
    first, *others = COMBINED.phases
    return replace(COMBINED, phases=(replace(first, gates=(*first.gates, OF_TIER)), *others))


def test_a_gate_over_a_tier_is_missing_for_those_who_ask_its_questions():
    """Nobody records a tier: whoever may record the answers is told which screener is missing."""
    protocol, course = screening(), ready()
    (block,) = blocks_of(check_may_treat(protocol, course.pathway, ONE, course.now))
    assert (block.rule, block.finding) == ("screened", None)
    kinds = [protocol.vocabulary.kind(item) for item in protocol.vocabulary.tiers[TIER].items]
    assert set(block.who) == {role for kind in kinds for role in kind.recorded_by}
    assert str(block.missing).endswith("recorded in the last 7 days")


def test_of_two_screeners_of_one_instant_the_more_severe_counts():
    """A tier of 1 beside a tier of 0 holds the dose, whichever was entered first."""
    wish = NONE | {"cssrs_wish": "present"}
    for first, second, held in ((NONE, wish, True), (wish, NONE, True), (NONE, NONE, False)):
        course = ready()
        for answers in (first, second):
            course.do(RecordReadings(course.now, readings(**answers), ONE), NURSE)
        blocks = blocks_of(check_may_treat(screening(), course.pathway, ONE, course.now))
        found = [str(block.finding) for block in blocks if block.rule == "screened"]
        assert [", required at most 0 of 3" in finding for finding in found] == [True] * held


def test_before_a_dose_no_time_was_observed():
    """Asked of leaving before anything was given, the minutes observed are missing and not zero."""
    course = ready()
    (gate,) = [g for g in COMBINED.phase(INDUCTION).gates if g.id == "fit-to-leave"]
    blocks = evaluate(gate, Look(COMBINED, course.pathway, course.now, ONE))
    assert all(block.finding is None for block in blocks)
    assert "time observed" in str(blocks[0].missing)


def test_no_readings_are_due_of_no_visit():
    """Readings after a dose are due at a visit; of the pathway as a whole none are."""
    course = dosed()
    checks = COMBINED.phase(INDUCTION).timed_checks
    assert list(timed_checks(Look(COMBINED, course.pathway, course.now, ONE), checks))
    assert list(timed_checks(Look(COMBINED, course.pathway, course.now), checks)) == []


@pytest.mark.parametrize(
    ("test", "below", "at", "above"),
    [
        (Compare.AT_MOST, True, True, False),
        (Compare.AT_LEAST, False, True, True),
        (Compare.BELOW, True, False, False),
        (Compare.ABOVE, False, False, True),
    ],
)
def test_a_number_is_compared_as_the_line_says(
    test: Compare, *, below: bool, at: bool, above: bool
):
    """On both sides of the limit, at it, and never met by what is no number."""
    need = Requirement(SYSTOLIC, test, Decimal(140))
    met = [need.met(Decimal(value), None) for value in ("139.9", "140", "140.1")]
    assert met == [below, at, above]
    assert not need.met(None, "high")
    assert not replace(need, value=None).met(Decimal(140), None)


@pytest.mark.parametrize(
    ("answer", "met"),
    [("excluded", True), ("not applicable", True), ("present", False), (None, False)],
)
def test_an_answer_is_one_of_those_that_the_line_names(answer: str | None, *, met: bool):
    """Any of the answers will do, and nothing else; no answer is none of them."""
    need = Requirement(
        ObservationName("pregnancy"), Compare.IS, None, "excluded", ("not applicable",)
    )
    assert need.met(None, answer) is met
    assert need.answers == "excluded or not applicable"


def test_a_decision_ahead_is_wider_in_numbers_only():
    """An answer, another observation or another direction is never a wider number."""
    need = Requirement(SYSTOLIC, Compare.AT_MOST, Decimal(140))
    least = Requirement(SYSTOLIC, Compare.AT_LEAST, Decimal(92))
    assert wider(need, replace(need, value=Decimal(141)))
    assert wider(least, replace(least, value=Decimal(91)))
    assert not wider(least, replace(least, value=Decimal(93)))
    assert not wider(need, replace(least, value=Decimal(150)))
    assert not wider(need, replace(need, observation=TIER, value=Decimal(150)))
    assert not wider(need, replace(need, value=None))
    assert not wider(replace(need, value=None), need)


def test_where_no_day_will_do_nothing_is_hastened():
    """Treated yesterday where ninety days must lie between: no first visit is brought forward."""
    far = replace(COMBINED, days_between=(90, 2))
    for protocol, there in ((COMBINED, True), (far, False)):
        course = Course(LocalTime(date(2026, 12, 14), time(9)), protocol)
        course.now = instant(LocalTime(date(2026, 11, 27), time(10)), course.pathway.zone)
        course.pathway = replace(course.pathway, treated_on=date(2026, 11, 26))
        course.assess("madrs", *(3,) * 10)
        course.do(RecordReadings(course.now, readings(suicide_risk="high")), NURSE)
        course.do(SignOrder(INDUCTION), PRESCRIBER)
        assert (earliest(protocol, course.pathway, course.now) is not None) is there
        found = [s for s in steps(protocol, course.pathway, course.now) if isinstance(s, AskPerson)]
        assert not [step for step in found if step.ask is Ask.BRING_FORWARD]


def test_a_score_that_came_late_is_asked_about_until_it_is_acknowledged():
    """One from before treatment that came after it: the words of a prescriber end the question."""
    course = dosed()
    before = course.now - minutes(30)
    course.wait(timedelta(days=1))
    course.do(RecordAssessment("madrs", before, (4,) * 10))
    late = [event for event in course.events if isinstance(event.fact, ScaleAssessed)][-1].id
    keys = [k for k, task in course.pathway.tasks.items() if late in k and not task.closed]
    reviews = [key for key in keys if key.startswith(Ask.REVIEW_BASELINE)]
    assert reviews
    for key in reviews:
        course.do(AcknowledgeTask(key, "Rated by somebody else; the other one stays."), PRESCRIBER)
    asked = [s for s in steps(COMBINED, course.pathway, course.now) if isinstance(s, AskPerson)]
    assert not [step for step in asked if step.ask is Ask.REVIEW_BASELINE]
