"""A gate passes, holds or misses: the edges of values, ages, overrides and observation."""

from datetime import timedelta

import pytest

from domain.chapters.phases import check_may_decide
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.findings import Held, Missing, Passed, blocks_of
from domain.language.names import RuleId
from domain.language.observations import RecordReadings
from domain.language.overrides import OverrideGate
from domain.language.release import ReleaseVisit
from domain.language.treatment import RecordDose
from domain.planner import steps
from domain.rules.leaving import check_may_release
from domain.rules.steps import Ask, Await
from domain.rules.treating import check_may_treat
from tests.course import LOW_RISK, Course
from tests.domain.scenes import FIT_TO_LEAVE, ONE, checked_in, dose, dosed, minutes, missing, rules
from tests.domain.simulation import COMBINED, INDUCTION, measure

PRESSURE, LEAVE = RuleId("blood-pressure-before"), RuleId("fit-to-leave")
AT_40 = RuleId("readings-at-40-minutes")


def screened() -> Course:
    """A patient is here, enrolled and screened; only the blood pressure is not measured."""
    course = checked_in()
    course.screen(ONE)
    course.measure(ONE, ride_home="arranged")
    course.assess("phq9", *LOW_RISK)
    return course


def pressure(course: Course, systolic: float, diastolic: float, ago: int = 0) -> None:
    """Record a blood pressure measured so many minutes ago."""
    taken = (measure("systolic_bp", systolic), measure("diastolic_bp", diastolic))
    course.do(RecordReadings(course.now - minutes(ago), taken, ONE))


def may_treat(course: Course) -> Passed | Held | Missing:
    """Ask whether the next dose may be given now."""
    return check_may_treat(COMBINED, course.pathway, ONE, course.now)


@pytest.mark.parametrize(
    ("systolic", "diastolic", "answer"),
    [
        (140, 90, Passed),
        (141, 90, Held),
        (140.1, 90, Held),
        (140, 91, Held),
        (152, 94, Held),
        (70, 40, Passed),
    ],
)
def test_the_blood_pressure_limit_is_the_last_value_that_passes(systolic, diastolic, answer):
    """140/90 passes and anything above either figure is held."""
    course = screened()
    pressure(course, systolic, diastolic)
    assert isinstance(may_treat(course), answer)


@pytest.mark.parametrize(("age", "answer"), [(30, Passed), (31, Missing)])
def test_an_old_reading_is_no_reading(age, answer):
    """A pressure measured 30 minutes ago still counts; one of 31 minutes ago is missing."""
    course = screened()
    course.wait(minutes(5))
    pressure(course, 128, 82)
    course.wait(minutes(age))
    assert isinstance(may_treat(course), answer)


ABSENT = {
    "age": "adult",
    "depression_diagnosis": "diagnosis",
    "adequate_trials": "treatment-resistance",
    "esketamine_consent": "consent",
    "rems_enrolment": "rems-enrolled",
    "rems_site": "rems-enrolled",
    "aneurysmal_vascular_disease": "contraindications",
    "arteriovenous_malformation": "contraindications",
    "intracerebral_hemorrhage": "contraindications",
    "esketamine_hypersensitivity": "contraindications",
    "pregnancy": "cautions",
    "hepatic_impairment": "cautions",
    "psychosis": "cautions",
    "substance_use": "cautions",
    "interacting_drugs": "cautions",
    "esketamine_authorization": "authorization",
    "insurance": "authorization",
    "phq9": "suicide-risk",
    "pressure": PRESSURE,
    "ride": "ride-home",
}


@pytest.mark.parametrize("absent", ABSENT)
def test_nothing_that_is_required_may_be_missing(absent):
    """Without any one of what the first dose requires, the answer is Missing and says what."""
    course = checked_in()
    course.screen(ONE, absent)
    if absent != "phq9":
        course.assess("phq9", *LOW_RISK)
    if absent != "pressure":
        pressure(course, 128, 82)
    if absent != "ride":
        course.measure(ONE, ride_home="arranged")
    assert set(missing(dose(course))) == {ABSENT[absent]}


def test_an_unenrolled_patient_is_stopped_and_nobody_may_override():
    """Enrolment that is denied holds the dose, and an override is refused."""
    course = screened()
    course.measure(ONE, rems_enrolment="not confirmed")
    pressure(course, 128, 82)
    assert rules(dose(course)) == ["rems-enrolled"]
    override = OverrideGate(ONE, RuleId("rems-enrolled"), "Will enrol later.")
    assert rules(course.attempt(override)) == ["rems-enrolled"]


@pytest.mark.parametrize("bad_after", [0, 5])
def test_a_newer_bad_reading_outweighs_an_older_good_one(bad_after):
    """The latest reading counts, also when the older one is written down after it."""
    course = screened()
    course.wait(minutes(10))
    if bad_after:
        pressure(course, 128, 82, ago=bad_after)
        pressure(course, 160, 95)
    else:
        pressure(course, 160, 95)
        pressure(course, 128, 82, ago=5)
    assert rules(dose(course)) == [PRESSURE, PRESSURE]


def test_an_override_covers_what_was_found_and_nothing_later():
    """After an override of 152/94 the dose may be given; a later 165/98 holds it again."""
    course = screened()
    pressure(course, 152, 94)
    course.do(OverrideGate(ONE, PRESSURE, "Benefit outweighs the risk today."))
    assert isinstance(may_treat(course), Passed)
    course.wait(minutes(10))
    pressure(course, 165, 98)
    assert [b.rule for b in blocks_of(may_treat(course))] == [PRESSURE, PRESSURE]
    assert rules(dose(course)) == [PRESSURE, PRESSURE]


def test_an_override_needs_a_reason_a_finding_and_the_gate():
    """An override without words, of a gate that holds nothing, or of what is missing is refused."""
    course = screened()
    nothing = course.attempt(OverrideGate(ONE, PRESSURE, "Missing."))
    assert set(missing(nothing)) == {PRESSURE}
    pressure(course, 152, 94)
    assert isinstance(course.attempt(OverrideGate(ONE, PRESSURE, "  ")), Malformed)
    assert isinstance(course.attempt(OverrideGate(ONE, RuleId("nothing"), "Why.")), Malformed)
    assert isinstance(course.attempt(OverrideGate(ONE, RuleId("ride-home"), "Why.")), Conflict)


def test_a_thought_of_self_harm_holds_treatment_whatever_the_total():
    """Item 9 above zero holds the dose although the total is 1, until a prescriber overrides."""
    course = screened()
    pressure(course, 128, 82)
    course.wait(minutes(1))
    course.assess("phq9", 0, 0, 0, 0, 0, 0, 0, 0, 1)
    assert rules(dose(course)) == ["review-first", "suicide-risk"]
    review, clear = steps(COMBINED, course.pathway, course.now)[:2]
    assert getattr(review, "ask", "") == Ask.REVIEW_RISK
    assert getattr(clear, "about", "") == f"{ONE}/suicide-risk"


@pytest.mark.parametrize(("waited", "answer"), [(119, Held), (120, Passed)])
def test_two_hours_of_observation_are_counted_from_the_first_device(waited, answer):
    """With every reading good, release is held at 119 minutes and passes at 120."""
    course = dosed()
    course.wait(minutes(40))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.wait(minutes(waited - 40))
    course.measure(ONE, **FIT_TO_LEAVE)
    look = check_may_release(COMBINED, course.pathway, ONE, course.now)
    assert isinstance(look, answer)


def test_readings_before_the_dose_do_not_count_for_leaving():
    """What was measured before the dose says nothing about leaving after it."""
    course = dosed()
    course.wait(minutes(120))
    look = check_may_release(COMBINED, course.pathway, ONE, course.now)
    assert LEAVE in {b.rule for b in blocks_of(look) if b.missing}


def test_the_forty_minute_readings_are_asked_for_in_their_window():
    """From 35 minutes after the dose until they are taken, the next step asks for them."""
    course = dosed()
    step = course.next()
    assert isinstance(step, Await)
    assert step.until == course.now + minutes(35)
    course.wait(minutes(35))
    step = course.next()
    assert (getattr(step, "ask", ""), getattr(step, "rule", "")) == (Ask.RECORD, AT_40)
    course.measure(ONE, **FIT_TO_LEAVE)
    assert isinstance(course.next(), Await)


@pytest.mark.parametrize(("taken", "held"), [(34, True), (35, False), (60, False), (61, True)])
def test_readings_outside_their_window_are_a_finding_for_the_prescriber(taken, held):
    """A 40-minute check taken at 34 or 61 minutes is not one, and only an override replaces it."""
    course = dosed()
    course.wait(minutes(taken))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.wait(minutes(120 - taken))
    course.measure(ONE, **FIT_TO_LEAVE)
    refusal = course.attempt(ReleaseVisit(ONE))
    assert (refusal is not None) == held
    if held:
        assert rules(refusal) == [AT_40]
        course.do(OverrideGate(ONE, AT_40, "Seen well at 30 minutes."))
        course.do(ReleaseVisit(ONE))


def test_a_window_that_closes_unused_becomes_a_task_at_once():
    """When the 60 minutes are over without readings, a prescriber's task opens on that instant."""
    course = dosed()
    course.wait(minutes(60))
    opened = [t for t in course.pathway.tasks.values() if t.rule == AT_40 and not t.closed]
    assert [task.opened for task in opened] == [course.now]


def test_benefit_without_a_recent_madrs_is_missing_and_never_passed():
    """At the end of a phase a MADRS older than seven days is missing, so nobody can go on."""
    course = dosed()
    look = check_may_decide(COMBINED, course.pathway, INDUCTION, course.now)
    assert isinstance(look, Missing)
    course.wait(timedelta(days=1))
    course.assess("madrs", *(1,) * 10)
    look = check_may_decide(COMBINED, course.pathway, INDUCTION, course.now)
    assert isinstance(look, Passed)
    course.wait(timedelta(days=7, minutes=1))
    look = check_may_decide(COMBINED, course.pathway, INDUCTION, course.now)
    assert isinstance(look, Missing)


@pytest.mark.parametrize(("total", "answer"), [(14, Passed), (15, Held), (28, Held), (60, Held)])
def test_half_of_the_baseline_is_benefit(total, answer):
    """From a MADRS of 28, fourteen is a response of 50 percent and fifteen is not."""
    course = dosed()
    course.wait(timedelta(days=1))
    items = [6] * (total // 6) + [total % 6] + [0] * 10
    course.assess("madrs", *items[:10])
    look = check_may_decide(COMBINED, course.pathway, INDUCTION, course.now)
    assert isinstance(look, answer)


def test_what_is_next_names_the_rule_its_reason_and_its_source():
    """A held gate is shown with its reason, its source, what was found and who may act."""
    course = screened()
    pressure(course, 152, 94)
    step = steps(COMBINED, course.pathway, course.now)[0]
    assert getattr(step, "ask", "") is Ask.CLEAR_GATE
    assert "required at most 140 mmHg (measured Monday 2026-11-30 09:00 EST)" in getattr(
        step, "says", ""
    )
    assert getattr(step, "why", "").startswith("Esketamine raises blood pressure")
    assert getattr(step, "source", "") == "label"
    with pytest.raises(Refused, match="152 mmHg, required at most 140"):
        course.do(RecordDose(ONE, course.now, 56, "lot-1"))
