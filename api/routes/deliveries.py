"""Writes to EHRs: what waits, what needs a person, and what that person decided about it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import JSONResponse

from api.commands import resolutions
from api.commands.bodies import ResolveDelivery
from api.commands.request import CommandRequest, MayAsk
from api.commands.responses import Resolved
from api.edge.access import May, acting_role
from api.edge.tokens import Caller
from api.reading import work_views as w
from api.reading.candidates import candidates_of
from api.reading.filters import Asked, listed, pathway_named
from api.reading.lines import Counted, delivery_line, delivery_view
from api.reading.lookup import find_delivery
from api.routes.declaring import ASKING, POSTING, READING, With, WritesReader, example
from domain.delivery.resolve import MAY_RESOLVE, possible
from domain.delivery.words import DeliveryState
from domain.permissions import MAY_SEE_RESOURCES
from store import lists

router = APIRouter(prefix="/deliveries", tags=["deliveries"])
"""Who sees what was to be written: not whoever only looks after how the work goes."""

Id = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("", summary="List writes to EHRs", responses=READING)
async def list_deliveries(
    *,
    deps: With,
    caller: WritesReader,
    asked: Asked,
    state: Annotated[DeliveryState | None, Query()] = None,
    needs_person: Annotated[bool | None, Query()] = None,
    pathway: Annotated[str | None, Query()] = None,
    resource_type: Annotated[
        str | None, Query(pattern="^[A-Z][A-Za-z]{1,63}$", examples=["Observation"])
    ] = None,
    resources: Annotated[bool, Query(description="include the resource to be written")] = False,
) -> Counted[w.DeliveryView]:
    """List writes to the EHRs of the caller's sites, in the order in which they were made."""
    if resources:
        acting_role(caller, MAY_SEE_RESOURCES)
    of = lists.WHOLE_DELIVERIES if resources else lists.DELIVERIES
    own = {
        "state": state,
        "needs_person": needs_person,
        "pathway": pathway_named(pathway),
        "resource_type": resource_type,
    }
    return await listed(of, deps, caller, asked, own, delivery_line)


@router.get("/{delivery}", summary="A write to an EHR, with its resource", responses=READING)
async def get_delivery(
    delivery: Id,
    deps: With,
    caller: Annotated[Caller, Depends(May(*MAY_SEE_RESOURCES))],
) -> w.DeliveryDetail:
    """Show what was to be written, for whoever enters or corrects it in the EHR by hand."""
    async with deps.database.begin() as tx:
        found = await find_delivery(tx, caller, delivery)
    choices = [choice.kind for choice in possible(found)]
    return w.DeliveryDetail(**delivery_view(found).model_dump(), choices=choices)


@router.get(
    "/{delivery}/candidates",
    summary="What in the EHR a write could be",
    responses=ASKING,
)
async def get_candidates(
    delivery: Id,
    deps: With,
    caller: Annotated[Caller, Depends(May(*MAY_SEE_RESOURCES))],
) -> w.CandidatesView:
    """Ask the EHR for what names the same patient near the same time, for a person to compare."""
    async with deps.database.begin() as tx:
        found = await find_delivery(tx, caller, delivery)
    return await candidates_of(deps, found)


@router.post(
    "/{delivery}/resolution",
    summary="Decide about a write that needs a person",
    status_code=201,
    response_model=Resolved,
    responses=POSTING,
)
async def resolve(
    delivery: Id,
    body: Annotated[ResolveDelivery, example(ResolveDelivery)],
    request: Annotated[CommandRequest, Depends(MayAsk(*MAY_RESOLVE))],
) -> JSONResponse:
    """Retry it, accept what the EHR stored, or say that it is no longer needed."""
    return await resolutions.decide(request, delivery, resolutions.choice_of(body))
