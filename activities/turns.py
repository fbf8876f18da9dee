"""Take a pathway's turn: decide over the locked row and record it, in one transaction.

A second run of the same turn finds its command settled and answers what is stored. Must not reach
an EHR: it commits what is to be written there, and wakes the lane that writes it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.capabilities import Plans
from domain import turn as domain_turn
from domain.language.errors import Unavailable
from domain.language.events import Event
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from domain.language.refusal import Refusal
from domain.rules.fold import apply
from fhir_adapters.content.intents import intents_for
from store import codec, inbox, ledger, pathways, restores
from store.database import Database, Transaction
from store.protocols import PinnedProtocols
from store.tables import CommandRow, PathwayRow
from temporal.clock import Clock
from workflows.messages import Taken, Turn

LOOK_AGAIN_AFTER = timedelta(minutes=1)
"""After what follows could not be worked out: by then somebody may have mended it."""

log = structlog.get_logger("kairos.turns")


@dataclass(slots=True)
class _Recording:
    """A pathway under its row's lock, and what this turn adds to it."""

    tx: Transaction
    row: PathwayRow
    protocol: CombinedProtocol
    pathway: Pathway
    now: datetime
    writes: bool = False  # to the EHR


class Turns:
    """The activity, with what it needs: the database, what EHRs take, the clock, and a bell."""

    def __init__(
        self,
        database: Database,
        plans: Plans,
        clock: Clock,
        wake_lane: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._database = database
        self._plans = plans
        self._clock = clock
        self._wake_lane = wake_lane
        self._protocols = PinnedProtocols()

    @activity.defn(name="take_turn")
    async def take_turn(self, turn: Turn) -> Taken:
        """Settle the turn's command and record what is due; what that left stored.

        Raises Unavailable while the database is away, which is tried again for a few seconds. A
        defect of ours fails this turn at once: its command stays received.
        """
        try:
            return await self._take(turn)
        except Unavailable:
            raise
        except Exception:
            log.exception("turn_failed", pathway_id=turn.pathway_id)
            message = "the turn could not be taken"
            raise ApplicationError(message, type="Defect", non_retryable=True) from None

    async def _take(self, turn: Turn) -> Taken:
        now = await self._clock.now()
        async with self._database.begin() as tx:
            row = await pathways.lock(tx, turn.pathway_id)
            restored = row.version < turn.seen
            if restored:
                await self._restored(tx, row, turn.seen, now)
            command = await _command(tx, row, turn)
            wake = command is not None and command.state != "received"
            if not wake:
                wake = await self._record(tx, row, command, now)
            taken = await _as_stored(tx, row, command, now)
            lane = row.connection_id, row.patient_id
        if wake:  # also for a command that was settled: who settled it may have died before this
            await self._wake_lane(*lane)
        return replace(taken, restored=restored)

    async def _record(
        self, tx: Transaction, row: PathwayRow, command: CommandRow | None, now: datetime
    ) -> bool:
        """Record what the command and the time bring; whether something is to be written."""
        protocol = await self._protocols.of(tx, row)
        pathway = await pathways.folded(tx, row, protocol)
        turn = _Recording(tx, row, protocol, pathway, now)
        outcome: tuple[Event, ...] | Refusal = ()
        if command is not None:
            asked = codec.asked_from_json(command.body)
            outcome = domain_turn.settle(protocol, pathway, row.version, asked, now)
            if isinstance(outcome, Refusal):
                await inbox.rejected(tx, command.id, outcome, now)
            else:
                await self._append(turn, outcome, command.id)
        row.due_at = await self._follow(turn)
        pathways.project(row, turn.pathway, now)
        if command is not None and not isinstance(outcome, Refusal):
            await inbox.applied(tx, command.id, row.version, now)
        return turn.writes

    async def _follow(self, turn: _Recording) -> datetime | None:
        """Record what Kairos adds by itself; when to look again.

        A defect in there keeps nothing from being recorded that a person did: a hold above all.
        """
        try:
            following = domain_turn.follow(turn.protocol, turn.pathway, turn.now)
        except Exception:
            log.exception("following_failed", pathway_id=turn.row.id)
            return turn.now + LOOK_AGAIN_AFTER
        await self._append(turn, following.events, None)
        return following.due

    async def _append(
        self, turn: _Recording, events: tuple[Event, ...], request: str | None
    ) -> None:
        """Append events, each with its audit row and what it writes to the EHR."""
        if not events:
            return
        plan = await self._plans.of(turn.tx, turn.row.connection_id)
        for event in events:
            before = turn.pathway
            turn.pathway = apply(before, event, turn.protocol.vocabulary)
            pathways.append(turn.tx, turn.row, event, request, turn.now)
            intents = intents_for(event, before, turn.pathway, turn.protocol, plan, turn.now)
            await ledger.intend(turn.tx, turn.row, event.id, intents, turn.now)
            turn.writes = turn.writes or bool(intents)

    async def _restored(self, tx: Transaction, row: PathwayRow, seen: int, now: datetime) -> None:
        """The store knows less than a run has seen stored: it was restored from a backup."""
        log.error(
            "database_restored", pathway_id=row.id, version=row.version, count=seen - row.version
        )
        pathways.note(tx, row, "events-lost", f"{row.version + 1}-{seen}", now)
        await restores.distrust(tx, now)


async def _command(tx: Transaction, row: PathwayRow, turn: Turn) -> CommandRow | None:
    """The turn's command; on a pathway that has not begun, what starts it."""
    if turn.command_id is None:
        return await inbox.start_of(tx, row.id) if row.status == "starting" else None
    command = await inbox.find(tx, turn.command_id)
    if command is None or command.pathway_id != row.id:
        raise LookupError("no such command on this pathway")
    return command


async def _as_stored(
    tx: Transaction, row: PathwayRow, command: CommandRow | None, now: datetime
) -> Taken:
    """What the store holds now, and of the command."""
    if command is not None:
        await tx.refresh(command, ["state", "version"])
    ended = row.status == "finished"
    return Taken(
        version=row.version,
        due=row.due_at,
        wait=None if row.due_at is None else max(row.due_at - now, timedelta()),
        outcome=_outcome(row) if ended else None,
        settled=None if command is None else command.state,
        settled_at_version=None if command is None else command.version,
    )


def _outcome(row: PathwayRow) -> str:
    return str(row.projection["outcome"])
