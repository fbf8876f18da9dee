"""Work lists over all of a caller's sites: tasks for the clinic, and how commands went."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.commands.submit import rejection
from api.dependencies import Parts
from api.edge.access import May, site_list
from api.edge.tokens import Caller
from api.models import views as v
from api.models import work as w
from api.models.pages import Page
from api.reading import rendering
from api.reading.lookup import find_command
from api.routes.declaring import READING, Cursor, Limit, With, page_of
from domain.language.names import CommandState, PathwayStatus, Role
from domain.permissions import MAY_READ
from store import pathways

router = APIRouter(tags=["work"])
PATHWAYS_AT_ONCE = 100

Found = list[tuple[list[str | int], v.TaskView]]


@router.get("/tasks", summary="Open tasks of all pathways", responses=READING)
async def list_tasks(
    *,
    parts: With,
    caller: Annotated[Caller, Depends(May(*MAY_READ))],
    role: Annotated[Role | None, Query(description="only tasks for this role")] = None,
    site: Annotated[str | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[v.TaskView]:
    """List what people are to do, pathway by pathway; within one by due time."""
    of_list = f"tasks|{role}|{site}"
    place = parts.cursors.read(of_list, cursor)
    sites = site_list(caller, site)
    pathway, done = (str(place[0]), int(place[1])) if place else ("", 0)
    found = await _tasks(parts, sites, role, pathway=pathway, done=done, limit=limit)
    return page_of(parts, of_list, found, limit)


async def _tasks(
    parts: Parts, sites: list[str], role: Role | None, *, pathway: str, done: int, limit: int
) -> Found:
    """Gather one task more than the limit, from the `done`-th of `pathway` on."""
    found: Found = []
    async with parts.database.begin() as tx:
        first = await pathways.find(tx, pathway) if pathway else None
        rows = [first] if first is not None and first.site_id in sites else []
        after: str | None = pathway or None
        while True:
            for row in rows:
                known = row.pathway()
                open_tasks = [
                    rendering.task_view(key, task, row.id, row.site_id)
                    for key, task in known.tasks.items()
                    if not task.closed and (role is None or role in task.roles)
                ]
                open_tasks.sort(key=lambda task: (task.due or task.opened, task.id))
                skip = done if row.id == pathway else 0
                places = range(skip + 1, len(open_tasks) + 1)
                found += [([row.id, place], open_tasks[place - 1]) for place in places]
                if len(found) > limit:
                    return found
            rows = await pathways.page(tx, sites, PathwayStatus.OPEN, after, PATHWAYS_AT_ONCE)
            if not rows:
                return found
            after = rows[-1].id


@router.get("/commands/{command}", summary="How far a command has come", responses=READING)
async def get_command(
    command: str,
    parts: With,
    caller: Annotated[Caller, Depends(May(*MAY_READ, Role.INTEGRATOR))],
) -> w.CommandView:
    """Say whether a command was applied or rejected; while `received`, ask again in a moment."""
    async with parts.database.begin() as tx:
        row = await find_command(tx, caller, command)
    view = rendering.command_view(row)
    if row.state is CommandState.REJECTED:
        problem = rejection(row).view()
        view = view.model_copy(update={"problem": problem})
    return view
