"""Take a pathway's turn: decide over the locked row and record it, in one transaction.

A second run of the same turn finds its command settled and answers what is stored. Must not reach
an EHR: it commits what is to be written there, and rings for the lane that writes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

from build import RULES
from domain import turn as rules_of_a_turn
from domain.delivery.restored import is_fresh
from domain.delivery.words import Intent
from domain.enrolment import Enrolment
from domain.language.commands import Command
from domain.language.corrections import EntryVoided
from domain.language.errors import Conflict, Unavailable
from domain.language.events import Event
from domain.language.names import CommandState, PathwayStatus
from domain.language.pathway import Pathway
from domain.language.phases import ChangeProtocol, ProtocolChanged
from domain.language.protocol import CombinedProtocol
from domain.language.refusal import Refusal, refusal_of
from domain.rules.corrected import refold
from domain.rules.fold import apply
from domain.turn import Other
from fhir_adapters.content.intents import intents_for
from store import columns, inbox, pathways, restores
from store.database import Database, Transaction
from store.protocols import PinnedProtocols
from store.recording import Recording
from store.records import CommandRecord
from temporal.clock import Clock
from turns import taken_back
from turns.plans import Plans
from turns.shown import show
from workflows.messages import Taken, Turn

LOOK_AGAIN_AFTER = timedelta(minutes=1)
"""After what follows could not be worked out: by then somebody may have mended it."""

log = structlog.get_logger("kairos.turns")


@dataclass(slots=True)
class _Work:
    """What one turn works with, and what it leaves."""

    tx: Transaction
    recording: Recording
    protocol: CombinedProtocol
    pathway: Pathway
    now: datetime
    pace: datetime  # the time by which writes to the EHR are kept apart


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An event, the pathway after it, and what it writes to the EHR."""

    event: Event
    after: Pathway
    intents: tuple[Intent, ...]


@dataclass(frozen=True, slots=True)
class _Ended:
    """The end of the turn's command."""

    settled: CommandState | None = None
    version: int | None = None

    @classmethod
    def settled_before(cls, command: CommandRecord) -> Self:
        """The end that a command came to before, if it did."""
        return cls(settled=command.state, version=command.version)


class Turns:
    """The activity, with what it needs: the database, what EHRs take, and the clock."""

    def __init__(self, database: Database, plans: Plans, clock: Clock) -> None:
        self._database = database
        self._plans = plans
        self._clock = clock
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
        now, pace = await self._clock.now(), await self._clock.pace()
        async with (
            self._database.begin() as tx,
            Recording.on(tx, turn.pathway_id) as recording,
        ):
            before = recording.stored.due_at
            restored = recording.stored.version < turn.seen
            if restored:
                await _note_loss(tx, recording, turn.seen, now, pace)
            command = await _command(tx, recording, turn)
            ended = _Ended() if command is None else _Ended.settled_before(command)
            if command is None or command.state is CommandState.RECEIVED:
                ended = await self._record(tx, recording, command, now, pace)
        after = recording.stored
        # One that is over stays while somebody is still to look at something by a time.
        over = after.status is PathwayStatus.FINISHED and after.due_at is None
        return Taken(
            version=after.version,
            due=after.due_at,
            wait=None if after.due_at is None else max(after.due_at - now, timedelta()),
            outcome=str(after.projection.get("outcome") or "not begun") if over else None,
            settled=ended.settled,
            settled_at_version=ended.version,
            restored=restored,
            sooner=after.due_at is not None and (before is None or after.due_at < before),
            ended=after.status is PathwayStatus.FINISHED,
        )

    async def _record(
        self,
        tx: Transaction,
        recording: Recording,
        command: CommandRecord | None,
        now: datetime,
        pace: datetime,
    ) -> _Ended:
        """Record what the command and the time bring; the command's end."""
        protocol = await self._protocols.of(tx, recording.stored.protocol_sha256)
        pathway = await recording.pathway(protocol)
        work = _Work(tx, recording, protocol, pathway, now, pace)
        refusal: Refusal | None = None
        wanted: object = None
        if command is not None:
            wanted = columns.command_from_json(command.body)
            version = recording.stored.version
            whole = rules_of_a_turn.needs_history(wanted, now)
            history = await recording.history() if whole else []
            other = await self._other(tx, recording, wanted)
            earlier = await self._earlier(tx, history)
            result = rules_of_a_turn.settle(
                protocol, pathway, version, wanted, now, history, other, earlier
            )
            if not isinstance(result, Refusal) and await _opens_a_second(work, result, history):
                message = "this patient has another open pathway, which must end first"
                result = refusal_of(Conflict(message))
            if isinstance(result, Refusal) and inbox.was_sent_on(command):
                assert isinstance(wanted, Command)  # noqa: S101
                log.warning("sent_on_and_refused", pathway_id=recording.stored.id)
                result = rules_of_a_turn.kept_anyway(protocol, pathway, wanted, result, now)
            if isinstance(result, Refusal):
                refusal = result
                await inbox.rejected(tx, command.id, refusal, now)
            else:
                if isinstance(wanted, Command) and isinstance(wanted.wish, ChangeProtocol):
                    assert other is not None  # noqa: S101
                    recording.repin(wanted.wish.pinned)
                    work.protocol = other.protocol
                    work.pathway = refold(pathway.id, history, other.protocol.vocabulary)
                self._append(work, await self._prepared(work, result, history), command.id)
                await _send_onward(tx, protocol, wanted, history, now)
                await self._look_again(work, pathway, result, history)
        shown = pathway if recording.stored.rules == RULES and recording.stored.listed else None
        due = await self._follow(work)
        recording.project(work.pathway, due, now)
        self._show(work, shown)
        if refusal is not None and isinstance(wanted, Enrolment):
            recording.release()
        if command is None:
            return _Ended()
        if refusal is not None:
            return _Ended(CommandState.REJECTED)
        version = recording.stored.version
        await inbox.applied(tx, command.id, version, now)
        return _Ended(CommandState.APPLIED, version)

    async def _other(
        self, tx: Transaction, recording: Recording, wanted: Command | Enrolment
    ) -> Other | None:
        """The version of its protocol under which a pathway is to go on, where that is asked."""
        if not isinstance(wanted, Command) or not isinstance(wanted.wish, ChangeProtocol):
            return None
        found = await self._protocols.of(tx, wanted.wish.pinned)
        return Other(found, recording.stored.protocol_sha256)

    async def _earlier(
        self, tx: Transaction, history: Sequence[Event]
    ) -> dict[str, CombinedProtocol]:
        """The versions of its protocol that a pathway went on under before, by their names."""
        names = {e.fact.pinned_before for e in history if isinstance(e.fact, ProtocolChanged)}
        return {name: await self._protocols.of(tx, name) for name in names}

    async def _look_again(
        self,
        work: _Work,
        before: Pathway,
        events: tuple[Event, ...],
        history: Sequence[Event],
    ) -> None:
        """Question acts that rested on what was put right, or on what came late."""
        since = rules_of_a_turn.looks_again_from(before, events, history)
        if since is None:
            return
        known = await work.recording.history()
        earlier = await self._earlier(work.tx, known)
        found = rules_of_a_turn.questions(work.protocol, before, known, since, work.now, earlier)
        self._append(work, await self._prepared(work, found), None)

    async def _follow(self, work: _Work) -> datetime | None:
        """Record what Kairos adds by itself; when to look again.

        A defect in there keeps nothing from being recorded that a person did: a hold above all.
        """
        before = work.pathway
        try:
            following = rules_of_a_turn.follow(work.protocol, work.pathway, work.now)
            prepared = await self._prepared(work, following.events)
            if prepared:
                async with work.recording.apart():
                    self._append(work, prepared, None)
        except Unavailable:
            raise
        except Exception:
            log.exception("following_failed", pathway_id=before.id)
            work.pathway = before
            return work.now + LOOK_AGAIN_AFTER
        return following.due

    def _show(self, work: _Work, before: Pathway | None) -> None:
        """Have the lists show the pathway; a defect in there keeps nothing from being recorded."""
        if not work.pathway.phases:
            return
        try:
            show(work.recording, work.protocol, before, work.pathway, work.now)
        except Exception:
            log.exception("listing_failed", pathway_id=work.pathway.id)

    async def _prepared(
        self, work: _Work, events: tuple[Event, ...], history: Sequence[Event] = ()
    ) -> list[_Prepared]:
        """Say of each event what it makes of the pathway and writes to the EHR.

        `history` is all that was recorded before, where one of the events takes something back.
        """
        if not events:
            return []
        plan = await self._plans.of(work.tx, work.recording.stored.connection_id)
        prepared, before, again = [], work.pathway, False
        for place, event in enumerate(events):
            void = isinstance(event.fact, EntryVoided)
            again = again or void
            if again:  # what stands in its place is looked at in its place, as a replay does
                so_far = [*history, *events[: place + 1]]
                after = refold(before.id, so_far, work.protocol.vocabulary)
            else:
                after = apply(before, event, work.protocol.vocabulary)
            if void:
                scene = taken_back.Scene(
                    work.tx, work.protocol, work.pathway, after, plan, work.now, work.pace
                )
                intents = await taken_back.intents(scene, event, history)
                work.recording.ring(work.pace)
            else:
                intents = intents_for(event, before, after, work.protocol, plan, work.now)
            prepared.append(_Prepared(event, after, tuple(intents)))
            before = after
        return prepared

    def _append(self, work: _Work, prepared: Sequence[_Prepared], request: str | None) -> None:
        for each in prepared:
            work.recording.append(each.event, each.intents, request, work.now, work.pace)
            work.pathway = each.after


async def _opens_a_second(work: _Work, events: Sequence[Event], history: Sequence[Event]) -> bool:
    """Say whether a pathway that had ended would go on beside another of the same patient."""
    voids = any(isinstance(event.fact, EntryVoided) for event in events)
    if work.pathway.outcome is None or not voids:
        return False
    after = refold(work.pathway.id, [*history, *events], work.protocol.vocabulary)
    stored = work.recording.stored
    if after.outcome is not None:
        return False
    return await pathways.open_for(work.tx, stored.connection_id, stored.patient_id) is not None


async def _send_onward(
    tx: Transaction,
    protocol: CombinedProtocol,
    wanted: Command | Enrolment,
    history: Sequence[Event],
    now: datetime,
) -> None:
    """Keep, in the same transaction, the command that records there what was taken back here."""
    onward = rules_of_a_turn.onward(protocol, wanted, history)
    if onward is None:
        return
    there, command = onward
    found = await pathways.find(tx, there)
    if found is None:
        raise LookupError("no such pathway to record it on")
    received = inbox.Received(
        id=command.id,
        pathway_id=found.id,
        site_id=found.site_id,
        kind=command.wish.kind,
        author_id=command.by.id,
        idempotency_key=inbox.sent_on(command.id),
        fingerprint=inbox.sent_on(command.id),
        body=columns.command_to_json(command),
    )
    await inbox.receive(tx, received, now)


async def _note_loss(
    tx: Transaction, recording: Recording, seen: int, now: datetime, pace: datetime
) -> None:
    """The store knows less than a run has seen stored: it was restored from a backup."""
    found = recording.stored
    log.error(
        "database_restored", pathway_id=found.id, version=found.version, count=seen - found.version
    )
    recording.note("events-lost", f"{found.version + 1}-{seen}", now)
    if not is_fresh(await restores.restored_at(tx), pace):
        await restores.distrust(tx, pace)
        recording.restored_at = pace


async def _command(tx: Transaction, recording: Recording, turn: Turn) -> CommandRecord | None:
    """The turn's command; on a pathway that has not begun, what starts it."""
    found = recording.stored
    if turn.command_id is None:
        starting = found.status is PathwayStatus.STARTING
        return await inbox.start_of(tx, found.id) if starting else None
    command = await inbox.find(tx, turn.command_id)
    if command is None or command.pathway_id != found.id:
        raise LookupError("no such command on this pathway")
    return command
