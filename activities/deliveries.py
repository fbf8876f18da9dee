"""Write to EHRs what the ledger holds: exactly one effect each, whatever is lost on the way.

The ledger says `sent` before the first byte leaves. What was sent and not answered is looked for
before anything is sent again. What an EHR refuses or changes goes to a person.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from activities.capabilities import Plans
from activities.outcomes import SETTLING, Outcomes, Taken
from domain.delivery.words import Action, DeliveryState, Standing
from domain.language.errors import Malformed
from domain.language.names import EhrPatientId
from fhir_adapters.content.references import artefacts_in, resolve
from fhir_adapters.ehr import Ehrs
from fhir_adapters.exchange.client import Written
from fhir_adapters.exchange.failures import (
    Busy,
    Disputed,
    EhrRefused,
    NeverSent,
    NoAnswer,
    OutcomeUnknown,
    Stale,
    WrongPatient,
)
from fhir_adapters.exchange.verbs import (
    Absent,
    Ambiguous,
    Found,
    Unproven,
    find,
    read_back,
    send,
)
from fhir_adapters.profile.verdicts import Verdict
from store import lanes, ledger
from store.database import Database
from temporal.clock import Clock
from workflows.messages import LaneInput, LaneProgress

MOST_AT_ONCE = 20
"""Deliveries of one activity, so that a run's history stays short."""

BEAT_EVERY = timedelta(seconds=3)

ONE_DELIVERY = timedelta(seconds=40)
"""The longest that one delivery may take in all; after that its outcome is unknown."""

BEGIN_NONE_AFTER = timedelta(seconds=15)
"""With one delivery more this stays below the activity's 60 s, so that no attempt that Temporal
has given up on is still writing while the next one begins."""


class Deliveries:
    """The activity, with what it needs."""

    def __init__(self, database: Database, ehrs: Ehrs, plans: Plans, clock: Clock) -> None:
        """Keep the tools."""
        self._database = database
        self._ehrs = ehrs
        self._plans = plans
        self._clock = clock
        self._outcomes = Outcomes(database)

    @activity.defn(name="deliver")
    async def deliver(self, lane: LaneInput) -> LaneProgress:
        """Deliver in order until the lane is empty or enough was done.

        Raises a retryable `EhrUnavailable` when the EHR is away; the ledger says how far it came.
        """
        async with _alive():
            return await self._drain(lane)

    async def _drain(self, lane: LaneInput) -> LaneProgress:
        running = asyncio.get_running_loop()
        began = running.time()
        for delivered in range(MOST_AT_ONCE):
            if running.time() - began > BEGIN_NONE_AFTER.total_seconds():
                return LaneProgress(delivered, more=True)
            taken = await self._take(lane)
            if taken is None:
                return LaneProgress(delivered, more=False)
            try:
                await asyncio.wait_for(self._deliver_one(lane, taken), ONE_DELIVERY.total_seconds())
            except TimeoutError:
                await self._outcomes.settle(taken, DeliveryState.UNKNOWN, "no answer in time")
                raise _away("the EHR did not answer in time") from None
        return LaneProgress(MOST_AT_ONCE, more=True)

    async def _take(self, lane: LaneInput) -> Taken | None:
        """Take the next delivery and commit that it is about to be sent."""
        now = await self._clock.now()
        async with self._database.begin() as tx:
            row = await lanes.next_in_lane(tx, lane.connection_id, lane.patient_id)
            if row is None:
                return None
            changes = row.action == Action.UPDATE
            standing = await ledger.standing(tx, row) if changes else Standing()
            needs = {row.artefact, *row.needs, *artefacts_in(standing.elements)}
            known = await ledger.links(tx, lane.connection_id, needs)
            was, changed = DeliveryState(row.state), row.changed_at
            row.attempts += 1
            if was is DeliveryState.INTENT:
                ledger.move(row, DeliveryState.SENT, now)
            plan = await self._plans.of(tx, lane.connection_id)
            return Taken(
                row.id,
                row.attempts,
                was,
                now,
                changed,
                plan,
                ledger.intent_of(row),
                known,
                EhrPatientId(row.patient_id),
                row.ehr_id,
                standing,
            )

    async def _deliver_one(self, lane: LaneInput, taken: Taken) -> None:
        """Send it, or look for it if it was sent before; then read back and compare."""
        stands = None if taken.ehr_id is None else Written(taken.ehr_id, None)
        try:
            if stands is None:
                stands = await self._send_or_find(lane, taken)
            if stands is not None:
                await self._prove(lane, taken, stands)
        except NeverSent as error:
            await self._outcomes.wait(taken, stands, "the EHR cannot be reached")
            raise _away("the EHR cannot be reached") from error
        except Busy as error:
            await self._outcomes.wait(taken, stands, str(error))
            raise _away(str(error), error.retry_after) from error
        except (OutcomeUnknown, NoAnswer) as error:
            ehr_id = stands.ehr_id if stands else None
            await self._outcomes.settle(
                taken, DeliveryState.UNKNOWN, "the answer was lost", ehr_id=ehr_id
            )
            raise _away("the EHR's answer was lost") from error

    async def _send_or_find(self, lane: LaneInput, taken: Taken) -> Written | None:
        """Say as what it stands in the EHR. None if it does not, and that is settled."""
        client = self._ehrs[lane.connection_id].client
        try:
            if taken.was is not DeliveryState.INTENT:
                return await self._look_for(lane, taken)
            return await send(
                client, taken.plan, taken.intent, taken.known, taken.patient, taken.standing
            )
        except Disputed as error:
            await self._outcomes.disputed(taken, error)
        except Stale:
            await self._outcomes.again(taken, "someone else changed it in the EHR")
            raise _away("someone else is changing it in the EHR") from None
        except WrongPatient as error:
            await self._outcomes.settle(taken, DeliveryState.MISFILED, str(error), person=True)
        except (EhrRefused, Malformed) as error:
            await self._outcomes.settle(taken, DeliveryState.REFUSED, str(error), person=True)
        return None

    async def _prove(self, lane: LaneInput, taken: Taken, stands: Written) -> None:
        """Read back what stands in the EHR. It stands, so whatever the answer, it is not refused.

        A read may not see yet what was just written: one that finds nothing is tried again until
        that has had its time.
        """
        client = self._ehrs[lane.connection_id].client
        intent, known = taken.intent, stands.whole is not None
        try:
            compared = await read_back(
                client,
                intent.resource_type,
                stands.ehr_id,
                stands.whole or resolve(intent.body, taken.known),
                patient=taken.patient,
                rewrites=taken.plan.rewrites(intent.resource_type),
                whole=known or intent.action is Action.CREATE,
            )
        except EhrRefused as error:
            waited = taken.was is not DeliveryState.INTENT and taken.settled
            person = waited or error.verdict is not Verdict.NOT_FOUND
            reason = f"written, but not read back: {error}"
            unknown = DeliveryState.UNKNOWN
            await self._outcomes.settle(taken, unknown, reason, person=person, ehr_id=stands.ehr_id)
            if not person:
                raise _away("waiting to read back what was written") from error
        else:
            await self._outcomes.in_ehr(taken, stands.ehr_id, compared)

    async def _look_for(self, lane: LaneInput, taken: Taken) -> Written | None:
        """Find out what became of a write whose answer was lost. None if that settles it."""
        client = self._ehrs[lane.connection_id].client
        result = await find(client, taken.plan, taken.intent, taken.known)
        match result:
            case Found(ehr_id=ehr_id, version=version):
                return Written(ehr_id, version, existed=True)
            case Absent():
                once = taken.plan.support(taken.intent.resource_type).creates_once
                change = taken.intent.action is Action.UPDATE
                if not (once or change or taken.settled):
                    raise _away("waiting whether a lost write still surfaces", SETTLING.seconds)
                await self._outcomes.again(taken, "looked for and not there")
            case Ambiguous(count=count):
                reason = f"{count} resources could be this one"
                await self._outcomes.settle(taken, DeliveryState.UNKNOWN, reason, person=True)
            case Unproven(why=why):
                await self._outcomes.settle(taken, DeliveryState.UNKNOWN, why, person=True)
        return None


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


def _away(message: str, after: float | None = None) -> ApplicationError:
    """Say that the EHR is away: expected, so neither loud nor final. `after` in seconds."""
    return ApplicationError(
        message,
        type="EhrUnavailable",
        category=ApplicationErrorCategory.BENIGN,
        next_retry_delay=timedelta(seconds=after) if after is not None else None,
    )
