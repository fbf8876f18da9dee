"""Write to one EHR what the ledger holds: exactly one effect each, whatever is lost on the way.

Take a lane and its next delivery, try it (`activities/attempt.py`), ask the domain what follows
(`domain/delivery/after.py`), commit that and take the next in one transaction. The ledger says
`sent` before the first byte leaves. No transaction, lock or connection is held while the EHR is
asked: a lane in hand is a word in its row, and what an attempt came to counts only if the delivery
still stands as that attempt left it.
"""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta

import structlog

from activities.attempt import InHand, Tried, attempt
from activities.forgotten import Forgotten
from activities.in_hand import Begun, Concluded, Lane, is_linked, left_alone_until
from activities.searches import ASKS, Searches
from domain.delivery.after import after, given_up, pause
from domain.delivery.outcomes import Absent, Broke, Busy, Claimed, Lost, Silent
from domain.delivery.words import Action, Delivery, DeliveryDecision, DeliveryState, LastSeen
from domain.language.errors import Conflict, Unavailable
from fhir_adapters.content.references import artefacts_in
from fhir_adapters.ehr import Ehr
from fhir_adapters.exchange.last_seen import last_seen
from fhir_adapters.exchange.transport import leaving_within
from store import lanes, ledger, outages, queue
from store.database import Database, Transaction
from store.queue import Held
from temporal.clock import Clock
from turns.plans import Plans

log = structlog.get_logger("kairos.deliveries")

ONE_DELIVERY = timedelta(seconds=40)
"""The longest that one delivery may take in all; after that its outcome is unknown."""

LEAVES_WITHIN = timedelta(seconds=8)
"""A write that has not begun to leave by then does not leave. A process that was stopped is thought
dead after `queue.LEASE`, and another sends in its place: going on, it must not send too."""

ASIDE_WHILE_LOCKED = timedelta(seconds=1)
"""How long one is left alone that somebody else is deciding about."""

LONGEST_REST = timedelta(minutes=1)
"""How long a patient's writes rest at most that the EHR is too busy for, unless it says longer."""

TROUBLE_FOR_MANY = 3
"""Patients in a row for whom nothing is to be had of the EHR; then it counts as away for all."""

FIRST_QUESTION = timedelta(seconds=1)
"""After this an EHR that seems away is asked for the first time."""

DATABASE_AGAIN = 1.0
"""Seconds between tries to write down what an attempt came to while the database is away."""


class Deliveries:
    """The deliveries of one connection, for one holder of lanes."""

    def __init__(
        self,
        database: Database,
        ehr: Ehr,
        plans: Plans,
        clock: Clock,
        holder: str,
        *,
        asks: tuple[float, ...] = ASKS,
    ) -> None:
        self._database = database
        self._ehr = ehr
        self._plans = plans
        self._clock = clock
        self._holder = holder
        self.stopping = False
        """Take nothing more."""
        self.left_ready = False
        """A lane was left of which something may go at once."""
        # Which deliveries of a patient the EHR was too busy for, and whether it took others since.
        # Not stored: a process that does not know tries once more, and harms nothing.
        self._busy: dict[str, dict[int, bool]] = {}
        self._in_trouble: set[str] = set()  # patients, since the EHR took or refused anything
        self._forgotten = Forgotten()
        self._searches = Searches(
            ehr.connection_id, settling=ehr.settling, lag=ehr.search_lag, asks=asks
        )

    async def let_go_of_forgotten(self, now: datetime) -> None:
        """Let go of lanes that are ours by name and in no hand. Raises Unavailable."""
        await self._forgotten.let_go(self._database, now)

    async def take(self, *, probing: bool = False) -> Begun | None:
        """Take a ready lane, and commit that its next delivery is about to be tried.

        None if no lane is ready, or the EHR is away; `probing` takes one all the same. Raises
        Unavailable while the database is away, or nobody knows what the EHR takes.
        """
        now = await self._clock.pace()
        taken: list[Held] = []
        try:
            async with self._forgotten.taking(self._database) as (tx, taken):
                return await self._take(tx, now, taken, probing=probing)
        except Unavailable:
            raise
        except Exception:
            # A defect of ours in one lane: it rests, or no other would ever have its turn.
            log.exception("lane_not_taken")
            if taken:
                async with self._database.begin() as tx:
                    await queue.rest(tx, taken[-1], now, now + pause(taken[-1].rests))
            return None

    async def attempt(self, begun: Begun) -> Tried:
        """Try it within its time."""
        if isinstance(begun.in_hand, str):
            return Tried(begun.found.ehr_id, Broke(begun.in_hand))
        busy = self._busy.get(begun.found.patient_id, {})
        alone = busy.get(begun.found.id, False)
        until = begun.taken + LEAVES_WITHIN.total_seconds()
        try:
            async with asyncio.timeout(ONE_DELIVERY.total_seconds()):
                with leaving_within(until):
                    tried = await attempt(self._ehr.client, begun.in_hand)
        except TimeoutError:
            # Each request has a shorter limit of its own, so the EHR did answer some of them.
            return Tried(begun.found.ehr_id, Lost(ehr_answers=True))
        if not isinstance(tried.outcome, Absent):  # which is no answer to the write itself
            busy.pop(begun.found.id, None)
        if alone and isinstance(tried.outcome, Busy):
            return replace(tried, outcome=replace(tried.outcome, alone=True))
        return tried

    async def conclude(self, begun: Begun, tried: Tried, *, go_on: bool = True) -> Concluded:
        """Commit what follows, and with it what is tried next: of this lane, or of another.

        Without `go_on` of this lane only. However long the database is away: nobody else knows what
        became of the attempt.
        """
        delivery = replace(begun.found, ehr_id=tried.ehr_id)
        decision = after(delivery, tried.outcome, begun.at)
        try:
            now = await self._clock.pace()
            async with self._forgotten.taking(self._database) as (tx, taken):
                settled = await ledger.settle(
                    tx,
                    begun.in_ledger,
                    decision,
                    begun.at,
                    links=decision.linked and not is_linked(begun, decision),
                    not_before=left_alone_until(begun, decision, tried),
                    said=tried.said,
                )
                _insist(settled=settled)
                await self._learn(tx, delivery, tried, decision, now)
                others = taken if go_on else None
                return await self._go_on(tx, begun, tried, decision, now, others)
        except Exception as error:
            if not isinstance(error, _NotSettled | Unavailable):
                log.exception("nothing_taken_after", delivery_id=delivery.id)
        return await self._conclude_alone(begun, delivery, tried, decision)

    async def let_rest(self, begun: Begun) -> None:
        """Leave the lane of an attempt that a defect of ours kept from being concluded."""
        held = begun.lane.held
        while True:
            try:
                now = await self._clock.pace()
                async with self._database.begin() as tx:
                    await queue.rest(tx, held, now, now + pause(held.rests))
            except Unavailable:
                await asyncio.sleep(DATABASE_AGAIN)
            else:
                return

    async def _take(
        self, tx: Transaction, now: datetime, taken: list[Held], *, probing: bool = False
    ) -> Begun | None:
        if self.stopping or self._forgotten:
            return None
        connection = self._ehr.connection_id
        while held := await queue.take(tx, connection, self._holder, now, probing=probing):
            taken.append(held)
            lane = Lane(held, await lanes.view(tx, connection, held.patient_id))
            begun = await self._next(tx, lane, now)
            if begun is not None:
                return begun
            await self._leave(tx, lane, now, lane.seen.again_at(now))
        return None

    async def _next(self, tx: Transaction, lane: Lane, now: datetime) -> Begun | None:
        """Begin the lane's next delivery; those whose attempts are used up become a person's.

        None if nothing of it may go now, be the lane ever so long.
        """
        connection, patient = lane.held.connection_id, lane.held.patient_id
        while True:
            number = lane.seen.next(now)
            if number is None and lane.changed and lane.seen.rows:
                lane.seen, lane.changed = await lanes.view(tx, connection, patient), False
                continue
            if number is None and not lane.seen.whole:
                lane.seen = await lanes.view(tx, connection, patient, None)
                continue
            if number is None:
                return None
            begun = await ledger.begin_next(tx, lane.held, number, now)
            if begun is not None:
                delivery, in_ledger, known = begun
                in_hand = await self._in_hand(tx, delivery, known, now)
                taken = asyncio.get_running_loop().time()
                return Begun(now, lane, delivery, in_hand, in_ledger, taken)
            if not await queue.is_in_hand(tx, lane.held):
                log.warning("lane_lost", connection=connection)
                return None
            lane.seen.aside[number] = now + ASIDE_WHILE_LOCKED
            await self._give_up(tx, lane, number, now)

    async def _give_up(self, tx: Transaction, lane: Lane, number: int, now: datetime) -> None:
        """Ask a person about one whose attempts are used up, if that is why it was not begun."""
        found = await ledger.unless_locked(tx, number)
        asks = None if found is None else given_up(found)
        if found is not None and asks is not None:
            await ledger.record_decision(tx, found, asks, now)
            lane.seen.decided(number, asks, None)

    async def _in_hand(
        self, tx: Transaction, delivery: Delivery, known: dict[str, str], now: datetime
    ) -> InHand | str:
        """Get what it takes. A defect of ours in that is an attempt too, or it would never end."""
        plan = await self._plans.of(tx, delivery.connection_id)
        search = await self._searches.of(tx, delivery, now)
        if delivery.action is not Action.UPDATE:
            return InHand(delivery, plan, known, LastSeen(), search)
        before = await ledger.seen_before(tx, delivery)
        try:
            seen = last_seen(before)
            also = set(artefacts_in(seen.elements)) - set(known)
        except Exception as error:
            log.exception("delivery_not_taken", delivery_id=delivery.id)
            return type(error).__name__
        known |= await ledger.links(tx, delivery.connection_id, also)
        return InHand(delivery, plan, known, seen, search)

    async def _learn(
        self,
        tx: Transaction,
        delivery: Delivery,
        tried: Tried,
        decision: DeliveryDecision,
        now: datetime,
    ) -> None:
        """Keep what the attempt showed of the EHR's searches."""
        if isinstance(tried.outcome, Absent):
            self._searches.was_not_found(delivery, now)
        if decision.state is DeliveryState.INTENT:
            self._searches.is_sent_again(delivery)
        if tried.learned:
            await self._searches.learn(tx, delivery, tried.learned, now)

    async def _go_on(
        self,
        tx: Transaction,
        begun: Begun,
        tried: Tried,
        decision: DeliveryDecision,
        now: datetime,
        others: list[Held] | None,
    ) -> Concluded:
        """Take what is next, now that an attempt is written down; another lane into `others`."""
        lane, number = begun.lane, begun.in_ledger.id
        lane.seen.decided(number, decision, left_alone_until(begun, decision, tried))
        lane.changed, lane.delivered = True, lane.delivered + 1
        if decision.ehr_away and isinstance(tried.outcome, Busy):
            return await self._was_busy(tx, begun, tried, decision, now, others)
        nothing_came = isinstance(tried.outcome, Lost | Silent)
        if decision.ehr_away or (nothing_came and self._is_trouble_for_many(lane)):
            await self._leave(tx, lane, now, now)
            await self._note_away(tx, now, decision.reason, None)
            return Concluded(away=True)
        still_asked = isinstance(tried.outcome, Busy) and not decision.needs_person
        if not nothing_came and not isinstance(tried.outcome, Absent):
            self._ehr_answers_others(lane.held.patient_id, [number] if still_asked else [])
        lane.busy.clear()
        return Concluded(await self._following(tx, lane, now, others))

    async def _following(
        self, tx: Transaction, lane: Lane, now: datetime, others: list[Held] | None
    ) -> Begun | None:
        """The lane's next delivery, or another lane's."""
        long = lane.delivered >= lanes.MOST_IN_A_ROW and others is not None
        if self.stopping or long:
            await self._leave(tx, lane, now, now, ready=True)
        elif (begun := await self._next(tx, lane, now)) is not None:
            return begun
        else:
            await self._leave(tx, lane, now, lane.seen.again_at(now))
        return None if others is None else await self._take(tx, now, others)

    async def _was_busy(
        self,
        tx: Transaction,
        begun: Begun,
        tried: Tried,
        decision: DeliveryDecision,
        now: datetime,
        others: list[Held] | None,
    ) -> Concluded:
        """It may be this one alone that the EHR does not take now: one other is tried."""
        lane, patient = begun.lane, begun.lane.held.patient_id
        first = not lane.busy
        lane.busy[begun.in_ledger.id] = decision.wait
        if first and tried.ehr_id is None:
            self._busy.setdefault(patient, {})[begun.in_ledger.id] = False
            another = await self._next(tx, lane, now)
            if another is not None:
                return Concluded(another)
        waits = [wait for wait in lane.busy.values() if wait is not None]
        wait = max(waits, default=min(pause(lane.held.rests), LONGEST_REST))
        await ledger.leave_alone_no_more(tx, lane.busy)
        await queue.rest(tx, lane.held, now, now + wait)
        if not self._is_trouble_for_many(lane):
            another = None if others is None else await self._take(tx, now, others)
            return Concluded(another, busy=True)
        await self._note_away(tx, now, decision.reason, max(waits, default=None))
        return Concluded(away=True)

    def _is_trouble_for_many(self, lane: Lane) -> bool:
        """Note that nothing was to be had of the EHR for a patient; whether that goes for many."""
        self._in_trouble.add(lane.held.patient_id)
        return len(self._in_trouble) >= TROUBLE_FOR_MANY

    async def _note_away(
        self, tx: Transaction, now: datetime, why: str | None, wait: timedelta | None
    ) -> None:
        """Note that the EHR is away, until it answers and takes something."""
        connection = self._ehr.connection_id
        ask_at = now + (wait or FIRST_QUESTION)
        if await outages.note(tx, connection, now, ask_at, why or ""):
            log.warning("ehr_away", connection=connection)

    async def _leave(
        self,
        tx: Transaction,
        lane: Lane,
        now: datetime,
        again_at: datetime | None,
        *,
        ready: bool = False,
    ) -> None:
        rang = await queue.let_go(tx, lane.held, again_at, urgent=lane.seen.is_urgent(now))
        self.left_ready = self.left_ready or rang or ready

    def _ehr_answers_others(self, patient: str, still_asked: Collection[int]) -> None:
        """Note that the EHR is busy for these alone: it took or refused another meanwhile."""
        self._in_trouble.clear()
        alone = dict.fromkeys([*self._busy.pop(patient, {}), *still_asked], True)
        if alone:
            self._busy[patient] = alone

    async def _conclude_alone(
        self, begun: Begun, delivery: Delivery, tried: Tried, decision: DeliveryDecision
    ) -> Concluded:
        """Write down what follows and nothing else, unless another has overtaken the attempt."""
        while True:
            try:
                async with self._database.begin() as tx:
                    await self._record(tx, begun, delivery, tried, decision)
                    held, now = begun.lane.held, begun.at
                    await queue.rest(tx, held, now, now)
                    self.left_ready = True
            except Unavailable:
                await asyncio.sleep(DATABASE_AGAIN)
            else:
                return Concluded()

    async def _record(
        self,
        tx: Transaction,
        begun: Begun,
        delivery: Delivery,
        tried: Tried,
        decision: DeliveryDecision,
    ) -> None:
        if await ledger.overtaken(tx, begun.in_ledger):
            return
        if decision.linked and decision.ehr_id is not None:
            try:
                await ledger.link(tx, delivery, decision.ehr_id)
            except Conflict as error:
                decision = after(delivery, Claimed(str(error)), begun.at)
        until = left_alone_until(begun, decision, tried)
        await ledger.record_decision(tx, begun.in_ledger, decision, begun.at, until, tried.said)
        if decision.ehr_away and not isinstance(tried.outcome, Busy):
            await self._note_away(tx, begun.at, decision.reason, None)


def _insist(*, settled: bool) -> None:
    """Have the transaction undone if the attempt could not be settled in it."""
    if not settled:
        raise _NotSettled


class _NotSettled(Exception):  # noqa: N818  what is written down instead is found out apart
    """Another has overtaken the attempt, or the resource is another delivery's already."""
