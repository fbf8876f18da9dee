"""Moves the time-skipping test server's one clock, and never waits for ever.

The only mover of time: a second one at the same moment is refused, because the server adds them up.
Writes to EHRs are no work of that server's: so it waits for the ledger to be quiet before it moves,
stops wherever a write is to be tried on the way, and waits for quiet at the end.

It lands one millisecond after the instant asked for, since an Update that arrives just before a
timer can wedge a run of that server for good, and then sleeps once more, which returns only when
all work due by then is done. Must not cancel or retry a sleep: the server would go on sleeping.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import NoReturn

from google.protobuf.duration_pb2 import Duration
from google.protobuf.empty_pb2 import Empty
from temporalio.api.testservice.v1 import SleepRequest
from temporalio.client import Client
from temporalio.service import RPCError

from clinic.still import Ledger

_PAST = timedelta(milliseconds=1)
_LOOK_SECONDS = 0.01
_RPC_TIMEOUT = timedelta(seconds=10)
_SLEEP_TIMEOUT = timedelta(days=1)  # ours is the limit: the client's own would end it at 30 s


class TimeStoodStill(Exception):  # noqa: N818 - reads as what happened
    """A move did not come back: an activity hangs, a queue has no worker, or a task fails."""


class VirtualTime:
    """The clock of one test server, reached with a plain client (never `env.client`)."""

    def __init__(
        self, client: Client, ledger: Ledger | None = None, *, limit_seconds: float = 30.0
    ) -> None:
        """`limit_seconds` of real time is what one move may take."""
        self._client = client
        self._ledger = ledger
        self._limit = limit_seconds
        self._sleep: asyncio.Task[object] | None = None
        self._moving = False

    @classmethod
    async def at(
        cls, address: str, ledger: Ledger | None = None, *, limit_seconds: float = 30.0
    ) -> "VirtualTime":
        """Connect to the test server at host:port."""
        return cls(await Client.connect(address), ledger, limit_seconds=limit_seconds)

    async def now(self) -> datetime:
        """The virtual instant, in UTC. It runs at real pace between moves."""
        answer = await self._client.test_service.get_current_time(Empty(), timeout=_RPC_TIMEOUT)
        return answer.time.ToDatetime(tzinfo=UTC)

    async def move_to(self, instant: datetime, waiting_for: str = "") -> datetime:
        """Move just past `instant`; returns the new now. Does nothing when it has passed."""
        return await self._move(instant - await self.now(), waiting_for or f"{instant:%F %T %Z}")

    async def move_by(self, delta: timedelta, waiting_for: str = "") -> datetime:
        """Move on by `delta`; returns the new now."""
        return await self._move(delta, waiting_for or f"{delta} later")

    async def _move(self, delta: timedelta, waiting_for: str) -> datetime:
        if self._moving:
            raise RuntimeError("time is already being moved: there is one mover, in one place")
        if delta <= timedelta(0):
            return await self.now()
        self._moving = True
        try:
            deadline = asyncio.get_running_loop().time() + self._limit
            await self._sleep_on_server(None, deadline, waiting_for)
            until = await self.now() + delta
            while (stop := await self._next_stop(until, deadline, waiting_for)) < until:
                ahead = max(stop - await self.now(), timedelta())
                await self._sleep_on_server(ahead + _PAST, deadline, waiting_for)
            await self._sleep_on_server(max(until - await self.now(), _PAST), deadline, waiting_for)
            await self._sleep_on_server(_PAST, deadline, waiting_for)
            await self._next_stop(until, deadline, waiting_for)
        finally:
            self._moving = False
        return await self.now()

    async def _next_stop(self, until: datetime, deadline: float, waiting_for: str) -> datetime:
        """Wait until no write is due; the first instant before `until` at which one is."""
        if self._ledger is None:
            return until
        began, real = await self.now(), asyncio.get_running_loop().time
        since = real()
        while True:
            now = began + timedelta(seconds=real() - since)
            due = await self._ledger.next_at(now)
            if due is None or due > now:
                return until if due is None else min(due, until)
            if real() > deadline:
                self._fail(waiting_for, f"a write to an EHR has been due since {due:%F %T %Z}")
            await asyncio.sleep(_LOOK_SECONDS)

    def _fail(self, waiting_for: str, stands: str) -> NoReturn:
        raise TimeStoodStill(
            f"virtual time did not move within {self._limit:g} s while waiting for "
            f"{waiting_for}; {stands}. An activity hangs, a task queue has no worker, or a "
            "workflow task keeps failing."
        )

    async def _sleep_on_server(
        self, delta: timedelta | None, deadline: float, waiting_for: str
    ) -> None:
        """Sleep, or with None only let an earlier sleep end that had not come back in time."""
        if delta is not None:
            duration = Duration()
            duration.FromTimedelta(delta)
            self._sleep = asyncio.ensure_future(
                self._client.test_service.unlock_time_skipping_with_sleep(
                    SleepRequest(duration=duration), timeout=_SLEEP_TIMEOUT
                )
            )
        if self._sleep is None:
            return
        left = deadline - asyncio.get_running_loop().time()
        # asyncio.wait leaves the task alone, both at the limit and when we are cancelled.
        done, _ = await asyncio.wait({self._sleep}, timeout=max(left, 0))
        if not done:
            try:
                stands = f"the clock stands at {await self.now():%F %T %Z}"
            except RPCError:
                stands = "Temporal does not say where the clock stands"
            self._fail(waiting_for, stands)
        finished, self._sleep = self._sleep, None
        finished.result()
