"""Drain the lanes of one EHR: a few at a time, for as long as the worker runs.

Woken by a bell when something was committed, and looks every second all the same. While the EHR is
away its lanes ask nothing: one question is asked now and then, and when it is answered one lane's
write goes first, and the rest follow.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import timedelta

import structlog

from activities.capabilities import probe
from activities.deliveries import Deliveries
from activities.in_hand import Begun, Concluded
from activities.job_notes import note, why_of
from domain.language.errors import Malformed, Unavailable
from fhir_adapters.ehr import Ehr
from fhir_adapters.exchange.failures import EhrRefused, Garbled
from store import jobs, outages, queue, restores
from store.database import Database
from temporal.clock import Clock

READ_EVERY = 3600.0
"""Seconds between two readings of what the EHR says that it can do."""

READ_AGAIN = 60.0
"""Seconds after which it is read again when that came to nothing and nothing waits for it."""

LOOK_EVERY = 1.0
"""Seconds of real time between looks when no bell rings."""

ANSWERS_WITHIN = 8.0
"""Seconds that an EHR has to say what it can do, before the answer counts as none."""

SOON = timedelta(minutes=5)
"""How long an EHR that is away is asked at `EARLY`, then at `LATE`."""

EARLY, LATE = timedelta(seconds=1), timedelta(seconds=28)
"""With the second between looks, questions are at most 2 s apart at first, and 30 s later."""

QUESTIONS = 4
"""Questions that may wait for an answer at once: a network that swallows them must not hide for
long that the EHR is back."""

log = structlog.get_logger("kairos.deliveries")


class Drain:
    """The lanes of one connection, as many at once as `at_once`, for one holder."""

    def __init__(
        self,
        database: Database,
        ehr: Ehr,
        deliveries: Deliveries,
        clock: Clock,
        holder: str,
        at_once: int,
    ) -> None:
        self._database = database
        self._ehr = ehr
        self._deliveries = deliveries
        self._clock = clock
        self._holder = holder
        self._at_once = at_once
        self._bell = asyncio.Event()
        self._rung = 0
        self._lanes: set[asyncio.Task[None]] = set()
        self._questions: set[asyncio.Task[None]] = set()
        self._looked: float | None = None
        self._read_next = 0.0
        self._was_read = False
        self._made = -1
        self._away = False
        self._suspected = False
        self._trying = False
        self._looks_no_more = asyncio.Event()
        self._looks_no_more.set()

    def ring(self) -> None:
        """Say that there may be something to deliver, for one lane more."""
        self._rung += 1
        self._bell.set()

    async def run(self) -> None:
        """Deliver until `stop`, or until cancelled. Whatever goes wrong, it looks again."""
        self._looks_no_more.clear()
        try:
            while not self._deliveries.stopping:
                try:
                    await self.look()
                except Unavailable as error:
                    connection = self._ehr.connection_id
                    log.warning("drain_waits", connection=connection, reason=str(error))
                except Exception:
                    log.exception("drain_failed", connection=self._ehr.connection_id)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._bell.wait(), LOOK_EVERY)
                self._bell.clear()
        finally:
            self._looks_no_more.set()

    async def stop(self) -> None:
        """Take nothing more, end the writes under way, and let go of what is in hand."""
        self._deliveries.stopping = True
        self.ring()
        for question in self._questions:
            question.cancel()
        await self._looks_no_more.wait()  # a look under way may still begin a write
        while self._lanes:
            await asyncio.wait(self._lanes)
        with suppress(Unavailable):
            async with self._database.begin() as tx:
                await queue.gone(tx, self._ehr.connection_id, self._holder)

    async def look(self) -> None:
        """See to what only time brings, and take what is ready, as far as hands are free."""
        now = asyncio.get_running_loop().time()
        at_large = self._looked is None or now - self._looked >= LOOK_EVERY or self._away
        if at_large:
            await self._see_to_it()
            self._looked = now
        if self._away:
            await self._ask()
            return
        while (at_large or self._rung) and len(self._lanes) < self._at_once:
            if self._made != self._database.made:
                await self._notice_a_restore()
            self._rung = max(self._rung - 1, 0)
            begun = await self._deliveries.take()
            if begun is None:
                return
            self._begin(begun)

    async def until_idle(self) -> None:
        """Deliver all that is ready now. For a test, and for a command that ends."""
        while True:
            self._looked = None
            await self.look()
            under_way = {*self._lanes, *self._questions}
            if not under_way:
                return
            await asyncio.wait(under_way)

    async def _see_to_it(self) -> None:
        """Say that we live, free what the dead hold, and see whether the EHR is away."""
        connection = self._ehr.connection_id
        now = await self._clock.pace()
        async with self._database.begin() as tx:
            await queue.say_alive(tx, self._holder)
        await self._deliveries.let_go_of_forgotten(now)
        async with self._database.begin() as tx:
            freed = await queue.free_what_dead_hold(tx, connection, self._holder, now)
            self._away = await outages.of(tx, connection) is not None
        if freed:
            log.warning("lanes_freed", connection=connection, count=freed)
        if not self._away and not self._questions:
            self._wonder()

    def _wonder(self) -> None:
        """Read again what the EHR can do, if it is time; or whether it is there, if in doubt."""
        now = asyncio.get_running_loop().time()
        if self._suspected or now >= self._read_next:
            self._read_next = now + READ_AGAIN
            self._put(self._is_it_there(in_doubt=self._suspected or not self._was_read))
            self._suspected = False

    def _put(self, question: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(question)
        self._questions.add(task)
        task.add_done_callback(self._questions.discard)

    async def _is_it_there(self, *, in_doubt: bool) -> None:
        """Ask; one that is in doubt and does not answer is away."""
        if await self._answers() or not in_doubt:
            return
        now = await self._clock.pace()
        async with self._database.begin() as tx:
            why = "it did not return its CapabilityStatement"
            if await outages.note(tx, self._ehr.connection_id, now, now + EARLY, why):
                log.warning("ehr_away", connection=self._ehr.connection_id)
        self._away = True

    async def _notice_a_restore(self) -> None:
        """See before anything is sent whether what counts as unsent may be believed.

        A database that was restored has dropped every connection.
        """
        made = self._database.made
        now = await self._clock.pace()
        async with self._database.begin(restores.WITHIN_SECONDS) as tx:
            if await restores.is_another(tx, now):
                log.error("database_restored")
        self._made = made

    def _begin(self, begun: Begun) -> None:
        self._hand(self._deliver(begun))

    def _hand(self, work: Coroutine[None, None, None]) -> None:
        lane = asyncio.create_task(work)
        self._lanes.add(lane)
        lane.add_done_callback(self._is_free)

    def _is_free(self, lane: asyncio.Task[None]) -> None:
        self._lanes.discard(lane)
        if self._rung:  # somebody rang while all hands were busy
            self._bell.set()

    async def _deliver(self, begun: Begun | None) -> None:
        """Deliver one after the other, until nothing is ready or the EHR is away."""
        while begun is not None:
            begun = (await self._one(begun)).following

    async def _one(self, begun: Begun) -> Concluded:
        """Deliver one. A defect of ours lets its lane rest; the ledger says that it was sent."""
        try:
            tried = await self._deliveries.attempt(begun)
            # Where hands are free they have what is ready already, or will be rung for it.
            all_busy = len(self._lanes) >= self._at_once
            concluded = await self._deliveries.conclude(begun, tried, go_on=all_busy)
        except Exception:
            log.exception("delivery_not_concluded", delivery_id=begun.found.id)
            await self._deliveries.let_rest(begun)
            return Concluded()
        if self._deliveries.left_ready:
            self._deliveries.left_ready = False
            self.ring()
        self._away = self._away or concluded.away
        self._suspected = self._suspected or concluded.busy
        return concluded

    async def _ask(self) -> None:
        """Ask an EHR that is away whether it is back, if it is time and no other process asks."""
        now = await self._clock.pace()
        connection = self._ehr.connection_id
        async with self._database.begin() as tx:
            found = await outages.of(tx, connection)
            self._away = found is not None
            if found is None:
                self._looked = None
                self._bell.set()
                return
            pause = EARLY if now - found.since < SOON else LATE
            if len(self._questions) < QUESTIONS and await outages.may_ask(
                tx, connection, self._holder, now, now + pause
            ):
                self._put(self._is_it_back())

    async def _is_it_back(self) -> None:
        """Ask, and if it answers let one write go first."""
        if not await self._answers() or self._trying:
            if self._questions == {asyncio.current_task()} and not self._trying:
                await self._has_asked()
            return
        self._trying = True
        for other in self._questions - {asyncio.current_task()}:
            other.cancel()
        self._hand(self._try_one())

    async def _has_asked(self) -> None:
        async with self._database.begin() as tx:
            await outages.has_asked(tx, self._ehr.connection_id, self._holder)

    async def _try_one(self) -> None:
        """Deliver one while the EHR counts as away; if that comes to something it is back."""
        try:
            begun = await self._deliveries.take(probing=True)
            concluded = Concluded() if begun is None else await self._one(begun)
            if concluded.away:
                await self._has_asked()
                return
            async with self._database.begin() as tx:
                await outages.over(tx, self._ehr.connection_id)
            log.info("ehr_back", connection=self._ehr.connection_id)
            self._away = False
            self._looked = None  # there is a lane for every hand
            self._bell.set()
            await self._deliver(concluded.following)
        except Unavailable as error:
            log.warning("drain_waits", connection=self._ehr.connection_id, reason=str(error))
        finally:
            self._trying = False

    async def _answers(self) -> bool:
        """Say whether the EHR answers what every EHR can be asked for; keep what it says."""
        running = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(ANSWERS_WITHIN):
                await probe(self._database, self._ehr, self._clock)
        except (EhrRefused, Malformed, Garbled) as error:
            kind = type(error).__name__
            log.warning("probe_failed", connection=self._ehr.connection_id, error_type=kind)
            await self._note(error)
            return not (isinstance(error, EhrRefused) and error.strange)
        except (Unavailable, TimeoutError) as error:
            kind = type(error).__name__
            log.warning("probe_failed", connection=self._ehr.connection_id, error_type=kind)
            await self._note(error)
            return False
        except Exception as error:
            # A defect of ours in what it answered: that is no reason to write nothing there.
            log.exception("probe_failed", connection=self._ehr.connection_id)
            await self._note(error)
            return True
        await self._note(None)
        self._was_read = True
        self._read_next = running.time() + READ_EVERY
        return True

    async def _note(self, error: Exception | None) -> None:
        why = None if error is None else why_of(error) or type(error).__name__
        await note(self._database, jobs.capability_of(self._ehr.connection_id), why)
