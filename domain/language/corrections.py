"""Corrections: what was entered in error, and what it was in truth. Nothing is ever erased."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from domain.language.names import CARE, EventId, Role, Roles
from domain.language.observations import RecordAssessment, RecordReadings
from domain.language.release import ReleaseVisit
from domain.language.treatment import RecordDose, RecordStimulation

Instead = RecordReadings | RecordAssessment | RecordDose | RecordStimulation | ReleaseVisit
"""What may be said to have been so in place of what was entered in error."""


@dataclass(frozen=True, slots=True)
class CorrectEntry:
    """Say that an entry was made in error and why; and, if something was so, what."""

    MAY: ClassVar[Roles] = (*CARE, Role.MEDICAL_DIRECTOR)

    event: EventId
    reason: str
    instead: Instead | None = None
    kind: Literal["correct-entry"] = "correct-entry"


@dataclass(frozen=True, slots=True)
class EntryVoided:
    """What an event says never was. It stays where it is, and counts no more."""

    event: EventId
    reason: str
    instead: EventId | None = None  # the event that says what was so
    kind: Literal["entry-voided"] = "entry-voided"


@dataclass(frozen=True, slots=True)
class ActQuestioned:
    """By what is known now, an act of somebody's went against these rules, and nobody knew then.

    Empty once nothing speaks against it any more. The act itself is never undone by this.
    """

    event: EventId
    about: str  # what the act is about: `dose 3 of …`, a visit, a phase
    findings: tuple[str, ...]
    kind: Literal["act-questioned"] = "act-questioned"


CorrectionWish = CorrectEntry
CorrectionFact = EntryVoided | ActQuestioned
