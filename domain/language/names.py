"""The words of the pathway: ids, roles and the closed lists that protocols choose from."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

PathwayId = NewType("PathwayId", str)
PhaseId = NewType("PhaseId", str)
VisitId = NewType("VisitId", str)
HoldId = NewType("HoldId", str)
TaskId = NewType("TaskId", str)
EventId = NewType("EventId", str)
RequestId = NewType("RequestId", str)
SiteId = NewType("SiteId", str)
ConnectionId = NewType("ConnectionId", str)
EhrPatientId = NewType("EhrPatientId", str)
ObservationName = NewType("ObservationName", str)
RuleId = NewType("RuleId", str)


class Role(StrEnum):
    """What a person is at a site. `KAIROS` is the software itself and never decides on care."""

    CARE_MANAGER = "care-manager"
    NURSE = "nurse"
    PRESCRIBER = "prescriber"
    TMS_OPERATOR = "tms-operator"
    MEDICAL_DIRECTOR = "medical-director"
    OPERATIONS = "operations"
    INTEGRATOR = "integrator"
    AUDITOR = "auditor"
    KAIROS = "kairos"

    @property
    def spoken(self) -> str:
        """The role as a sentence has it: `a TMS operator`."""
        if self is Role.OPERATIONS:
            return "operations staff"
        article = "an" if self[0] in "aeiou" else "a"
        return f"{article} {self}".replace("-", " ").replace("tms", "TMS")


Roles = tuple[Role, ...]
CARE: Roles = (Role.CARE_MANAGER, Role.NURSE, Role.PRESCRIBER, Role.TMS_OPERATOR)
"""Those who care for patients. Each command names in its `MAY` who of them may give it."""


_SPOKEN = {"dtms": "deep TMS", "tms": "TMS", "rems": "REMS"}


def spoken(name: str) -> str:
    """Say an id or a code in a sentence: `esketamine induction visit 1`, `checked in`."""
    return " ".join(_SPOKEN.get(word, word) for word in name.split("-"))


def counted(number: int, what: str) -> str:
    """Say how many: `1 visit`, `2 visits`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def any_of(roles: Roles) -> str:
    """Say roles in a sentence: `a care manager, a nurse or a prescriber`; none are `nobody`."""
    *others, last = [role.spoken for role in roles] or ["nobody"]
    return f"{', '.join(others)} or {last}" if others else last


@dataclass(frozen=True, slots=True)
class Author:
    """Who did something: the token's subject and the role they acted in."""

    id: str
    role: Role


KAIROS = Author("kairos", Role.KAIROS)


class Treatment(StrEnum):
    """A treatment modality that a site may offer."""

    ESKETAMINE = "esketamine"
    DTMS = "dtms"


class VisitStatus(StrEnum):
    """Where a visit stands. Released, missed and cancelled are final."""

    PROPOSED = "proposed"
    BOOKED = "booked"
    CHECKED_IN = "checked-in"
    RELEASED = "released"
    MISSED = "missed"
    CANCELLED = "cancelled"


LIVE = frozenset({VisitStatus.PROPOSED, VisitStatus.BOOKED, VisitStatus.CHECKED_IN})


class PhaseDecision(StrEnum):
    """What a named clinician decides at a phase's end or at a review."""

    CONTINUE = "continue"
    MOVE_ON = "move-on"  # to the next phase, although visits of this one are still to come
    STOP = "stop"
    COMPLETE = "complete"


class PathwayOutcome(StrEnum):
    """How a pathway ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"


class PathwayStatus(StrEnum):
    """Where a pathway stands. `starting` until its first events are stored."""

    STARTING = "starting"
    OPEN = "open"
    FINISHED = "finished"


class CommandState(StrEnum):
    """How far a command has come. It is settled once, as applied or as rejected."""

    RECEIVED = "received"
    APPLIED = "applied"
    REJECTED = "rejected"


class HoldReason(StrEnum):
    """Why nobody may treat for now. A code, never free text about the patient."""

    ADVERSE_EVENT = "adverse-event"
    SUICIDE_RISK = "suicide-risk"
    MEDICAL_REVIEW = "medical-review"
    PATIENT_REQUEST = "patient-request"
    PAYER = "payer"
    SUPPLY = "supply"
    UNRECORDED_ENTRY = "unrecorded-entry"
    OTHER = "other"
