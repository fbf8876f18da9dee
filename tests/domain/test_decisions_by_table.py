"""Standing decisions, in full: about what they are, what they let pass, and what is beyond them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from domain.language.errors import Malformed
from domain.language.names import Author, EventId, ObservationName, Role, RuleId
from domain.language.observations import RecordReadings
from domain.language.pathway import Observed, Standing
from domain.language.protocol import StandingRule
from domain.language.requirements import Requirement
from domain.language.requirements import Test as Compare
from domain.rules.standing import (
    LASTING,
    gate_of,
    held_for,
    is_beyond,
    is_lasting,
    known_of,
    last_day,
    lets_pass,
    reading,
    wider,
)
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import ONE, minutes, ready
from tests.domain.simulation import COMBINED, DTMS, INDUCTION, NEW_YORK, readings

NURSE = Author("a-nurse", Role.NURSE)
PHASE = COMBINED.phase(INDUCTION)
GATES = {str(gate.id): gate for gate in PHASE.gates}
TIER = ObservationName("cssrs_tier")
SCREENER = COMBINED.vocabulary.tiers[TIER]
SYSTOLIC, ITEM9 = ObservationName("systolic_bp"), ObservationName("phq9_item9")


def ahead(course: Course, gate: str, **changed: object) -> Standing:
    """A decision of now for a week."""
    made = Standing(
        INDUCTION, RuleId(gate), course.now, course.now + timedelta(days=7), PRESCRIBER, "known"
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def test_a_decision_is_about_its_gate_in_its_phase():
    """Neither of another gate nor of another phase does it let anything pass."""
    course = ready()
    gate = GATES["suicide-risk"]
    for decision, holds in (
        (ahead(course, "suicide-risk"), True),
        (ahead(course, "blood-pressure-before"), False),
        (ahead(course, "suicide-risk", phase=DTMS), False),
    ):
        phases = {
            **course.pathway.phases,
            DTMS: replace(course.pathway.phases[INDUCTION], number=0),
        }
        pathway = replace(course.pathway, standing={EventId("d"): decision}, phases=phases)
        assert (held_for(pathway, gate, course.now) is not None) is holds
    assert gate_of(COMBINED, ahead(course, "suicide-risk")) == gate
    assert gate_of(COMBINED, ahead(course, "no-such-gate")) is None


@pytest.mark.parametrize(("value", "known"), [(0, True), (1, True), (2, False)])
def test_a_score_within_what_was_decided_is_known(value: int, *, known: bool):
    """One point of item 9 was decided about, two were not; other decisions do not hide that one."""
    course = ready()
    found = Observed(EventId("e"), course.now, Decimal(value), None, None)
    standing = {
        EventId("a"): ahead(course, "no-such-gate"),
        EventId("b"): ahead(course, "ride-home"),
        EventId("c"): ahead(course, "blood-pressure-before"),
        EventId("d"): ahead(course, "suicide-risk"),
    }
    pathway = replace(course.pathway, standing=standing)
    assert known_of(COMBINED, pathway, ITEM9, found) is known
    assert not known_of(COMBINED, replace(pathway, standing={}), ITEM9, found)
    assert not known_of(COMBINED, pathway, SYSTOLIC, replace(found, value=Decimal(150)))


def test_a_decision_lets_pass_what_its_protocol_names():
    """Not more than it allows, no other observation, and nothing where none may be decided."""
    course = ready()
    decision = ahead(course, "suicide-risk")
    pathway = replace(course.pathway, standing={EventId("d"): decision})
    one = Observed(EventId("e"), course.now, Decimal(1), None, None)
    gate = GATES["suicide-risk"]
    assert lets_pass(pathway, gate, ITEM9, one, course.now) == decision
    assert lets_pass(pathway, gate, ITEM9, replace(one, value=Decimal(2)), course.now) is None
    assert lets_pass(pathway, gate, SYSTOLIC, one, course.now) is None
    assert lets_pass(pathway, replace(gate, standing=None), ITEM9, one, course.now) is None


def test_what_is_beyond_a_decision():
    """Outside what it allows, or what ends it; another observation is neither."""
    rule = GATES["suicide-risk"].standing
    assert isinstance(rule, StandingRule)
    item10 = ObservationName("madrs_item10")
    for name, value, beyond in (
        (ITEM9, 1, False),
        (ITEM9, 2, True),
        (item10, 3, False),
        (item10, 4, True),
        (SYSTOLIC, 200, False),
    ):
        found = Observed(EventId("e"), ready().now, Decimal(value), None, None)
        assert is_beyond(rule.allows, rule.void_if, name, found) is beyond


def test_a_gate_is_lasting_beyond_half_a_day():
    """Of any age, or older than twelve hours: a score. Up to twelve hours: a vital sign."""
    gate = GATES["suicide-risk"]
    for within, lasting in ((None, True), (LASTING, False), (LASTING + minutes(1), True)):
        assert is_lasting(replace(gate, measured_within=within)) is lasting


def test_the_last_day_is_the_day_before_its_end():
    """At midnight of the clinic the decision is over, and the day before was its last."""
    course = ready()
    midnight = datetime(2026, 12, 8, 5, tzinfo=UTC)
    decision = ahead(course, "suicide-risk", until=midnight)
    assert last_day(decision, NEW_YORK) == "2026-12-07"
    assert last_day(replace(decision, until=midnight + minutes(1)), NEW_YORK) == "2026-12-08"


def test_a_reading_as_people_say_it():
    """A number with its unit, an answer as it is, and a number of no unit by itself."""
    kind = COMBINED.vocabulary.kind(SYSTOLIC)
    found = Observed(EventId("e"), ready().now, Decimal(152), None, ONE)
    assert reading(kind, found) == "152 mmHg"
    assert reading(replace(kind, unit=None), found) == "152"
    assert reading(kind, replace(found, value=None, answer="high")) == "high"


@pytest.mark.parametrize(
    ("test", "up", "down"),
    [
        (Compare.AT_MOST, True, False),
        (Compare.BELOW, True, False),
        (Compare.AT_LEAST, False, True),
        (Compare.ABOVE, False, True),
    ],
)
def test_wider_is_in_the_direction_of_the_line(test: Compare, *, up: bool, down: bool):
    """A higher number is wider below a limit, a lower one above it; the same number is neither."""
    need = Requirement(SYSTOLIC, test, Decimal(140))
    assert wider(need, replace(need, value=Decimal(141))) is up
    assert wider(need, replace(need, value=Decimal(139))) is down
    assert not wider(need, need)


@pytest.mark.parametrize(("diastolic", "taken"), [(119, True), (120, False), (121, False)])
def test_the_lower_pressure_is_below_the_upper(diastolic: int, *, taken: bool):
    """Two equal figures are one figure typed twice."""
    course = ready()
    wish = RecordReadings(course.now, readings(systolic_bp=120, diastolic_bp=diastolic), ONE)
    refusal = course.attempt(wish, NURSE)
    assert isinstance(refusal, Malformed) is not taken
