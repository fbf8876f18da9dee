"""Baselines: the score before treatment against which a benefit is judged."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from domain.language.names import EventId, ObservationName, PhaseId, Role, Roles


@dataclass(frozen=True, slots=True)
class NameBaseline:
    """Judge benefit against this score from now on, for this reason."""

    MAY: ClassVar[Roles] = (Role.PRESCRIBER,)

    phase: PhaseId
    score: ObservationName
    event: EventId
    reason: str
    kind: Literal["name-baseline"] = "name-baseline"


@dataclass(frozen=True, slots=True)
class BaselineNamed:
    """Against which score benefit is judged since a phase's first treatment at `since`.

    Kairos names the last one that was known then, or none; after that only a prescriber names
    another, with a reason. A score that comes later never moves it by itself.
    """

    phase: PhaseId
    score: ObservationName
    event: EventId | None
    since: datetime
    reason: str = ""
    number: int = 1  # how often one was named, this time included
    since_number: int | None = None  # with which this score became it; None: with this one
    kind: Literal["baseline-named"] = "baseline-named"


BaselineWish = NameBaseline
BaselineFact = BaselineNamed
