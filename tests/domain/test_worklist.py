"""What the lists show of a pathway: which tasks first, what they say, which visits."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.language.clocks import instant
from domain.language.holds import LiftHold, PlaceHold
from domain.language.names import (
    Author,
    HoldId,
    HoldReason,
    PathwayOutcome,
    Role,
    RuleId,
    TaskId,
    VisitStatus,
)
from domain.language.pathway import Pathway, Task
from domain.planner import steps
from domain.rules.in_words import MOST_WORDS
from domain.rules.steps import Ask, Urgency
from domain.worklist import (
    NOTHING_WAITS,
    OVER,
    ListedTask,
    all_tasks,
    open_tasks,
    pressing,
    scores,
    urgency_of,
    visits,
)
from tests.course import Course
from tests.domain.scenes import ONE, a_course, checked_in, dosed, moved_on, ready
from tests.domain.simulation import INDUCTION

NURSE = Author("a-nurse", Role.NURSE)


def listed(course: Course) -> tuple[ListedTask, ...]:
    """The open tasks of a course now."""
    planned = steps(course.protocol, course.pathway, course.now)
    return open_tasks(course.pathway, planned)


@pytest.mark.parametrize(
    ("ask", "rises", "urgency"),
    [
        (Ask.REVIEW_RISK, True, Urgency.SAFETY),
        (Ask.REVIEW_RISK, False, Urgency.SAFETY),
        (Ask.LIFT_HOLD, False, Urgency.SAFETY),
        (Ask.BRING_FORWARD, False, Urgency.SAFETY),
        (Ask.ASSESS, True, Urgency.SAFETY),
        (Ask.ASSESS, False, Urgency.ROUTINE),
        (Ask.CLEAR_GATE, False, Urgency.VISIT),
        (Ask.RESOLVE_VISIT, False, Urgency.VISIT),
        (Ask.BOOK_VISITS, False, Urgency.ROUTINE),
    ],
)
def test_what_is_about_safety_comes_before_a_visit_and_that_before_the_rest(
    ask: Ask, urgency: Urgency, *, rises: bool
) -> None:
    """By what is asked; what rises to others when nobody looks is about safety, ask what it may."""
    assert urgency_of(ask, rises) is urgency


def test_a_task_says_what_is_so_now():
    """152 was found first and 158 later: the task that was opened for 152 says 158."""
    course = checked_in()
    course.measure(ONE, systolic_bp=152, diastolic_bp=94)
    course.run_rules()
    course.wait(timedelta(minutes=1))
    course.measure(ONE, systolic_bp=158, diastolic_bp=94)
    course.run_rules()
    (found,) = [each for each in listed(course) if each.ask is Ask.CLEAR_GATE]
    assert "152 mmHg" in course.pathway.tasks[found.id].says
    assert "158 mmHg" in found.task.says
    assert (found.visit, found.phase, found.urgency) == (ONE, INDUCTION, Urgency.VISIT)


def test_what_is_not_asked_any_more_says_what_it_said_until_it_is_closed():
    """Between a reading and the rules' next turn a task stands as it was opened."""
    course = checked_in()
    course.measure(ONE, systolic_bp=152, diastolic_bp=94)
    course.run_rules()
    (opened,) = [each for each in listed(course) if each.ask is Ask.CLEAR_GATE]
    (left,) = [each for each in open_tasks(course.pathway, ()) if each.ask is Ask.CLEAR_GATE]
    assert left == opened


def test_the_most_pressing_comes_first_and_closed_ones_are_not_open():
    """A hold before the order; once it is lifted its task is listed with the closed ones only."""
    course = a_course()
    course.run_rules()
    course.do(PlaceHold(HoldReason.MEDICAL_REVIEW, "dizzy"))
    course.run_rules()
    first, *others = listed(course)
    assert (first.ask, first.urgency) == (Ask.LIFT_HOLD, Urgency.SAFETY)
    assert first.task.due is not None
    assert Ask.SIGN_ORDER in {each.ask for each in others}
    assert first.visit is None
    (hold,) = course.pathway.open_holds()
    course.do(LiftHold(hold, "Seen: well."))
    course.run_rules()
    assert first.id not in {each.id for each in listed(course)}
    assert first.id in {each.id for each in all_tasks(course.pathway, ())}


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("dizzy  when\nstanding", 'medical review: "dizzy when standing"'),
        ("a" * MOST_WORDS, f'medical review: "{"a" * MOST_WORDS}"'),
        ("a" * MOST_WORDS + "b", f'medical review: "{"a" * MOST_WORDS}…"'),
        (" ", "(medical review)"),
    ],
)
def test_why_treatment_is_held_is_said_in_the_words_of_whoever_placed_it(note: str, said: str):
    """In one line, and of many words the beginning."""
    course = a_course()
    course.do(PlaceHold(HoldReason.MEDICAL_REVIEW, "x"))
    (hold,) = course.pathway.holds.values()
    pathway = replace(course.pathway, holds={HoldId("h"): replace(hold, note=note)})
    (step, *_) = [s for s in steps(course.protocol, pathway, course.now) if s.rule == "hold"]
    assert said in step.says


def test_due_before_never_due_and_the_sooner_before_the_later():
    """Of one urgency the sooner first, one without a due time last, however they were opened."""
    course = dosed()
    opened = {
        TaskId(f"assess/x/{name}#1"): Task(RuleId("r"), (), "Do.", course.now, due)
        for name, due in (
            ("never", None),
            ("late", course.now + timedelta(days=2)),
            ("soon", course.now + timedelta(days=1)),
        )
    }
    found = open_tasks(replace(course.pathway, tasks=opened), ())
    assert [each.id.split("/")[2] for each in found] == ["soon#1", "late#1", "never#1"]


def test_visits_are_listed_with_the_instant_at_which_they_start():
    """All but those called off, each with its sessions given and planned."""
    course = moved_on()
    shown = {each.visit.id: each for each in visits(course.protocol, course.pathway)}
    assert set(shown) == {
        visit.id
        for visit in course.pathway.visits.values()
        if visit.status is not VisitStatus.CANCELLED
    }
    assert len(shown) < len(course.pathway.visits)
    one = shown[ONE]
    assert (one.given, one.planned) == (1, 1)
    assert one.starts == instant(one.visit.at, course.pathway.zone)


def test_the_last_of_each_judged_score_is_listed_with_the_one_before_treatment():
    """By its time and not by when it came; before a first treatment there is none to compare."""
    course = checked_in()
    taken = {each.name: each for each in scores(course.protocol, course.pathway)}
    assert taken
    for name, each in taken.items():
        known = course.pathway.readings[name]
        assert each.last.at == max(one.at for one in known)
        assert each.before is None
    treated = dosed()
    after = {each.name: each for each in scores(treated.protocol, treated.pathway)}
    assert any(each.before is not None for each in after.values())
    assert scores(course.protocol, Pathway(course.pathway.id)) == ()


def test_who_is_here_comes_before_whoever_nothing_waits_for():
    """A patient in the chair is pressing though no task is open; a pathway that ended is last."""
    course = checked_in()
    planned = steps(course.protocol, course.pathway, course.now)
    assert pressing(course.pathway, ()) == Urgency.VISIT
    assert pressing(replace(course.pathway, visits={}), ()) == NOTHING_WAITS
    over = replace(course.pathway, outcome=PathwayOutcome.STOPPED, visits={})
    assert pressing(over, ()) == OVER
    tasks = open_tasks(course.pathway, planned)
    assert pressing(course.pathway, tasks) <= Urgency.VISIT


@pytest.mark.parametrize("reason", list(HoldReason))
def test_a_hold_for_papers_is_nobodys_safety(reason: HoldReason):
    """The payer's, the supply's and the patient's own wait; any other comes before everything."""
    course = ready()
    course.do(PlaceHold(reason, "words"), NURSE)
    planned = steps(course.protocol, course.pathway, course.now)
    (listed,) = [t for t in open_tasks(course.pathway, planned) if t.ask is Ask.LIFT_HOLD]
    papers = {HoldReason.PAYER, HoldReason.SUPPLY, HoldReason.PATIENT_REQUEST}
    assert listed.urgency is (Urgency.ROUTINE if reason in papers else Urgency.SAFETY)
