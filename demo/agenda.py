"""Lets several patients' stories share one clock: time moves only when everybody waits for it.

The only place from which the demo moves time. Must not know what anybody is waiting for.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from itertools import count

LAND_AFTER = timedelta(seconds=1)
"""How far past an instant to land: a command just before a timer can wedge the test server."""


class Agenda:
    """Who waits for which instant. Each story calls `until`; the earliest goes first."""

    def __init__(self, move_to: Callable[[datetime], Awaitable[object]], stories: int) -> None:
        """Move time with `move_to` once all of so many stories wait or have ended."""
        self._move_to = move_to
        self._running = stories
        self._waiting: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._order = count()
        self._tick = asyncio.Event()

    async def until(self, instant: datetime) -> None:
        """Wait until just after an instant of clinical time."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (instant + LAND_AFTER, next(self._order), done)
        heapq.heappush(self._waiting, entry)
        self._tick.set()
        await done

    def leave(self) -> None:
        """Say that a story has ended and waits for nothing any more."""
        self._running -= 1
        self._tick.set()

    async def run(self) -> None:
        """Move time on whenever everybody waits; ends when every story has."""
        while self._running:
            await self._tick.wait()
            self._tick.clear()
            while self._running and len(self._waiting) == self._running:
                instant, _, done = heapq.heappop(self._waiting)
                await self._move_to(instant)
                done.set_result(None)
                await asyncio.sleep(0)
                if len(self._waiting) < self._running:
                    break
