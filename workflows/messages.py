"""What travels between API, workflows and activities: plain frozen data, JSON by pydantic.

Fields are only ever added, with defaults; histories of years must still decode.
"""

from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from domain.language.events import Event
from domain.language.findings import Blocked
from domain.language.names import Outcome, PathwayId, RequestId
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol

PATHWAYS_QUEUE = "pathways"

ROLL_OVER_AT = 350
"""Events of history at which a run hands over to a fresh one: a cold wake stays under 0.3 s."""


def ehr_queue(connection: str) -> str:
    """Name the task queue of one EHR, so that it can be paused and paced by itself."""
    return f"ehr.{connection}"


def pathway_workflow_id(pathway: str) -> str:
    """Name the workflow of a pathway. Opaque: the id was drawn at random."""
    return f"pathway/{pathway}"


def lane_workflow_id(connection: str, patient: str) -> str:
    """Name the workflow of a lane. Opaque: ids are never encrypted, so the patient's is hashed."""
    digest = sha256(f"{connection}|{patient}".encode()).hexdigest()
    return f"lane/{connection}/{digest[:24]}"


@dataclass(frozen=True)
class Recorded:
    """An event waiting to be stored, and the request that brought it, if one did."""

    event: Event
    request: RequestId | None = None


@dataclass(frozen=True)
class PathwayInput:
    """All a run of `CarePathway` starts from; carries everything over when a run rolls over."""

    pathway: Pathway
    protocol: CombinedProtocol
    version: int = 0
    seen: dict[RequestId, int] = field(default_factory=dict)
    first_request: RequestId | None = None
    begin: tuple[Event, ...] = ()
    roll_over_at: int = ROLL_OVER_AT


@dataclass(frozen=True)
class Ack:
    """A command took effect: the pathway's version after it."""

    version: int


@dataclass(frozen=True)
class Refusal:
    """Why a command did not take effect: which of the four errors, and what blocks."""

    kind: str  # Refused, Conflict, Malformed
    message: str
    blocked_by: tuple[Blocked, ...] = ()


@dataclass(frozen=True)
class RecordInput:
    """Events to store on a pathway, from the version before the first of them."""

    pathway_id: PathwayId
    after_version: int
    events: tuple[Recorded, ...]
    now: datetime


@dataclass(frozen=True)
class LaneInput:
    """Which lane to drain."""

    connection_id: str
    patient_id: str
    delivered: int = 0


@dataclass(frozen=True)
class LaneProgress:
    """What a delivery activity did, and whether the lane may hold more."""

    delivered: int
    more: bool


@dataclass(frozen=True)
class PathwayResult:
    """How a pathway ended."""

    outcome: Outcome
