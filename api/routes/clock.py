"""The clinic's clock: what time care goes by, and, in a rehearsal, moving it on."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.commands.moving import move_clock
from api.dependencies import Dependencies
from api.edge.access import AnyCaller, May
from api.edge.tokens import Caller
from api.routes.declaring import POSTING, READING, With
from domain.language.names import Role

router = APIRouter(prefix="/clock", tags=["clock"])


class ClockView(BaseModel):
    """What time it is in the clinic."""

    now: datetime = Field(description="the clinic's time: what due times and windows go by")
    movable: bool = Field(description="whether it can be moved on; never in production")


class MoveClock(BaseModel):
    """Move the clock on."""

    model_config = ConfigDict(extra="forbid")

    now: AwareDatetime = Field(description="the time that it should be, with its offset from UTC")


async def _view(deps: Dependencies) -> ClockView:
    return ClockView(now=await deps.clock.now(), movable=deps.movable is not None)


@router.get("", summary="What time it is", responses=READING)
async def get_clock(deps: With, _caller: AnyCaller) -> ClockView:
    """Say what time it is in the clinic."""
    return await _view(deps)


@router.put("", summary="Move a rehearsal's clock on", responses=POSTING)
async def put_clock(
    body: MoveClock, deps: With, _caller: Annotated[Caller, Depends(May(Role.OPERATIONS))]
) -> ClockView:
    """Move the clock on, stopping wherever something is due until it is done.

    The answer says how far it came in a few seconds; send it again until it is there. A rehearsal
    only: anywhere else it is refused. Tokens, and pauses between writes to EHRs, do not move.
    """
    await move_clock(deps, body.now)
    return await _view(deps)
