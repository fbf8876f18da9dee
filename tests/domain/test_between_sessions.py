"""Between sessions: their number at a visit, the gap to both neighbors, and what counts on."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.language.findings import Blocked, Passed
from domain.language.names import (
    Author,
    ObservationName,
    PhaseDecision,
    Role,
    VisitId,
)
from domain.language.pathway import Session
from domain.language.phases import Decide
from domain.language.protocol import Period, Rate, Stage, When
from domain.planner import steps
from domain.rules.leaving import check_may_release
from domain.rules.refusing import found
from domain.rules.steps import Ask
from domain.rules.treating import blocks_treating, sessions_due
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import FIRST, ONE, TWO, dosed, minutes
from tests.domain.schedules import alone, rescheduled
from tests.domain.simulation import COMBINED, DTMS, INDUCTION

NURSE = Author("a-nurse", Role.NURSE)
ALONE = alone(COMBINED.phase(DTMS))
FIRST_TMS = VisitId(f"{DTMS}-visit-1")


def blocks(course: Course, at: timedelta = timedelta(), rule: str = "") -> list[Blocked]:
    """What stands in the way of a session at the first visit then, by this rule if one is named."""
    all_of_it = blocks_treating(course.protocol, course.pathway, ONE, course.now + at)
    return [block for block in all_of_it if rule in ("", block.rule)]


def test_one_dose_a_visit_and_no_more_than_the_stage():
    """A second dose of a visit stops, and so does one beyond the last of its stage."""
    course = dosed()
    finding = "1 dose recorded at esketamine induction visit 1, at most 1 allowed"
    assert blocks(course, rule="sessions-a-visit") == [
        found("sessions-a-visit", finding, stops=True)
    ]
    assert blocks(course, rule="sessions") == []
    one = rescheduled(INDUCTION, stages=(Stage(1, Rate(2, 1, Period.WEEK)),))
    course.protocol = one
    assert blocks(course, rule="sessions") == [
        found("sessions", "all 1 sessions were given", stops=True)
    ]


def test_how_many_sessions_are_due_at_a_visit():
    """As many as a visit takes, no more than the stage lacks, and never fewer than none."""
    course = Course(FIRST, ALONE)
    course.run("give")
    phase, pathway = ALONE.phase(DTMS), course.pathway
    visit = pathway.visits[FIRST_TMS]
    assert sessions_due(phase, pathway, visit) == 5

    def given(number: int, stage_of: int) -> int:
        sessions = {
            str(n): Session(FIRST_TMS, DTMS, n, course.now, course.now) for n in range(number)
        }
        stages = (Stage(stage_of, Rate(5, 1, Period.DAY)),)
        shorter = replace(phase, schedule=replace(phase.schedule, stages=stages))
        return sessions_due(shorter, replace(pathway, sessions=sessions), visit)

    assert [given(n, 7) for n in (0, 1, 5, 6)] == [5, 4, 0, 0]
    assert [given(n, 3) for n in (0, 1, 3, 4)] == [3, 2, 0, 0]


def stimulated() -> Course:
    """Somebody in the middle of a day of deep TMS: sessions of 20 minutes, gaps of fifty."""
    course = Course(FIRST, ALONE)
    course.run("give")
    began = course.now
    sessions = {
        str(n): Session(FIRST_TMS, DTMS, n, began + minutes(start), began + minutes(start + 20))
        for n, start in ((1, 0), (2, 200))
    }
    course.pathway = replace(course.pathway, sessions=sessions)
    return course


@pytest.mark.parametrize(
    ("start", "end", "rule", "says"),
    [
        (0, 20, "overlap", "another session was being given at that time"),
        (19.99, 30, "overlap", "another session was being given at that time"),
        (-10, 0.01, "overlap", "another session was being given at that time"),
        (190, 200.01, "overlap", "another session was being given at that time"),
        (20, 40, "gap-between-sessions", "0 min since the last session ended, at least 50"),
        (69, 89, "gap-between-sessions", "49 min since the last session ended, at least 50"),
        (70, 90, "", ""),
        (130, 150, "", ""),
        (131, 151, "gap-between-sessions", "49 min before the next session began, at least 50"),
        (180, 200, "gap-between-sessions", "0 min before the next session began, at least 50"),
        (-70, -50, "", ""),
        (-69, -49, "gap-between-sessions", "49 min before the next session began, at least 50"),
        (269, None, "gap-between-sessions", "49 min since the last session ended, at least 50"),
        (270, None, "", ""),
        (0, None, "overlap", "another session was being given at that time"),
        (200, None, "overlap", "another session was being given at that time"),
    ],
)
def test_the_gap_to_both_neighbours(start: float, end: float | None, rule: str, says: str):
    """Fifty minutes from end to start to the session before and the one after, and no overlap."""
    course = stimulated()
    at = course.now + minutes(start)
    ended = None if end is None else course.now + minutes(end)
    found_ = blocks_treating(ALONE, course.pathway, FIRST_TMS, at, ended)
    between = [b for b in found_ if b.rule in ("overlap", "gap-between-sessions")]
    assert [block.rule for block in between] == [rule] * bool(rule)
    for block in between:
        assert block.finding == (says if block.rule == "overlap" else f"{says} required")
        before = "since" in says
        assert (block.until is not None) is before
        assert block.who == (() if before else (Role.PRESCRIBER,))
        assert not block.stops


def test_nobody_is_let_go_between_two_sessions_who_might_be():
    """The protocol would let them leave: while sessions of the day are left, nobody is asked to."""
    course = stimulated()
    phase = ALONE.phase(DTMS)
    before = tuple(gate for gate in phase.gates if gate.when is not When.AFTER_EACH_VISIT)
    protocol = replace(ALONE, phases=(replace(phase, gates=before),))
    after = course.now + minutes(250)
    assert check_may_release(protocol, course.pathway, FIRST_TMS, after) == Passed()
    asked = {getattr(step, "ask", None) for step in steps(protocol, course.pathway, after)}
    assert Ask.RELEASE not in asked


def test_the_gap_passes_by_itself():
    """Whoever waits is told until when, from the end of the last session that was given."""
    course = stimulated()
    at = course.now + minutes(230)
    found_ = blocks_treating(ALONE, course.pathway, FIRST_TMS, at)
    (gap,) = [block for block in found_ if block.rule == "gap-between-sessions"]
    assert gap.until == course.now + minutes(270)


def test_what_was_asked_once_is_not_asked_again_but_still_counts():
    """After the first dose what was known is not asked again; what was found since counts."""
    course = dosed()
    later = timedelta(days=31)
    assert {block.rule for block in blocks(course, later)} & {
        "contraindications",
        "ride-home",
    } == set()
    course.wait(minutes(1))
    course.measure(ONE, intracerebral_hemorrhage="present", ride_home="not arranged")
    assert blocks(course, later, "contraindications")[0].stops
    assert blocks(course, timedelta(hours=12), "ride-home")
    assert blocks(course, timedelta(hours=13), "ride-home")


def test_what_nobody_has_known_is_unknown_for_the_next_session_too():
    """A first dose given unscreened and signed off makes nothing known: the second waits for it."""
    course = dosed()
    kept = course.pathway.readings
    never = ObservationName("esketamine_consent")
    old = ObservationName("ride_home")
    course.pathway = replace(
        course.pathway, readings={k: v for k, v in kept.items() if k not in (never, old)}
    )
    asked = blocks(course, timedelta(days=31))
    missing = dict.fromkeys(b.rule for b in asked if b.missing)
    assert list(missing) == ["consent", "ride-home", "blood-pressure-before"]
    assert next(b for b in asked if b.rule == "consent").stops


def test_what_may_be_of_any_age_may_be_so_for_a_later_session_too():
    """A gate of the visit that names no age is met by an answer of whenever."""
    course = dosed()
    first, *others = COMBINED.phases
    gates = tuple(
        replace(gate, measured_within=None) if gate.id == "ride-home" else gate
        for gate in first.gates
    )
    course.protocol = replace(COMBINED, phases=(replace(first, gates=gates), *others))
    assert blocks(course, timedelta(days=31), "ride-home") == []


def test_a_dose_near_another_is_too_close():
    """The day of another visit's session is named; the session of this visit is not one."""
    course = dosed()
    pathway = course.pathway
    at = course.now + timedelta(days=1)
    close = [b for b in blocks_treating(COMBINED, pathway, TWO, at) if b.rule == "at-least-apart"]
    says = "1 day from session 1 of esketamine induction on 2026-11-30, at least 2 required"
    assert close == [found("at-least-apart", says)]
    assert blocks(course, rule="at-least-apart") == []


def test_a_decision_to_move_on_leaves_the_visits_of_the_phase():
    """Nothing is given in a phase that was left, whatever its visits say."""
    course = Course(FIRST, COMBINED)
    course.run("check-in")
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "not tolerated"), PRESCRIBER)
    (block,) = [
        b for b in blocks_treating(COMBINED, course.pathway, ONE, course.now) if b.rule == "phase"
    ]
    assert block.finding == (
        "esketamine induction visit 1 is not in the present phase, accelerated deep TMS"
    )
