"""Send on what was received and never settled: nothing acknowledged is lost if a process dies.

Runs beside the worker. Sends with the same ids, so that sending what did arrive changes nothing.
"""

import asyncio
from datetime import datetime, timedelta

import structlog
from temporalio.client import Client

from domain.language.commands import Command
from domain.language.errors import Conflict, Malformed, Refused, Unavailable
from domain.language.findings import blocks_of
from domain.rules.refusing import check_open
from store import codec, inbox, lanes, pathways
from store.database import Database
from store.tables import CommandRow
from temporal.clock import Clock
from temporal.gateway import send, start_pathway, wake_lane
from temporal.parcel import pack_refusal, unpack
from workflows.messages import Refusal

LOOK_EVERY = timedelta(seconds=1)
"""Real time between looks at the inbox."""

LEAVE_ALONE = 3
"""Looks during which a command is left to whoever received it."""

MOST_AT_ONCE = 50

log = structlog.get_logger("kairos.relay")


class Relay:
    """Looks at the inbox now and then, for as long as the worker runs."""

    def __init__(self, database: Database, client: Client, clock: Clock) -> None:
        """Keep the tools; nothing seen yet."""
        self._database = database
        self._client = client
        self._clock = clock
        self._after: tuple[datetime, str] | None = None
        self._looks: dict[str, int] = {}
        self._round: dict[str, int] = {}

    async def run(self) -> None:
        """Look until cancelled. Whatever goes wrong with one look, the next one is taken."""
        woken = False
        while True:
            try:
                if not woken:
                    await self._wake_lanes()
                    woken = True
                await self.look()
            except Exception as error:  # noqa: BLE001  a relay that ends loses what it should send on
                log.warning("relay_waits", error_type=type(error).__name__)
            await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def look(self) -> None:
        """Send on every command that has been waiting for a few looks.

        Takes the next few at each look, round and round, so that commands which nobody answers
        keep none of the others back.
        """
        async with self._database.begin() as tx:
            waiting = await inbox.waiting(tx, MOST_AT_ONCE, self._after)
        for row in waiting:
            self._round[row.id] = self._looks.get(row.id, 0) + 1
        due: dict[str, list[CommandRow]] = {}
        for row in waiting:
            if self._round[row.id] > LEAVE_ALONE:
                due.setdefault(row.pathway_id, []).append(row)
        if len(waiting) == MOST_AT_ONCE:
            self._after = (waiting[-1].received_at, waiting[-1].id)
            self._looks |= self._round
        else:
            self._after, self._looks, self._round = None, self._round, {}
        await asyncio.gather(*(self._send_all(rows) for rows in due.values()))

    async def _send_all(self, rows: list[CommandRow]) -> None:
        """Send one pathway's commands, in the order in which they came."""
        for row in rows:
            try:
                await self._send_on(row)
            except Exception as error:  # noqa: BLE001  one that cannot be sent on keeps none back
                log.warning("relay_failed", request_id=row.id, error_type=type(error).__name__)

    async def _send_on(self, row: CommandRow) -> None:
        parcel = unpack(row.body)
        log.info("relay_sends", request_id=row.id, kind=row.kind, pathway_id=row.pathway_id)
        try:
            await self._insist_open(row)
            if isinstance(parcel, Command):
                await send(self._client, row.pathway_id, parcel)
            else:
                await start_pathway(self._client, parcel)
        except (Refused, Conflict, Malformed) as error:
            blocked_by = error.blocked_by if isinstance(error, Refused) else ()
            problem = pack_refusal(Refusal(type(error).__name__, str(error), blocked_by))
            async with self._database.begin() as tx:
                await inbox.rejected(tx, row.id, problem, await self._clock.now())
        except Unavailable:
            return

    async def _insist_open(self, row: CommandRow) -> None:
        """Refuse what waits on a pathway that has ended: whatever was taken is stored by then."""
        async with self._database.begin() as tx:
            found = await pathways.find(tx, row.pathway_id)
        if found is not None and found.status == "finished":
            ended = blocks_of(check_open(codec.pathway_from_json(found.projection)))
            raise Refused(f"may not record anything more: {ended[0].sentence()}", ended)

    async def _wake_lanes(self) -> None:
        """Wake every lane that has work, in case its wake-up was lost with a process."""
        async with self._database.begin() as tx:
            found = await lanes.lanes_with_work(tx)
        for connection, patient in found:
            await wake_lane(self._client, connection, patient)
