"""What nobody has looked at in time rises to the next role that the protocol names."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.due import looked_at_next, next_due
from domain.language.errors import Malformed, Refused
from domain.language.holds import LiftHold, PlaceHold
from domain.language.names import Author, HoldReason, PhaseDecision, Role, TaskId
from domain.language.pathway import Task
from domain.language.phases import Decide
from domain.language.protocol import CombinedProtocol
from domain.language.safety import Rise, SafetyTask
from domain.language.tasks import AcknowledgeTask, TaskRaised
from domain.language.treatment import ReportDose
from domain.rules.reviews import in_the_way
from domain.rules.steps import Ask
from domain.turn import follow
from tests.course import Course
from tests.domain.scenes import FIRST, ONE, TWO, a_course, dosed, minutes, ready
from tests.domain.simulation import COMBINED, INDUCTION

DIRECTOR = Author("a-medical-director", Role.MEDICAL_DIRECTOR)
PRESCRIBER = Author("a-prescriber", Role.PRESCRIBER)
NURSE = Author("a-nurse", Role.NURSE)
HOUR = timedelta(hours=1)
AT_RISK = (1,) * 8 + (2,)
WORDS = "Seen by video: passive, no plan. Safety plan reviewed; call tomorrow at nine."


def at_risk() -> Course:
    """A patient at home who has answered item 9 with more than half the days."""
    course = dosed()
    course.run(TWO)
    course.wait(HOUR)
    course.assess("phq9", *AT_RISK)
    return course


def task(course: Course, ask: Ask = Ask.REVIEW_RISK) -> tuple[TaskId, Task]:
    """The task of this ask."""
    (found,) = [(k, t) for k, t in course.pathway.tasks.items() if k.startswith(f"{ask}/")]
    return found


def rises(course: Course) -> list[TaskRaised]:
    """How what was at risk rose."""
    key, _ = task(course)
    return [fact for fact in course.facts(TaskRaised) if fact.task == key]


def risk_rule(course: Course) -> tuple[timedelta, tuple[Rise, ...]]:
    """What the protocol states of readings at risk."""
    rule = course.protocol.phase(INDUCTION).safety_tasks[SafetyTask.RISK]
    return rule.within, rule.then


def test_a_risk_nobody_looks_at_rises_when_its_time_is_past():
    """At the due time, not a minute before, it is the medical director's too, with a time again."""
    course = at_risk()
    within, (rise,) = risk_rule(course)
    key, opened = task(course)
    assert (opened.roles, opened.due) == ((Role.PRESCRIBER,), course.now + within)
    course.wait(within - minutes(1))
    assert task(course)[1] == opened
    course.wait(minutes(1))
    raised = task(course)[1]
    assert opened.due is not None
    assert raised.due is not None
    assert raised.roles == (Role.PRESCRIBER, Role.MEDICAL_DIRECTOR)
    assert (raised.raised, raised.was_due) == (1, opened.due)
    assert raised.due == opened.due + rise.within
    assert rises(course) == [TaskRaised(key, (Role.MEDICAL_DIRECTOR,), opened.due, raised.due)]


def test_once_it_rose_the_refusal_names_all_who_can_answer():
    """Whoever wants to treat is told of the medical director too, from the time it rose."""
    course = at_risk()

    def who() -> list[tuple[Role, ...]]:
        return [block.who for block in in_the_way(course.protocol, course.pathway)]

    assert who() == [(Role.PRESCRIBER,)]
    course.wait(risk_rule(course)[0])
    assert who() == [(Role.PRESCRIBER, Role.MEDICAL_DIRECTOR)]


def test_a_dose_nobody_looked_at_in_time_is_the_directors_in_the_refusal_too():
    """Not authorized and not answered by its time: both are named to whoever wants to treat."""
    course = dosed()
    course.do(ReportDose(ONE, course.now, 84, "lot-2", "Given twice in error."), NURSE)
    (key,) = [key for key in course.pathway.tasks if key.startswith(Ask.REVIEW_UNAUTHORIZED)]
    due = course.pathway.tasks[key].due
    assert due is not None
    course.wait(due - course.now)
    dose, _ = in_the_way(course.protocol, course.pathway)  # and what the second says of the first
    assert str(dose.finding).startswith("a prescriber must review first: Dose 2 of")
    assert dose.who == (Role.PRESCRIBER, Role.MEDICAL_DIRECTOR)


def test_followed_for_a_week_it_rises_once_for_each_role_named():
    """After the last role that the protocol names it stays with all of them, overdue."""
    course = at_risk()
    course.wait(timedelta(days=7))
    found = task(course)[1]
    assert len(rises(course)) == len(risk_rule(course)[1])
    assert found.due is not None
    assert found.due < course.now
    assert not found.closed


def test_it_is_the_directors_only_once_it_rose():
    """Before that the director is told whose it is; after it, their words close it."""
    course = at_risk()
    key, _ = task(course)
    refusal = course.attempt(AcknowledgeTask(key, WORDS), DIRECTOR)
    assert isinstance(refusal, Refused)
    assert "a prescriber" in str(refusal)
    course.wait(risk_rule(course)[0])
    course.do(AcknowledgeTask(key, WORDS), DIRECTOR)
    assert task(course)[1].closed


def test_a_nurse_never_answers_for_it():
    """Neither before nor after it rose."""
    course = at_risk()
    key, _ = task(course)
    for _ in range(3):
        assert isinstance(course.attempt(AcknowledgeTask(key, WORDS), NURSE), Refused)
        course.wait(HOUR)


def test_what_was_looked_at_in_time_does_not_rise():
    """A prescriber's words end it, and nobody else hears of it."""
    course = at_risk()
    course.do(AcknowledgeTask(task(course)[0], WORDS), PRESCRIBER)
    course.wait(timedelta(days=7))
    assert rises(course) == []


def test_an_open_hold_rises_until_somebody_says_what_they_found():
    """A hold nobody looks at for a day is the director's too; words stop that, and lift nothing."""
    course = ready()
    course.do(PlaceHold(HoldReason.ADVERSE_EVENT, "a rash since yesterday"), NURSE)
    key, opened = task(course, Ask.LIFT_HOLD)
    assert (
        opened.due
        == course.now + course.protocol.phase(INDUCTION).safety_tasks[SafetyTask.HOLD].within
    )
    course.wait(timedelta(days=1))
    assert task(course, Ask.LIFT_HOLD)[1].raised == 1
    assert isinstance(course.attempt(AcknowledgeTask(key), DIRECTOR), Malformed)
    course.do(AcknowledgeTask(key, WORDS), DIRECTOR)
    (hold,) = course.pathway.open_holds()
    course.do(LiftHold(hold, "Seen today: means removed, no intent."), DIRECTOR)
    assert task(course, Ask.LIFT_HOLD)[1].closed


def test_a_hold_for_suicide_risk_is_looked_at_as_soon_as_the_gravest_reading():
    """Not within a day: within the quarter of an hour that the protocol gives a high risk."""
    course = ready()
    course.do(PlaceHold(HoldReason.SUICIDE_RISK, "plan, means at home"), NURSE)
    levels = course.protocol.phase(INDUCTION).risk_levels
    gravest = min(level.look.within for level in levels)
    assert gravest < timedelta(hours=1)
    assert task(course, Ask.LIFT_HOLD)[1].due == course.now + gravest


def test_what_is_said_after_a_pathway_has_ended_rises_all_the_same():
    """The end of treatment is not the end of a risk: it wakes by the task's time, then never."""
    course = dosed()
    course.run(TWO)
    course.wait(HOUR)
    course.do(Decide(INDUCTION, PhaseDecision.STOP, "moves away"), PRESCRIBER)
    course.assess("phq9", *AT_RISK)
    found = task(course)[1]
    assert course.pathway.outcome is not None
    assert found.due is not None
    assert found.due == looked_at_next(course.protocol, course.pathway, course.now)
    course.now = found.due + minutes(1)
    following = follow(course.protocol, course.pathway, course.now)
    assert [type(event.fact) for event in following.events] == [TaskRaised]
    course.record(following.events)
    course.do(AcknowledgeTask(task(course)[0], WORDS), DIRECTOR)
    assert looked_at_next(course.protocol, course.pathway, course.now) is None


def test_what_was_due_long_ago_gives_the_next_role_a_time_of_its_own():
    """After an outage of days each role is named in its turn, with a time that is still to come."""
    course = at_risk()
    phases = [
        replace(
            phase,
            safety_tasks={
                name: replace(rule, then=(*rule.then, Rise(Role.OPERATIONS, HOUR)))
                for name, rule in phase.safety_tasks.items()
            },
            risk_levels=(),
        )
        for phase in COMBINED.phases
    ]
    course.protocol = replace(COMBINED, phases=tuple(phases))
    course.now += timedelta(days=3)
    course.run_rules()
    (first,) = rises(course)
    assert (first.to, first.due > course.now) == ((Role.MEDICAL_DIRECTOR,), True)
    course.wait(HOUR)
    assert [fact.to for fact in rises(course)] == [(Role.MEDICAL_DIRECTOR,), (Role.OPERATIONS,)]


def test_a_pathway_pinned_before_there_were_times_waits_as_it_did():
    """No time, no rising: what was signed then is what counts."""
    phases = tuple(replace(phase, safety_tasks={}, risk_levels=()) for phase in COMBINED.phases)
    old: CombinedProtocol = replace(COMBINED, phases=phases)
    course = Course(FIRST, old)
    course.run("check-in")
    course.assess("phq9", *AT_RISK)
    course.wait(timedelta(days=7))
    assert task(course)[1].due is None
    assert course.facts(TaskRaised) == []


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 600))
def test_a_pathway_wakes_when_a_task_is_due(later: int, step: int):
    """Whatever the hour, the next look is never after the time by which somebody should look."""
    course = at_risk()
    course.wait(timedelta(minutes=later % 900))
    due = task(course)[1].due
    if due is not None and due > course.now:
        assert next_due(course.protocol, course.pathway, course.now) <= due
    course.now += timedelta(minutes=step)
    course.run_rules()
    assert ONE in course.pathway.visits


def test_a_hold_for_suicide_risk_outlives_its_pathway():
    """Stopped before anybody answered it: it is still asked, rises, and can still be lifted."""
    course = a_course()
    course.run(Ask.CHECK_IN)
    course.do(PlaceHold(HoldReason.SUICIDE_RISK, "plan, means at home"), NURSE)
    course.do(Decide(INDUCTION, PhaseDecision.STOP, "does not come any more"), PRESCRIBER)
    key, found = task(course, Ask.LIFT_HOLD)
    assert not found.closed
    course.now += timedelta(days=1)
    course.run_rules()
    assert Role.MEDICAL_DIRECTOR in task(course, Ask.LIFT_HOLD)[1].roles
    (hold,) = course.pathway.open_holds()
    course.do(LiftHold(hold, "Seen at home: no plan any more."), DIRECTOR)
    assert course.pathway.tasks[key].closed
    assert looked_at_next(course.protocol, course.pathway, course.now) is None


def test_what_nobody_answers_keeps_a_pathway_that_is_over_on_the_lists():
    """After the last role's time is past too it looks again each day, until somebody answers."""
    course = dosed()
    course.run(TWO)
    course.wait(HOUR)
    course.do(Decide(INDUCTION, PhaseDecision.STOP, "moves away"), PRESCRIBER)
    course.assess("phq9", *AT_RISK)
    course.now += timedelta(days=9)
    course.run_rules()
    assert looked_at_next(course.protocol, course.pathway, course.now) is not None
