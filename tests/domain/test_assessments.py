"""Scores are asked for at the moments that a protocol names, until they are there."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from domain.due import next_due
from domain.language.names import ObservationName, RuleId
from domain.language.safety import AssessmentRule, At, Moment
from domain.planner import steps
from domain.rules.assessments import moments, says
from domain.rules.steps import Ask, AskPerson
from tests.course import BASELINE, WELL, Course
from tests.domain.scenes import FIRST, ONE, a_course, dosed
from tests.domain.simulation import COMBINED, DTMS, INDUCTION, MAINTENANCE

MADRS = ObservationName("madrs_total")
WEEK, DAY = timedelta(weeks=1), timedelta(days=1)


def asked(course: Course) -> list[AskPerson]:
    """Which scores are asked for now."""
    found = steps(course.protocol, course.pathway, course.now)
    return [step for step in found if isinstance(step, AskPerson) and step.ask is Ask.ASSESS]


def with_rules(*at: At) -> Course:
    """A course whose induction asks for MADRS at these moments."""
    rule = AssessmentRule(RuleId("madrs"), MADRS, at, timedelta(days=4), "It is time.", "clinic")
    first, *others = COMBINED.phases
    return Course(FIRST, replace(COMBINED, phases=(replace(first, assessments=(rule,)), *others)))


def test_a_week_is_counted_from_the_first_session():
    """Nothing is asked before the two weeks are over; then by the minute, and a score ends it."""
    course = dosed()
    start = course.pathway.sessions_in(INDUCTION)[0].started
    course.now = start + 2 * WEEK - timedelta(minutes=1)
    assert asked(course) == []
    assert next_due(course.protocol, course.pathway, course.now) <= start + 2 * WEEK
    course.now = start + 2 * WEEK
    (step,) = asked(course)
    assert (step.about, step.due) == (f"{INDUCTION}/madrs/week-2", start + 2 * WEEK)
    course.assess("madrs", *WELL)
    assert asked(course) == []


def test_a_score_of_shortly_before_will_do():
    """One taken within the rule's days before the moment answers it; an older one does not."""
    for days, answered in ((3, True), (5, False)):
        course = dosed()
        start = course.pathway.sessions_in(INDUCTION)[0].started
        course.now = start + 2 * WEEK - timedelta(days=days)
        course.assess("madrs", *WELL)
        course.now = start + 2 * WEEK
        assert (asked(course) == []) is answered


def test_each_rule_asks_for_its_own_score():
    """One score that is there leaves the other one asked for."""
    rules = [
        AssessmentRule(RuleId(name), score, (At(Moment.WEEK, 2),), 4 * DAY, "It is time.", "clinic")
        for name, score in (("madrs", MADRS), ("phq9", ObservationName("phq9_total")))
    ]
    first, *others = COMBINED.phases
    both = replace(first, assessments=tuple(rules))
    course = Course(FIRST, replace(COMBINED, phases=(both, *others)))
    course.run(Ask.GIVE)
    course.do(course.treatment(ONE, course.now))
    course.now = course.pathway.sessions_in(INDUCTION)[0].started + 2 * WEEK
    course.assess("madrs", *WELL)
    assert [step.rule for step in asked(course)] == ["phq9"]


def test_it_is_a_task_that_closes_by_itself():
    """Whoever records it need not acknowledge anything."""
    course = dosed()
    start = course.pathway.sessions_in(INDUCTION)[0].started
    course.now = start + 2 * WEEK
    course.run_rules()
    (key,) = [k for k in course.pathway.tasks if k.startswith(f"{Ask.ASSESS}/")]
    course.assess("madrs", *WELL)
    assert course.pathway.tasks[key].closed


def test_a_session_is_counted_within_the_phase():
    """At the third session, not at the first, and not for a session that never was."""
    course = with_rules(At(Moment.SESSION, 3), At(Moment.SESSION, 9))
    course.run(Ask.RELEASE)
    assert asked(course) == []
    course.run(f"{INDUCTION}/madrs/session-3")
    assert len(course.pathway.sessions_in(INDUCTION)) == 3


def test_the_next_moment_takes_the_place_of_the_last():
    """Two moments that have come ask one question: the later one's."""
    course = with_rules(At(Moment.WEEK, 1), At(Moment.WEEK, 2))
    course.run(Ask.RELEASE)
    start = course.pathway.sessions_in(INDUCTION)[0].started
    course.now = start + 3 * WEEK
    (step,) = asked(course)
    assert step.about == f"{INDUCTION}/madrs/week-2"


@pytest.mark.long
def test_the_end_of_a_phase_asks_before_the_decision():
    """When no visit is left the score is asked for, so that the decision has it."""
    course = a_course()
    course.run(f"{INDUCTION}/madrs/end")
    assert len(course.pathway.sessions_in(INDUCTION)) == 8


@pytest.mark.long
def test_a_review_has_its_score_when_it_is_due():
    """It is asked for so long before the review as a score may be old."""
    course = a_course()
    course.run(MAINTENANCE)
    course.run(Ask.CHECK_IN)
    (due,) = [each.at for each in moments(course.protocol, course.pathway)]
    assert due is not None
    for early, wanted in ((timedelta(minutes=1), []), (timedelta(), ["review-1"])):
        course.now = due - timedelta(days=4) - early
        assert [step.about.rpartition("/")[2] for step in asked(course)] == wanted


@pytest.mark.long
def test_a_moment_says_what_the_rules_say_of_its_score():
    """At session 20 response and remission are judged against the score that was asked for."""
    course = a_course(madrs=WELL)
    course.run(f"{DTMS}/madrs/session-20")
    course.assess("madrs", *WELL)
    found = {each.name: each for each in moments(course.protocol, course.pathway)}
    score = found["session-20"].score
    assert score is not None
    assert score.value == Decimal(sum(WELL))
    said = says(course.protocol, course.pathway, found["session-20"])
    assert {str(judged.rule): judged.met for judged in said}["response"] is True
    assert says(course.protocol, course.pathway, found["end"]) == ()


@pytest.mark.long
def test_a_phase_that_names_no_moments_asks_for_nothing():
    """A protocol that was pinned before there were any is as it was."""
    phases = tuple(replace(phase, assessments=()) for phase in COMBINED.phases)
    course = Course(FIRST, replace(COMBINED, phases=phases))
    course.run(Ask.DECIDE)
    assert not [k for k in course.pathway.tasks if k.startswith(f"{Ask.ASSESS}/")]
    assert ONE in course.pathway.visits
    assert sum(BASELINE) > 0
