"""The EHRs: which there are, what each can take, and what would be written to it and how."""

from dataclasses import asdict
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse

from api.commands.bodies import Nothing
from api.dependencies import Dependencies
from api.edge.access import May, connections_of, nothing_there
from api.edge.problems import Problem
from api.edge.tokens import Caller
from api.reading import work_views as w
from api.reading.capability import learn
from api.reading.pages import Page
from api.routes.declaring import POSTING, READING, With, WritesReader, example
from domain.permissions import MAY_PROBE
from settings import Connection
from store import capabilities, jobs, outages, queue
from store.jobs import Job
from store.outages import Outage
from store.records import CapabilityRecord

router = APIRouter(prefix="/connections", tags=["connections"])

log = structlog.get_logger("kairos.api")


@router.get("", summary="List EHR connections", responses=READING)
async def list_connections(deps: With, caller: WritesReader) -> Page[w.ConnectionView]:
    """List the EHRs of the caller's sites, and when the capabilities of each were last read."""
    views = []
    async with deps.database.begin() as tx:
        known = await jobs.every(tx)
        for connection in connections_of(deps.installation, caller).values():
            row = await capabilities.find(tx, connection.id)
            outage = await outages.of(tx, connection.id)
            job = known.get(jobs.capability_of(connection.id))
            views.append(_view(deps, caller, connection, row, job, outage))
    return Page(items=views)


def _view(
    deps: Dependencies,
    caller: Caller,
    connection: Connection,
    row: CapabilityRecord | None,
    job: Job | None,
    outage: Outage | None,
) -> w.ConnectionView:
    sites = [
        s.id for s in deps.installation.sites if s.ehr == connection.id and s.id in caller.sites
    ]
    return w.ConnectionView(
        id=connection.id,
        name=connection.name,
        base_url=connection.base_url,
        vendor=connection.vendor,
        sites=sites,
        capability_read_at=row.read_at if row else None,
        capability_failing_since=job.failing_since if job else None,
        capability_problem=job.why if job else None,
        away_since=outage.since if outage else None,
        away_because=outage.reason if outage else None,
        asked_next=outage.ask_at if outage else None,
    )


@router.get("/{connection}/plan", summary="What would be written, and how", responses=READING)
async def get_plan(connection: str, deps: With, caller: WritesReader) -> w.PlanView:
    """Say how each kind of record would be written to this EHR, given its capabilities."""
    if connection not in connections_of(deps.installation, caller):
        raise nothing_there()
    async with deps.database.begin() as tx:
        row = await capabilities.find(tx, connection)
    if row is None:
        detail = f"read them first: POST /v1/connections/{connection}/probe"
        raise Problem("capability-unknown", detail)
    return _plan(deps, row)


def _plan(deps: Dependencies, row: CapabilityRecord) -> w.PlanView:
    plan = deps.ehr(row.connection_id).plan(row.statement)
    lines = [w.PlanLine.model_validate(asdict(line)) for line in plan.describe()]
    return w.PlanView(connection=row.connection_id, capability_read_at=row.read_at, plan=lines)


@router.post(
    "/{connection}/probe",
    summary="Read the capabilities of an EHR",
    status_code=201,
    response_model=w.PlanView,
    responses=POSTING,
)
async def probe(
    connection: str,
    deps: With,
    caller: Annotated[Caller, Depends(May(*MAY_PROBE))],
    body: Annotated[Nothing | None, example(Nothing)] = None,
) -> JSONResponse:
    """Read the EHR's CapabilityStatement and store it. It is safe to repeat."""
    del body
    if connection not in connections_of(deps.installation, caller):
        raise nothing_there()
    row = await learn(deps, connection)
    return JSONResponse(
        _plan(deps, row).model_dump(mode="json"),
        status_code=201,
        headers={"Location": f"/v1/connections/{connection}/plan"},
    )


@router.post(
    "/{connection}/retry",
    summary="Try waiting writes now",
    status_code=201,
    responses=POSTING,
)
async def retry(
    connection: str,
    deps: With,
    caller: Annotated[Caller, Depends(May(*MAY_PROBE))],
    body: Annotated[Nothing | None, example(Nothing)] = None,
) -> w.RetriedView:
    """Try now what waits because the EHR was busy or away, whatever it asked for. Safe to repeat.

    A write whose answer was lost goes on waiting until it would be seen in the EHR.
    """
    del body
    if connection not in connections_of(deps.installation, caller):
        raise nothing_there()
    now = await deps.clock.pace()
    async with deps.database.begin() as tx:
        patients = await queue.wake(tx, connection, now)
        away = await outages.of(tx, connection) is not None
        await outages.ask_now(tx, connection, now)
    log.info("retried_by_hand", connection=connection, count=patients)
    return w.RetriedView(connection=connection, patients=patients, asked_now=away)
