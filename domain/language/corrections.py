"""Corrections: what was entered in error, and what it was in truth. Nothing is ever erased."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal

from domain.language.names import CARE, EventId, PathwayId, PhaseId, Role, Roles, VisitId
from domain.language.observations import RecordAssessment, RecordReadings
from domain.language.release import ReleaseVisit
from domain.language.treatment import RecordDose, RecordStimulation


class Astray(StrEnum):
    """What became of an entry that a prescriber is to look at."""

    ANOTHERS = "another patient's"
    BACK = "this patient's again"
    NEVER = "never given"


Instead = RecordReadings | RecordAssessment | RecordDose | RecordStimulation | ReleaseVisit
"""What may be said to have been so in place of what was entered in error."""


@dataclass(frozen=True, slots=True)
class WrongPatient:
    """Whose it was: a pathway of ours and the visit there, or a patient who has none here."""

    pathway: PathwayId | None = None
    visit: VisitId | None = None


@dataclass(frozen=True, slots=True)
class CorrectEntry:
    """Say that an entry was made in error and why; and, if something was so, what.

    Or that it was another patient's: then it is taken back here and recorded there, in one act.
    """

    MAY: ClassVar[Roles] = (*CARE, Role.MEDICAL_DIRECTOR)

    event: EventId
    reason: str
    instead: Instead | None = None
    wrong_patient: WrongPatient | None = None
    kind: Literal["correct-entry"] = "correct-entry"


@dataclass(frozen=True, slots=True)
class EntryVoided:
    """What an event says never was. It stays where it is, and counts no more."""

    event: EventId
    reason: str
    instead: EventId | None = None  # the event that says what was so
    about: str = ""  # what it was, where a prescriber is to look: `dose 3`
    moved_to: PathwayId | None = None  # that patient's pathway, if it is one of ours
    order: PhaseId | None = None  # of an order: the phase whose it was
    what: Astray | None = None  # of what a prescriber is to look at: `about` says of it
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
