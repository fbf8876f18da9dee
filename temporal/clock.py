"""Which clock says what: the clinic's for care, the machines' for how Kairos itself keeps pace.

Security has the machines' clock always, and asks nobody. Workflows wait by Temporal's time; API and
activities ask here, so that all of one clinic agree. `docs/clocks.md` says which time is whose.
"""

import fcntl
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

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


class SystemClock(Clock):
    """Real time."""

    async def now(self) -> datetime:
        return machine_time()


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

    def __init__(self, file: Path, machine: Callable[[], datetime] = machine_time) -> None:
        """`file` need not be there yet: then the clock was never moved."""
        self._file = file
        self._machine = machine

    async def now(self) -> datetime:
        return self._machine() + self._ahead()

    async def pace(self) -> datetime:
        """The machine's: no EHR was moved, and what it has not indexed yet it has not now."""
        return self._machine()

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


def clock_for(kind: str, client: Client, file: Path | None = None) -> Clock:
    """Choose the clock that the settings name; `file` is the movable one's."""
    if kind == "movable" and file is not None:
        return MovableClock(file)
    return TestServerClock(client) if kind == "temporal-test-server" else SystemClock()
