"""Earlier treatments of this depression: which drug, how long, and what came of it.

Payers ask for each of them, and a protocol for how many there were.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Literal

from domain.language.names import Role, Roles


class TrialOutcome(StrEnum):
    """What came of an earlier treatment."""

    NO_RESPONSE = "no-response"
    PARTIAL_RESPONSE = "partial-response"
    RESPONSE_LOST = "response-lost"
    NOT_TOLERATED = "not-tolerated"


WITHOUT_LASTING_RESPONSE = frozenset(
    {TrialOutcome.NO_RESPONSE, TrialOutcome.PARTIAL_RESPONSE, TrialOutcome.RESPONSE_LOST}
)
"""What counts towards treatment resistance. A drug that was not borne was not tried long enough."""


@dataclass(frozen=True, slots=True)
class RecordTrial:
    """Record an earlier treatment, with its dose as it is written and its length in weeks."""

    MAY: ClassVar[Roles] = (Role.CARE_MANAGER, Role.PRESCRIBER)

    drug: str
    drug_class: str
    dose: str
    weeks: int
    outcome: TrialOutcome
    kind: Literal["record-trial"] = "record-trial"


@dataclass(frozen=True, slots=True)
class TrialRecorded:
    """An earlier treatment was recorded."""

    drug: str
    drug_class: str
    dose: str
    weeks: int
    outcome: TrialOutcome
    kind: Literal["trial-recorded"] = "trial-recorded"


TrialWish = RecordTrial
TrialFact = TrialRecorded
