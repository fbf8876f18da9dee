"""Courses in which anybody may say anything at any time, drawn by Hypothesis.

A course is some turns of staff who follow what is next, with wild wishes in between: of any kind,
about any visit, at any time near now, with values on both sides of every limit.
"""

import os
from datetime import date, time, timedelta
from functools import cache

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from domain.language.clocks import LocalTime, local
from domain.language.commands import Wish
from domain.language.holds import LiftHold, PlaceHold
from domain.language.names import (
    HoldId,
    HoldReason,
    PhaseDecision,
    PhaseId,
    RuleId,
    TaskId,
    VisitId,
)
from domain.language.observations import Measurement, RecordAssessment, RecordReadings
from domain.language.overrides import OverrideGate
from domain.language.phases import Decide, SignOrder
from domain.language.release import Disposition, NotTreated, ReleaseVisit
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import (
    RecordDose,
    RecordStimulation,
    ReportDose,
    ReportStimulation,
)
from domain.language.visits import BookVisit, CancelVisit, CheckIn, MissVisit, MoveVisit
from tests.course import GOOD, LOW_RISK, SESSION, Course
from tests.domain.simulation import COMBINED, DTMS, INDUCTION, MAINTENANCE, readings

NIGHTLY = 50
Move = tuple[int, int, int]

MOVES = st.lists(
    st.tuples(st.integers(0, 44), st.integers(0, 99), st.integers(0, 99)), min_size=5, max_size=40
)
CHOICES = st.lists(st.integers(0, 6), max_size=25)
BEGINNINGS = st.sampled_from(("start", INDUCTION, DTMS, MAINTENANCE))

RULES = (
    *(gate.id for phase in COMBINED.phases for gate in phase.gates),
    *(check.id for phase in COMBINED.phases for check in phase.timed_checks),
    RuleId("finish-within"),
    RuleId("hold"),
)

settings.register_profile("nightly", deadline=None)


def courses(number: int) -> settings:
    """Say how many courses a test draws: the same few each time, and fifty times more nightly.

    Nightly is `--hypothesis-profile nightly` on this folder, or HYPOTHESIS_PROFILE=nightly.
    """
    current = getattr(settings, "get_current_profile_name", str)()
    nightly = "nightly" in (current, os.environ.get("HYPOTHESIS_PROFILE"))
    return settings(
        max_examples=number * (NIGHTLY if nightly else 1),
        deadline=None,
        derandomize=not nightly,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@cache
def begun(beginning: str) -> Course:
    """Bring a well-behaved course to a phase's first visit; `start` is before the order."""
    course = Course(LocalTime(date(2027, 2, 22), time(9)))
    if beginning != "start":
        course.run(f"{beginning}-visit-1")
    return course


@st.composite
def played(draw: st.DrawFn, *, misbehave: bool = True) -> Course:
    """Draw a course: where it begins, what staff choose and what is said in between."""
    course = begun(draw(BEGINNINGS)).copied()
    course._script, course._choices = {}, draw(CHOICES) if misbehave else []
    for move in draw(MOVES):
        play(course, move)
    return course


def play(course: Course, move: Move) -> None:
    """Make one move: mostly what is next, sometimes something wild."""
    kind, one, two = move
    if kind < 20:
        for _ in range(1 + one % 6):
            course.follow_next()
    elif kind == 20:
        course.wait(timedelta(minutes=one * two))
    elif kind == 21:
        course.wait(timedelta(days=one % 4))
    else:
        course.attempt(wish(course, kind, one, two))


def wish(course: Course, kind: int, one: int, two: int) -> Wish:  # noqa: C901, PLR0911, PLR0912  one case a wish
    """Make up a wish of this kind."""
    visit = any_visit(course, one)
    at = course.now - timedelta(minutes=two - 20)
    there = local(course.now, course.zone)
    hour = course.first_visit.hour
    near = LocalTime(there.day + timedelta(days=two % 7 - 2), hour.replace(hour=one % 24))
    known = course.pathway.visits.get(visit)
    if known is not None and two % 2:
        near = LocalTime(known.proposed.day + timedelta(days=two % 5 - 2), hour)
    gate = RULES[two % len(RULES)]
    match kind:
        case 22:
            return SignOrder(any_phase(one))
        case 23 | 24:
            return BookVisit(visit, near if two % 3 else None)
        case 25 | 26:
            return MoveVisit(visit, near)
        case 27:
            return CheckIn(visit)
        case 28:
            if two % 2:
                return CancelVisit(visit, "The patient telephoned.")
            return MissVisit(visit)
        case 29 | 30:
            left = at if two % 5 == 0 else None
            went = tuple(Disposition)[one % 6] if one % 7 == 0 else Disposition.HOME
            why = tuple(NotTreated)[two % 7] if two % 3 == 0 else None
            return ReleaseVisit(visit, went, "They left." if two % 4 else "", left, why)
        case 31 | 32 | 33:
            return RecordReadings(at, any_readings(one, two), visit if one % 3 else None)
        case 34:
            low, high = (0, 0) if one % 3 else (1, two % 4)
            items = (*LOW_RISK[:8], high) if two % 2 else (low + two % 5,) * 10
            return RecordAssessment("phq9" if two % 2 else "madrs", at, items)
        case 35 | 36 | 37:
            mg = (28, 56, 84, 112)[one % 4]
            if two % 5 == 0:
                return ReportDose(visit, at, mg, "lot-1", "It was given all the same.")
            return RecordDose(visit, at, mg, "lot-1")
        case 38 | 39:
            strength = (120, 121, 90)[one % 3]
            pulses = (1980, 1981, 400)[two % 3]
            as_given = (visit, at, at + SESSION, pulses, strength, 50 + one)
            if two % 5 == 0:
                return ReportStimulation(*as_given, "The patient asked to stop.")
            return RecordStimulation(*as_given)
        case 40:
            return PlaceHold(list(HoldReason)[one % 7], "a note")
        case 41:
            holds = (*course.pathway.holds, HoldId("nothing"))
            return LiftHold(holds[one % len(holds)], "A reason." if two % 4 else " ")
        case 42:
            return OverrideGate(visit, gate, "A reason." if two % 4 else "")
        case 43 if one % 3 == 0:
            decisions = (
                PhaseDecision.CONTINUE,
                PhaseDecision.MOVE_ON,
                PhaseDecision.COMPLETE,
                PhaseDecision.STOP,
            )
            return Decide(any_phase(two), decisions[two % 4], "A reason.")
    tasks = (*course.pathway.tasks, TaskId("nothing"))
    return AcknowledgeTask(tasks[one % len(tasks)], ("Seen: she is safe.", "Seen.", "")[two % 3])


def any_visit(course: Course, number: int) -> VisitId:
    """Name a visit: mostly one that is open or near, sometimes any, sometimes none at all."""
    known = sorted(course.pathway.visits.values(), key=lambda v: (v.status.value, v.at.day, v.id))
    here = [v.id for v in known if v.checked_in is not None and v.status.value == "checked-in"]
    if here and number % 4:
        return here[0]
    return known[number % len(known)].id if known and number % 11 else VisitId("nothing")


def any_phase(number: int) -> PhaseId:
    """Name a phase."""
    return (INDUCTION, DTMS, MAINTENANCE, PhaseId("nothing"))[number % 4]


def any_readings(one: int, two: int) -> tuple[Measurement, ...]:
    """Take readings: pressure near its limits, or all that leaving asks for, good or not."""
    if two % 3 == 0:
        return readings(systolic_bp=130 + one % 16, diastolic_bp=80 + two % 16)
    if two % 3 == 1:
        steady = "confirmed" if one % 4 else "not confirmed"
        answers = {"clinically_stable": steady, "fit_to_stimulate": steady, "ride_home": "arranged"}
        return readings(**GOOD, **answers, respiratory_depression="absent")
    found = "absent" if one % 4 else "present"
    enrolled = "confirmed" if one % 3 else "not confirmed"
    return readings(
        rems_enrolment=enrolled, intracerebral_hemorrhage=found, hearing_protection="worn"
    )
