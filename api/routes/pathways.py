"""Pathways: start one, list them, and look at one as it is, was and is being written down."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from starlette.responses import JSONResponse

from api.commands.bodies import StartPathway
from api.commands.request import CommandRequest, MayAsk
from api.commands.starts import start
from api.commands.words import Moment
from api.reading import pathway_views as v
from api.reading import rendering
from api.reading import work_views as w
from api.reading.checklists import checklist_view
from api.reading.filters import (
    Asked,
    ByRule,
    Common,
    OfPhase,
    Overdue,
    UrgencyName,
    listed,
    urgency_named,
)
from api.reading.lines import Counted, delivery_line, pathway_line
from api.reading.lookup import find_pathway
from api.reading.pages import Cursor, Limit, Page, page_of
from api.routes.declaring import COMMANDING, READING, Reader, With, WritesReader, example
from domain.language.names import PathwayStatus, Role
from domain.permissions import MAY_START
from domain.planner import steps
from domain.rules.start import checklist
from domain.worklist import all_tasks
from store import delivery_lists, lists, pathways

router = APIRouter(tags=["pathways"])


@router.post("/pathways", summary="Start a pathway", **COMMANDING)
async def start_pathway(
    body: Annotated[StartPathway, example(StartPathway)],
    request: Annotated[CommandRequest, Depends(MayAsk(*MAY_START))],
) -> JSONResponse:
    """Enroll a patient of the site's EHR on an approved protocol; one open pathway per patient."""
    return await start(request, body)


@router.get("/pathways", summary="List pathways", responses=READING)
async def list_pathways(
    *,
    deps: With,
    caller: Reader,
    asked: Asked,
    status: Annotated[PathwayStatus | None, Query()] = None,
    phase: OfPhase = None,
    urgency: UrgencyName = None,
    overdue: Overdue = None,
    role: Annotated[Role | None, Query(description="the role it is waiting for")] = None,
    rule: ByRule = None,
    not_scored_since: Annotated[
        Moment | None, Query(description="none of the scores that are judged since then")
    ] = None,
) -> Counted[v.PathwaySummary]:
    """List pathways with what is next on each: those that are most pressing first."""
    own = {
        "phase": phase,
        "status": status,
        "urgency": urgency_named(urgency),
        "overdue": overdue,
        "role": role,
        "rule": rule,
        "not_scored_since": not_scored_since,
    }
    return await listed(lists.PATHWAYS, deps, caller, asked, own, pathway_line)


@router.get("/pathways/{pathway}", summary="A pathway as it is now", responses=READING)
async def get_pathway(
    pathway: str, deps: With, caller: Reader, response: Response
) -> v.PathwayView:
    """Show where a pathway is, what is next, what blocks it and who can clear it.

    The ETag is its version, for `If-Match`.
    """
    now = await deps.clock.now()
    async with deps.database.begin() as tx:
        row = await find_pathway(tx, caller, pathway)
        protocol, seen = await deps.see(tx, row)
        deliveries = await delivery_lists.counts(tx, [row.site_id], row.id)
        summary = pathway_line(await lists.line(tx, row, now))
    response.headers["ETag"] = f'"{row.version}"'
    return rendering.pathway_view(summary, protocol, seen, deliveries, now)


@router.get("/pathways/{pathway}/timeline", summary="What happened, in order", responses=READING)
async def get_timeline(
    pathway: str, deps: With, caller: Reader, limit: Limit = 50, cursor: Cursor = None
) -> Page[v.EventView]:
    """List a pathway's events in the order in which they were recorded."""
    of_list = f"timeline|{pathway}"
    place = deps.cursors.read(of_list, cursor)
    async with deps.database.begin() as tx:
        row = await find_pathway(tx, caller, pathway)
        _, seen = await deps.see(tx, row)
        events = await pathways.events_after(tx, row.id, int(place[0]) if place else 0, limit + 1)
    return page_of(
        deps.cursors,
        of_list,
        [([event.seq], rendering.event_view(event, seen)) for event in events],
        limit,
    )


@router.get(
    "/pathways/{pathway}/start-checklist",
    summary="What must be known before anything is given",
    responses=READING,
)
async def get_checklist(pathway: str, deps: With, caller: Reader) -> v.ChecklistView:
    """List, phase by phase, what must be known before the first session: met, not met or unknown.

    The same rules refuse the session. Unknown is never met; each row says who can supply it.
    """
    now = await deps.clock.now()
    async with deps.database.begin() as tx:
        row = await find_pathway(tx, caller, pathway)
        protocol, seen = await deps.see(tx, row)
        rows = checklist(protocol, seen, now)
        rests_on = {each.evidence for each in rows if each.evidence is not None}
        authors = await pathways.authors_of(tx, row.id, {str(each) for each in rests_on})
    return checklist_view(rows, protocol, authors, seen)


@router.get("/pathways/{pathway}/visits", summary="Its visits, by time", responses=READING)
async def get_visits(pathway: str, deps: With, caller: Reader) -> Page[v.VisitView]:
    """List every visit of a pathway, proposed ones included."""
    async with deps.database.begin() as tx:
        row = await find_pathway(tx, caller, pathway)
        protocol, seen = await deps.see(tx, row)
    return Page(items=rendering.visit_views(seen, protocol))


@router.get("/pathways/{pathway}/tasks", summary="Its tasks", responses=READING)
async def get_tasks(pathway: str, deps: With, caller: Reader) -> Page[v.TaskView]:
    """List every task of a pathway, closed ones included."""
    now = await deps.clock.now()
    async with deps.database.begin() as tx:
        row = await find_pathway(tx, caller, pathway)
        protocol, seen = await deps.see(tx, row)
        whose = pathway_line(await lists.line(tx, row, now))
    planned = steps(protocol, seen, now) if seen.phases else ()
    views = [rendering.task_view(each, whose, now) for each in all_tasks(seen, planned)]
    return Page(items=sorted(views, key=lambda task: (task.opened, task.id)))


@router.get("/pathways/{pathway}/deliveries", summary="Its writes to the EHR", responses=READING)
async def get_deliveries(
    pathway: str,
    deps: With,
    caller: WritesReader,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Counted[w.DeliveryView]:
    """List everything written, or still to be written, to the EHR for a pathway."""
    async with deps.database.begin() as tx:
        row = await find_pathway(tx, caller, pathway)
    asked = Common(row.site_id, None, None, limit, cursor)
    return await listed(lists.DELIVERIES, deps, caller, asked, {"pathway": row.id}, delivery_line)
