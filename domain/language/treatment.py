"""Treatment: doses and stimulations that were given."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from domain.language.names import Role, Roles, VisitId


@dataclass(frozen=True, slots=True)
class RecordDose:
    """Record a dose that was given, in milligrams, from the moment of the first device.

    `deviation` says why it was given although a rule stood in the way; what happened, happened.
    """

    MAY: ClassVar[Roles] = (Role.NURSE, Role.PRESCRIBER)

    visit: VisitId
    first_device_at: datetime
    mg: int
    lot: str
    deviation: str = ""
    kind: Literal["record-dose"] = "record-dose"


@dataclass(frozen=True, slots=True)
class RecordStimulation:
    """Record a dTMS session that was given; `deviation` as for a dose, or why it was cut short."""

    MAY: ClassVar[Roles] = (Role.TMS_OPERATOR, Role.PRESCRIBER)

    visit: VisitId
    started_at: datetime
    ended_at: datetime
    pulses: int
    intensity_percent_mt: int
    output_percent: int
    deviation: str = ""
    kind: Literal["record-stimulation"] = "record-stimulation"


@dataclass(frozen=True, slots=True)
class DoseGiven:
    """A dose was given; `Event.at` is the first device, from which observation counts."""

    visit: VisitId
    session: int
    mg: int
    devices: int
    lot: str
    deviation: str = ""  # why it was given although rules stood in the way
    findings: tuple[str, ...] = ()  # those rules' words
    kind: Literal["dose-given"] = "dose-given"


@dataclass(frozen=True, slots=True)
class StimulationGiven:
    """A dTMS session was given from `Event.at` to `ended`."""

    visit: VisitId
    session: int
    ended: datetime
    pulses: int
    intensity_percent_mt: int
    output_percent: int  # absolute, percent of maximum stimulator output
    deviation: str = ""  # why it was given although rules stood in the way, or was cut short
    findings: tuple[str, ...] = ()  # those rules' words
    kind: Literal["stimulation-given"] = "stimulation-given"


TreatmentWish = RecordDose | RecordStimulation
TreatmentFact = DoseGiven | StimulationGiven
