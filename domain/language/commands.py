"""What people ask Kairos to record or arrange: imperative, not yet true, and may be refused."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from domain.language.clocks import LocalTime
from domain.language.names import (
    Author,
    Decision,
    HoldId,
    HoldReason,
    ObservationName,
    PhaseId,
    RequestId,
    RuleId,
    TaskId,
    VisitId,
)


@dataclass(frozen=True, slots=True)
class SignOrder:
    """Order the treatment of a phase."""

    phase: PhaseId
    kind: Literal["sign-order"] = "sign-order"


@dataclass(frozen=True, slots=True)
class BookVisit:
    """Book a proposed visit, at its proposed time or at another one the protocol allows."""

    visit: VisitId
    at: LocalTime | None = None
    kind: Literal["book-visit"] = "book-visit"


@dataclass(frozen=True, slots=True)
class MoveVisit:
    """Move a proposed or booked visit."""

    visit: VisitId
    to: LocalTime
    kind: Literal["move-visit"] = "move-visit"


@dataclass(frozen=True, slots=True)
class CheckIn:
    """Say that the patient is here."""

    visit: VisitId
    kind: Literal["check-in"] = "check-in"


@dataclass(frozen=True, slots=True)
class MissVisit:
    """Say that the patient did not come, or that a proposed visit was never booked in time."""

    visit: VisitId
    kind: Literal["miss-visit"] = "miss-visit"


@dataclass(frozen=True, slots=True)
class CancelVisit:
    """Call off a visit that is still to come, with a reason; it is proposed again if need be."""

    visit: VisitId
    reason: str
    kind: Literal["cancel-visit"] = "cancel-visit"


@dataclass(frozen=True, slots=True)
class ReleaseVisit:
    """Let the patient go, or record that they left against advice and why.

    `left_at` says when they left, if that is recorded later.
    """

    visit: VisitId
    against_advice: str = ""
    left_at: datetime | None = None
    kind: Literal["release-visit"] = "release-visit"


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

    measured_at: datetime
    readings: tuple[Measurement, ...]
    visit: VisitId | None = None
    kind: Literal["record-readings"] = "record-readings"


@dataclass(frozen=True, slots=True)
class RecordAssessment:
    """Record a rating scale, item by item."""

    scale: str
    assessed_at: datetime
    items: tuple[int, ...]
    kind: Literal["record-assessment"] = "record-assessment"


@dataclass(frozen=True, slots=True)
class RecordDose:
    """Record a dose that was given, in milligrams, from the moment of the first device.

    `deviation` says why it was given although a rule stood in the way; what happened, happened.
    """

    visit: VisitId
    first_device_at: datetime
    mg: int
    lot: str
    deviation: str = ""
    kind: Literal["record-dose"] = "record-dose"


@dataclass(frozen=True, slots=True)
class RecordStimulation:
    """Record a dTMS session that was given; `deviation` as for a dose, or why it was cut short."""

    visit: VisitId
    started_at: datetime
    ended_at: datetime
    pulses: int
    intensity_percent_mt: int
    output_percent: int
    deviation: str = ""
    kind: Literal["record-stimulation"] = "record-stimulation"


@dataclass(frozen=True, slots=True)
class PlaceHold:
    """Stop all treatment until a prescriber lifts it."""

    reason: HoldReason
    note: str
    kind: Literal["place-hold"] = "place-hold"


@dataclass(frozen=True, slots=True)
class LiftHold:
    """Lift a hold, with a reason."""

    hold: HoldId
    reason: str
    kind: Literal["lift-hold"] = "lift-hold"


@dataclass(frozen=True, slots=True)
class OverrideGate:
    """Let a held gate pass at this visit for what was found so far, with a reason."""

    visit: VisitId
    gate: RuleId
    reason: str
    kind: Literal["override-gate"] = "override-gate"


@dataclass(frozen=True, slots=True)
class Decide:
    """Decide at the end of a phase, or at a review of an open one."""

    phase: PhaseId
    decision: Decision
    reason: str
    kind: Literal["decide"] = "decide"


@dataclass(frozen=True, slots=True)
class AcknowledgeTask:
    """Say that a task was seen."""

    task: TaskId
    kind: Literal["acknowledge-task"] = "acknowledge-task"


Wish = (
    SignOrder
    | BookVisit
    | MoveVisit
    | CheckIn
    | MissVisit
    | CancelVisit
    | ReleaseVisit
    | RecordReadings
    | RecordAssessment
    | RecordDose
    | RecordStimulation
    | PlaceHold
    | LiftHold
    | OverrideGate
    | Decide
    | AcknowledgeTask
)


@dataclass(frozen=True, slots=True)
class Command:
    """A wish, who has it, and the request id by which it takes effect at most once.

    `expects` is the pathway version (events so far) the person looked at, if they said so.
    """

    id: RequestId
    by: Author
    wish: Wish
    expects: int | None = None
