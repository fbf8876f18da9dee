"""Questions that record nothing: may this dose, may this stimulation be given now?"""

from typing import Annotated

from fastapi import APIRouter, Query

from api.reading.lookup import find_pathway
from api.reading.may_give import MayGiveView, may_give_view
from api.routes.declaring import READING, Reader, With
from domain.chapters.treatment import Strength, check_may_give_dose, check_may_stimulate, rests_on
from domain.language.errors import Conflict
from domain.language.names import VisitId, counted
from domain.language.pathway import Pathway
from domain.rules.attendance import insist_visit

router = APIRouter(prefix="/pathways/{pathway}/visits/{visit}", tags=["chart"])
Milligrams = Annotated[int, Query(ge=1, le=1_000)]
Pulses = Annotated[int, Query(ge=1, le=1_000_000)]
OfThreshold = Annotated[int, Query(ge=1, le=1_000, description="percent of motor threshold")]
Output = Annotated[int, Query(ge=1, le=100, description="percent of the stimulator's output")]


@router.get("/may-give-dose", summary="May this dose be given now?", responses=READING)
async def may_give_dose(
    pathway: str, visit: str, mg: Milligrams, deps: With, caller: Reader
) -> MayGiveView:
    """Say whether this dose may be given at this visit now, or list everything that blocks it.

    Records nothing and authorizes nothing: a dose is judged by the time at which it is given.
    """
    now = await deps.clock.now()
    async with deps.database.begin() as tx:
        row = await find_pathway(tx, caller, pathway)
        protocol, seen = await deps.see(tx, row)
    here = _visit(seen, visit)
    result = check_may_give_dose(protocol, seen, here, mg, now)
    under = rests_on(protocol, seen, here, now)
    return may_give_view(f"{mg} mg", result, under, seen, row.version, now)


@router.get("/may-stimulate", summary="May this stimulation be given now?", responses=READING)
async def may_stimulate(
    pathway: str,
    visit: str,
    pulses: Pulses,
    intensity_percent_mt: OfThreshold,
    output_percent: Output,
    deps: With,
    caller: Reader,
) -> MayGiveView:
    """Say whether a dTMS session of this strength may begin now; else as for a dose."""
    now = await deps.clock.now()
    async with deps.database.begin() as tx:
        row = await find_pathway(tx, caller, pathway)
        protocol, seen = await deps.see(tx, row)
    strength = Strength(intensity_percent_mt, pulses, output_percent)
    here = _visit(seen, visit)
    result = check_may_stimulate(protocol, seen, here, now, strength)
    under = rests_on(protocol, seen, here, now)
    what = f"{counted(pulses, 'pulse')} at {intensity_percent_mt} % of motor threshold"
    return may_give_view(what, result, under, seen, row.version, now)


def _visit(pathway: Pathway, visit: str) -> VisitId:
    if not pathway.phases:
        raise Conflict("the pathway is still starting; try again in a moment")
    insist_visit(pathway, VisitId(visit))
    return VisitId(visit)
