"""What people are to do, over all pathways of some sites."""

from api.dependencies import Dependencies
from api.edge.cursors import Place
from api.reading.pathway_views import TaskView
from api.reading.rendering import task_view
from domain.language.names import Role, RuleId, TaskId
from domain.language.pathway import Task
from store import pathways
from store.database import Transaction
from store.newer import RecordedByNewer
from store.records import PathwayRecord

PATHWAYS_AT_ONCE = 100

PlacedTasks = list[tuple[Place, TaskView]]
"""Tasks with their places: the pathway's id, and which of its open tasks it is."""


async def open_tasks(
    tx: Transaction,
    deps: Dependencies,
    sites: list[str],
    role: Role | None,
    after: tuple[str, int] | None,
    most: int,
) -> PlacedTasks:
    """List open tasks pathway by pathway, within one by due time, those after the given place."""
    pathway_id, done = after or ("", 0)
    found: PlacedTasks = []
    # The pathway at which the page before ended may have more; the ones after it follow by id.
    first = await pathways.find(tx, pathway_id) if pathway_id else None
    if first and first.site_id in sites:
        found += (await _of_pathway(tx, deps, first, role))[done:]
    seen = pathway_id or None
    while len(found) < most:
        records = await pathways.with_work(tx, sites, seen, PATHWAYS_AT_ONCE)
        if not records:
            break
        for record in records:
            found += await _of_pathway(tx, deps, record, role)
            if len(found) >= most:
                break
        seen = records[-1].id
    return found[:most]


async def _of_pathway(
    tx: Transaction, deps: Dependencies, record: PathwayRecord, role: Role | None
) -> PlacedTasks:
    """List a pathway's open tasks with their places, numbered from 1."""
    try:
        _, pathway = await deps.see(tx, record)
    except RecordedByNewer as error:
        return [([record.id, 1], _not_readable(record, str(error)))]
    views = [
        task_view(key, task, record.id, record.site_id)
        for key, task in pathway.tasks.items()
        if not task.closed and (role is None or role in task.roles)
    ]
    views.sort(key=lambda task: (task.due or task.opened, task.id))
    return [([record.id, place], view) for place, view in enumerate(views, start=1)]


def _not_readable(record: PathwayRecord, says: str) -> TaskView:
    """In place of its tasks, for everybody: one pathway hides no other, and is not hidden."""
    unknown = Task(RuleId("newer-version"), (Role.OPERATIONS,), says, record.changed_at, None)
    return task_view(TaskId("upgrade/this-process#1"), unknown, record.id, record.site_id)
