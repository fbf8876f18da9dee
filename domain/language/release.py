"""Release: where the patient goes after a visit, and why nothing was given if nothing was."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Literal

from domain.language.names import Role, Roles, VisitId


class Disposition(StrEnum):
    """Where the patient went. All but the first two say in words what happened."""

    HOME = "home"
    ESCORTED = "home-with-escort"
    EMERGENCY = "emergency-department"
    ADMITTED = "admitted"
    DIED = "died"
    AGAINST_ADVICE = "against-advice"


RELEASED = (Disposition.HOME, Disposition.ESCORTED)
"""Those whom somebody lets go, once every check is met. Nobody decides about the others."""


class NotTreated(StrEnum):
    """Why nothing was given at a visit to which the patient came."""

    HELD = "a-rule-stood-in-the-way"
    DECLINED = "patient-declined"
    UNWELL = "patient-unwell"
    SUPPLY = "no-drug-or-device"
    STAFF = "no-staff"
    NOT_PLANNED = "no-treatment-planned"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ReleaseVisit:
    """Say that the patient has left: where to, and what happened if they were not simply let go.

    `left_at` says when, if that is recorded later; `not_treated` why nothing was given.
    """

    MAY: ClassVar[Roles] = (Role.NURSE, Role.PRESCRIBER, Role.TMS_OPERATOR)

    visit: VisitId
    went: Disposition = Disposition.HOME
    words: str = ""
    left_at: datetime | None = None
    not_treated: NotTreated | None = None
    kind: Literal["release-visit"] = "release-visit"


@dataclass(frozen=True, slots=True)
class VisitReleased:
    """The patient has left after the visit. A named person let them go, or saw where they went."""

    visit: VisitId
    against_advice: str = ""  # why, if they left against advice
    findings: tuple[str, ...] = ()  # what was not met then
    went: Disposition = Disposition.HOME
    words: str = ""  # what happened, if they were not simply let go
    not_treated: NotTreated | None = None
    kind: Literal["visit-released"] = "visit-released"

    @property
    def disposition(self) -> Disposition:
        """Where the patient went; entries of before dispositions know one of them by its reason."""
        return Disposition.AGAINST_ADVICE if self.against_advice else self.went


ReleaseWish = ReleaseVisit
ReleaseFact = VisitReleased
