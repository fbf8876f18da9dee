"""What a worker has in hand while it delivers: a lane, a delivery that is tried, what follows."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from activities.attempt import InHand
from domain.delivery.words import Delivery
from store.lanes import LaneView
from store.queue import Held


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
