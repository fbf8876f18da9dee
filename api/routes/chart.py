"""What is recorded in a visit: readings, assessments, doses and stimulations, each its own POST."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse

from api.commands import bodies as r
from api.commands.request import Asked, MayWish
from api.commands.submit import send
from api.routes.declaring import COMMANDING, example
from domain.language import observations, treatment

router = APIRouter(prefix="/pathways/{pathway}", tags=["chart"])


@router.post("/readings", summary="Record readings taken together", **COMMANDING)
async def record_readings(
    pathway: str,
    body: Annotated[r.RecordReadings, example(r.RecordReadings)],
    asked: Annotated[Asked, Depends(MayWish(observations.RecordReadings))],
) -> JSONResponse:
    """Record readings in the units of the vocabulary. A wrong unit is refused, never converted."""
    return await send(asked, pathway, body.wish())


@router.post("/assessments", summary="Record a rating scale", **COMMANDING)
async def record_assessment(
    pathway: str,
    body: Annotated[r.RecordAssessment, example(r.RecordAssessment)],
    asked: Annotated[Asked, Depends(MayWish(observations.RecordAssessment))],
) -> JSONResponse:
    """Record a scale item by item; the total is computed."""
    return await send(asked, pathway, body.wish())


@router.post("/doses", summary="Record a dose that was given", **COMMANDING)
async def record_dose(
    pathway: str,
    body: Annotated[r.RecordDose, example(r.RecordDose)],
    asked: Annotated[Asked, Depends(MayWish(treatment.RecordDose))],
) -> JSONResponse:
    """Record a dose from the moment of its first device, from which observation counts."""
    return await send(asked, pathway, body.wish())


@router.post("/stimulations", summary="Record a stimulation that was given", **COMMANDING)
async def record_stimulation(
    pathway: str,
    body: Annotated[r.RecordStimulation, example(r.RecordStimulation)],
    asked: Annotated[Asked, Depends(MayWish(treatment.RecordStimulation))],
) -> JSONResponse:
    """Record a dTMS session with what the device showed."""
    return await send(asked, pathway, body.wish())
