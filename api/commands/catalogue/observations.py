"""Readings and rating scales, as they are recorded."""

from typing import ClassVar

from pydantic import Field

from api.commands.catalogue.entry import TIME, VISIT, Entry
from api.commands.words import Body, Count, Example, Instant, Number, Short, Word
from api.edge.parameters import Slug
from domain.language import observations as wishes
from domain.language.names import ObservationName, VisitId


class Measured(Body):
    """A value with the unit it was reported in, or one of the observation's answers."""

    EXAMPLE: ClassVar[Example] = {"observation": "systolic_bp", "value": 128, "unit": "mmHg"}

    observation: Word
    value: Number | None = None
    unit: Short | None = None
    answer: Short | None = None

    def said(self) -> wishes.Measurement:
        """The same in the domain's words."""
        name = ObservationName(self.observation)
        return wishes.Measurement(name, self.value, self.unit, self.answer)


class RecordReadings(Body):
    """Record readings that were taken together."""

    EXAMPLE: ClassVar[Example] = {
        "measured_at": TIME,
        "visit": VISIT,
        "readings": [
            Measured.EXAMPLE,
            {"observation": "diastolic_bp", "value": 82, "unit": "mmHg"},
        ],
    }

    measured_at: Instant
    readings: tuple[Measured, ...] = Field(min_length=1, max_length=40)
    visit: Slug | None = None


class RecordAssessment(Body):
    """Record a rating scale item by item; the total is computed."""

    EXAMPLE: ClassVar[Example] = {
        "scale": "phq9",
        "assessed_at": TIME,
        "items": [2, 2, 1, 2, 1, 2, 1, 0, 0],
    }

    scale: Word
    assessed_at: Instant
    items: tuple[Count, ...] = Field(min_length=1, max_length=60)


def made(body: RecordReadings) -> wishes.RecordReadings:
    """The readings in the domain's words."""
    readings = tuple(reading.said() for reading in body.readings)
    visit = VisitId(body.visit) if body.visit else None
    return wishes.RecordReadings(body.measured_at, readings, visit)


def scored(body: RecordAssessment) -> wishes.RecordAssessment:
    """The assessment in the domain's words."""
    return wishes.RecordAssessment(body.scale, body.assessed_at, body.items)


ENTRIES = (
    Entry(
        path="/readings",
        tag="chart",
        summary="Record readings taken together",
        says="Record readings in the units of the vocabulary. A wrong unit is refused, never "
        "converted.",
        body=RecordReadings,
        wish=wishes.RecordReadings,
        make=lambda body, _: made(body),
    ),
    Entry(
        path="/assessments",
        tag="chart",
        summary="Record a rating scale",
        says="Record a scale item by item; the total is computed.",
        body=RecordAssessment,
        wish=wishes.RecordAssessment,
        make=lambda body, _: scored(body),
    ),
)
