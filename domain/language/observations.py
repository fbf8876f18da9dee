"""Observations: readings and rating scales."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal

from domain.language.names import CARE, ObservationName, Role, Roles, VisitId


@dataclass(frozen=True, slots=True)
class Measurement:
    """A value as it was reported, with the unit it was reported in."""

    observation: ObservationName
    value: Decimal | None = None
    unit: str | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class RecordReadings:
    """Record readings taken together."""

    MAY: ClassVar[Roles] = (*CARE, Role.MEDICAL_DIRECTOR)

    measured_at: datetime
    readings: tuple[Measurement, ...]
    visit: VisitId | None = None
    kind: Literal["record-readings"] = "record-readings"


@dataclass(frozen=True, slots=True)
class RecordAssessment:
    """Record a rating scale, item by item."""

    MAY: ClassVar[Roles] = CARE

    scale: str
    assessed_at: datetime
    items: tuple[int, ...]
    kind: Literal["record-assessment"] = "record-assessment"


@dataclass(frozen=True, slots=True)
class Reading:
    """One observed value in its vocabulary unit, or one of its vocabulary answers."""

    observation: ObservationName
    value: Decimal | None = None
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class ReadingsTaken:
    """Readings taken together at one instant (`Event.at`)."""

    readings: tuple[Reading, ...]
    visit: VisitId | None
    kind: Literal["readings-taken"] = "readings-taken"


@dataclass(frozen=True, slots=True)
class ScaleAssessed:
    """A rating scale was scored; `items` in the scale's order, `total` their sum."""

    scale: str
    items: tuple[int, ...]
    total: int
    kind: Literal["scale-assessed"] = "scale-assessed"


ObservationWish = RecordReadings | RecordAssessment
ObservationFact = ReadingsTaken | ScaleAssessed
