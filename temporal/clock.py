"""Which clock says what: the clinic's for care, the machines' for how Kairos itself keeps pace.

Security has the machines' clock always, and asks nobody. Workflows wait by Temporal's time; API and
activities ask here, so that all of one clinic agree. `docs/clocks.md` says which time is whose.
"""

import fcntl
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic

from google.protobuf.empty_pb2 import Empty
from temporalio.client import Client

from domain.language.errors import Unavailable

MOST_AHEAD = timedelta(days=20 * 366)


class Clock(ABC):
    """Says what time it is in the clinic, and by what time Kairos paces its writes to EHRs."""

    @abstractmethod
    async def now(self) -> datetime:
        """The clinic's time, in UTC: what clinical rules use, and what people are shown."""

    async def pace(self) -> datetime:
        """The time by which a lost write surfaces, a pause ends and a restore is fresh, in UTC.

        An EHR lives by it too. The clinic's, but where that can be moved.
        """
        return await self.now()


def machine_time() -> datetime:
    """The machine's time, in UTC."""
    return datetime.now(UTC)


Ask = Callable[[], Awaitable[datetime]]
"""Asks the database what time it is. Raises Unavailable."""

ASK_AGAIN = 30.0
"""Seconds for which the database's answer is counted on from."""


class DatabaseTime:
    """The database's clock, which all processes of an installation share, without asking each time.

    Machines' clocks differ, and one that is ahead would take a lost write for one that never
    arrived. Counted on from the last answer by a clock that no one sets; while the database is away
    the answer before stands.
    """

    def __init__(self, ask: Ask, elapsed: Callable[[], float] = monotonic) -> None:
        self._ask = ask
        self._elapsed = elapsed
        self._known: tuple[datetime, float] | None = None
        self._again = 0.0

    async def __call__(self) -> datetime:
        """The time, in UTC. Raises Unavailable if the database never said it."""
        if self._known is None or self._elapsed() >= self._again:
            await self._learn()
        assert self._known is not None  # noqa: S101  it was learned, or this was not reached
        said, at = self._known
        return said + timedelta(seconds=self._elapsed() - at)

    async def _learn(self) -> None:
        began = self._elapsed()
        try:
            said = await self._ask()
        except Unavailable:
            if self._known is None:
                raise
            return
        ended = self._elapsed()
        self._known = (said.astimezone(UTC), (began + ended) / 2)
        self._again = ended + ASK_AGAIN


class SystemClock(Clock):
    """Real time; the pace is the database's, if it is given."""

    def __init__(self, pace: Callable[[], Awaitable[datetime]] | None = None) -> None:
        self._pace = pace

    async def now(self) -> datetime:
        return machine_time()

    async def pace(self) -> datetime:
        return machine_time() if self._pace is None else await self._pace()


class TestServerClock(Clock):
    """The virtual time of Temporal's time-skipping test server. Demo and tests only."""

    def __init__(self, client: Client) -> None:
        """Ask the server that this client is connected to."""
        self._client = client

    async def now(self) -> datetime:
        answer = await self._client.test_service.get_current_time(Empty())
        return answer.time.ToDatetime(tzinfo=UTC)


class MovableClock(Clock):
    """Real time and a little more: how much stands in a file, which a clinic's processes share.

    For clinics of synthetic patients. It runs as every clock does, and is only ever moved on.
    """

    def __init__(
        self,
        file: Path,
        machine: Callable[[], datetime] = machine_time,
        pace: Callable[[], Awaitable[datetime]] | None = None,
    ) -> None:
        """`file` need not be there yet: then the clock was never moved."""
        self._file = file
        self._machine = machine
        self._pace = pace

    async def now(self) -> datetime:
        return self._machine() + self._ahead()

    async def pace(self) -> datetime:
        """Real time: no EHR was moved, and what it has not indexed yet it has not now."""
        return self._machine() if self._pace is None else await self._pace()

    def move_to(self, instant: datetime) -> datetime:
        """Move on until it is `instant`, unless that is past already; the time now, in UTC.

        Two that move at once both have their way: the later instant stands.
        """
        lock = self._file.with_suffix(".lock")
        with lock.open("a", encoding="utf-8") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            real = self._machine()
            ahead = max(self._ahead(), instant - real)
            fresh = self._file.with_suffix(".new")
            with fresh.open("w", encoding="utf-8") as file:
                json.dump({"ahead_seconds": ahead / timedelta(seconds=1)}, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._file)  # whoever reads finds one or the other, never half of it
        return real + ahead

    def _ahead(self) -> timedelta:
        try:
            kept = json.loads(self._file.read_text("utf-8"))
        except FileNotFoundError:
            return timedelta()
        except (ValueError, OSError) as error:
            raise Unavailable(f"the clock file {self._file.name} cannot be read") from error
        ahead = kept.get("ahead_seconds") if isinstance(kept, dict) else None
        if not isinstance(ahead, int | float) or not 0 <= ahead <= MOST_AHEAD.total_seconds():
            raise Unavailable(f"the clock file {self._file.name} does not contain a valid offset")
        return timedelta(seconds=ahead)


def clock_for(kind: str, client: Client, file: Path | None = None, ask: Ask | None = None) -> Clock:
    """Choose the clock that the settings name; `file` is the movable one's.

    `ask` asks the database, by whose time writes are paced where time is real.
    """
    pace = None if ask is None else DatabaseTime(ask)
    if kind == "movable" and file is not None:
        return MovableClock(file, pace=pace)
    return TestServerClock(client) if kind == "temporal-test-server" else SystemClock(pace)
