"""The course's commands: orders, visits, decisions, holds, overrides and tasks, each its own POST.

Whether a wish is granted is the domain's to say; here it is only taken apart and passed on.
"""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse

from api.commands import bodies as r
from api.commands.request import Asked, MayWish
from api.commands.submit import send
from api.reading.rendering import task_at
from api.routes.declaring import COMMANDING, example
from domain.language import holds, overrides, phases, release, tasks, visits
from domain.language.names import VisitId

router = APIRouter(prefix="/pathways/{pathway}", tags=["course"])


@router.post("/orders", summary="Sign the order of a phase", **COMMANDING)
async def sign_order(
    pathway: str,
    body: Annotated[r.SignOrder, example(r.SignOrder)],
    asked: Annotated[Asked, Depends(MayWish(phases.SignOrder))],
) -> JSONResponse:
    """Order a phase's treatment. Nothing is given in a phase whose order is not signed."""
    return await send(asked, pathway, body.wish())


@router.post("/visits/{visit}/booking", summary="Book a proposed visit", **COMMANDING)
async def book_visit(
    pathway: str,
    visit: str,
    asked: Annotated[Asked, Depends(MayWish(visits.BookVisit))],
    body: Annotated[r.BookVisit | None, example(r.BookVisit)] = None,
) -> JSONResponse:
    """Book it at its proposed time, or at another that the protocol allows."""
    return await send(asked, pathway, (body or r.BookVisit()).wish(visit))


@router.post("/visits/{visit}/move", summary="Move a visit", **COMMANDING)
async def move_visit(
    pathway: str,
    visit: str,
    body: Annotated[r.MoveVisit, example(r.MoveVisit)],
    asked: Annotated[Asked, Depends(MayWish(visits.MoveVisit))],
) -> JSONResponse:
    """Move a proposed or booked visit to another local time of the site."""
    return await send(asked, pathway, body.wish(visit))


@router.post("/visits/{visit}/check-in", summary="The patient is here", **COMMANDING)
async def check_in(
    pathway: str,
    visit: str,
    asked: Annotated[Asked, Depends(MayWish(visits.CheckIn))],
    body: Annotated[r.Nothing | None, example(r.Nothing)] = None,
) -> JSONResponse:
    """Say that the patient is here, on the visit's day."""
    del body
    return await send(asked, pathway, visits.CheckIn(VisitId(visit)))


@router.post("/visits/{visit}/miss", summary="The patient did not come", **COMMANDING)
async def miss_visit(
    pathway: str,
    visit: str,
    asked: Annotated[Asked, Depends(MayWish(visits.MissVisit))],
    body: Annotated[r.Nothing | None, example(r.Nothing)] = None,
) -> JSONResponse:
    """Record a missed visit; the protocol says what becomes of it."""
    del body
    return await send(asked, pathway, visits.MissVisit(VisitId(visit)))


@router.post("/visits/{visit}/cancel", summary="Call off a visit to come", **COMMANDING)
async def cancel_visit(
    pathway: str,
    visit: str,
    body: Annotated[r.CancelVisit, example(r.CancelVisit)],
    asked: Annotated[Asked, Depends(MayWish(visits.CancelVisit))],
) -> JSONResponse:
    """Call off a proposed or booked visit, with a reason; it is proposed anew by the rule."""
    return await send(asked, pathway, body.wish(visit))


@router.post("/visits/{visit}/release", summary="Let the patient go", **COMMANDING)
async def release_visit(
    pathway: str,
    visit: str,
    asked: Annotated[Asked, Depends(MayWish(release.ReleaseVisit))],
    body: Annotated[r.Release | None, example(r.Release)] = None,
) -> JSONResponse:
    """Release the patient from a visit, once every check after treatment is met.

    With `against_advice` it records that the patient left, whatever is not met; with `left_at` the
    checks are made as of then.
    """
    return await send(asked, pathway, (body or r.Release()).wish(visit))


@router.post("/holds", summary="Hold all treatment", **COMMANDING)
async def place_hold(
    pathway: str,
    body: Annotated[r.PlaceHold, example(r.PlaceHold)],
    asked: Annotated[Asked, Depends(MayWish(holds.PlaceHold))],
) -> JSONResponse:
    """Stop all treatment until a prescriber lifts the hold."""
    return await send(asked, pathway, body.wish())


@router.post("/holds/{hold}/lift", summary="Lift a hold", **COMMANDING)
async def lift_hold(
    pathway: str,
    hold: str,
    body: Annotated[r.LiftHold, example(r.LiftHold)],
    asked: Annotated[Asked, Depends(MayWish(holds.LiftHold))],
) -> JSONResponse:
    """Lift a hold, with a reason."""
    return await send(asked, pathway, body.wish(hold))


@router.post("/overrides", summary="Override a gate that holds", **COMMANDING)
async def override_gate(
    pathway: str,
    body: Annotated[r.OverrideGate, example(r.OverrideGate)],
    asked: Annotated[Asked, Depends(MayWish(overrides.OverrideGate))],
) -> JSONResponse:
    """Let a gate pass at one visit for what was found so far; later findings hold again."""
    return await send(asked, pathway, body.wish())


@router.post("/decisions", summary="Decide how it goes on", **COMMANDING)
async def decide(
    pathway: str,
    body: Annotated[r.Decide, example(r.Decide)],
    asked: Annotated[Asked, Depends(MayWish(phases.Decide))],
) -> JSONResponse:
    """Continue to the next phase, complete, or stop the pathway, with a reason.

    `move-on` enters the next phase although visits of this one are still to come.
    """
    return await send(asked, pathway, body.wish())


@router.post("/tasks/{task}/acknowledgement", summary="Say that a task was seen", **COMMANDING)
async def acknowledge_task(
    pathway: str,
    task: str,
    asked: Annotated[Asked, Depends(MayWish(tasks.AcknowledgeTask))],
    body: Annotated[r.Nothing | None, example(r.Nothing)] = None,
) -> JSONResponse:
    """Acknowledge a task, by the id that lists of tasks give it. It stays open until done."""
    del body
    return await send(asked, pathway, tasks.AcknowledgeTask(task_at(task)))
