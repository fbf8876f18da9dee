"""A treatment that was given, in full: what is kept of it, and the last value that is taken."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone

import pytest

from domain.chapters.treatment import (
    Strength,
    check_may_give_dose,
    check_may_stimulate,
    found_since,
    next_number,
    rests_on,
)
from domain.language.errors import Malformed
from domain.language.findings import blocks_of
from domain.language.names import Author, Role, RuleId, VisitId
from domain.language.standing import DecideAhead, EndDecision
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import (
    DoseGiven,
    RecordDose,
    RecordStimulation,
    ReportDose,
    ReportStimulation,
    StimulationGiven,
)
from domain.rules.refusing import found
from domain.rules.standing import sentence
from domain.rules.treating import blocks_treating
from tests.course import PRESCRIBER, SESSION, Course
from tests.domain.scenes import FIRST, ONE, minutes, ready, rules
from tests.domain.schedules import alone
from tests.domain.simulation import COMBINED, DTMS, INDUCTION

NURSE = Author("a-nurse", Role.NURSE)
OPERATOR = Author("a-tms-operator", Role.TMS_OPERATOR)
ALONE = alone(COMBINED.phase(DTMS))
TMS = VisitId(f"{DTMS}-visit-1")
PRESSURE = next(g.id for g in COMBINED.phase(INDUCTION).gates if g.id == "blood-pressure-before")
NOT_SO = ": one of the two is wrong"


def prepared() -> Course:
    """A patient ready for the first stimulation of deep TMS by itself, who came 21 minutes ago."""
    course = Course(FIRST, ALONE)
    course.run("give")
    course.wait(SESSION + minutes(1))
    return course


def stimulation(course: Course, **changed: object) -> RecordStimulation:
    """The stimulation that was ordered, of the twenty minutes before the last one."""
    at = course.now - SESSION - minutes(1)
    return replace(RecordStimulation(TMS, at, at + SESSION, 1980, 120, 66), **changed)  # type: ignore[arg-type]


def test_a_dose_as_it_is_kept():
    """Number, milligrams, devices and lot; at the time of the first device, in UTC."""
    course = ready()
    there = course.now.astimezone(timezone(timedelta(hours=-5)))
    (event,) = course.do(RecordDose(ONE, there, 56, "lot-1"), NURSE)
    assert event.fact == DoseGiven(ONE, 1, 56, 2, "lot-1", authorized=True)
    assert (event.at, event.at.tzinfo, event.by) == (course.now, UTC, NURSE)


def test_a_stimulation_as_it_is_kept():
    """Number, both of its times, pulses, intensity and output, in UTC."""
    course = prepared()
    wish = stimulation(course)
    there = timezone(timedelta(hours=-5))
    moved = replace(
        wish, started_at=wish.started_at.astimezone(there), ended_at=wish.ended_at.astimezone(there)
    )
    (event,) = course.do(moved, OPERATOR)
    end = wish.ended_at
    assert event.fact == StimulationGiven(TMS, 1, end, 1980, 120, 66, authorized=True)
    assert (event.at, event.at.tzinfo) == (wish.started_at, UTC)
    assert isinstance(event.fact, StimulationGiven)
    assert event.fact.ended.tzinfo == UTC


@pytest.mark.parametrize(
    ("changed", "taken"),
    [
        ({}, True),
        ({"pulses": 0}, False),
        ({"intensity_percent_mt": 0}, False),
        ({"output_percent": 0}, False),
        ({"output_percent": 101}, False),
        ({"output_percent": 1}, True),
        ({"intensity_percent_mt": 1, "output_percent": 1}, True),
    ],
)
def test_figures_that_cannot_be_are_malformed(changed: dict[str, int], *, taken: bool):
    """Nothing of none, and no output beyond all of it; the least that can be is taken."""
    course = prepared()
    refusal = course.attempt(stimulation(course, **changed), OPERATOR)
    assert isinstance(refusal, Malformed) is not taken
    if taken and len(changed) != 1:
        assert refusal is None


def test_a_stimulation_ends_after_it_began():
    """An end at its beginning is malformed; an instant later it is not."""
    course = prepared()
    begun = stimulation(course).started_at
    assert isinstance(course.attempt(stimulation(course, ended_at=begun), OPERATOR), Malformed)
    ended = begun + timedelta(seconds=1)
    assert course.attempt(stimulation(course, ended_at=ended), OPERATOR) is None


@pytest.mark.parametrize("field", ["started_at", "ended_at"])
def test_neither_time_lies_in_the_future(field: str):
    """Both times of a stimulation have been when it is typed, and the refusal names the field."""
    course = prepared()
    wish = stimulation(course, **{field: course.now + timedelta(hours=2)})
    refusal = course.attempt(wish, OPERATOR)
    assert isinstance(refusal, Malformed)
    assert str(refusal).startswith(f"{field} is in the future")


def test_the_time_of_a_dose_is_named_when_it_is_to_come():
    """The first device was used already when the dose is typed."""
    course = ready()
    refusal = course.attempt(RecordDose(ONE, course.now + timedelta(hours=2), 56, "l"), NURSE)
    assert str(refusal).startswith("first_device_at is in the future")


@pytest.mark.parametrize(
    ("given", "says", "stops"),
    [
        ((120, 1980, 66), [], False),
        ((120, 1980, 64), [], False),
        (
            (120, 1980, 63),
            ["output 63 %; 120 % of the motor threshold of 55 % is 66 %" + NOT_SO],
            False,
        ),
        ((100, 1980, 53), [], False),  # a ramp: both are lower
        (
            (40, 1980, 66),
            ["output 66 %; 40 % of the motor threshold of 55 % is 22 %" + NOT_SO],
            False,
        ),
        (
            (119, 1980, 1),
            ["output 1 %; 119 % of the motor threshold of 55 % is 65 %" + NOT_SO],
            False,
        ),
        ((121, 1980, 66), ["at most 120 % of motor threshold, not 121 %"], True),
        ((120, 1979, 66), ["the order is 1980 pulses, not 1979"], False),
        ((120, 1981, 66), ["the order is 1980 pulses, not 1981"], False),
        (
            (120, 1980, 67),
            ["output 67 %; 120 % of the motor threshold of 55 % is at most 66 %"],
            True,
        ),
    ],
)
def test_the_strength_by_the_table(given: tuple[int, int, int], says: list[str], *, stops: bool):
    """Pulses as ordered; at most what the threshold of 55 allows, 66, and what the two say."""
    course = prepared()
    at = course.now - SESSION - minutes(1)
    strength = Strength(*given)
    result = check_may_stimulate(ALONE, course.pathway, TMS, at, strength, at + SESSION)
    blocks = blocks_of(result)
    assert [block.finding for block in blocks] == says
    assert all(block.stops is stops for block in blocks)
    named = {f"stimulation-{what}" for what in ("pulses", "intensity", "output", "fits")}
    assert {block.rule for block in blocks} <= named


@pytest.mark.parametrize(
    ("mg", "says", "stops"),
    [
        (56, None, False),
        (28, "28 mg; the first dose of esketamine is 56 mg", False),
        (84, "84 mg; the first dose of esketamine is 56 mg", True),
    ],
)
def test_a_first_dose_by_the_table(mg: int, says: str | None, *, stops: bool):
    """Less than the first dose is a finding; more than it stops."""
    course = ready()
    blocks = blocks_of(check_may_give_dose(COMBINED, course.pathway, ONE, mg, course.now))
    assert list(blocks) == ([] if says is None else [found("dose", says, stops=stops)])


def test_a_later_dose_is_any_of_those_that_follow():
    """After a first dose both are right, and what is neither is named with both."""
    course = ready()
    course.do(course.treatment(ONE, course.now))
    for mg, says in ((56, []), (84, []), (112, ["112 mg; a dose of esketamine is 56 mg or 84 mg"])):
        result = check_may_give_dose(COMBINED, course.pathway, ONE, mg, course.now)
        doses = [block for block in blocks_of(result) if block.rule == "dose"]
        assert [block.finding for block in doses] == says
        assert all(block.stops for block in doses)


def test_no_dose_in_a_phase_of_deep_tms_and_none_of_parts_of_a_device():
    """A dose there is a slip, and so are milligrams that no whole number of devices holds."""
    course = prepared()
    blocks = blocks_of(check_may_give_dose(ALONE, course.pathway, TMS, 56, course.now))
    assert found("treatment", f"{ALONE.phases[0].title} has no drug dose", stops=True) in blocks
    refusal = course.attempt(ReportDose(TMS, course.now, 56, "l", "It was given."), PRESCRIBER)
    assert rules(refusal) == ["treatment"]
    course = ready()
    odd = ReportDose(ONE, course.now, 30, "l", "It was given.")
    assert "whole number of devices" in str(course.attempt(odd, PRESCRIBER))


def test_what_was_given_against_a_rule_as_it_is_kept():
    """The words, what it went against, and that a nurse does not authorize what a rule stops."""
    says = (
        "systolic blood pressure 152 mmHg, required at most 140 mmHg"
        " (measured Monday 2026-11-30 09:01 EST)"
    )
    stop = "84 mg; the first dose of esketamine is 56 mg"
    for mg, devices, findings, who, authorized in (
        (56, 2, (says,), NURSE, True),
        (84, 3, (stop, says), NURSE, False),
        (84, 3, (stop, says), PRESCRIBER, True),
    ):
        course = ready()
        course.wait(minutes(1))
        course.measure(ONE, systolic_bp=152, diastolic_bp=85)
        wish = ReportDose(ONE, course.now, mg, "lot-1", "  It was given all the same. ")
        (event,) = course.do(wish, who)
        words = "It was given all the same."
        given = DoseGiven(ONE, 1, mg, devices, "lot-1", words, findings, authorized, ())
        assert event.fact == given


def test_an_overlapping_session_cannot_have_been():
    """Reported or recorded, two sessions at one time are a slip."""
    course = prepared()
    course.do(stimulation(course), OPERATOR)
    again = ReportStimulation(
        TMS, course.now - minutes(5), course.now, 1980, 120, 66, "It was given."
    )
    assert rules(course.attempt(again, PRESCRIBER)) == ["overlap"]


def test_the_next_number_follows_the_highest():
    """Gaps of entries in error are not filled; another phase counts by itself."""
    course = ready()
    course.do(course.treatment(ONE, course.now))
    (given,) = course.pathway.sessions.values()
    sessions = {"1": replace(given, number=3), "2": replace(given, number=2)}
    pathway = replace(course.pathway, sessions=sessions)
    assert next_number(pathway, INDUCTION) == 4
    assert next_number(pathway, DTMS) == 1


def test_a_dose_rests_on_what_was_decided_ahead():
    """The decision is said in full with the dose, once, whatever it let pass."""
    course = ready()
    last = course.first_visit.day + timedelta(days=7)
    course.do(DecideAhead(PRESSURE, last, "known; measured at home each day"), PRESCRIBER)
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=150, diastolic_bp=94)
    (decision,) = course.pathway.standing.values()
    wanted = (sentence(decision, course.zone),)
    assert rests_on(COMBINED, course.pathway, ONE, course.now) == wanted
    (event,) = course.do(course.treatment(ONE, course.now), NURSE)
    assert isinstance(event.fact, DoseGiven)
    assert event.fact.under == wanted
    assert wanted[0].startswith("blood pressure before: standing decision by a-prescriber on")


def test_a_decision_that_was_ended_since_is_found():
    """A dose typed with a time before the decision was ended is held against its end."""
    course = ready()
    last = course.first_visit.day + timedelta(days=7)
    course.do(DecideAhead(PRESSURE, last, "known; measured at home each day"), PRESCRIBER)
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=150, diastolic_bp=85)
    course.wait(minutes(5))
    course.do(EndDecision(next(iter(course.pathway.standing)), "a new plan"), PRESCRIBER)
    ended = course.now
    course.wait(minutes(1))
    says = "the standing decision about blood pressure before has ended: a new plan"
    for at, there in ((-1, True), (0, False)):
        since = found_since(COMBINED, course.pathway, ONE, ended + minutes(at), course.now)
        assert list(since) == [found("decision-ended", says)] * there
    before = found_since(COMBINED, course.pathway, ONE, ended - minutes(2), ended - minutes(1))
    assert list(before) == []


def test_what_was_found_after_the_time_that_is_typed_counts():
    """A contraindication or a ride called off since counts; one of the very time was known."""
    course = ready()
    course.wait(minutes(5))
    course.measure(ONE, intracerebral_hemorrhage="present", ride_home="not arranged")
    measured = course.now
    course.wait(minutes(1))
    for at, now, there in ((-1, 1, True), (0, 1, False), (-1, 0, True), (-2, -1, False)):
        since = found_since(
            COMBINED, course.pathway, ONE, measured + minutes(at), measured + minutes(now)
        )
        assert [block.rule for block in since] == ["contraindications", "ride-home"] * there


def pressed_since(systolic: float, minute: float, diastolic: float = 80) -> list[str]:
    """What is found of a pressure taken so long after a dose that is typed half an hour later."""
    course = ready()
    at = course.now
    course.wait(minutes(minute))
    course.measure(ONE, systolic_bp=systolic, diastolic_bp=diastolic)
    course.wait(minutes(30))
    since = found_since(COMBINED, course.pathway, ONE, at, course.now - minutes(29))
    return [block.rule for block in since]


def test_a_pressure_that_the_dose_itself_raised_is_nobody_s_finding():
    """From 35 minutes on, when the check of forty is due, 150 is the dose's doing; before, not."""
    assert pressed_since(150, 35) == []
    assert pressed_since(150, 50, 95) == []
    assert pressed_since(150, 34) == ["blood-pressure-before"]
    assert pressed_since(150, 1, 95) == ["blood-pressure-before"] * 2
    assert pressed_since(140, 1) == []


def test_a_pressure_that_a_prescriber_must_see_is_a_finding_whenever_it_was():
    """181 is beyond the limit, at forty minutes too: the dose is reported, and somebody looks."""
    assert pressed_since(181, 40) == ["blood-pressure-before"]
    assert pressed_since(180, 40) == []


def test_a_decision_that_a_score_ended_since_is_no_basis():
    """Ideation decided about ahead, then a higher answer: a dose typed back to before is told."""
    course = ready()
    course.assess("phq9", 1, 1, 1, 1, 1, 1, 1, 1, 1)
    course.run_rules()
    for key in [k for k, task in course.pathway.tasks.items() if not task.closed]:
        course.do(AcknowledgeTask(key, "Passive, as known; no change of plan."), PRESCRIBER)
    until = course.now.date() + timedelta(days=10)
    course.do(DecideAhead(RuleId("suicide-risk"), until, "Passive ideation, known."), PRESCRIBER)
    course.wait(minutes(1))
    at = course.now
    assert not list(found_since(COMBINED, course.pathway, ONE, at, course.now))
    course.wait(minutes(1))
    course.assess("phq9", 1, 1, 1, 1, 1, 1, 1, 1, 2)
    since = list(found_since(COMBINED, course.pathway, ONE, at, course.now))
    assert [block.rule for block in since] == ["decision-ended", "suicide-risk"]
    assert since[0].finding == (
        "the standing decision about suicide risk has ended: a later reading was outside its limits"
    )


def test_an_order_signed_after_the_time_that_is_typed_is_none_of_then():
    """A dose of before the signature stands against the rules; one of that minute does not."""
    course = ready()
    signed = course.pathway.phases[INDUCTION].signed
    assert signed is not None
    for back, there in ((61, True), (60, False), (0, False)):
        at = signed - timedelta(seconds=back)
        known = blocks_treating(COMBINED, course.pathway, ONE, at)
        told = [block for block in known if block.rule == "order-signed"]
        says = "the order for Esketamine nasal spray, induction was not signed at that time"
        assert told == [found("order-signed", says, stops=True)] * there
