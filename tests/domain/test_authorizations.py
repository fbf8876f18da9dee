"""A payer's authorization has a window, units and codes, and is used up by what is given."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.language.authorizations import (
    AuthorizationRecorded,
    AuthorizedUnit,
    RecordAuthorization,
)
from domain.language.corrections import CorrectEntry
from domain.language.errors import Conflict, Malformed
from domain.language.names import ObservationName, Treatment, VisitId
from domain.language.observations import RecordReadings
from domain.rules.authorized import of_treatment
from domain.rules.start import State, checklist
from domain.rules.steps import Ask
from tests.course import LOW_RISK, Course
from tests.domain.scenes import ONE, checked_in, dose
from tests.domain.simulation import INDUCTION, readings

ESKETAMINE, DTMS = Treatment.ESKETAMINE, Treatment.DTMS


def screened() -> Course:
    """A patient who is here, of whom all is known but the payer's authorization."""
    course = checked_in()
    course.screen(ONE, "esketamine_authorization")
    course.assess("phq9", *LOW_RISK)
    course.measure(ONE, systolic_bp=128, diastolic_bp=82, ride_home="arranged")
    return course


def says(course: Course) -> str:
    """What stands in the way of the dose."""
    refusal = dose(course)
    return "" if refusal is None else " / ".join(b.sentence() for b in refusal.blocked_by)  # type: ignore[union-attr]


def left(course: Course, treatment: Treatment = ESKETAMINE) -> list[int]:
    """What is left of each authorization."""
    return [each.left for each in of_treatment(course.protocol, course.pathway, treatment)]


def test_an_authorization_that_covers_the_day_lets_the_dose_pass():
    """Recorded with its number and window it is what `granted` means; the dose uses one session."""
    course = screened()
    assert "payer's authorization of esketamine" in says(course)
    course.authorized(ESKETAMINE, 8)
    assert dose(course) is None
    assert left(course) == [7]


@pytest.mark.parametrize(
    ("days", "why"),
    [((-40, -1), "ended on"), ((1, 90), "begins on"), ((0, 0), ""), ((-3, 0), ""), ((0, 9), "")],
)
def test_it_covers_both_its_days_and_none_beside(days: tuple[int, int], why: str):
    """A day too early or too late is no authorization, and the refusal says which."""
    course = screened()
    course.authorized(ESKETAMINE, 8, days=days)
    said = says(course)
    assert why in said
    assert bool(said) == bool(why)


def test_what_excludes_the_other_treatment_does_not_pay_on_this_pathway():
    """A payer that does not pay for both at once stops the course before its first dose."""
    course = screened()
    course.authorized(ESKETAMINE, 8, excludes=(DTMS,))
    assert "excludes deep TMS, which is also part of this pathway" in says(course)
    alone = replace(course.protocol, phases=course.protocol.phases[:1], days_between=())
    course.protocol = alone
    assert dose(course) is None


def test_used_up_it_stops_the_next_session_and_another_one_lets_it_pass():
    """Two sessions authorized: the third is held by name, until the next letter is recorded."""
    course = screened()
    course.authorized(ESKETAMINE, 2)
    assert dose(course) is None
    third = VisitId(f"{INDUCTION}-visit-3")
    course.script[("renew", "")] = ""  # type: ignore[index]
    for number in (1, 2):
        course.run(VisitId(f"{INDUCTION}-visit-{number + 1}"))
    assert third in course.pathway.visits


def test_another_is_asked_for_before_the_first_visit_that_none_covers():
    """With three sessions authorized the care manager is asked, due when the fourth begins."""
    course = screened()
    course.authorized(ESKETAMINE, 3)
    assert dose(course) is None
    course.run(Ask.RENEW_AUTHORIZATION)
    (step,) = [s for s in course_steps(course) if s.ask is Ask.RENEW_AUTHORIZATION]
    visits = [v for v in course.pathway.visits_in(INDUCTION) if v.status in ("proposed", "booked")]
    assert step.due is not None
    assert step.due.date() == visits[2].at.day
    assert "is used up: 0 left of 3 sessions" in step.says
    course.authorized(ESKETAMINE, 20)
    assert not [s for s in course_steps(course) if s.ask is Ask.RENEW_AUTHORIZATION]


def course_steps(course: Course) -> list:  # type: ignore[type-arg]
    """What people are asked to do now."""
    from domain.planner import steps  # noqa: PLC0415
    from domain.rules.steps import AskPerson  # noqa: PLC0415

    found = steps(course.protocol, course.pathway, course.now)
    return [step for step in found if isinstance(step, AskPerson)]


@pytest.mark.parametrize(
    ("unit", "units", "after"),
    [
        (AuthorizedUnit.SESSION, 8, 7),
        (AuthorizedUnit.DAY, 8, 7),
        (AuthorizedUnit.DEVICE, 23, 21),
        (AuthorizedUnit.MILLIGRAM, 644, 588),
    ],
)
def test_each_unit_is_counted_as_the_payer_counts(unit: AuthorizedUnit, units: int, after: int):
    """56 mg uses a session, a day, two devices or 56 units of 1 mg."""
    course = screened()
    course.authorized(ESKETAMINE, units, unit=unit)
    assert dose(course) is None
    assert left(course) == [after]


def test_less_than_one_session_is_not_enough():
    """One device left, or 28 mg, is no dose."""
    for unit, units in ((AuthorizedUnit.DEVICE, 1), (AuthorizedUnit.MILLIGRAM, 28)):
        course = screened()
        course.authorized(ESKETAMINE, units, unit=unit)
        assert "is used up" in says(course)


def test_a_denial_said_later_counts_and_an_authorization_later_still():
    """Who spoke last is right: denied after the letter stops, another letter after that goes on."""
    course = screened()
    course.authorized(ESKETAMINE, 8)
    course.wait(timedelta(minutes=1))
    course.do(RecordReadings(course.now, readings(esketamine_authorization="denied")))
    assert "denied" in says(course)
    course.wait(timedelta(minutes=1))
    course.authorized(ESKETAMINE, 8)
    assert dose(course) is None


def test_nobody_records_that_it_was_granted():
    """`granted` without number, window and units is refused, and says what is wanted."""
    course = screened()
    granted = readings(esketamine_authorization="granted")
    refusal = course.attempt(RecordReadings(course.now, granted))
    assert isinstance(refusal, Malformed)
    assert "its number, days, units and codes" in str(refusal)


def test_one_recorded_in_error_is_taken_back_and_covers_nothing():
    """Voided, it is as if it had never come."""
    course = screened()
    course.authorized(ESKETAMINE, 8)
    entry = [e for e in course.events if isinstance(e.fact, AuthorizationRecorded)][-1].id
    course.do(CorrectEntry(entry, "It was another patient's letter."))
    assert "payer's authorization of esketamine" in says(course)


def test_the_checklist_says_what_an_authorization_lacks():
    """The row is not met, names the number, and those who can record another."""
    course = screened()
    course.authorized(ESKETAMINE, 8, days=(-40, -1))
    rows = checklist(course.protocol, course.pathway, course.now)
    row = next(r for r in rows if r.observation == ObservationName("esketamine_authorization"))
    assert row.state is State.NOT_MET
    assert "PA-1 ended on" in row.says
    assert set(RecordAuthorization.MAY) <= set(row.who)


CODES = "codes must be the CPT or HCPCS codes of the authorization, such as 90868"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"number": " - "}, "number is required: the payer's authorization number"),
        ({"units": 0}, "units must be 1 to 10000: how much the payer pays for"),
        ({"units": 10_001}, "units must be 1 to 10000: how much the payer pays for"),
        ({"codes": ()}, CODES),
        ({"codes": ("9086",)}, CODES),
        ({"codes": ("90868 ",)}, CODES),
        (
            {"treatment": DTMS, "unit": AuthorizedUnit.DEVICE},
            "count deep TMS by session or day, not by device",
        ),
        (
            {"treatment": DTMS, "unit": AuthorizedUnit.MILLIGRAM},
            "count deep TMS by session or day, not by mg",
        ),
        ({"excludes": (ESKETAMINE,)}, "excludes lists esketamine itself; list the other treatment"),
    ],
)
def test_what_no_payer_can_have_said_is_refused(wrong: dict[str, object], says: str):
    """A letter without a number, units or codes, or that excludes itself, is a slip of the pen."""
    course = checked_in()
    good = course.authorized(ESKETAMINE)
    wish = replace(good, **({"number": "PA-2"} | wrong))  # type: ignore[arg-type]
    refusal = course.attempt(wish)
    assert isinstance(refusal, Malformed)
    assert str(refusal) == says


def test_a_letter_is_kept_as_it_was_said():
    """The most units, a number with blanks around it and what it excludes, each named once."""
    course = checked_in()
    good = course.authorized(ESKETAMINE)
    course.do(replace(good, number=" PA 2 ", units=10_000, excludes=(DTMS, DTMS)))
    assert course.facts(AuthorizationRecorded)[-1] == AuthorizationRecorded(
        ESKETAMINE,
        "PA 2",
        good.starts,
        good.ends,
        10_000,
        good.unit,
        good.codes,
        (DTMS,),
    )


def test_a_window_runs_forward_and_a_number_comes_once():
    """An end before its start is refused; so is the same number for the same treatment."""
    course = checked_in()
    good = course.authorized(ESKETAMINE)
    backwards = replace(good, number="PA-2", ends=good.starts - timedelta(days=1))
    assert str(course.attempt(backwards)) == "ends is before starts; both days are included"
    again = course.attempt(good)
    assert isinstance(again, Conflict)
    assert "is already recorded; correct that entry" in str(again)
    assert course.attempt(replace(good, treatment=DTMS)) is None


def test_a_denial_of_the_same_instant_counts_beside_the_letter():
    """Nobody can say which was later, so the denial stops until one of them is said again."""
    course = screened()
    course.authorized(ESKETAMINE, 8)
    course.do(RecordReadings(course.now, readings(esketamine_authorization="denied")))
    assert "denied" in says(course)
