"""Clinical time at the edges. Security has its own clock, which is always real time.

Workflows use Temporal's time; API and activities ask here, so that all of one clinic agree.
"""

from datetime import UTC, datetime
from typing import Protocol

from google.protobuf.empty_pb2 import Empty
from temporalio.client import Client


class Clock(Protocol):
    """Says what time it is in the clinic, in UTC."""

    async def now(self) -> datetime:
        """The time now, in UTC."""
        ...


class SystemClock:
    """Real time."""

    async def now(self) -> datetime:
        """The system's time, in UTC."""
        return datetime.now(UTC)


class TestServerClock:
    """The virtual time of Temporal's time-skipping test server. Demo and tests only."""

    def __init__(self, client: Client) -> None:
        """Ask the server that this client is connected to."""
        self._client = client

    async def now(self) -> datetime:
        """The server's virtual time, in UTC."""
        answer = await self._client.test_service.get_current_time(Empty())
        return answer.time.ToDatetime(tzinfo=UTC)


def clock_for(kind: str, client: Client) -> Clock:
    """Choose the clock that the settings name."""
    return TestServerClock(client) if kind == "temporal-test-server" else SystemClock()
