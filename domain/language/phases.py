"""The phases of a pathway: each is ordered first and decided about at its end."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

from domain.language.clocks import LocalTime
from domain.language.names import (
    CARE,
    ConnectionId,
    EhrPatientId,
    PathwayOutcome,
    PhaseDecision,
    PhaseId,
    Role,
    Roles,
    RuleId,
    SiteId,
)


@dataclass(frozen=True, slots=True)
class SignOrder:
    """Order the treatment of a phase: for those of these roles whom its `ordered_by` names."""

    MAY: ClassVar[Roles] = CARE

    phase: PhaseId
    version: int | None = None  # of the protocol that was seen when it was signed
    kind: Literal["sign-order"] = "sign-order"


@dataclass(frozen=True, slots=True)
class Decide:
    """Decide at the end of a phase, or at a review of an open one."""

    MAY: ClassVar[Roles] = (Role.PRESCRIBER,)

    phase: PhaseId
    decision: PhaseDecision
    reason: str
    kind: Literal["decide"] = "decide"


@dataclass(frozen=True, slots=True)
class ChangeProtocol:
    """Go on under another version of the same protocol, which is pinned by that name."""

    MAY: ClassVar[Roles] = (Role.MEDICAL_DIRECTOR,)

    version: int
    reason: str
    pinned: str = ""  # under which the store keeps it; not a person's to say
    kind: Literal["change-protocol"] = "change-protocol"


@dataclass(frozen=True, slots=True)
class ProtocolChanged:
    """From here on another version of the protocol says what must be so."""

    version: int
    sha256: str
    vocabulary: int
    before: int  # the version until then
    pinned_before: str  # under which the store keeps it
    reason: str
    kind: Literal["protocol-changed"] = "protocol-changed"


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
    referred_on: date | None = None  # when the patient was referred, as whoever enrolled them says
    labels: tuple[str, ...] = ()  # the record's security labels, seen by whoever enrolled them
    kind: Literal["pathway-started"] = "pathway-started"


@dataclass(frozen=True, slots=True)
class PhaseEntered:
    """The pathway moved on to a phase whose visits begin no earlier than `first_visit`."""

    phase: PhaseId
    first_visit: LocalTime
    number: int = 1  # of the phases entered, so that two entered at one instant keep their order
    kind: Literal["phase-entered"] = "phase-entered"


@dataclass(frozen=True, slots=True)
class FirstVisitHastened:
    """Risk asks for the earliest treatment: a phase's visits are proposed from this time on."""

    phase: PhaseId
    first_visit: LocalTime
    rule: RuleId
    kind: Literal["first-visit-hastened"] = "first-visit-hastened"


@dataclass(frozen=True, slots=True)
class OrderSigned:
    """Somebody who may ordered the phase's treatment; `number` counts those taken back too."""

    phase: PhaseId
    number: int = 1
    kind: Literal["order-signed"] = "order-signed"


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """A named clinician decided at a phase's end or a review, knowing these findings."""

    phase: PhaseId
    decision: PhaseDecision
    reason: str
    findings: tuple[str, ...]
    course: tuple[str, ...] = ()  # what the last scores said by the protocol's rules
    kind: Literal["decision-made"] = "decision-made"


@dataclass(frozen=True, slots=True)
class PathwayFinished:
    """The pathway ended by a clinician's decision."""

    outcome: PathwayOutcome
    kind: Literal["pathway-finished"] = "pathway-finished"


PhaseWish = SignOrder | Decide
ProtocolWish = ChangeProtocol
PhaseFact = (
    PathwayStarted
    | PhaseEntered
    | FirstVisitHastened
    | OrderSigned
    | ProtocolChanged
    | DecisionMade
    | PathwayFinished
)
