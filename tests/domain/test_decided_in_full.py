"""What is decided and answered, in full: overrides, trials, tasks, holds and decisions ahead."""

from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from domain.chapters.tasks import decide as answer
from domain.chapters.trials import LONGEST_WEEKS
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.holds import HoldLifted, HoldPlaced, LiftHold, PlaceHold
from domain.language.names import (
    Author,
    HoldId,
    HoldReason,
    ObservationName,
    Role,
    RuleId,
    TaskId,
    VisitId,
)
from domain.language.overrides import GateOverridden, OverrideGate
from domain.language.standing import DecideAhead, DecidedAhead, DecisionEnded, EndDecision
from domain.language.tasks import AcknowledgeTask, TaskAcknowledged
from domain.language.trials import RecordTrial, TrialOutcome, TrialRecorded
from domain.rules.refusing import found
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import (
    FIRST,
    ONE,
    checked_in,
    minutes,
    ready,
    rules,
)
from tests.domain.simulation import INDUCTION

NURSE = Author("a-nurse", Role.NURSE)
OPERATOR = Author("a-tms-operator", Role.TMS_OPERATOR)
THERE = timezone(timedelta(hours=-5))
PRESSURE = RuleId("blood-pressure-before")
WHY = "Known, with a plan; looked at each week."
NOWHERE = VisitId("nowhere")


def test_an_override_as_it_is_kept():
    """Both pressures of one entry are one piece of evidence, and each finding is said."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=152, diastolic_bp=94)
    evidence = course.pathway.readings[ObservationName("systolic_bp")][-1].evidence
    (event,) = course.do(OverrideGate(ONE, PRESSURE, "Benefit outweighs the risk."), PRESCRIBER)
    findings = (
        (
            "systolic blood pressure 152 mmHg, required at most 140 mmHg"
            " (measured Monday 2026-11-30 09:01 EST)"
        ),
        (
            "diastolic blood pressure 94 mmHg, required at most 90 mmHg"
            " (measured Monday 2026-11-30 09:01 EST)"
        ),
    )
    assert event.fact == GateOverridden(
        ONE, PRESSURE, "Benefit outweighs the risk.", findings, (evidence,)
    )


def test_what_cannot_be_overridden():
    """What is missing is recorded; what stops is put right; what holds nothing is a conflict."""
    course = checked_in()
    refusal = course.attempt(OverrideGate(ONE, PRESSURE, "why"), PRESCRIBER)
    assert isinstance(refusal, Refused)
    assert str(refusal) == "blood pressure before: nothing to override yet; record what is missing"
    assert {block.rule for block in refusal.blocked_by} == {PRESSURE}
    course = ready()
    course.measure(ONE, intracerebral_hemorrhage="present")
    stop = RuleId("contraindications")
    refusal = course.attempt(OverrideGate(ONE, stop, "why"), PRESCRIBER)
    assert isinstance(refusal, Refused)
    assert str(refusal) == "contraindications cannot be overridden"
    assert rules(refusal) == [stop]
    refusal = ready().attempt(OverrideGate(ONE, PRESSURE, "why"), PRESCRIBER)
    assert isinstance(refusal, Conflict)
    assert str(refusal) == (
        "blood pressure before does not block esketamine induction visit 1 now; nothing to override"
    )
    for wish, unknown in (
        (OverrideGate(NOWHERE, PRESSURE, "why"), "visit"),
        (OverrideGate(ONE, RuleId("nothing"), "why"), "gate"),
    ):
        refusal = course.attempt(wish, PRESCRIBER)
        assert isinstance(refusal, Malformed)
        assert refusal.unknown == unknown


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"weeks": 0}, f"weeks must be 1 to {LONGEST_WEEKS}: how long the drug was taken"),
        ({"weeks": LONGEST_WEEKS + 1}, f"weeks must be 1 to {LONGEST_WEEKS}: how long the drug"),
        ({"drug": " "}, "drug is required, in words"),
        ({"drug_class": "-"}, "drug_class is required, in words"),
        ({"dose": ""}, "dose is required, in words"),
        ({"weeks": 1}, None),
        ({"weeks": LONGEST_WEEKS}, None),
    ],
)
def test_a_trial_as_it_is_kept(changed: dict[str, object], says: str | None):
    """Of one week at least, each word of it given, and without the spaces around it."""
    course = Course(FIRST)
    wish = RecordTrial(" sertraline ", " SSRI", "200 mg ", 8, TrialOutcome.NO_RESPONSE)
    wish = replace(wish, **changed)  # type: ignore[arg-type]
    refusal = course.attempt(wish)
    if says is not None:
        assert isinstance(refusal, Malformed)
        assert str(refusal).startswith(says)
        return
    kept = TrialRecorded("sertraline", "SSRI", "200 mg", wish.weeks, TrialOutcome.NO_RESPONSE)
    assert course.facts(TrialRecorded) == [kept]
    again = course.attempt(wish)
    assert isinstance(again, Conflict)
    assert str(again).startswith("this trial is already recorded")


def test_a_task_for_others_than_prescribers_names_them():
    """What care managers book is not a medical director's to answer, who is told whose it is."""
    course = ready()
    course.run_rules()
    booking = [(k, t) for k, t in course.pathway.tasks.items() if Role.PRESCRIBER not in t.roles]
    key, task = booking[0]
    opened = replace(task, closed=False)
    tasks = {**course.pathway.tasks, key: opened}
    with pytest.raises(Refused) as refusal:
        answer(
            replace(course.pathway, tasks=tasks), AcknowledgeTask(key, ""), Role.MEDICAL_DIRECTOR
        )
    assert [block.who for block in refusal.value.blocked_by] == [task.roles]


def test_a_task_is_answered_by_those_whom_it_is_for():
    """The refusal names them; the answer is kept as it is written, without spaces around it."""
    course = ready()
    course.measure(ONE, systolic_bp=200, diastolic_bp=85)
    (key,) = [key for key in course.pathway.tasks if "systolic_bp" in key]
    refusal = course.attempt(AcknowledgeTask(key, "seen"), NURSE)
    assert isinstance(refusal, Refused)
    says = "this task is for a prescriber"
    assert str(refusal) == f"{says}, not for a nurse"
    assert refusal.blocked_by == (found("task-role", says, (Role.PRESCRIBER,)),)
    for click in ("", ".", "ok", "Seen.", "seen - done", "ok . ok , -"):
        asked = str(course.attempt(AcknowledgeTask(key, click), PRESCRIBER))
        assert asked.startswith("say in a sentence what you found"), click
    (event,) = course.do(AcknowledgeTask(key, " Seen; she is well. "), PRESCRIBER)[:1]
    assert event.fact == TaskAcknowledged(key, "Seen; she is well.")
    refusal = course.attempt(AcknowledgeTask(TaskId("nothing"), "seen"), PRESCRIBER)
    assert isinstance(refusal, Malformed)
    assert refusal.unknown == "task"


def test_a_hold_as_it_is_kept():
    """Its reason and note, by the request's name; lifted once, with a reason."""
    course = ready()
    (event,) = course.do(PlaceHold(HoldReason.SUPPLY, "recalled"), NURSE)
    (hold,) = course.pathway.open_holds()
    assert event.fact == HoldPlaced(hold, HoldReason.SUPPLY, "recalled")
    assert event.id == f"{hold}/0"
    refusal = course.attempt(LiftHold(HoldId("nothing"), "why"), PRESCRIBER)
    assert isinstance(refusal, Malformed)
    assert refusal.unknown == "hold"
    lifted = course.do(LiftHold(hold, "Another lot."), PRESCRIBER)[0]
    assert lifted.fact == HoldLifted(hold, "Another lot.")
    refusal = course.attempt(LiftHold(hold, "Again."), PRESCRIBER)
    assert isinstance(refusal, Conflict)
    assert str(refusal) == "this hold has already been lifted"


def test_a_decision_ahead_as_it_is_kept():
    """To the end of its last day at the clinic, with what it lets pass in words and in figures."""
    course = ready()
    last = course.first_visit.day + timedelta(days=28)
    (event,) = course.do(DecideAhead(PRESSURE, last, "  known; measured daily "), PRESCRIBER)
    fact = event.fact
    assert isinstance(fact, DecidedAhead)
    assert (fact.phase, fact.gate, fact.words) == (INDUCTION, PRESSURE, "known; measured daily")
    assert fact.allows == (
        "systolic blood pressure at most 155 mmHg",
        "diastolic blood pressure at most 95 mmHg",
    )
    assert fact.until.astimezone(THERE).isoformat() == "2026-12-29T00:00:00-05:00"
    assert (len(fact.limits.allows), fact.limits.lasting) == (2, False)
    (ended,) = course.do(EndDecision(event.id, " a new plan "), PRESCRIBER)
    assert ended.fact == DecisionEnded(event.id, "a new plan")


@pytest.mark.parametrize(
    ("gate", "days", "words", "rule", "says"),
    [
        ("ride-home", 0, WHY, "decided-each-time", "ride home is checked each time"),
        (PRESSURE, 29, WHY, "decided-too-far", "a standing decision about blood"),
        (PRESSURE, -1, WHY, "", "last_day is in the past; today is 2026-11-30 at the clinic"),
        (PRESSURE, 0, " ", "", "say in a sentence what is known, the plan, and the next check"),
        (PRESSURE, 0, "as usual", "", "say in a sentence what is known"),
        ("nothing", 0, WHY, "", "no such gate in this phase; its gates: adult, "),
    ],
)
def test_what_is_not_decided_ahead(gate: str, days: int, words: str, rule: str, says: str):
    """Not every gate, not for ever, not for yesterday, and not without a sentence."""
    course = ready()
    last = course.first_visit.day + timedelta(days=days)
    refusal = course.attempt(DecideAhead(RuleId(gate), last, words), PRESCRIBER)
    assert str(refusal).startswith(says)
    assert isinstance(refusal, Refused if rule else Malformed)
    if rule:
        assert rules(refusal) == [rule]


def test_nothing_is_decided_ahead_with_a_reading_beyond():
    """The last pressure is above what may be decided: its value is said."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=160, diastolic_bp=85)
    wish = DecideAhead(PRESSURE, course.first_visit.day, WHY)
    refusal = course.attempt(wish, PRESCRIBER)
    says = (
        "the last reading is outside what a standing decision may allow: "
        "systolic blood pressure 160 mmHg"
    )
    assert isinstance(refusal, Refused)
    assert refusal.blocked_by == (found("beyond-what-may-be-decided", says),)
