"""Lanes that a worker may hold without knowing: the answer to the commit that took them was lost.

They are its own by name and in no hand. It takes no other lane before it has let go of them, and
lets go only while no transaction of its is under way that may have taken one of them after all.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

import structlog

from domain.language.errors import Unavailable
from store import queue
from store.database import Database, Transaction
from store.queue import Held

log = structlog.get_logger("kairos.deliveries")


class Forgotten:
    """The forgotten lanes of one holder, at one connection."""

    def __init__(self) -> None:
        self._lanes: dict[str, Held] = {}  # by patient
        self._taking = 0  # transactions under way that may take a lane

    def __bool__(self) -> bool:
        """Say whether there are any."""
        return bool(self._lanes)

    @asynccontextmanager
    async def taking(self, database: Database) -> AsyncIterator[tuple[Transaction, list[Held]]]:
        """A transaction that may take lanes, and the list to which each that it takes is added."""
        taken: list[Held] = []
        self._taking += 1
        try:
            async with database.begin() as tx:
                yield tx, taken
        except (Unavailable, asyncio.CancelledError):
            self._lanes |= {held.patient_id: held for held in taken}
            raise
        else:
            for held in taken:  # what was not committed then is taken now
                self._lanes.pop(held.patient_id, None)
        finally:
            self._taking -= 1

    async def let_go(self, database: Database, now: datetime) -> None:
        """Let go of them all, if nothing is being taken. Raises Unavailable."""
        if not self._lanes or self._taking:
            return
        async with database.begin() as tx:
            for held in self._lanes.values():
                await queue.leave_forgotten(tx, held, now)
        log.warning("lanes_let_go", count=len(self._lanes))
        self._lanes = {}
