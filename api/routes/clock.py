"""The clinic's clock: what time care goes by, and, in a rehearsal, moving it on."""

from datetime import datetime
from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, Field

from api.commands.moving import move_clock
from api.commands.words import Body, Example, Instant
from api.dependencies import Dependencies
from api.edge.access import AnyCaller, May
from api.edge.tokens import Caller
from api.routes.declaring import POSTING, READING, With, example
from domain.permissions import MAY_MOVE_CLOCK

router = APIRouter(prefix="/clock", tags=["clock"])


class ClockView(BaseModel):
    """What time it is in the clinic."""

    now: datetime = Field(description="the clinic's time: what due times and windows go by")
    movable: bool = Field(description="whether it can be moved on; never in production")


def _aware(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise ValueError("must have its offset from UTC, such as 2027-05-14T09:00:00-04:00")
    return now


class MoveClock(Body):
    """Move the clock forward."""

    EXAMPLE: ClassVar[Example] = {"now": "2027-05-14T09:00:00-04:00"}

    now: Annotated[Instant, AfterValidator(_aware)]


async def _view(deps: Dependencies) -> ClockView:
    return ClockView(now=await deps.clock.now(), movable=deps.movable is not None)


@router.get("", summary="What time it is", responses=READING)
async def get_clock(deps: With, _caller: AnyCaller) -> ClockView:
    """Say what time it is in the clinic."""
    return await _view(deps)


@router.put("", summary="Move a rehearsal's clock forward", responses=POSTING)
async def put_clock(
    body: Annotated[MoveClock, example(MoveClock)],
    deps: With,
    _caller: Annotated[Caller, Depends(May(*MAY_MOVE_CLOCK))],
) -> ClockView:
    """Move the clock forward, stopping wherever something is due until it is done.

    The response says how far it got in a few seconds; send the request again until it is there.
    Refused outside a rehearsal. Tokens, and pauses between writes to EHRs, stay on real time.
    """
    await move_clock(deps, body.now)
    return await _view(deps)
