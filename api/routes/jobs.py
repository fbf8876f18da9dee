"""Background jobs: what Kairos does by itself, once for the installation, and how that went."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends

from api.edge.access import May, connections_of
from api.edge.tokens import Caller
from api.reading import work_views as w
from api.reading.pages import Page
from api.routes.declaring import READING, With
from domain.permissions import MAY_PROBE
from store import jobs
from store.jobs import Job
from temporal.clock import machine_time

router = APIRouter(prefix="/jobs", tags=["operations"])

SAYS = {
    jobs.SWEEP: (
        "Every minute: restart pathways whose workflow is missing, check those that are overdue,"
        " and pick up writes that nobody has taken."
    ),
    jobs.INBOX: "Every second: complete commands that were received and not completed.",
}
CAPABILITY = "Every hour: read the capabilities of {}."

LATE, CAPABILITY_LATE = timedelta(minutes=5), timedelta(hours=2)
"""After how long one that has not come to its end again is late."""


@router.get("", summary="Background jobs and how they went", responses=READING)
async def list_jobs(
    deps: With, caller: Annotated[Caller, Depends(May(*MAY_PROBE))]
) -> Page[w.JobView]:
    """List what runs beside the pathways. One that is late or failing needs operations staff."""
    now = machine_time()
    async with deps.database.begin() as tx:
        known = await jobs.every(tx)
    views = [_view(name, says, LATE, known.get(name), now) for name, says in SAYS.items()]
    for each in connections_of(deps.installation, caller).values():
        name = jobs.capability_of(each.id)
        says = CAPABILITY.format(each.name)
        views.append(_view(name, says, CAPABILITY_LATE, known.get(name), now))
    return Page(items=views)


def _view(name: str, says: str, lasts: timedelta, job: Job | None, now: datetime) -> w.JobView:
    done_at = job.done_at if job else None
    return w.JobView(
        name=name,
        says=says,
        done_at=done_at,
        late=done_at is None or done_at < now - lasts,
        failing_since=job.failing_since if job else None,
        why=job.why if job else None,
    )
