"""Work lists over all of a caller's sites: tasks, visits, and how commands went."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from api.commands.submit import rejection
from api.commands.words import Moment
from api.reading import pathway_views as v
from api.reading import rendering
from api.reading import work_views as w
from api.reading.filters import (
    Asked,
    ByRule,
    OfPhase,
    Overdue,
    UrgencyName,
    listed,
    pathway_named,
    urgency_named,
    wrong,
)
from api.reading.lines import Counted, Line, task_line, visit_line
from api.reading.lookup import find_command
from api.routes.declaring import READING, Reader, With, WritesReader
from domain.language.names import CommandState, Role, VisitStatus
from domain.rules.steps import Ask
from store import lists

router = APIRouter(tags=["work"])


@router.get("/tasks", summary="Open tasks of all pathways", responses=READING)
async def list_tasks(
    *,
    deps: With,
    caller: Reader,
    asked: Asked,
    role: Annotated[Role | None, Query(description="only tasks for this role")] = None,
    phase: OfPhase = None,
    urgency: UrgencyName = None,
    overdue: Overdue = None,
    due_by: Annotated[Moment | None, Query()] = None,
    acknowledged: Annotated[bool | None, Query()] = None,
    pathway: Annotated[str | None, Query()] = None,
    ask: Annotated[Ask | None, Query()] = None,
    rule: ByRule = None,
) -> Counted[v.TaskView]:
    """List open tasks: safety first, then those that a visit is waiting for, then by due time.

    A task that becomes more urgent while you page moves to an earlier page: start over to see it.
    """
    own = {
        "phase": phase,
        "role": role,
        "urgency": urgency_named(urgency),
        "overdue": overdue,
        "due_by": due_by,
        "acknowledged": acknowledged,
        "pathway": pathway_named(pathway),
        "ask": ask,
        "rule": rule,
    }
    return await listed(lists.TASKS, deps, caller, asked, own, task_line)


@router.get("/visits", summary="Visits of all pathways, by time", responses=READING)
async def list_visits(
    *,
    deps: With,
    caller: Reader,
    asked: Asked,
    status: Annotated[VisitStatus | None, Query()] = None,
    phase: OfPhase = None,
    starting: Annotated[Moment | None, Query(description="from then on")] = None,
    until: Annotated[Moment | None, Query(description="before then")] = None,
    overdue: Annotated[bool | None, Query(description="past its start, not yet checked in")] = None,
    pathway: Annotated[str | None, Query()] = None,
) -> Counted[v.VisitLineView]:
    """List visits still to come, under way and past; cancelled visits are not listed."""
    if starting is not None and until is not None and until <= starting:
        raise wrong("until", "must be later than `starting`")
    own = {
        "phase": phase,
        "status": status,
        "starting": starting,
        "until": until,
        "overdue": overdue,
        "pathway": pathway_named(pathway),
    }
    zones = {site.id: site.zone for site in deps.installation.sites}

    def shown(line: Line, now: datetime) -> v.VisitLineView:
        return visit_line(line, zones[line["site_id"]], now)

    return await listed(lists.VISITS, deps, caller, asked, own, shown)


@router.get("/commands/{command}", summary="Status of a command", responses=READING)
async def get_command(
    command: str,
    deps: With,
    caller: WritesReader,
) -> w.CommandView:
    """Say whether a command was applied or rejected; while `received`, ask again in a moment."""
    async with deps.database.begin() as tx:
        row = await find_command(tx, caller, command)
    problem = rejection(row) if row.state is CommandState.REJECTED else None
    return rendering.command_view(row, problem)
