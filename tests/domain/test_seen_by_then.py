"""What forbids a treatment at an instant that lies back, and what an earlier pathway asks."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.language.corrections import CorrectEntry
from domain.language.names import Author, ObservationName, Role, counted
from domain.language.observations import Measurement, RecordReadings
from domain.language.tasks import AcknowledgeTask
from domain.language.trials import TrialRecorded
from domain.rules.refusing import found
from domain.rules.treating import blocks_treating
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import ONE, dosed, minutes, ready
from tests.domain.simulation import COMBINED, INDUCTION

NURSE = Author("a-nurse", Role.NURSE)


def blocks(course: Course, rule: str, at: timedelta = timedelta()) -> list[object]:
    """What stands in the way by this rule then."""
    all_of_it = blocks_treating(COMBINED, course.pathway, ONE, course.now + at)
    return [block for block in all_of_it if block.rule == rule]


def test_what_nobody_had_seen_by_then():
    """Seen since, it still forbids a treatment typed with a time before it was seen."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=200, diastolic_bp=85)
    (key,) = [key for key in course.pathway.tasks if "systolic_bp" in key]
    course.wait(minutes(10))
    course.do(AcknowledgeTask(key, "Seen; measured again at once."), PRESCRIBER)
    says = (
        "systolic blood pressure is 200 mmHg: see the patient, then say what you found and decided."
    )
    finding = f"a prescriber had not acknowledged by then: {says}"
    assert blocks(course, "review-first", -minutes(5)) == [
        found("review-first", finding, stops=True)
    ]
    assert blocks(course, "review-first") == []


@pytest.mark.parametrize(("days", "close"), [(0, True), (1, True), (2, False)])
def test_treatment_in_an_earlier_pathway_is_too_soon(days: int, *, close: bool):
    """Two days lie between that one's last treatment and the first of this."""
    course = ready()
    earlier = date(2026, 11, 30) - timedelta(days=days)
    course.pathway = replace(course.pathway, treated_on=earlier)
    says = f"{counted(days, 'day')} from treatment in an earlier pathway, at least 2 required"
    assert blocks(course, "earlier-pathway") == [found("earlier-pathway", says)] * close


def test_a_course_that_takes_too_long_forbids_the_next_session():
    """Until somebody has said in words how it goes on."""
    course = dosed()
    says = (
        f"{COMBINED.phase(INDUCTION).title} should be finished within 42 days and is not: "
        "stop, move on, or acknowledge to continue."
    )
    assert blocks(course, "finish-within", timedelta(days=42)) == []
    late = blocks(course, "finish-within", timedelta(days=43))
    assert late == [found("finish-within", says)]


def test_a_trial_that_never_was_is_found_after_the_first_dose_too():
    """Too few earlier drugs, by a correction after the dose: the next session is held by it."""
    course = dosed()
    course.wait(minutes(5))
    wrong = [event.id for event in course.events if isinstance(event.fact, TrialRecorded)][-1]
    course.do(CorrectEntry(wrong, "another patient's"), PRESCRIBER)
    (block,) = blocks(course, "treatment-resistance")
    assert " 1 trial, required at least 2 trials" in str(getattr(block, "finding", ""))


def test_an_unknown_observation_is_answered_with_those_that_people_record():
    """Nothing that is computed, counted or comes of a scale is among them."""
    course = ready()
    nothing = Measurement(ObservationName("nothing"), Decimal(1), "mmHg")
    refusal = course.attempt(RecordReadings(course.now, (nothing,)), NURSE)
    assert str(refusal).startswith(
        "unknown observation; known observations: age, aneurysmal_vascular_disease"
    )
    known = set(str(refusal).removeprefix("unknown observation; known observations: ").split(", "))
    assert {"spo2", "ride_home", "suicide_risk", "cssrs_wish"} <= known
    computed = {"minutes_observed", "madrs_reduction", "adequate_trials", "cssrs_tier"}
    scored = {"madrs_total", "phq9_total", "phq9_item9", "madrs_item10"}
    assert not known & (computed | scored)
