"""Work lists over all of a caller's sites: tasks for the clinic, and how commands went."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from api.commands.submit import rejection
from api.edge.access import May, site_list
from api.edge.tokens import Caller
from api.reading import pathway_views as v
from api.reading import rendering
from api.reading import work_views as w
from api.reading.lookup import find_command
from api.reading.pages import Cursor, Limit, Page, page_of
from api.reading.worklist import open_tasks
from api.routes.declaring import READING, With
from domain.language.names import CommandState, Role
from domain.permissions import MAY_READ

router = APIRouter(tags=["work"])


@router.get("/tasks", summary="Open tasks of all pathways", responses=READING)
async def list_tasks(
    *,
    deps: With,
    caller: Annotated[Caller, Depends(May(*MAY_READ))],
    role: Annotated[Role | None, Query(description="only tasks for this role")] = None,
    site: Annotated[str | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[v.TaskView]:
    """List what people are to do, pathway by pathway; within one by due time."""
    of_list = f"tasks|{role}|{site}"
    place = deps.cursors.read(of_list, cursor)
    after = (str(place[0]), int(place[1])) if place else None
    async with deps.database.begin() as tx:
        found = await open_tasks(tx, deps, site_list(caller, site), role, after, limit + 1)
    return page_of(deps.cursors, of_list, found, limit)


@router.get("/commands/{command}", summary="How far a command has come", responses=READING)
async def get_command(
    command: str,
    deps: With,
    caller: Annotated[Caller, Depends(May(*MAY_READ, Role.INTEGRATOR))],
) -> w.CommandView:
    """Say whether a command was applied or rejected; while `received`, ask again in a moment."""
    async with deps.database.begin() as tx:
        row = await find_command(tx, caller, command)
    problem = rejection(row) if row.state is CommandState.REJECTED else None
    return rendering.command_view(row, problem)
