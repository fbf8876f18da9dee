"""What a worker has in hand while it delivers: a lane, a delivery that is tried, what follows."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from activities.attempt import InHand, Tried
from domain.delivery.outcomes import Busy
from domain.delivery.words import Delivery, DeliveryDecision
from store.lanes import LaneView
from store.queue import Held

ASIDE_WHILE_BUSY = timedelta(seconds=60)
"""How long one that the EHR was too busy for is left alone while it takes others."""


@dataclass(slots=True)
class Lane:
    """A lane in hand: as it was looked at, and what was done in it since.

    `busy` are the deliveries that the EHR was too busy for, and how long it asked to wait.
    """

    held: Held
    seen: LaneView
    delivered: int = 0
    changed: bool = False
    busy: dict[int, timedelta | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Begun:
    """A delivery that is being tried: as it was found, and as it stands in the ledger since.

    `in_hand` is what it takes to try it, or the type of the error that getting it came to.
    """

    at: datetime
    lane: Lane
    found: Delivery
    in_hand: InHand | str
    in_ledger: Delivery
    taken: float  # by the event loop's clock


@dataclass(frozen=True, slots=True)
class Concluded:
    """What follows an attempt: the next delivery, and whether the EHR is away or seems busy."""

    following: Begun | None = None
    away: bool = False
    busy: bool = False


def is_linked(begun: Begun, decision: DeliveryDecision) -> bool:
    """Say whether it is known already as that resource."""
    if isinstance(begun.in_hand, str):
        return False
    there = f"{begun.found.resource_type}/{decision.ehr_id}"
    return begun.in_hand.known.get(begun.found.artefact) == there


def left_alone_until(begun: Begun, decision: DeliveryDecision, tried: Tried) -> datetime | None:
    """Until when the delivery itself is left alone."""
    if not decision.ehr_away:
        return None if decision.wait is None else begun.at + decision.wait
    return begun.at + ASIDE_WHILE_BUSY if isinstance(tried.outcome, Busy) else None
