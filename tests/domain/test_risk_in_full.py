"""A level of risk in full: which readings mean it, for how long, what it asks and by when."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from domain.language.clocks import LocalTime, instant
from domain.language.names import (
    Author,
    EventId,
    ObservationName,
    Role,
)
from domain.language.observations import RecordReadings
from domain.language.pathway import Observed
from domain.language.protocol import CombinedProtocol
from domain.rules.risk import (
    level_of,
    risk_now,
)
from tests.course import BASELINE, Course
from tests.domain.scenes import minutes, ready
from tests.domain.simulation import COMBINED, INDUCTION, readings

NURSE = Author("a-nurse", Role.NURSE)
PHASE = COMBINED.phase(INDUCTION)
HIGH, MODERATE, LOW = PHASE.risk_levels
RISK, ITEM9 = ObservationName("suicide_risk"), ObservationName("phq9_item9")
LATER = LocalTime(date(2026, 12, 14), time(9))


def referred(protocol: CombinedProtocol = COMBINED) -> Course:
    """A patient whose first visit is two weeks off, on a Friday at ten."""
    course = Course(LATER, protocol)
    course.now = instant(LocalTime(date(2026, 11, 27), time(10)), course.pathway.zone)
    course.assess("madrs", *BASELINE[:9], 0)
    return course


def judged(course: Course, answer: str) -> None:
    """A clinician judges the risk."""
    course.do(RecordReadings(course.now, readings(suicide_risk=answer)), NURSE)


@pytest.mark.parametrize(
    ("name", "value", "answer", "level"),
    [
        (ITEM9, 0, None, None),
        (ITEM9, 1, None, LOW),
        (ITEM9, 2, None, MODERATE),
        (ITEM9, 3, None, HIGH),
        (RISK, None, "low", None),
        (RISK, None, "moderate", MODERATE),
        (RISK, None, "high", HIGH),
        (ObservationName("spo2"), 97, None, None),
    ],
)
def test_the_most_severe_level_that_a_reading_means(name, value, answer, level):
    """By the protocol's own figures, and none for what it does not name."""
    number = None if value is None else Decimal(value)
    found = Observed(EventId("e"), ready().now, number, answer, None)
    assert level_of(PHASE, name, found) == level


def test_a_level_counts_for_its_days_and_not_an_instant_longer():
    """Fourteen days from the reading; a later and milder one of the same kind replaces it."""
    course = referred()
    taken = course.now
    judged(course, "high")
    evidence = course.pathway.readings[RISK][-1].evidence
    risk = risk_now(COMBINED, course.pathway, taken)
    assert risk is not None
    assert (risk.level, risk.since) == (HIGH, taken)
    assert [(name, found.evidence) for name, found in risk.readings] == [(RISK, evidence)]
    assert risk.says == "suicide risk as judged by a clinician high"
    last = taken + HIGH.counts_for - timedelta(seconds=1)
    assert risk_now(COMBINED, course.pathway, last) == risk
    assert risk_now(COMBINED, course.pathway, last + timedelta(seconds=1)) is None
    assert risk_now(COMBINED, course.pathway, taken - timedelta(seconds=1)) is None
    course.wait(minutes(1))
    judged(course, "moderate")
    milder = risk_now(COMBINED, course.pathway, course.now)
    assert milder is not None
    assert milder.level == MODERATE


def test_all_that_means_a_level_is_said_with_the_latest_of_its_times():
    """Two readings of two kinds, each named; of two of one instant both."""
    course = referred()
    judged(course, "moderate")
    course.wait(minutes(5))
    course.assess("phq9", 0, 0, 0, 0, 0, 0, 0, 0, 2)
    risk = risk_now(COMBINED, course.pathway, course.now)
    assert risk is not None
    assert risk.since == course.now
    assert risk.says.count("; ") == 1
    assert {name for name, _ in risk.readings} == {RISK, ITEM9}
    course.assess("phq9", 0, 0, 0, 0, 0, 0, 0, 0, 0)
    both = risk_now(COMBINED, course.pathway, course.now)
    assert both is not None
    assert ITEM9 in {name for name, _ in both.readings}
