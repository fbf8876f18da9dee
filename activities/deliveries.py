"""Write to EHRs what the ledger holds: exactly one effect each, whatever is lost on the way.

Take the next delivery of a lane, try it (`activities/attempt.py`), ask the domain what follows
(`domain/delivery/after.py`), commit that. The ledger says `sent` before the first byte leaves.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.attempt import InHand, Tried, attempt
from activities.capabilities import Plans
from domain.delivery.after import after, given_up
from domain.delivery.outcomes import Broke, Busy, Claimed, Lost
from domain.delivery.words import Action, Delivery, DeliveryDecision, LastSeen
from domain.language.errors import Conflict
from fhir_adapters.content.references import artefacts_in
from fhir_adapters.ehr import Ehrs
from fhir_adapters.exchange.last_seen import last_seen
from store import lanes, ledger, restores
from store.database import Database, Transaction
from temporal.clock import Clock
from workflows.messages import LaneInput, LaneProgress

log = structlog.get_logger("kairos.deliveries")

MOST_AT_ONCE = 20
"""Deliveries of one activity, so that a run's history stays short."""

BEAT_EVERY = timedelta(seconds=3)

ONE_DELIVERY = timedelta(seconds=40)
"""The longest that one delivery may take in all; after that its outcome is unknown."""

BEGIN_NONE_AFTER = timedelta(seconds=15)
"""With one delivery more this stays below the activity's 60 s, so that no attempt that Temporal
has given up on is still writing while the next one begins."""

LOOK_AGAIN = timedelta(seconds=15)
"""The longest that a lane sleeps while one of its deliveries is left alone: what was committed
meanwhile and does not need that one goes out by then."""


ASIDE_WHILE_BUSY = timedelta(seconds=60)
"""How long one that the EHR was too busy for is left alone while it takes others."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """A delivery that is being tried: as it was found, and as it stands in the ledger since.

    `taken` is what it takes to try it, or the type of the error that getting it came to.
    """

    at: datetime
    found: Delivery
    in_hand: InHand | str
    in_ledger: Delivery


class Deliveries:
    """The activity, with what it needs."""

    def __init__(self, database: Database, ehrs: Ehrs, plans: Plans, clock: Clock) -> None:
        self._database = database
        self._ehrs = ehrs
        self._plans = plans
        self._clock = clock
        # Until when which delivery of a lane is left alone. Not stored: a process that does not
        # know tries it early, which costs an attempt and harms nothing.
        self._aside: dict[tuple[str, str], dict[int, datetime]] = {}
        # Which deliveries of a lane the EHR was too busy for, and whether it took others since.
        self._busy: dict[tuple[str, str], dict[int, bool]] = {}

    @activity.defn(name="deliver")
    async def deliver(self, lane: LaneInput) -> LaneProgress:
        """Deliver in order until the lane is empty or enough was done.

        Raises a retryable `EhrUnavailable` when the EHR is away, or when all that is left is to be
        left alone for a while; the ledger says how far it came.
        """
        async with _alive():
            await self._notice_a_restore()
            return await self._drain(lane)

    async def _notice_a_restore(self) -> None:
        """See before anything is sent whether what counts as unsent may be believed."""
        now = await self._clock.pace()
        async with self._database.begin() as tx:
            if await restores.is_another(tx, now):
                log.error("database_restored")

    async def _drain(self, lane: LaneInput) -> LaneProgress:
        running = asyncio.get_running_loop()
        began = running.time()
        key = (lane.connection_id, lane.patient_id)
        busy: ApplicationError | None = None
        for delivered in range(MOST_AT_ONCE):
            if running.time() - began > BEGIN_NONE_AFTER.total_seconds():
                return LaneProgress(delivered, more=True)
            try:
                begun = await self._begin(lane)
            except ApplicationError as left_alone:
                raise busy or left_alone from None
            if begun is None:
                if busy is not None:
                    raise busy
                return LaneProgress(delivered, more=False)
            tried = await self._try(lane, begun)
            decision = await self._conclude(begun, tried)
            if decision.ehr_away:
                waits = _unavailable(decision.reason, decision.wait)
                if busy is not None or tried.ehr_id or not isinstance(tried.outcome, Busy):
                    raise waits
                # It may be this one alone that the EHR does not take now: one other is tried.
                busy = waits
                self._busy.setdefault(key, {})[begun.in_ledger.id] = False
                self._leave_alone(lane, begun, ASIDE_WHILE_BUSY)
                continue
            busy = None
            still_asked = isinstance(tried.outcome, Busy) and not decision.needs_person
            self._ehr_answers_others(key, [begun.in_ledger.id] if still_asked else [])
            if decision.wait is not None:
                self._leave_alone(lane, begun, decision.wait)
        return LaneProgress(MOST_AT_ONCE, more=True)

    def _ehr_answers_others(self, key: tuple[str, str], still_asked: Collection[int]) -> None:
        """Note that the EHR is busy for these alone: it took or refused another meanwhile."""
        alone = dict.fromkeys([*self._busy.pop(key, {}), *still_asked], True)
        if alone:
            self._busy[key] = alone

    def _leave_alone(self, lane: LaneInput, begun: _Begun, wait: timedelta) -> None:
        aside = self._aside.setdefault((lane.connection_id, lane.patient_id), {})
        aside[begun.in_ledger.id] = begun.at + wait

    async def _begin(self, lane: LaneInput) -> _Begun | None:
        """Take the next delivery and commit that it is about to be tried.

        None if the lane holds nothing more.
        """
        now = await self._clock.pace()
        aside = self._left_alone(lane, now)
        async with self._database.begin() as tx:
            delivery = await self._next(tx, lane, aside, now)
            if delivery is not None:
                in_hand = await self._taken(tx, delivery)
                return _Begun(now, delivery, in_hand, await ledger.begin(tx, delivery, now))
        if aside:
            raise _unavailable("left alone for a while", min(min(aside.values()) - now, LOOK_AGAIN))
        return None

    def _left_alone(self, lane: LaneInput, now: datetime) -> dict[int, datetime]:
        key = (lane.connection_id, lane.patient_id)
        aside = {id_: until for id_, until in self._aside.pop(key, {}).items() if until > now}
        if aside:
            self._aside[key] = aside
        return aside

    async def _next(
        self, tx: Transaction, lane: LaneInput, aside: Collection[int], now: datetime
    ) -> Delivery | None:
        """Find the next delivery; those whose attempts are used up become a person's."""
        while True:
            delivery = await lanes.next_in_lane(tx, lane.connection_id, lane.patient_id, aside)
            asks = None if delivery is None else given_up(delivery)
            if delivery is None or asks is None:
                return delivery
            await ledger.record_decision(tx, delivery, asks, now)

    async def _taken(self, tx: Transaction, delivery: Delivery) -> InHand | str:
        """Get what it takes. A defect of ours in that is an attempt too, or it would never end."""
        changes = delivery.action is Action.UPDATE
        before = await ledger.seen_before(tx, delivery) if changes else []
        plan = await self._plans.of(tx, delivery.connection_id)
        try:
            seen = last_seen(before) if changes else LastSeen()
            needs = {delivery.artefact, *delivery.needs, *artefacts_in(seen.elements)}
        except Exception as error:
            log.exception("delivery_not_taken", delivery_id=delivery.id)
            return type(error).__name__
        return InHand(delivery, plan, await ledger.links(tx, delivery.connection_id, needs), seen)

    async def _try(self, lane: LaneInput, begun: _Begun) -> Tried:
        """Try it within its time."""
        in_hand = begun.in_hand
        if isinstance(in_hand, str):
            return Tried(begun.found.ehr_id, Broke(in_hand))
        key = (lane.connection_id, lane.patient_id)
        alone = self._busy.get(key, {}).pop(begun.found.id, False)
        trying = attempt(self._ehrs[lane.connection_id].client, in_hand)
        try:
            tried = await asyncio.wait_for(trying, ONE_DELIVERY.total_seconds())
        except TimeoutError:
            # Each request has a shorter limit of its own, so the EHR did answer some of them.
            return Tried(in_hand.delivery.ehr_id, Lost(ehr_answers=True))
        if alone and isinstance(tried.outcome, Busy):
            return replace(tried, outcome=replace(tried.outcome, alone=True))
        return tried

    async def _conclude(self, begun: _Begun, tried: Tried) -> DeliveryDecision:
        """Commit what follows, unless another attempt has taken the delivery since."""
        delivery = replace(begun.found, ehr_id=tried.ehr_id)
        decision = after(delivery, tried.outcome, begun.at)
        async with self._database.begin() as tx:
            if await ledger.overtaken(tx, begun.in_ledger):
                return decision
            if decision.linked and decision.ehr_id is not None:
                try:
                    await ledger.link(tx, delivery, decision.ehr_id)
                except Conflict as error:
                    decision = after(delivery, Claimed(str(error)), begun.at)
            await ledger.record_decision(tx, begun.in_ledger, decision, begun.at)
        return decision


@asynccontextmanager
async def _alive() -> AsyncIterator[None]:
    """Say every few seconds that this worker lives, so that another takes over if it does not."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(BEAT_EVERY.total_seconds())

    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()


def _unavailable(message: str | None, after: timedelta | None) -> ApplicationError:
    """Say that the lane waits: expected, so neither loud nor final."""
    return ApplicationError(
        message or "",
        type="EhrUnavailable",
        category=ApplicationErrorCategory.BENIGN,
        next_retry_delay=after,
    )
