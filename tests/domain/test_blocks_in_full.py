"""What stands in the way is said in full: the rule, who, what, until when, why, and its source."""

from dataclasses import replace

import pytest

from domain.language.events import Event
from domain.language.findings import Blocked
from domain.language.names import EventId, Role, RuleId
from domain.language.protocol import Otherwise
from domain.language.treatment import DoseGiven
from domain.rules.gates import (
    Look,
    evaluate,
    timed_checks,
)
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import FIT_TO_LEAVE, ONE, checked_in, dosed, minutes
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


def due(course: Course, at: int) -> list[Blocked]:
    """What is due in a window after the dose, so many minutes from now."""
    return list(timed_checks(look(course, at), PHASE.timed_checks))


def titles() -> str:
    """What is recorded at forty minutes, as people call it."""
    return ", ".join(COMBINED.vocabulary.kind(name).title for name in AT_40.record)


def test_readings_of_a_window_are_missing_until_it_closes():
    """Before it opens they are awaited until then; while it is open they are simply missing."""
    course = dosed()
    missing = Blocked(
        AT_40.id,
        WATCHERS,
        missing=f"{titles()}, due 35 to 60 min after the first device",
        opens=course.now + minutes(35),
        closes=course.now + minutes(60),
        why=AT_40.why,
        source=AT_40.source,
    )
    assert due(course, 0) == [missing]
    assert due(course, 35) == due(course, 59) == [replace(missing, opens=None)]


def test_readings_that_nobody_took_in_time_are_a_prescribers():
    """From the minute on at which the window closes it is a finding that may be overridden."""
    course = dosed()
    assert due(course, 60) == [
        Blocked(
            AT_40.id,
            (Role.PRESCRIBER,),
            finding=f"{titles()} was not recorded 35 to 60 min after the first device",
            overridable=True,
            evidence=(f"{ONE}/{AT_40.id}/2026-11-30T14:00:00+00:00",),
            why=AT_40.why,
            source=AT_40.source,
        )
    ]


def test_a_check_that_was_made_hides_no_other():
    """Of two windows the first was used: the second is still due."""
    course = dosed()
    course.wait(minutes(40))
    course.measure(ONE, **FIT_TO_LEAVE)
    later = replace(AT_40, id=RuleId("at-90"), earliest=minutes(85), latest=minutes(95))
    found = list(timed_checks(look(course), (AT_40, later)))
    assert [(block.rule, block.until) for block in found] == [("at-90", course.now + minutes(45))]


def test_windows_count_from_the_last_dose_of_a_visit():
    """A second dose, reported, has its own readings, and the first asks for none any more."""
    course = dosed()
    first = course.now
    course.wait(minutes(70))
    given = course.facts(DoseGiven)[-1]
    again = Event(EventId("again/0"), course.now, PRESCRIBER, replace(given, session=2))
    course.record([again])
    assert [block.until for block in due(course, 0)] == [first + minutes(70 + 35)]


def test_a_missing_reading_says_who_takes_it_and_how_old_it_may_be():
    """Two pressures are missing, each with the gate's reason and source, and neither stops."""
    course = checked_in()
    gate = GATES["blood-pressure-before"]
    missing = [
        Blocked(
            gate.id,
            WATCHERS,
            missing=f"{title}, recorded in the last 30 min",
            why=gate.why,
            source=gate.source,
        )
        for title in ("systolic blood pressure", "diastolic blood pressure")
    ]
    assert list(evaluate(gate, look(course))) == missing


@pytest.mark.parametrize(
    ("gate", "says"),
    [
        ("rems-enrolled", "REMS enrolment, recorded"),
        ("contraindications", "aneurysmal vascular disease, recorded in the last 30 days"),
        ("ride-home", "safe ride home, recorded in the last 12 hours"),
        ("treatment-resistance", "earlier antidepressants of adequate length without lasting"),
    ],
)
def test_the_age_of_a_missing_reading_is_said_in_words(gate: str, says: str):
    """Of any age, in days, in hours: and what stops says so."""
    block = evaluate(GATES[gate], look(checked_in()))[0]
    assert str(block.missing).startswith(says)
    assert block.stops is (GATES[gate].otherwise is Otherwise.STOP)
