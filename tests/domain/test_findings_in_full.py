"""What was found, in full, and what lets it pass: an override, a decision, its age."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from domain.language.events import Event
from domain.language.findings import Blocked, blocks_of
from domain.language.names import EventId, ObservationName, Role
from domain.language.overrides import GateOverridden
from domain.language.standing import DecideAhead
from domain.rules.fold import apply, override_key
from domain.rules.gates import (
    Look,
    decided_ahead,
    evaluate,
    found_for,
    observed_for,
    overridden,
)
from domain.rules.treating import check_may_treat
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import FIT_TO_LEAVE, ONE, checked_in, dose, dosed, minutes, ready
from tests.domain.schedules import alone
from tests.domain.simulation import COMBINED, DTMS, INDUCTION

PHASE = COMBINED.phase(INDUCTION)
(AT_40,) = PHASE.timed_checks
GATES = {str(gate.id): gate for gate in PHASE.gates}
WATCHERS = (Role.NURSE, Role.PRESCRIBER)
ALONE = alone(COMBINED.phase(DTMS))
"""Deep TMS by itself, which needs no induction before it."""


def look(course: Course, at: int = 0) -> Look:
    """Look at the first visit so many minutes from now."""
    return Look(course.protocol, course.pathway, course.now + minutes(at), ONE)


def test_a_finding_says_what_was_found_and_what_would_pass():
    """A pressure of 152 is the prescriber's to override, with its entry as evidence."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=152, diastolic_bp=85)
    gate = GATES["blood-pressure-before"]
    pressure = course.pathway.readings[ObservationName("systolic_bp")][-1]
    (block,) = evaluate(gate, look(course))
    assert block == Blocked(
        gate.id,
        (Role.PRESCRIBER,),
        finding=(
            "systolic blood pressure 152 mmHg, required at most 140 mmHg"
            " (measured Monday 2026-11-30 09:01 EST)"
        ),
        overridable=True,
        evidence=(pressure.evidence,),
        why=gate.why,
        source=gate.source,
    )


def test_a_finding_that_stops_is_for_those_who_measure_again():
    """A contraindication: nobody overrides it, and treatment all the same is not authorized."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, intracerebral_hemorrhage="present")
    gate = GATES["contraindications"]
    (block,) = evaluate(gate, look(course))
    kind = COMBINED.vocabulary.kind(ObservationName("intracerebral_hemorrhage"))
    assert (
        block.finding
        == f"{kind.title} present, required absent (measured Monday 2026-11-30 09:01 EST)"
    )
    assert (block.who, block.overridable, block.stops) == (kind.recorded_by, False, True)


def test_time_observed_passes_by_itself_and_is_nobodys():
    """At 40 minutes of 120 nobody is asked for anything: it says until when."""
    course = dosed()
    given = course.now
    course.wait(minutes(40))
    course.measure(ONE, **FIT_TO_LEAVE)
    gate = GATES["fit-to-leave"]
    (block,) = evaluate(gate, look(course))
    assert block == Blocked(
        gate.id,
        (),
        finding="time observed since the first device 40 min, "
        "required at least 120 min (measured Monday 2026-11-30 09:40 EST)",
        evidence=(f"{ONE}/minutes-observed",),
        passes=given + minutes(120),
        why=gate.why,
        source=gate.source,
    )


def test_a_reading_of_another_day_says_its_day():
    """The score of the day before is shown with its day, one of today with its hour only."""
    course = ready()
    course.assess("phq9", 1, 1, 1, 1, 1, 1, 1, 1, 1)
    course.wait(timedelta(days=1))
    (block,) = evaluate(GATES["suicide-risk"], look(course))
    assert "(measured Monday 2026-11-30 09:00 EST)" in str(block.finding)


def test_an_override_that_was_once_possible_lets_no_stop_pass():
    """Recorded while a protocol let it be overridden, it does nothing for a gate that stops."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, intracerebral_hemorrhage="present")
    gate = GATES["contraindications"]
    (block,) = evaluate(gate, look(course))
    fact = GateOverridden(ONE, gate.id, "as it was then", (block.sentence(),), block.evidence)
    event = Event(EventId("o/0"), course.now, PRESCRIBER, fact)
    pathway = apply(course.pathway, event, COMBINED.vocabulary)
    assert pathway.overrides[override_key(ONE, gate.id)]
    there = replace(look(course), pathway=pathway)
    assert evaluate(gate, there) == (block,)
    assert not overridden(block, there)
    assert overridden(replace(block, overridable=True), there)
    assert not overridden(replace(block, overridable=True), replace(there, visit=None))
    assert not overridden(replace(block, overridable=True, finding=None), there)
    assert not overridden(replace(block, overridable=True, evidence=()), there)


def test_a_dose_rests_on_a_decision_only_where_the_gate_would_hold_without_it():
    """A good pressure, or one that is too old to count, rests on no decision ahead."""
    course = ready()
    gate = GATES["blood-pressure-before"]
    last = course.first_visit.day + timedelta(days=7)
    course.do(DecideAhead(gate.id, last, "known; measured at home each day"), PRESCRIBER)
    assert decided_ahead(gate, look(course)) == ()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=150, diastolic_bp=85)
    (decision,) = course.pathway.standing.values()
    assert decided_ahead(gate, look(course)) == (decision,)
    assert decided_ahead(gate, look(course, at=30)) == (decision,)
    assert decided_ahead(gate, look(course, at=31)) == ()


@pytest.mark.parametrize(("days", "found"), [(30, True), (31, False)])
def test_what_is_too_old_is_not_found(days: int, *, found: bool):
    """A line of a gate is judged by a reading of the age that it asks, and by no older one."""
    course = ready()
    gate = GATES["contraindications"]
    there = look(course, at=days * 24 * 60)
    at = course.pathway.readings[gate.require[0].observation][-1].at
    there = replace(there, at=at + timedelta(days=days))
    assert (found_for(gate, gate.require[0], there) is not None) is found


def test_how_long_a_phase_observes():
    """Two hours after esketamine; after deep TMS no time is asked."""
    assert observed_for(PHASE) == [timedelta(minutes=120)]
    assert observed_for(COMBINED.phase(DTMS)) == []


def test_a_reading_before_the_first_session_of_a_day_serves_the_second():
    """The motor threshold of the morning counts for each stimulation; only leaving counts anew."""
    course = Course(checked_in().first_visit, ALONE)
    course.run("give")
    first = course.pathway.visits_in(DTMS)[0].id
    wish = course.treatment(first, course.now)
    course.wait(minutes(20))
    course.do(wish)
    course.wait(minutes(50))
    course.measure(first, fit_to_stimulate="confirmed", hearing_protection="worn")
    assert blocks_of(check_may_treat(ALONE, course.pathway, first, course.now)) == ()


@pytest.mark.parametrize(
    ("value", "shown"), [("12", "12"), ("12.34", "12.3"), ("12.0", "12"), ("12.06", "12.1")]
)
def test_a_value_is_shown_to_one_decimal_place(value: str, shown: str):
    """For reading only: the gate itself judges the value as it was recorded."""
    course = ready()
    gate = GATES["blood-pressure-before"]
    need = replace(gate.require[0], value=Decimal(1))
    seen = course.pathway.readings[need.observation][-1]
    known = {**course.pathway.readings, need.observation: (replace(seen, value=Decimal(value)),)}
    there = replace(look(course), pathway=replace(course.pathway, readings=known))
    (block,) = evaluate(replace(gate, require=(need,)), there)
    assert str(block.finding).startswith(
        f"systolic blood pressure {shown} mmHg, required at most 1"
    )


def test_a_dose_is_held_by_what_is_in_its_way_only():
    """The blocks of a refusal are those of the gate, word for word."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=152, diastolic_bp=85)
    refusal = dose(course)
    gate = GATES["blood-pressure-before"]
    assert getattr(refusal, "blocked_by", None) == evaluate(gate, look(course))
