"""May it be given? The answer of one moment, which records nothing and is no permit."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.edge.blocks import Block, block_of
from domain.language.clocks import local
from domain.language.findings import CheckResult, blocks_of
from domain.language.pathway import Pathway


class MayGiveView(BaseModel):
    """Whether a treatment may be given at this moment, and all that stands in its way."""

    granted: bool
    as_of: datetime = Field(description="the clinic's time of this answer; it authorizes nothing")
    version: int = Field(description="the pathway's version at that time")
    says: str
    under: list[str] = Field(description="the standing decisions that it would rest on")
    blocked_by: list[Block]


def may_give_view(
    what: str,
    result: CheckResult,
    under: tuple[str, ...],
    pathway: Pathway,
    version: int,
    now: datetime,
) -> MayGiveView:
    blocks = blocks_of(result)
    wall = local(now, pathway.zone).hour
    if blocks:
        found = [block.sentence() for block in blocks if block.finding is not None]
        absent = [str(block.missing) for block in blocks if block.finding is None]
        told = [*found, *([f"not recorded yet: {', '.join(absent)}"] if absent else [])]
        says = f"Do not give {what}: {'; '.join(told)}."
    else:
        says = (
            f"As of {wall:%H:%M}, nothing blocks {what}. What you record is judged by the time at "
            "which it was given."
        )
    if under and not blocks:
        says = f"{says} It relies on: {'; '.join(under)}."
    return MayGiveView(
        granted=not blocks,
        as_of=now,
        version=version,
        says=says,
        under=list(under),
        blocked_by=[block_of(block) for block in blocks],
    )
