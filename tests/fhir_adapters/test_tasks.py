"""Tasks in the EHR: what each is about, when it changed, and whether it was done or passed by."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.delivery.words import Intent
from domain.language.clocks import LocalTime
from domain.language.events import Event, Fact
from domain.language.names import (
    KAIROS,
    EventId,
    HoldId,
    HoldReason,
    PathwayOutcome,
    PhaseDecision,
    Role,
    RuleId,
    TaskId,
    VisitId,
    VisitStatus,
)
from domain.language.pathway import Hold, Pathway, Phase, Task, Visit
from domain.language.protocol import CombinedProtocol
from domain.language.tasks import TaskClosed, TaskOpened
from fhir_adapters.content import identifiers
from fhir_adapters.content.intents import intents_for
from fhir_adapters.profile.generic import GENERIC
from fhir_adapters.profile.plan import EhrPlan, plan_for
from tests.fhir_adapters.fhir_story import FIRST, NURSE, at, statement, whole_story

EVERYTHING = plan_for(statement(), GENERIC)
VISIT = VisitId("visit-9")
NOW = FIRST + timedelta(days=1)


@pytest.fixture(scope="module")
def pathway(protocol: CombinedProtocol) -> Pathway:
    """A pathway in its first phase, not signed, without a visit."""
    return whole_story(protocol)[1].after


def _intent(
    pathway: Pathway, protocol: CombinedProtocol, fact: Fact, plan: EhrPlan = EVERYTHING
) -> Intent:
    event = Event(EventId("ev-1"), NOW, KAIROS, fact)
    (intent,) = intents_for(event, pathway, pathway, protocol, plan)
    return intent


def _closed(pathway: Pathway, protocol: CombinedProtocol, about: str, *, seen: bool = False) -> Any:
    """The change of a task that was closed on this pathway."""
    key = TaskId(about)
    task = Task(RuleId("rule"), (Role.NURSE,), "Do.", FIRST, None, acknowledged=seen, closed=True)
    known = replace(pathway, tasks={key: task})
    return _intent(known, protocol, TaskClosed(key)).body


def _with_visit(
    pathway: Pathway, status: VisitStatus, when: LocalTime | None = None, *, booked: bool = False
) -> Pathway:
    first = next(iter(pathway.phases))
    time = when or at(1)
    by = (EventId("ev-0"),) if booked else ()
    visit = Visit(VISIT, first, 0, 1, at(1), time, status, timed_by=by)
    return replace(pathway, visits={VISIT: visit})


def test_a_task_says_when_it_changed(pathway, protocol) -> None:
    """Opening and closing each set `lastModified`."""
    opened = TaskOpened(TaskId("x/y#1"), RuleId("rule"), (Role.NURSE,), "Do.", None)
    assert _intent(pathway, protocol, opened).body["lastModified"] == "2026-12-01T14:00:00Z"
    assert _closed(pathway, protocol, "x/y#1")["lastModified"] == "2026-12-01T14:00:00Z"


@pytest.mark.parametrize(
    ("about", "kind", "artefact"),
    [
        ("sign-order/esketamine-induction#1", "CarePlan", "pw-1/care-plan"),
        ("book-visits/esketamine-induction/1#1", "CarePlan", "pw-1/care-plan"),
        ("resolve-visit/visit-9#1", "Appointment", "pw-1/visit/visit-9"),
        ("clear-gate/visit-9/blood-pressure-before#2", "Appointment", "pw-1/visit/visit-9"),
        ("lift-hold/hold-1#1", "Flag", "pw-1/hold/hold-1"),
    ],
)
def test_a_task_names_what_it_is_about(about, kind, artefact, pathway, protocol) -> None:
    """The focus is the visit, the hold or the care plan, by identifier: a task waits for none."""
    known = _with_visit(pathway, VisitStatus.BOOKED)
    opened = TaskOpened(TaskId(about), RuleId("rule"), (Role.NURSE,), "Do.", None)
    intent = _intent(known, protocol, opened)
    wanted = {"type": kind, "identifier": identifiers.identifier(artefact)}
    assert (intent.body["focus"], intent.needs) == (wanted, ())
    bare = plan_for(statement(("Task",)), GENERIC)
    assert "focus" not in _intent(known, protocol, opened, bare).body


def _signed(pathway: Pathway, moment: datetime | None) -> Pathway:
    name, phase = next(iter(pathway.phases.items()))
    return replace(pathway, phases={name: replace(phase, signed=moment)})


def _decided(pathway: Pathway) -> Pathway:
    name, phase = next(iter(pathway.phases.items()))
    made: Phase = replace(phase, decisions={EventId("ev-2"): (NOW, PhaseDecision.STOP)})
    return replace(pathway, phases={name: made})


def _held(pathway: Pathway, lifted: datetime | None) -> Pathway:
    hold = Hold(HoldReason.MEDICAL_REVIEW, FIRST, NURSE, lifted)
    return replace(pathway, holds={HoldId("hold-1"): hold})


INDUCTION = "esketamine-induction"
Cases = dict[str, tuple[str, Callable[[Pathway], Pathway]]]
DONE: Cases = {
    "signed": (f"sign-order/{INDUCTION}#1", lambda p: _signed(p, NOW)),
    "booked": (f"book-visits/{INDUCTION}/1#1", lambda p: _with_visit(p, VisitStatus.BOOKED)),
    "missed": ("resolve-visit/visit-9#1", lambda p: _with_visit(p, VisitStatus.MISSED)),
    "moved": ("resolve-visit/visit-9#1", lambda p: _with_visit(p, VisitStatus.BOOKED, at(20))),
    "overridden": (
        "clear-gate/visit-9/gate#1",
        lambda p: replace(
            _with_visit(p, VisitStatus.CHECKED_IN), overrides={"visit-9/gate": {"ev-1": NOW}}
        ),
    ),
    "lifted": ("lift-hold/hold-1#1", lambda p: _held(p, NOW)),
    "decided": (f"decide/{INDUCTION}#1", _decided),
    "reviewed": (f"review/{INDUCTION}/1#1", _decided),
}
PASSED_BY: Cases = {
    "unsigned": (f"sign-order/{INDUCTION}#1", lambda p: _signed(p, None)),
    "unbooked": (f"book-visits/{INDUCTION}/1#1", lambda p: _with_visit(p, VisitStatus.PROPOSED)),
    "cancelled": (f"book-visits/{INDUCTION}/1#1", lambda p: _with_visit(p, VisitStatus.CANCELLED)),
    "left": ("resolve-visit/visit-9#1", lambda p: _with_visit(p, VisitStatus.BOOKED)),
    "gate": ("clear-gate/visit-9/gate#1", lambda p: _with_visit(p, VisitStatus.CHECKED_IN)),
    "held": ("lift-hold/hold-1#1", lambda p: _held(p, None)),
    "undecided": (f"decide/{INDUCTION}#1", lambda p: p),
    "unreviewed": (f"review/{INDUCTION}/2#1", _decided),
    "unseen": ("review-risk/ev-7#1", lambda p: p),
}


@pytest.mark.parametrize("case", DONE)
def test_what_was_done_is_completed(case: str, pathway, protocol) -> None:
    """The pathway shows that somebody did what was asked, also when it has ended since."""
    about, change = DONE[case]
    for known in (change(pathway), replace(change(pathway), outcome=PathwayOutcome.STOPPED)):
        body = _closed(known, protocol, about)
        assert (body["status"], "statusReason" in body) == ("completed", False)


@pytest.mark.parametrize("case", PASSED_BY)
def test_what_nobody_did_is_cancelled(case: str, pathway, protocol) -> None:
    """A task that is not wanted any more and was not done does not say that it was."""
    about, change = PASSED_BY[case]
    body = _closed(change(pathway), protocol, about)
    assert (body["status"], body["statusReason"]) == (
        "cancelled",
        {"text": "no longer needed"},
    )
    over = replace(change(pathway), outcome=PathwayOutcome.STOPPED)
    reason = _closed(over, protocol, about)["statusReason"]
    assert reason == {"text": "the care pathway ended"}


def test_a_task_that_was_seen_and_asks_for_no_more_is_completed(pathway, protocol) -> None:
    """To have seen a risk or a held gate is what was asked, so it is done."""
    for about in ("review-risk/ev-7#1", "clear-gate/visit-9/gate#1"):
        assert _closed(pathway, protocol, about, seen=True)["status"] == "completed"


@pytest.mark.parametrize(
    "about", ["task-1", "sign-order/other#1", "review/other/x#1", "lift-hold/other#1", "new/a#1"]
)
def test_a_task_of_which_nothing_is_known_is_completed(about: str, pathway, protocol) -> None:
    """An ask or a subject that the pathway does not have is no error."""
    assert _closed(pathway, protocol, about)["status"] == "completed"


def test_a_task_that_rose_says_whose_it_is_too(protocol: CombinedProtocol) -> None:
    """The Task is pressing, names both roles, and ends by the new time; nothing else changes."""
    step = next(s for s in whole_story(protocol) if s.event.fact.kind == "task-raised")
    (intent,) = intents_for(step.event, step.before, step.after, protocol, EVERYTHING)
    assert intent.body["priority"] == "asap"
    roles = [each["text"] for each in intent.body["performerType"]]
    assert roles == ["prescriber", "medical director"]
    assert intent.body["restriction"] == {"period": {"end": "2026-12-04T15:00:00Z"}}
    assert set(intent.body) == {"lastModified", "priority", "performerType", "restriction"}
