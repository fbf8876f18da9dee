"""What a turn leaves for the lists: what comes next, the open tasks, the visits."""

from collections.abc import Sequence
from datetime import datetime

from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from domain.planner import steps
from domain.rules.steps import AskPerson, Await, Step
from domain.worklist import open_tasks, pressing, scores, visits
from store.recording import Recording
from store.records import Next


def show(
    recording: Recording,
    protocol: CombinedProtocol,
    before: Pathway | None,
    pathway: Pathway,
    now: datetime,
) -> None:
    """Have the lists show a pathway that has begun; `before` is how they show it already."""
    planned = steps(protocol, pathway, now)
    last = scores(protocol, pathway)
    tasks = open_tasks(pathway, planned)
    urgency = pressing(pathway, tasks)
    recording.show(_next(planned), tasks, urgency, last, anew=before is None)
    # A turn that touches no visit and no session leaves the very same ones.
    same_visits = before is not None and before.visits is pathway.visits
    if not (same_visits and before is not None and before.sessions is pathway.sessions):
        recording.show_visits(visits(protocol, pathway))


def _next(planned: Sequence[Step]) -> Next | None:
    """The most pressing step, if it waits for somebody or for a time."""
    match planned[0]:
        case AskPerson() as ask:
            return Next(ask.says, [str(role) for role in ask.roles], ask.due)
        case Await() as wait:
            return Next(wait.says, [], wait.until)
        case other:
            return Next(other.says, [], None)
