"""Moving open pathways to another version of their protocol and vocabulary."""

from typing import Annotated, ClassVar

from fastapi import APIRouter, Depends
from pydantic import Field

from api.commands.pinning import version_of
from api.commands.request import CommandRequest, MayWish
from api.commands.versions import look, move
from api.commands.words import Body, Example, Words
from api.edge.access import site_list
from api.reading import work_views as w
from api.routes.declaring import POSTING, READING, Reader, With, example
from domain.language.phases import ChangeProtocol

router = APIRouter(prefix="/protocols/{protocol}/versions/{version}/moves", tags=["reference"])


class MovePathways(Body):
    """Move open pathways to this version: all that can, or those that are named."""

    EXAMPLE: ClassVar[Example] = {"reason": "the alert limit of systolic pressure is lower now"}

    reason: Words
    pathways: list[str] | None = Field(
        default=None, max_length=1000, description="left out: all that can move"
    )


@router.get("", summary="Which pathways could move to this version?", responses=READING)
async def list_moves(
    protocol: str,
    version: int,
    deps: With,
    caller: Reader,
) -> w.MovesView:
    """List open pathways on other versions: what would change for them, and what keeps which.

    After a move these are the ones that were left behind.
    """
    new = version_of(deps, protocol, version)
    async with deps.database.begin() as tx:
        return await look(tx, deps, new, site_list(caller))


@router.post("", summary="Move pathways to this version", status_code=202, responses=POSTING)
async def move_pathways(
    protocol: str,
    version: int,
    body: Annotated[MovePathways, example(MovePathways)],
    request: Annotated[CommandRequest, Depends(MayWish(ChangeProtocol))],
) -> w.MovesView:
    """Store one command, with the reason, for each pathway that can move; carried out shortly.

    A pathway that cannot move stays on its version, and the list says why. What was recorded keeps
    its meaning, signed orders stay signed, and earlier actions are judged by the earlier rules.
    """
    new = version_of(request.deps, protocol, version)
    return await move(request, new, body.reason, body.pathways)
