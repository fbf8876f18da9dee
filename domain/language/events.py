"""What happened on a pathway: past tense, authored, immutable. State is the fold of these.

Each fact names its `kind`, so that stored and transmitted facts are told apart without guessing.
Instants are UTC. Adding a field needs a default; renaming or removing one needs an upcaster.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from domain.language.clocks import LocalTime
from domain.language.names import (
    Author,
    ConnectionId,
    Decision,
    EhrPatientId,
    EventId,
    HoldId,
    HoldReason,
    ObservationName,
    Outcome,
    PhaseId,
    Role,
    RuleId,
    SiteId,
    TaskId,
    VisitId,
)


@dataclass(frozen=True, slots=True)
class PathwayStarted:
    """A patient of one EHR was enrolled on one version of a combined protocol."""

    patient: EhrPatientId
    connection: ConnectionId
    site: SiteId
    zone: str  # IANA name
    protocol: str
    protocol_version: int
    protocol_sha256: str
    treated_on: date | None = None  # last treatment day of an earlier pathway, if there was one
    kind: Literal["pathway-started"] = "pathway-started"


@dataclass(frozen=True, slots=True)
class PhaseEntered:
    """The pathway moved on to a phase whose visits begin no earlier than `first_visit`."""

    phase: PhaseId
    first_visit: LocalTime
    number: int = 1  # of the phases entered, so that two entered at one instant keep their order
    kind: Literal["phase-entered"] = "phase-entered"


@dataclass(frozen=True, slots=True)
class OrderSigned:
    """A prescriber ordered the phase's treatment."""

    phase: PhaseId
    kind: Literal["order-signed"] = "order-signed"


@dataclass(frozen=True, slots=True)
class VisitProposed:
    """A visit was proposed; `batch` groups those proposed together, `replaces` a missed one."""

    visit: VisitId
    phase: PhaseId
    stage: int
    at: LocalTime
    batch: int
    replaces: VisitId | None = None
    kind: Literal["visit-proposed"] = "visit-proposed"


@dataclass(frozen=True, slots=True)
class VisitBooked:
    """A proposed visit was booked."""

    visit: VisitId
    at: LocalTime
    kind: Literal["visit-booked"] = "visit-booked"


@dataclass(frozen=True, slots=True)
class VisitMoved:
    """A proposed or booked visit was moved to another local time."""

    visit: VisitId
    at: LocalTime
    kind: Literal["visit-moved"] = "visit-moved"


@dataclass(frozen=True, slots=True)
class VisitCheckedIn:
    """The patient arrived."""

    visit: VisitId
    kind: Literal["visit-checked-in"] = "visit-checked-in"


@dataclass(frozen=True, slots=True)
class VisitMissed:
    """The patient did not come."""

    visit: VisitId
    kind: Literal["visit-missed"] = "visit-missed"


@dataclass(frozen=True, slots=True)
class VisitCancelled:
    """A visit will not take place: a person called it off, or its phase ended before it."""

    visit: VisitId
    reason: str = ""  # in a person's words; empty if the phase or the pathway ended
    kind: Literal["visit-cancelled"] = "visit-cancelled"


@dataclass(frozen=True, slots=True)
class VisitReleased:
    """A named person let the patient go after the visit, or saw them leave against advice."""

    visit: VisitId
    against_advice: str = ""  # why, if they left before every check was met
    findings: tuple[str, ...] = ()  # what was not met then
    kind: Literal["visit-released"] = "visit-released"


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


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """Nobody may treat until a prescriber lifts this."""

    hold: HoldId
    reason: HoldReason
    note: str
    kind: Literal["hold-placed"] = "hold-placed"


@dataclass(frozen=True, slots=True)
class HoldLifted:
    """A prescriber lifted a hold, with a reason."""

    hold: HoldId
    reason: str
    kind: Literal["hold-lifted"] = "hold-lifted"


@dataclass(frozen=True, slots=True)
class GateOverridden:
    """A prescriber let a held gate pass for the findings in `evidence`, and for no others."""

    visit: VisitId
    gate: RuleId
    reason: str
    findings: tuple[str, ...]
    evidence: tuple[str, ...]
    kind: Literal["gate-overridden"] = "gate-overridden"


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """A named clinician decided at a phase's end or a review, knowing these findings."""

    phase: PhaseId
    decision: Decision
    reason: str
    findings: tuple[str, ...]
    kind: Literal["decision-made"] = "decision-made"


@dataclass(frozen=True, slots=True)
class TaskOpened:
    """Something became a person's to do. `says` names rules, visits and findings, never who."""

    task: TaskId
    rule: RuleId
    roles: tuple[Role, ...]
    says: str
    due: datetime | None
    kind: Literal["task-opened"] = "task-opened"


@dataclass(frozen=True, slots=True)
class TaskAcknowledged:
    """A person said that they have seen a task."""

    task: TaskId
    kind: Literal["task-acknowledged"] = "task-acknowledged"


@dataclass(frozen=True, slots=True)
class TaskClosed:
    """What the task asked for is done, or is no longer wanted."""

    task: TaskId
    kind: Literal["task-closed"] = "task-closed"


@dataclass(frozen=True, slots=True)
class PathwayFinished:
    """The pathway ended by a clinician's decision."""

    outcome: Outcome
    kind: Literal["pathway-finished"] = "pathway-finished"


Fact = (
    PathwayStarted
    | PhaseEntered
    | OrderSigned
    | VisitProposed
    | VisitBooked
    | VisitMoved
    | VisitCheckedIn
    | VisitMissed
    | VisitCancelled
    | VisitReleased
    | ReadingsTaken
    | ScaleAssessed
    | DoseGiven
    | StimulationGiven
    | HoldPlaced
    | HoldLifted
    | GateOverridden
    | DecisionMade
    | TaskOpened
    | TaskAcknowledged
    | TaskClosed
    | PathwayFinished
)


@dataclass(frozen=True, slots=True)
class Event:
    """A fact, when it happened (UTC) and who says so. The id is the same however often it comes."""

    id: EventId
    at: datetime
    by: Author
    fact: Fact
