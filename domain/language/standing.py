"""Standing decisions: a prescriber says once what holds for the visits of some days.

Passive thoughts of death that are known and planned for, a pressure that is high only in the
clinic: looked at anew at every visit they teach people to click. A protocol says for which gates a
prescriber may decide ahead, how widely and for how long, and what ends it.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Literal

from domain.language.names import EventId, PhaseId, Role, Roles, RuleId
from domain.language.requirements import Requirement


@dataclass(frozen=True, slots=True)
class DecideAhead:
    """Let a gate of the present phase pass as far as its protocol allows, to a day's end."""

    MAY: ClassVar[Roles] = (Role.PRESCRIBER,)

    gate: RuleId
    last_day: date  # on the clinic's calendar, that day included
    words: str  # what is known, the plan, when it is looked at again
    kind: Literal["decide-ahead"] = "decide-ahead"


@dataclass(frozen=True, slots=True)
class EndDecision:
    """Say that a standing decision holds no more."""

    MAY: ClassVar[Roles] = (Role.PRESCRIBER,)

    decision: EventId
    reason: str
    kind: Literal["end-decision"] = "end-decision"


@dataclass(frozen=True, slots=True)
class Limits:
    """What ends a decision by itself: readings outside of `allows`, or that meet `void_if`.

    `lasting` says whether readings of after a treatment count as well.
    """

    allows: tuple[Requirement, ...] = ()
    void_if: tuple[Requirement, ...] = ()
    lasting: bool = True


NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class DecidedAhead:
    """A prescriber let a gate pass until then, as far as `allows` says in words."""

    phase: PhaseId
    gate: RuleId
    until: datetime
    words: str
    allows: tuple[str, ...]
    limits: Limits = NO_LIMITS
    kind: Literal["decided-ahead"] = "decided-ahead"


@dataclass(frozen=True, slots=True)
class DecisionEnded:
    """A prescriber said that a standing decision holds no more."""

    decision: EventId
    reason: str
    kind: Literal["decision-ended"] = "decision-ended"


StandingWish = DecideAhead | EndDecision
StandingFact = DecidedAhead | DecisionEnded
