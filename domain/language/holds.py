"""Holds: nobody treats while one is open."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from domain.language.names import CARE, HoldId, HoldReason, Role, Roles

SEEN_AFTER_THE_END = (
    HoldReason.ADVERSE_EVENT,
    HoldReason.SUICIDE_RISK,
    HoldReason.UNRECORDED_ENTRY,
)
"""Of whom something is seen after the pathway has ended, somebody looks at all the same."""


@dataclass(frozen=True, slots=True)
class PlaceHold:
    """Stop all treatment until a prescriber lifts it."""

    MAY: ClassVar[Roles] = (*CARE, Role.MEDICAL_DIRECTOR)

    reason: HoldReason
    note: str
    kind: Literal["place-hold"] = "place-hold"


@dataclass(frozen=True, slots=True)
class LiftHold:
    """Lift a hold, with a reason."""

    MAY: ClassVar[Roles] = (Role.PRESCRIBER, Role.MEDICAL_DIRECTOR)

    hold: HoldId
    reason: str
    kind: Literal["lift-hold"] = "lift-hold"


@dataclass(frozen=True, slots=True)
class HoldPlaced:
    """Nobody may treat until a prescriber lifts this."""

    hold: HoldId
    reason: HoldReason
    note: str
    kind: Literal["hold-placed"] = "hold-placed"


@dataclass(frozen=True, slots=True)
class HoldLifted:
    """A prescriber lifted a hold, with a reason."""

    hold: HoldId
    reason: str
    kind: Literal["hold-lifted"] = "hold-lifted"


HoldWish = PlaceHold | LiftHold
HoldFact = HoldPlaced | HoldLifted
