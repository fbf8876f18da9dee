"""Settle what was received and never settled: nothing acknowledged is lost if a process dies.

Runs beside the worker. The store knows each command by its id, so that trying again what did take
effect changes nothing.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog

from activities.job_notes import note, why_of
from activities.recovery import Recovery
from domain.language.errors import Unavailable
from store import inbox, jobs
from store.database import Database
from store.records import CommandRecord
from turns.settle import NotSettled, Settling

LOOK_EVERY = timedelta(seconds=1)
"""Real time between looks at the inbox."""

LEAVE_ALONE = 3
"""Looks during which a command is left to whoever received it."""

LONGEST_WAIT = 60
"""Looks between two tries of a command that cannot be settled, once the pause has grown."""

MOST_AT_ONCE = 50

NOTE_EVERY = 60.0
"""Seconds after which it is written down again that all is well."""

log = structlog.get_logger("kairos.inbox")


@dataclass(slots=True)
class _Waiting:
    """A command that is not settled: at which look it is tried, and how long after that again."""

    due: int
    pause: int = 1
    round: int = 0

    def wait(self, look: int) -> None:
        """Wait for the next try, twice as long as for this one."""
        self.due = look + self.pause
        self.pause = min(self.pause * 2, LONGEST_WAIT)


class InboxRetry:
    """Looks at the inbox now and then, for as long as the worker runs."""

    def __init__(self, database: Database, settling: Settling, recovery: Recovery) -> None:
        self._database = database
        self._settling = settling
        self._recovery = recovery
        self._after: tuple[datetime, str] | None = None
        self._waiting: dict[str, _Waiting] = {}
        self._look = self._round = 0
        self._why: str | None = None
        self._note_next = 0.0
        self._under_way: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Look until cancelled. Whatever goes wrong with one look, the next one is taken."""
        while True:
            try:
                await self.look()
                await self._note(None)
            except Exception as error:  # noqa: BLE001  one that ends loses what it should send on
                log.warning("inbox_waits", error_type=type(error).__name__)
                await self._note(why_of(error))
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def _note(self, why: str | None) -> None:
        """Write down how it went, when that is another than before and now and then."""
        now = asyncio.get_running_loop().time()
        if why != self._why or now >= self._note_next:
            self._why, self._note_next = why, now + NOTE_EVERY
            await note(self._database, jobs.INBOX, why)

    async def look(self) -> None:
        """Settle every command whose time has come.

        Takes the next few at each look, round and round, so that commands which cannot be settled
        keep none of the others back. What was not met in a whole round is settled, and forgotten.
        """
        async with self._database.begin() as tx:
            rows = await inbox.waiting(tx, MOST_AT_ONCE, self._after)
        self._look += 1
        due: dict[str, list[CommandRecord]] = {}
        for row in rows:
            known = self._waiting.setdefault(row.id, _Waiting(self._look + LEAVE_ALONE))
            known.round = self._round
            if known.due <= self._look:
                known.wait(self._look)
                due.setdefault(row.pathway_id, []).append(row)
        if len(rows) == MOST_AT_ONCE:
            self._after = (rows[-1].received_at, rows[-1].id)
        else:
            met = {key: each for key, each in self._waiting.items() if each.round == self._round}
            self._after, self._waiting, self._round = None, met, self._round + 1
        for pathway_id, rows in due.items():
            if pathway_id not in self._under_way:
                sending = asyncio.create_task(self._send_all(rows))
                self._under_way[pathway_id] = sending
                sending.add_done_callback(partial(self._sent, pathway_id))
        if self._under_way:  # a pathway that takes long holds up none of the others
            await asyncio.wait(self._under_way.values(), timeout=LOOK_EVERY.total_seconds())

    def _sent(self, pathway_id: str, _: asyncio.Task[None]) -> None:
        del self._under_way[pathway_id]

    async def _send_all(self, rows: list[CommandRecord]) -> None:
        """Settle one pathway's commands, in the order in which they came."""
        for row in rows:
            log.info("inbox_settles", request_id=row.id, kind=row.kind, pathway_id=row.pathway_id)
            try:
                await self._settling.settle(row.pathway_id, row.id)
                if row.kind == inbox.START:
                    await self._recovery.start(row.pathway_id)
            except NotSettled:
                continue  # it may be this one alone that cannot be
            except Unavailable:
                return
            except Exception as error:  # noqa: BLE001  one that cannot be settled keeps none back
                log.warning("settle_failed", request_id=row.id, error_type=type(error).__name__)
