"""Who watches the story is told: what happened, and how many deliveries are on their way.

Asks the API as the clinic's operations staff would, now and then, beside the story. Must not show
anything itself.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import httpx2

from demo.staff import Person, TurnedAwayError

ON_ITS_WAY = ("intent", "sent", "unknown")
LOOK_EVERY = 1.0
MOST = 100


@dataclass(frozen=True)
class Happened:
    """One thing that happened on a patient's pathway, at an instant of clinical time."""

    who: str
    phase: str
    what: str
    at: datetime


class Watch(Protocol):
    """Somebody who watches."""

    def happened(self, thing: Happened) -> None:
        """Hear of one thing, when it has happened."""

    def pending(self, deliveries: int) -> None:
        """Hear how many deliveries are on their way to the EHR, at most `MOST`, now and then."""


class Nobody:
    """Watches without a word."""

    def happened(self, thing: Happened) -> None:
        """Say nothing."""

    def pending(self, deliveries: int) -> None:
        """Say nothing."""


async def on_their_way(operations: Person) -> int:
    """Count the deliveries that are on their way and need nobody, at most `MOST` of a state."""
    query = {"needs_person": "false", "limit": str(MOST)}
    pages = [await operations.see("/v1/deliveries", state=state, **query) for state in ON_ITS_WAY]
    return sum(len(page["items"]) for page in pages)


@asynccontextmanager
async def watch_deliveries(operations: Person, watch: Watch) -> AsyncIterator[None]:
    """Tell `watch` every second how many deliveries are on their way, as long as this is open."""
    looking = asyncio.create_task(_look(operations, watch))
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def _look(operations: Person, watch: Watch) -> None:
    while True:
        # The story itself says so when the API is away or answers what it should not.
        with suppress(httpx2.HTTPError, TurnedAwayError, ValueError, KeyError):
            watch.pending(await on_their_way(operations))
        await asyncio.sleep(LOOK_EVERY)
