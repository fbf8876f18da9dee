"""Find pathways that stand still because of us, and set them going again from the store.

A run holds nothing that the store does not hold, so a workflow that is gone (terminated, its
history lost, Temporal restored) is started anew and goes on. Runs beside the worker.
"""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4
from zlib import crc32

import structlog
from temporalio.client import Client

from activities.job_notes import note, why_of
from build import RULES, SHAPE
from domain.language.errors import Unavailable
from domain.language.names import PathwayStatus
from store import jobs, leases, pathways, queue, restores
from store.database import Database
from store.recording import Recording
from temporal import gateway, versions
from temporal.clock import Clock
from workflows.messages import (
    ROLL_OVER_AT,
    PathwayInput,
    pathway_workflow_id,
)

SWEEP_EVERY = timedelta(minutes=1)
"""Real time between sweeps, of all workers together: what is gone is found well within five."""

PER_SECOND = 50
"""Questions to Temporal a second at most, so that a sweep of thousands is no load on it."""

SIDE_BY_SIDE = 4
"""Pathways looked at together. Measured: one after the other, 22 a second come back."""

ROUNDS = 4
"""Sweeps in which every pathway is asked after once, whatever the index says of it: 5,000 take 21
questions a second, and one that is gone is found within five minutes."""

UNREADABLE_TIMES = 2

PAGE = 500

OVERDUE = timedelta(minutes=1)
"""How long past its due time a pathway is left to its own timer."""

BUILD_KNOWN_WITHIN = 30
"""Seconds within which the server has seen a worker that polls. After that the sweep sees to it."""

ASK_AGAIN = timedelta(minutes=10)
"""Least real time between two looks that one worker asks of a pathway because of its rules: while
two builds with other rules run, each finds the other's."""

log = structlog.get_logger("kairos.recovery")


class Recovery:
    """Sweeps all pathways that are going on, and restarts one when asked to."""

    def __init__(
        self,
        database: Database,
        client: Client,
        clock: Clock,
        *,
        roll_over_at: int = ROLL_OVER_AT,
        rules: str = RULES,
    ) -> None:
        self._database = database
        self._client = client
        self._clock = clock
        self._roll_over_at = roll_over_at
        self._rules = rules
        self._holder = str(uuid4())
        self._lease = f"sweep/{SHAPE}/{rules}"  # each build sees to its own
        self._asked: dict[str, float] = {}
        self._silent: dict[str, int] = {}  # looks at which Temporal could not read the run
        self._round = 0

    async def run(self) -> None:
        """Sweep until cancelled. Whatever goes wrong with one sweep, the next one is made."""
        try:
            while True:
                try:
                    if await self._is_ours():
                        await self.sweep()
                        await note(self._database, jobs.SWEEP)
                except Exception as error:  # noqa: BLE001  a sweep that ends for good finds nothing
                    log.warning("sweep_failed", error_type=type(error).__name__)
                    await note(self._database, jobs.SWEEP, why_of(error))
                await asyncio.sleep(SWEEP_EVERY.total_seconds())
        finally:
            with suppress(Unavailable):
                async with self._database.begin() as tx:
                    await leases.give_back(tx, self._lease, self._holder)

    async def sweep(self) -> None:
        """Look at every pathway that goes on, and ring for every lane that has something open."""
        await self.notice_a_restore()
        running = await gateway.running_pathways(self._client)
        lost = set(running or ())
        after = ""
        while True:
            async with self._database.begin() as tx:
                page = await pathways.unfinished(tx, after, PAGE)
            await self._is_ours()
            lost.difference_update(pathway_id for pathway_id, _ in page)
            here = running or set()
            await self._look_at_each([each for each in page if self._wants_a_look(*each, here)])
            if len(page) < PAGE:
                break
            after = page[-1][0]
        self._round = (self._round + 1) % ROUNDS
        await self._end_what_the_store_lost(lost)
        await self._look_at_what_is_overdue()
        await self._ring_for_lanes()
        await self._look_at_builds()

    def _wants_a_look(self, pathway_id: str, rules: str, running: set[str]) -> bool:
        """Say whether to ask after a pathway in this sweep.

        One that the index has running is asked after now and then all the same: the index may
        still list what is gone.
        """
        if pathway_id not in running or rules != self._rules or pathway_id in self._silent:
            return True
        return crc32(pathway_id.encode()) % ROUNDS == self._round

    async def _end_what_the_store_lost(self, running: set[str]) -> None:
        """End workflows of pathways that the store does not know: a restore lost them whole."""
        for pathway_id in sorted(running):
            async with self._database.begin() as tx:
                known = await pathways.find(tx, pathway_id) is not None
            if known:
                continue
            log.error("pathway_lost", pathway_id=pathway_id)
            await asyncio.sleep(1 / PER_SECOND)
            with suppress(Unavailable):
                workflow_id = pathway_workflow_id(pathway_id)
                await gateway.end(self._client, workflow_id, "the pathway is not in the database")

    async def restart(self, pathway_id: str, *, anew: bool = False, was_lost: bool = True) -> bool:
        """Start a pathway's workflow again, if the store says that it goes on; whether it does.

        The end of a pathway is stored before its workflow ends, so one that the store has open
        after its workflow was seen gone has lost it. One that is over goes on while it is due.
        With `anew` the run that there is ends, and unless it `was_lost` that is said nowhere: it is
        brought over to this build.
        LookupError if the store knows no such one.
        """
        async with self._database.begin() as tx:
            row = await pathways.find(tx, pathway_id)
        if row is None:
            raise LookupError("no such pathway")
        if row.status is PathwayStatus.FINISHED and row.due_at is None:
            return False
        if not await self.start(pathway_id, row.version, anew=anew):
            return True
        if not was_lost:
            log.info("workflow_brought_over", pathway_id=pathway_id, version=row.version)
            return True
        log.error("workflow_restarted", pathway_id=pathway_id, version=row.version)
        now = await self._clock.now()
        async with self._database.begin() as tx, Recording.on(tx, pathway_id) as recording:
            recording.restarted(now)
        return True

    async def start(self, pathway_id: str, version: int = 0, *, anew: bool = False) -> bool:
        """Start a pathway's workflow; False if one runs. The caller knows that it may run."""
        start = PathwayInput(pathway_id, self._roll_over_at, version)
        return await gateway.start_pathway(self._client, start, anew=anew)

    async def _is_ours(self) -> bool:
        """Say whether this worker sweeps, and not another one of its build."""
        async with self._database.begin() as tx:
            now = datetime.now(UTC)
            return await leases.take(tx, self._lease, self._holder, now, 2 * SWEEP_EVERY)

    async def _look_at_each(self, found: list[tuple[str, str]]) -> None:
        """Look at pathways, a few side by side and no more in a second than may be."""
        for first in range(0, len(found), SIDE_BY_SIDE):
            together = found[first : first + SIDE_BY_SIDE]
            looks = (self._look_at(pathway_id, rules) for pathway_id, rules in together)
            await asyncio.gather(asyncio.sleep(len(together) / PER_SECOND), *looks)

    async def _look_at(self, pathway_id: str, rules: str) -> None:
        """Restart a pathway whose workflow is gone; have one under other rules look again."""
        try:
            if not await gateway.is_running(self._client, pathway_id):
                await self.restart(pathway_id)
            elif rules != self._rules and self._may_ask(pathway_id):
                await gateway.look(self._client, pathway_id)
            self._silent.pop(pathway_id, None)
        except gateway.HistoryLost:
            await self._history_lost(pathway_id)
        except Unavailable:
            return  # it is looked at again in the next sweep
        except Exception as error:  # noqa: BLE001  one that is odd must not hide the others
            kind = type(error).__name__
            log.warning("look_failed", pathway_id=pathway_id, error_type=kind)

    async def _history_lost(self, pathway_id: str) -> None:
        """Start a pathway anew whose run Temporal could not read twice: a run holds nothing."""
        self._silent[pathway_id] = times = self._silent.get(pathway_id, 0) + 1
        log.warning("history_lost", pathway_id=pathway_id, count=times)
        if times >= UNREADABLE_TIMES:
            with suppress(Unavailable):
                await self.restart(pathway_id, anew=True)
                del self._silent[pathway_id]

    def _may_ask(self, pathway_id: str) -> bool:
        now = asyncio.get_running_loop().time()
        if now < self._asked.get(pathway_id, now):
            return False
        self._asked[pathway_id] = now + ASK_AGAIN.total_seconds()
        return True

    async def notice_a_restore(self) -> None:
        """See whether this is still the database that it was, however long it takes to be there.

        Asked before anything is sent, and with each sweep.
        """
        while True:
            try:
                now = await self._clock.pace()
                async with self._database.begin(restores.WITHIN_SECONDS) as tx:
                    if await restores.is_another(tx, now):
                        log.error("database_restored")
            except Unavailable:
                log.warning("waits_for_database")
                await asyncio.sleep(1)
            else:
                return

    async def begin_here(self) -> None:
        """Have new runs begin with workers of this build, unless a newer one has a worker."""
        for _ in range(BUILD_KNOWN_WITHIN):
            with suppress(Unavailable):
                found = await versions.builds(self._client)
                if found is None or found.newest in ("", SHAPE):
                    await versions.make_current(self._client)
                    return
                if SHAPE in found.with_worker:
                    return
            await asyncio.sleep(1)
        log.warning("build_not_current")

    async def _look_at_what_is_overdue(self) -> None:
        """Have pathways look that should have by now: their runs were not told in time."""
        late = await self._clock.now() - OVERDUE
        async with self._database.begin() as tx:
            found = await pathways.due_by(tx, late)
        for pathway_id in found:
            await asyncio.sleep(1 / PER_SECOND)
            with suppress(Unavailable):
                await gateway.look(self._client, pathway_id)

    async def _ring_for_lanes(self) -> None:
        """Ring for each lane with something open: a bell may be lost, or an older build's work."""
        async with self._database.begin() as tx:
            await queue.ring_for_what_is_open(tx, await self._clock.pace())

    async def _look_at_builds(self) -> None:
        """Bring runs of other builds to this one, if new runs begin here.

        One whose build still has a worker hands over by itself. One whose build has none is started
        anew: what it would have to hand over is in the store.
        """
        found = await versions.builds(self._client)
        if found is None:
            return
        if SHAPE == found.newest != found.current:
            await versions.make_current(self._client)
        elif found.current != SHAPE:
            return
        for build in sorted((found.with_runs | {""}) - {SHAPE}):
            alive = build in found.with_worker
            for workflow_id in await versions.running_of_build(self._client, build):
                await asyncio.sleep(1 / PER_SECOND)
                await self._bring_over(workflow_id, build, alive=alive)

    async def _bring_over(self, workflow_id: str, build: str, *, alive: bool) -> None:
        pathway_id = workflow_id.removeprefix(pathway_workflow_id(""))
        try:
            # The index may still list a run that is gone; the one that there is is left alone.
            if await gateway.build_running(self._client, workflow_id) != build:
                return
            if pathway_id == workflow_id:
                await self._end_lane(workflow_id, alive=alive)
            elif alive:
                await gateway.roll_over(self._client, pathway_id)
            else:
                await self.restart(pathway_id, anew=True, was_lost=False)
        except (Unavailable, LookupError):
            return  # it is looked at again in the next sweep

    async def _end_lane(self, workflow_id: str, *, alive: bool) -> None:
        """A lane was a workflow once. One of a build that has a worker ends by itself."""
        if not alive:
            await gateway.end(self._client, workflow_id, "delivery lanes are no longer workflows")
