"""What somebody must look at, and by when; risk levels; scores that are asked for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.language.names import ObservationName, Role, Roles, RuleId
from domain.language.requirements import Requirement


class SafetyTask(StrEnum):
    """What a prescriber must look at, each by a time that the protocol states."""

    RISK = "reading-at-risk"  # a value that the vocabulary wants a prescriber to see
    UNAUTHORIZED = "treatment-not-authorized"  # given although a rule said stop
    DEVIATION = "treatment-against-a-rule"
    LEFT_EARLY = "left-before-release"
    HOLD = "open-hold"
    COURSE = "worse-course"  # a score of which the protocol asks a prescriber


@dataclass(frozen=True, slots=True)
class Rise:
    """Whose it is too, once a time has passed at which nobody had looked, and by when from then."""

    to: Role
    within: timedelta


RISES_TO: Roles = (Role.MEDICAL_DIRECTOR,)
"""Those besides a prescriber who can say what was found and decided."""


@dataclass(frozen=True, slots=True)
class SafetyRule:
    """By when a prescriber looks, counted from what happened, and who does while we are closed.

    `then` names to whom it rises when that time is past, one after the other.

    A reminder with an owner; never the only safeguard, and no alarm system.
    """

    within: timedelta
    when_closed: str
    source: str
    then: tuple[Rise, ...] = ()  # required of every file, as the times themselves


class Holds(StrEnum):
    """What may not happen before a prescriber has said what they found."""

    TREATMENT = "treatment"
    LEAVING = "leaving"


@dataclass(frozen=True, slots=True)
class RiskLevel:
    """One level of risk: which readings mean it, what it holds, what it asks and what it hastens.

    A reading means it for `counts_for` after it was taken. `record` is asked for after each such
    reading; `hastens` says that a first treatment still to come is brought forward.
    """

    id: RuleId
    any_of: tuple[Requirement, ...]
    counts_for: timedelta
    holds: tuple[Holds, ...]
    look: SafetyRule
    record: tuple[ObservationName, ...]
    hastens: bool
    why: str
    source: str

    @property
    def rule(self) -> RuleId:
        """The rule that a task about it names."""
        return RuleId(f"risk-{self.id}")

    def look_by(self, taken: datetime) -> datetime:
        """By when a prescriber is to have looked at a reading that was taken then."""
        return taken + self.look.within


class Moment(StrEnum):
    """When a score is asked for. The first two are counted from a phase's first session."""

    WEEK = "week"
    SESSION = "session"
    PHASE_END = "end of the phase"
    REVIEW = "every review"


@dataclass(frozen=True, slots=True)
class At:
    """One such moment; `number` is the week's or the session's."""

    moment: Moment
    number: int | None = None

    def __str__(self) -> str:
        """As it is written: `week 4`."""
        return str(self.moment) if self.number is None else f"{self.moment} {self.number}"


@dataclass(frozen=True, slots=True)
class AssessmentRule:
    """Which score is asked for, and when. One taken `within` before the moment will do."""

    id: RuleId
    score: ObservationName
    at: tuple[At, ...]
    within: timedelta
    why: str
    source: str
