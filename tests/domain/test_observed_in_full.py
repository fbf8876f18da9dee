"""What was observed and how a visit ended, in full: readings, scores and releases."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest

from domain.chapters.observations import check_may_record
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.findings import blocks_of
from domain.language.names import (
    Author,
    ObservationName,
    Role,
    RuleId,
    VisitId,
)
from domain.language.observations import (
    Reading,
    ReadingsTaken,
    RecordAssessment,
    RecordReadings,
    ScaleAssessed,
)
from domain.language.release import Disposition, NotTreated, ReleaseVisit, VisitReleased
from domain.rules.leaving import check_may_release
from domain.rules.refusing import found
from tests.course import Course
from tests.domain.scenes import (
    FIT_TO_LEAVE,
    ONE,
    TWO,
    checked_in,
    dosed,
    minutes,
)
from tests.domain.simulation import COMBINED, INDUCTION, readings

NURSE = Author("a-nurse", Role.NURSE)
OPERATOR = Author("a-tms-operator", Role.TMS_OPERATOR)
THERE = timezone(timedelta(hours=-5))
PRESSURE = RuleId("blood-pressure-before")
NOWHERE = VisitId("nowhere")


def test_readings_as_they_are_kept():
    """Each value or answer by its name, at the time it was measured, in UTC, of its visit."""
    course = checked_in()
    course.wait(minutes(3))
    at = course.now - minutes(2)
    wish = RecordReadings(at.astimezone(THERE), readings(spo2=97, ride_home="arranged"), ONE)
    (event,) = course.do(wish, NURSE)
    spo2, ride = wish.readings
    assert event.fact == ReadingsTaken(
        (Reading(spo2.observation, spo2.value), Reading(ride.observation, None, "arranged")), ONE
    )
    assert (event.at, event.at.tzinfo) == (at, UTC)


def test_a_score_as_it_is_kept():
    """Its items and their sum, at the time of the assessment, in UTC."""
    course = checked_in()
    wish = RecordAssessment("phq9", course.now.astimezone(THERE), (1, 2, 3, 0, 1, 2, 3, 0, 0))
    (event,) = course.do(wish, NURSE)
    assert event.fact == ScaleAssessed("phq9", (1, 2, 3, 0, 1, 2, 3, 0, 0), 12)
    assert (event.at, event.at.tzinfo) == (course.now, UTC)


@pytest.mark.parametrize(
    ("scale", "items", "says"),
    [
        ("bdi", (0,) * 9, "unknown scale; known scales: madrs, phq9"),
        ("phq9", (0,) * 8, "PHQ-9 has 9 items, not 8"),
        ("phq9", (0,) * 10, "PHQ-9 has 9 items, not 10"),
        ("phq9", (4, *(0,) * 8), "each item of PHQ-9 must be from 0 to 3"),
        ("phq9", (-1, *(0,) * 8), "each item of PHQ-9 must be from 0 to 3"),
    ],
)
def test_a_score_that_cannot_be(scale: str, items: tuple[int, ...], says: str):
    """The refusal says what would be right, word for word."""
    course = checked_in()
    refusal = course.attempt(RecordAssessment(scale, course.now, items), NURSE)
    assert isinstance(refusal, Malformed)
    assert str(refusal) == says
    if scale == "phq9" and len(items) == 9:
        highest = (3, *items[1:]) if items[0] > 0 else (0, *items[1:])
        assert course.attempt(RecordAssessment(scale, course.now, highest), NURSE) is None


def test_each_time_of_an_observation_is_named():
    """What lies in the future is refused by the name of its field."""
    course = checked_in()
    later = course.now + timedelta(hours=1)
    for wish, field in (
        (RecordReadings(later, readings(spo2=97)), "measured_at"),
        (RecordAssessment("phq9", later, (0,) * 9), "assessed_at"),
    ):
        assert str(course.attempt(wish, NURSE)).startswith(f"{field} is in the future")


def test_a_reading_names_a_visit_that_there_is():
    """At one that is not known it is malformed; at one that nobody is at, a conflict."""
    course = checked_in()
    wish = RecordReadings(course.now, readings(spo2=97), NOWHERE)
    refusal = course.attempt(wish, NURSE)
    assert isinstance(refusal, Malformed)
    assert refusal.unknown == "visit"
    assert isinstance(course.attempt(replace(wish, visit=TWO), NURSE), Conflict)


def test_who_may_not_record_something_is_told_who_may():
    """Each kind that is not for a role is named with those whom it is for."""
    spo2 = COMBINED.vocabulary.kind(ObservationName("spo2"))
    ride = COMBINED.vocabulary.kind(ObservationName("ride_home"))
    (block,) = blocks_of(check_may_record(Role.CARE_MANAGER, [spo2, ride]))
    says = f"{spo2.title} is recorded by a nurse or a prescriber, not by a care manager"
    assert block == found("recorded-by", says, spo2.recorded_by)
    course = checked_in()
    wish = RecordReadings(course.now, readings(spo2=97), ONE)
    refusal = course.attempt(wish, Author("m", Role.CARE_MANAGER))
    assert isinstance(refusal, Refused)
    assert str(refusal) == f"may not record: {says}"


def observed() -> Course:
    """A patient who was dosed and may go home."""
    course = dosed()
    course.wait(minutes(40))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.wait(minutes(80))
    course.measure(ONE, **FIT_TO_LEAVE)
    return course


def test_a_release_as_it_is_kept():
    """Home or with an escort, at the time of leaving, in UTC, with nothing against it."""
    course = observed()
    at = course.now
    course.wait(minutes(5))
    wish = ReleaseVisit(ONE, Disposition.ESCORTED, "  with a sister ", at.astimezone(THERE))
    (event,) = course.do(wish, NURSE)
    assert event.fact == VisitReleased(ONE, "", (), Disposition.ESCORTED, "with a sister", None)
    assert (event.at, event.at.tzinfo) == (at, UTC)
    course = checked_in()
    (event,) = course.do(ReleaseVisit(ONE, not_treated=NotTreated.DECLINED), NURSE)
    assert event.at == course.now
    home = Disposition.HOME
    assert event.fact == VisitReleased(ONE, "", (), home, "", NotTreated.DECLINED)


@pytest.mark.parametrize("went", [Disposition.AGAINST_ADVICE, Disposition.ADMITTED])
def test_a_departure_as_it_is_kept(went: Disposition):
    """What happened in words, and what was not met then; against advice by that name."""
    course = dosed()
    result = check_may_release(COMBINED, course.pathway, ONE, course.now)
    findings = tuple(block.sentence() for block in blocks_of(result))
    assert findings
    (event,) = course.do(ReleaseVisit(ONE, went, " Felt worse. "), NURSE)
    against = "Felt worse." if went is Disposition.AGAINST_ADVICE else ""
    assert event.fact == VisitReleased(ONE, against, findings, went, "Felt worse.", None)
    course = dosed()
    refusal = course.attempt(ReleaseVisit(ONE, went, " "), NURSE)
    spoken = str(went).replace("-", " ")
    assert str(refusal) == f"words are required, to say what happened: {spoken}"


def test_nobody_is_let_go_by_those_who_did_not_watch():
    """A dose is watched by a nurse or a prescriber, and the refusal says so."""
    course = observed()
    refusal = course.attempt(ReleaseVisit(ONE), OPERATOR)
    assert isinstance(refusal, Refused)
    who = COMBINED.phase(INDUCTION).modality.released_by
    says = "after a dose this is for a nurse or a prescriber"
    assert refusal.blocked_by == (found("released-by", says, who),)
    assert str(refusal) == f"may not discharge the patient: {says}"


def test_whether_something_was_given_is_asked_once():
    """Nobody goes home undosed without a word; nor is a word taken of who was dosed."""
    course = checked_in()
    refusal = course.attempt(ReleaseVisit(ONE), NURSE)
    assert isinstance(refusal, Refused)
    (block,) = refusal.blocked_by
    assert (block.rule, block.who) == (
        "not-treated",
        COMBINED.phase(INDUCTION).modality.released_by,
    )
    assert block.missing == "the dose, if one was given; if none was, say why (not_treated)"
    refusal = observed().attempt(ReleaseVisit(ONE, not_treated=NotTreated.DECLINED), NURSE)
    assert isinstance(refusal, Malformed)


@pytest.mark.parametrize(("ago", "taken"), [(0, True), (1, False)])
def test_nobody_left_before_they_came(ago: int, *, taken: bool):
    """At the very time of the check-in they may have left again; a minute before it not."""
    course = checked_in()
    came = course.pathway.visits[ONE].checked_in
    assert came is not None
    course.wait(minutes(5))
    left = came - minutes(ago)
    refusal = course.attempt(ReleaseVisit(ONE, not_treated=NotTreated.OTHER, left_at=left), NURSE)
    assert (refusal is None) is taken
    if not taken:
        assert str(refusal) == "left_at must be later than the check-in"
