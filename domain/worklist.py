"""What the clinic's lists show of a pathway: who is to do what by when, and its visits. Pure.

Tasks say what is true now, not when they were opened. Nothing here compares with the time that it
is: the lists keep when things are due and compare when they are asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from domain.language.clocks import instant
from domain.language.names import (
    HoldId,
    HoldReason,
    ObservationName,
    PhaseId,
    TaskId,
    VisitId,
    VisitStatus,
)
from domain.language.pathway import Observed, Pathway, Task, Visit
from domain.language.protocol import CombinedProtocol
from domain.planner import wanted_tasks
from domain.rules.baselines import baseline_of
from domain.rules.reviews import subject
from domain.rules.steps import SAFETY, VISIT, Ask, AskPerson, Step, Urgency

NOTHING_WAITS = max(Urgency) + 1
"""The place of a pathway without an open task: after all that have one."""

OVER = NOTHING_WAITS + 1
"""The place of a pathway that has ended and of which nobody is asked anything."""

WAIT_FOR_PAPERS = frozenset({HoldReason.PAYER, HoldReason.SUPPLY, HoldReason.PATIENT_REQUEST})
"""Holds that nobody comes to harm by."""

NEVER_LISTED = frozenset({VisitStatus.CANCELLED})
"""Visits that nobody is expected at or has missed: the pathway still shows them."""


@dataclass(frozen=True, slots=True)
class ListedTask:
    """An open task, as it is now."""

    id: TaskId
    ask: Ask
    urgency: Urgency
    task: Task
    phase: PhaseId
    visit: VisitId | None  # the one that it is about, if it is about one


@dataclass(frozen=True, slots=True)
class ListedVisit:
    """A visit that is to come, is going on or has been."""

    visit: Visit
    starts: datetime
    given: int  # sessions
    planned: int


@dataclass(frozen=True, slots=True)
class ListedScore:
    """The last of a score whose fall is judged, and the one from before treatment, if one counts.

    Both in points.
    """

    name: ObservationName
    title: str
    last: Observed
    before: Observed | None


def urgency_of(ask: Ask, rises: bool) -> Urgency:  # noqa: FBT001
    """How soon somebody must look: what rises when nobody does is about somebody's safety."""
    if rises or ask in SAFETY:
        return Urgency.SAFETY
    return Urgency.VISIT if ask in VISIT else Urgency.ROUTINE


def pressing(pathway: Pathway, tasks: Sequence[ListedTask]) -> int:
    """How soon somebody must look at a pathway: for its most urgent task, or who is here."""
    urgencies: list[int] = [each.urgency for each in tasks]
    if any(visit.status is VisitStatus.CHECKED_IN for visit in pathway.visits.values()):
        urgencies.append(Urgency.VISIT)
    return min(urgencies, default=NOTHING_WAITS if pathway.outcome is None else OVER)


def open_tasks(pathway: Pathway, planned: Sequence[Step]) -> tuple[ListedTask, ...]:
    """The open tasks with what they say while these are the steps: most pressing first."""
    return tuple(each for each in all_tasks(pathway, planned) if not each.task.closed)


def all_tasks(pathway: Pathway, planned: Sequence[Step]) -> tuple[ListedTask, ...]:
    """The open tasks as they are now and the closed ones as they were: most pressing first."""
    wanted = wanted_tasks(pathway, planned)
    listed = []
    for key, task in pathway.tasks.items():
        ask, step = Ask(key.partition("/")[0]), wanted.get(key)
        now = task if step is None else replace(task, says=step.says, due=_due(task, step))
        rises = step is not None and bool(step.rises)
        phase, visit = _about(pathway, subject(key))
        hold = pathway.holds.get(HoldId(subject(key))) if ask is Ask.LIFT_HOLD else None
        papers = hold is not None and hold.reason in WAIT_FOR_PAPERS
        urgency = Urgency.ROUTINE if papers else urgency_of(ask, rises)
        listed.append(ListedTask(key, ask, urgency, now, phase, visit))
    return tuple(sorted(listed, key=_most_pressing))


def _due(task: Task, step: AskPerson) -> datetime | None:
    """By when it is to be looked at now; one that rose to others keeps the time that it has."""
    return task.due if task.raised else step.due


def visits(protocol: CombinedProtocol, pathway: Pathway) -> tuple[ListedVisit, ...]:
    """The visits that are to come, going on or over."""
    return tuple(
        ListedVisit(
            visit,
            instant(visit.at, pathway.zone),
            len(pathway.sessions_at(visit.id)),
            protocol.phase(visit.phase).schedule.stages[visit.stage].per_visit,
        )
        for visit in pathway.visits.values()
        if visit.status not in NEVER_LISTED
    )


def scores(protocol: CombinedProtocol, pathway: Pathway) -> tuple[ListedScore, ...]:
    """The last of each score whose fall is judged, by its title."""
    listed = []
    for name in protocol.vocabulary.judged():
        known = pathway.readings.get(name, ())
        if not known:
            continue
        before = baseline_of(protocol, pathway, pathway.phase, name)
        counts = before if isinstance(before, Observed) else None
        title = protocol.vocabulary.kind(name).title
        listed.append(ListedScore(name, title, max(known, key=lambda each: each.at), counts))
    return tuple(sorted(listed, key=lambda each: each.title))


def _most_pressing(each: ListedTask) -> tuple[Urgency, bool, datetime, TaskId]:
    due = each.task.due
    return (each.urgency, due is None, due or each.task.opened, each.id)


def _about(pathway: Pathway, about: str) -> tuple[PhaseId, VisitId | None]:
    """The phase and the visit that a task's subject names; the present phase, if it names none."""
    name = about.partition("/")[0]
    visit = pathway.visits.get(VisitId(name))
    if visit is not None:
        return visit.phase, visit.id
    phase = PhaseId(name)
    return (phase if phase in pathway.phases else pathway.phase), None
