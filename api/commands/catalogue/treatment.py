"""Doses and stimulations, as they are recorded."""

from typing import ClassVar

from pydantic import Field

from api.commands.catalogue.entry import TIME, VISIT, Entry
from api.commands.words import Body, Count, Example, Instant, Short, Slug, Words
from domain.language import treatment as wishes
from domain.language.names import VisitId

DEVIATION = "why it was given although a rule stood in the way, or was cut short; else left out"


class RecordDose(Body):
    """Record a dose that was given, from the moment of the first device."""

    EXAMPLE: ClassVar[Example] = {
        "visit": VISIT,
        "first_device_at": TIME,
        "mg": 56,
        "lot": "LOT-0001",
    }

    visit: Slug
    first_device_at: Instant
    mg: Count
    lot: Short = Field(description="read from the device, never prefilled")
    deviation: Words | None = Field(default=None, description=DEVIATION)


class RecordStimulation(Body):
    """Record a dTMS session that was given."""

    EXAMPLE: ClassVar[Example] = {
        "visit": "accelerated-dtms-visit-1",
        "started_at": TIME,
        "ended_at": "2027-03-01T14:25:00-05:00",
        "pulses": 1980,
        "intensity_percent_mt": 120,
        "output_percent": 66,
    }

    visit: Slug
    started_at: Instant
    ended_at: Instant
    pulses: Count
    intensity_percent_mt: Count
    output_percent: Count
    deviation: Words | None = Field(default=None, description=DEVIATION)


ENTRIES = (
    Entry(
        path="/doses",
        tag="chart",
        summary="Record a dose that was given",
        says="Record a dose from the moment of its first device, from which observation counts.",
        body=RecordDose,
        wish=wishes.RecordDose,
        make=lambda body, _: wishes.RecordDose(
            VisitId(body.visit), body.first_device_at, body.mg, body.lot, body.deviation or ""
        ),
    ),
    Entry(
        path="/stimulations",
        tag="chart",
        summary="Record a stimulation that was given",
        says="Record a dTMS session with what the device showed.",
        body=RecordStimulation,
        wish=wishes.RecordStimulation,
        make=lambda body, _: wishes.RecordStimulation(
            VisitId(body.visit),
            body.started_at,
            body.ended_at,
            body.pulses,
            body.intensity_percent_mt,
            body.output_percent,
            body.deviation or "",
        ),
    ),
)
