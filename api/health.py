"""Is the process alive, and can it do its work? For whoever runs it; needs no token."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from api.dependencies import Dependencies
from domain.language.errors import Unavailable
from store.schema import current

router = APIRouter(prefix="/health", tags=["health"])
NOT_READY = 503


class ReadyView(BaseModel):
    """Whether each thing that the API needs is there."""

    ready: bool
    database: bool
    schema_newest: bool
    temporal: bool
    issuer_keys: bool = Field(description="the issuer's keys were read, so callers can be let in")
    without_worker: list[str] = Field(
        description="builds that have open pathways and no worker running; commands for those"
        " pathways are kept, so this alone does not make the API unready"
    )
    protocols: int


class LiveView(BaseModel):
    """The process answers."""

    live: bool = True


@router.get("/live", summary="The process is running")
async def live() -> LiveView:
    """Answer."""
    return LiveView()


@router.get(
    "/ready",
    summary="Everything that the API needs is available",
    responses={NOT_READY: {"model": ReadyView, "description": "Something it needs is missing"}},
)
async def ready(request: Request, response: Response) -> ReadyView:
    """Look at the database and its schema, at Temporal and its workers, and at the protocols."""
    deps: Dependencies = request.app.state.dependencies
    database, newest = await _database(deps)
    temporal, without_worker = await _temporal(deps)
    protocols = len(deps.protocols.approved())
    keys = await deps.tokens.has_keys()
    all_there = database and newest and temporal and protocols > 0 and keys
    response.status_code = 200 if all_there else NOT_READY
    return ReadyView(
        ready=all_there,
        database=database,
        schema_newest=newest,
        temporal=temporal,
        issuer_keys=keys,
        without_worker=without_worker,
        protocols=protocols,
    )


async def _database(deps: Dependencies) -> tuple[bool, bool]:
    try:
        async with deps.database.begin() as tx:
            return True, await tx.run_sync(_revision) == deps.schema
    except Unavailable:
        return False, False


def _revision(session: Session) -> str:
    return current(session.connection())


async def _temporal(deps: Dependencies) -> tuple[bool, list[str]]:
    try:
        await deps.gateway.check()
        return True, await deps.gateway.without_worker()
    except Unavailable:
        return False, []
