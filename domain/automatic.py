"""What Kairos does by itself: visits and tasks, nothing that is care.

It proposes visits, opens and closes tasks, and cancels what is left when a phase or the pathway
has ended.

Pure: says which events should be recorded now; the turn records them. Empty once all are.
"""

from datetime import datetime

from domain.language.events import Event, Fact
from domain.language.names import KAIROS, EventId, RuleId, TaskId, VisitStatus
from domain.language.pathway import Pathway, Task
from domain.language.protocol import CombinedProtocol
from domain.language.tasks import TaskClosed, TaskOpened, TaskRaised
from domain.language.visits import VisitCancelled, VisitProposed
from domain.planner import steps, wanted_tasks
from domain.rules.baselines import to_name
from domain.rules.calendar import to_call_off
from domain.rules.risk import to_hasten
from domain.rules.steps import AskPerson, ProposeVisits

NOT_YET = (VisitStatus.PROPOSED, VisitStatus.BOOKED)


def to_raise(key: TaskId, task: Task, step: AskPerson, now: datetime) -> TaskRaised | None:
    """Say whose a task is too, if nobody has looked by its time and the protocol names another."""
    if task.due is None or now < task.due or task.acknowledged or task.raised >= len(step.rises):
        return None
    rise = step.rises[task.raised]
    return TaskRaised(key, (rise.to,), task.due, max(task.due, now) + rise.within)


def automatic(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> tuple[Event, ...]:
    """Say what Kairos should record now. Ids name what they are about, so twice is once."""
    batch = max((visit.batch for visit in pathway.visits.values()), default=0) + 1
    going_on = pathway.phases and pathway.outcome is None
    hasten = to_hasten(protocol, pathway, now) if going_on else None
    over = [
        visit
        for visit in pathway.visits.values()
        if visit.status in NOT_YET and (pathway.outcome is not None or visit.phase != pathway.phase)
    ]
    planned = steps(protocol, pathway, now)
    proposed = (visit for s in planned if isinstance(s, ProposeVisits) for visit in s.visits)
    facts: list[tuple[str, Fact]] = [
        (
            f"proposed/{each.visit}",
            VisitProposed(each.visit, each.phase, each.stage, each.at, batch, each.replaces),
        )
        # What is called off first leaves its days to what is proposed in the next round.
        for each in (() if hasten or over else proposed)
    ]
    if hasten is not None:  # then visits are proposed from there, in the next round
        facts.append((f"hastened/{hasten.phase}/{hasten.first_visit.day}", hasten))
    gone = (*(visit.id for visit in over), *to_call_off(protocol, pathway))
    facts.extend((f"cancelled/{visit}", VisitCancelled(visit)) for visit in gone)
    facts.extend(
        (f"baseline/{named.phase}/{named.score}#{named.number}", named)
        for named in to_name(protocol, pathway)
    )
    wanted = wanted_tasks(pathway, planned)
    open_tasks = {key for key, task in pathway.tasks.items() if not task.closed}
    done = sorted(open_tasks - set(wanted))
    facts.extend((f"closed/{key}", TaskClosed(key)) for key in done)
    for key in sorted(set(wanted) - open_tasks):
        step = wanted[key]
        opened = TaskOpened(key, RuleId(step.rule), step.roles, step.says, step.due)
        facts.append((f"opened/{key}", opened))
    for key in sorted(set(wanted) & open_tasks):
        raised = to_raise(key, pathway.tasks[key], wanted[key], now)
        if raised is not None:
            facts.append((f"raised/{key}/{raised.due:%Y%m%d%H%M%S}", raised))
    return tuple(Event(EventId(f"{pathway.id}/{name}"), now, KAIROS, fact) for name, fact in facts)
