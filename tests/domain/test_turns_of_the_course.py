"""Response, remission, worsening and relapse are rules over any scale, held against each score."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from domain.language.names import Author, ObservationName, PhaseDecision, Role, RuleId
from domain.language.observations import RecordAssessment
from domain.language.phases import Decide, DecisionMade
from domain.language.protocol import CourseRule
from domain.language.requirements import Requirement
from domain.language.requirements import Test as Compare
from domain.language.safety import SafetyTask
from domain.language.tasks import AcknowledgeTask
from domain.rules.course import said_now
from domain.rules.reviews import subject, turned
from domain.rules.steps import Ask, AskPerson
from tests.course import Course
from tests.domain.scenes import TWO, a_course, dose, dosed, ready
from tests.domain.simulation import COMBINED, DTMS, INDUCTION

PRESCRIBER = Author("a-prescriber", Role.PRESCRIBER)
PHQ9 = ObservationName("phq9_total")


def treated() -> Course:
    """Somebody with a MADRS of 28 before the first dose, and at home after it."""
    course = dosed()
    course.run(TWO)
    course.wait(timedelta(hours=1))
    return course


def scored(course: Course, total: int) -> None:
    """Score MADRS, without a thought of death."""
    course.wait(timedelta(hours=2))
    items = [min(6, total)] if total <= 6 else [6] * (total // 6) + [total % 6]
    items += [0] * (9 - len(items))
    course.assess("madrs", *items, 0)


@pytest.mark.parametrize("decision", [PhaseDecision.MOVE_ON, PhaseDecision.STOP])
def test_a_phase_that_ends_leaves_what_nobody_has_looked_at(decision: PhaseDecision):
    """Worse than before treatment, and the phase is left, or all of it: it is asked and rises."""
    course = treated()
    scored(course, 46)
    (key,) = [key for key in course.pathway.tasks if key.startswith(Ask.REVIEW_COURSE)]
    course.do(Decide(INDUCTION, decision, "As discussed with her."), PRESCRIBER)
    course.run_rules()
    assert not course.pathway.tasks[key].closed
    due = course.pathway.tasks[key].due
    assert due is not None
    course.wait(due - course.now)
    assert Role.MEDICAL_DIRECTOR in course.pathway.tasks[key].roles
    course.do(AcknowledgeTask(key, "Seen: a plan for the week is made."), PRESCRIBER)
    course.run_rules()
    assert course.pathway.tasks[key].closed


def test_what_is_left_to_be_looked_at_is_asked_as_it_was():
    """In the next phase: of the same people, in the same words, by the same time."""
    course = treated()
    scored(course, 46)
    ((key, task),) = [
        each for each in course.pathway.tasks.items() if each[0].startswith(Ask.REVIEW_COURSE)
    ]
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "As discussed with her."), PRESCRIBER)
    (step,) = turned(course.protocol, course.pathway)
    rises = COMBINED.phase(DTMS).rises(SafetyTask.COURSE)
    about = subject(key)
    assert step == AskPerson(
        Ask.REVIEW_COURSE, about, task.roles, task.says, task.rule, due=task.due, rises=rises
    )


def test_a_score_between_two_phases_and_one_after_the_end_are_asked_about():
    """Before the next phase's first session, and when all of it is over, the rules go on."""
    for decision in (PhaseDecision.MOVE_ON, PhaseDecision.STOP):
        course = treated()
        course.do(Decide(INDUCTION, decision, "As discussed with her."), PRESCRIBER)
        course.run_rules()
        scored(course, 46)
        assert asked(course) == ["worsening"]


def said(course: Course) -> dict[str, bool | None]:
    """What the last score says by each rule."""
    return {each.rule: each.met for each in said_now(course.protocol, course.pathway)}


def asked(course: Course) -> list[str]:
    """The rules of which somebody is asked."""
    tasks = course.pathway.tasks.items()
    return [
        task.rule for key, task in tasks if key.startswith(Ask.REVIEW_COURSE) and not task.closed
    ]


@pytest.mark.parametrize(
    ("total", "met"),
    [
        (28, set()),
        (15, set()),
        (14, {"response"}),
        (10, {"response", "remission"}),
        (35, {"worsening"}),
    ],
)
def test_each_score_is_held_against_each_rule(total: int, met: set[str]):
    """From 28: 14 is a response, 10 a remission too, 35 is worse; by the protocol's figures."""
    course = treated()
    scored(course, total)
    assert {rule for rule, is_met in said(course).items() if is_met} == met


def test_a_relapse_is_one_only_after_having_been_better():
    """22 after a response asks a prescriber; the same 22 without one before asks nobody."""
    course = treated()
    scored(course, 24)
    assert asked(course) == []
    scored(course, 12)
    assert asked(course) == []
    scored(course, 22)
    assert asked(course) == ["relapse"]
    assert said(course)["relapse"]


def test_worse_than_before_treatment_asks_at_once_and_rises():
    """A quarter more than the baseline is a prescriber's by a time; nobody looks: it rises."""
    course = treated()
    scored(course, 36)
    assert asked(course) == ["worsening"]
    (task,) = [t for t in course.pathway.tasks.values() if t.rule == "worsening"]
    assert task.due is not None
    course.wait(timedelta(hours=25))
    (task,) = [t for t in course.pathway.tasks.values() if t.rule == "worsening"]
    assert Role.MEDICAL_DIRECTOR in task.roles


def test_what_was_looked_at_is_not_asked_again():
    """Acknowledged in words it is done; the next bad score asks anew."""
    course = treated()
    scored(course, 36)
    (key,) = [k for k in course.pathway.tasks if k.startswith(Ask.REVIEW_COURSE)]
    course.do(AcknowledgeTask(key, "Seen: sleep lost over a death in the family."), PRESCRIBER)
    assert asked(course) == []
    scored(course, 37)
    assert asked(course) == ["worsening"]


def test_it_stands_in_nobodys_way():
    """A prescriber is asked about the course; the dose is their gates' to hold."""
    course = ready(TWO)
    course.do(RecordAssessment("madrs", course.now, (4,) * 9 + (0,)))
    assert asked(course) == ["worsening"]
    assert dose(course, TWO, 84) is None


def test_a_score_before_treatment_says_nothing_of_it():
    """Without a baseline a fall is not known, which is neither met nor not met."""
    course = a_course()
    course.assess("madrs", *(4,) * 9, 0)
    assert said(course)["response"] is None
    assert said(course)["worsening"] is None
    assert asked(course) == []


def test_each_decision_keeps_what_the_rules_said():
    """Stopped or not: the record says what the last score was by each rule."""
    course = treated()
    scored(course, 12)
    course.do(Decide(INDUCTION, PhaseDecision.STOP, "moves away"), PRESCRIBER)
    (fact,) = course.facts(DecisionMade)
    assert any(said.startswith("response: met (MADRS reduction") for said in fact.course)
    assert any(said.startswith("remission: not met (MADRS total 12") for said in fact.course)


def test_any_scale_will_do():
    """A clinic that scores PHQ-9 writes its rules over that, in data alone."""
    need = Requirement(PHQ9, Compare.AT_MOST, Decimal(4))
    rule = CourseRule(RuleId("remission"), (need,), (), asks=False, why="few", source="clinic")
    phases = [replace(phase, course=(rule,)) for phase in COMBINED.phases]
    course = dosed()
    course.protocol = replace(COMBINED, phases=tuple(phases))
    course.wait(timedelta(hours=1))
    course.assess("phq9", *(0,) * 6, 1, 3, 0)
    assert said(course) == {"remission": True}
    course.wait(timedelta(hours=1))
    course.assess("phq9", *(0,) * 6, 2, 3, 0)
    assert said(course) == {"remission": False}
