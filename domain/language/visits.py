"""Visits: proposed by Kairos, booked, moved, kept, missed or canceled by people."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from domain.language.chart import ChartReading
from domain.language.clocks import LocalTime
from domain.language.names import CARE, PhaseId, Role, Roles, VisitId


@dataclass(frozen=True, slots=True)
class BookVisit:
    """Book a proposed visit, at its proposed time or at another one the protocol allows."""

    MAY: ClassVar[Roles] = (Role.CARE_MANAGER, Role.NURSE)

    visit: VisitId
    at: LocalTime | None = None
    kind: Literal["book-visit"] = "book-visit"


@dataclass(frozen=True, slots=True)
class BookVisits:
    """Book several proposed visits at once: all of them, or none."""

    MAY: ClassVar[Roles] = BookVisit.MAY

    visits: tuple[BookVisit, ...]
    kind: Literal["book-visits"] = "book-visits"


@dataclass(frozen=True, slots=True)
class MoveVisit:
    """Move a proposed or booked visit."""

    MAY: ClassVar[Roles] = (Role.CARE_MANAGER, Role.NURSE)

    visit: VisitId
    to: LocalTime
    kind: Literal["move-visit"] = "move-visit"


@dataclass(frozen=True, slots=True)
class CheckIn:
    """Say that the patient is here."""

    MAY: ClassVar[Roles] = CARE

    visit: VisitId
    chart: ChartReading | None = None  # read at that moment; not a person's to send
    kind: Literal["check-in"] = "check-in"


@dataclass(frozen=True, slots=True)
class MissVisit:
    """Say that the patient did not come, or that a proposed visit was never booked in time."""

    MAY: ClassVar[Roles] = CARE

    visit: VisitId
    kind: Literal["miss-visit"] = "miss-visit"


@dataclass(frozen=True, slots=True)
class CancelVisit:
    """Call off a visit that is still to come, with a reason; it is proposed again if need be."""

    MAY: ClassVar[Roles] = (Role.CARE_MANAGER, Role.NURSE, Role.PRESCRIBER)

    visit: VisitId
    reason: str
    kind: Literal["cancel-visit"] = "cancel-visit"


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


VisitWish = BookVisit | BookVisits | MoveVisit | CheckIn | MissVisit | CancelVisit
VisitFact = VisitProposed | VisitBooked | VisitMoved | VisitCheckedIn | VisitMissed | VisitCancelled
