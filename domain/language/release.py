"""Release: the patient goes home after a visit, or leaves against advice."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from domain.language.names import Role, Roles, VisitId


@dataclass(frozen=True, slots=True)
class ReleaseVisit:
    """Let the patient go, or record that they left against advice and why.

    `left_at` says when they left, if that is recorded later.
    """

    MAY: ClassVar[Roles] = (Role.NURSE, Role.PRESCRIBER, Role.TMS_OPERATOR)

    visit: VisitId
    against_advice: str = ""
    left_at: datetime | None = None
    kind: Literal["release-visit"] = "release-visit"


@dataclass(frozen=True, slots=True)
class VisitReleased:
    """A named person let the patient go after the visit, or saw them leave against advice."""

    visit: VisitId
    against_advice: str = ""  # why, if they left before every check was met
    findings: tuple[str, ...] = ()  # what was not met then
    kind: Literal["visit-released"] = "visit-released"


ReleaseWish = ReleaseVisit
ReleaseFact = VisitReleased
