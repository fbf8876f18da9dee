"""Treatment: doses and stimulations that were given.

As the rules ask they are recorded; against a rule they are reported, which is never the way round
something that is not done yet.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from domain.language.names import Role, Roles, VisitId


@dataclass(frozen=True, slots=True)
class RecordDose:
    """Record a dose that was given as the rules ask, in milligrams, from the first device on."""

    MAY: ClassVar[Roles] = (Role.NURSE, Role.PRESCRIBER)

    visit: VisitId
    first_device_at: datetime
    mg: int
    lot: str
    kind: Literal["record-dose"] = "record-dose"


@dataclass(frozen=True, slots=True)
class RecordStimulation:
    """Record a dTMS session that was given as the rules ask."""

    MAY: ClassVar[Roles] = (Role.TMS_OPERATOR, Role.PRESCRIBER)

    visit: VisitId
    started_at: datetime
    ended_at: datetime
    pulses: int
    intensity_percent_mt: int
    output_percent: int
    kind: Literal["record-stimulation"] = "record-stimulation"


@dataclass(frozen=True, slots=True)
class ReportDose:
    """Report a dose that was given although a rule stood in the way. What happened, happened."""

    MAY: ClassVar[Roles] = RecordDose.MAY

    visit: VisitId
    first_device_at: datetime
    mg: int
    lot: str
    what_happened: str
    moved: bool = False  # it was entered for another patient first
    kind: Literal["report-dose"] = "report-dose"


@dataclass(frozen=True, slots=True)
class ReportStimulation:
    """Report a dTMS session that was given against a rule, or cut short."""

    MAY: ClassVar[Roles] = RecordStimulation.MAY

    visit: VisitId
    started_at: datetime
    ended_at: datetime
    pulses: int
    intensity_percent_mt: int
    output_percent: int
    what_happened: str
    moved: bool = False  # it was entered for another patient first
    kind: Literal["report-stimulation"] = "report-stimulation"


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
    authorized: bool = True  # False: a rule said stop, and no prescriber answers for it
    under: tuple[str, ...] = ()  # the standing decisions that it rested on
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
    authorized: bool = True  # as for a dose
    under: tuple[str, ...] = ()  # as for a dose
    kind: Literal["stimulation-given"] = "stimulation-given"


AsTheRulesAsk = RecordDose | RecordStimulation
AgainstARule = ReportDose | ReportStimulation
TreatmentWish = AsTheRulesAsk | AgainstARule
TreatmentFact = DoseGiven | StimulationGiven
