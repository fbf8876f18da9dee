"""Temporal: state outlives a kill, and time moves or says that it stood still."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from clinic import DevServer, TestServer, TimeStoodStill, VirtualTime
from clinic.ports import listening_socket
from tests.clinic.waiting import listens, run_directory

QUEUE = "tests-of-the-parts"


@activity.defn
async def never_answers() -> None:
    """Hang."""
    await asyncio.Event().wait()


@workflow.defn
class Visit:
    """Waits, and then either is over or waits for an activity that hangs."""

    @workflow.run
    async def run(self, days: int, hangs: bool) -> str:  # noqa: FBT001 - a workflow's input
        """Wait for days, then perhaps for ever."""
        await workflow.sleep(timedelta(days=days))
        if hangs:
            await workflow.execute_activity(
                never_answers, start_to_close_timeout=timedelta(seconds=4)
            )
        return workflow.now().isoformat()


@asynccontextmanager
async def working(address: str) -> AsyncIterator[Client]:
    """A client, while a worker is at work."""
    client = await Client.connect(address)
    async with Worker(
        client,
        task_queue=QUEUE,
        workflows=[Visit],
        activities=[never_answers],
        workflow_runner=UnsandboxedWorkflowRunner(),
    ):
        yield client


@pytest.fixture
def server():
    """A time-skipping server for one test: time of one would be time of all."""
    with run_directory() as run:
        part = TestServer(run)
        asyncio.run(part.start())
        yield part
        asyncio.run(part.stop())


async def test_thirty_days_pass_in_a_moment(server: TestServer):
    """A month of virtual time takes well under a second, and what was due by then is done."""
    async with working(server.address) as client:
        clock = await VirtualTime.at(server.address)
        before = await clock.now()
        due = before + timedelta(days=30)
        visit = await client.start_workflow(Visit.run, args=[30, False], id="v", task_queue=QUEUE)
        await visit.describe()
        began = time.monotonic()
        after = await clock.move_to(due + timedelta(seconds=1))
        assert time.monotonic() - began < 1
        assert timedelta(0) < after - due < timedelta(seconds=5)
        async with asyncio.timeout(5):
            ended = datetime.fromisoformat(await visit.result())
        assert ended < after
        assert abs(after - datetime.now(tz=UTC)) > timedelta(days=29)


async def test_a_move_into_the_past_moves_nothing(server: TestServer):
    """`move_to` an instant that has passed returns at once; time never goes back."""
    clock = await VirtualTime.at(server.address)
    now = await clock.now()
    later = await clock.move_to(now - timedelta(days=1))
    assert timedelta(0) <= later - now < timedelta(seconds=5)
    moved = await clock.move_by(timedelta(hours=1))
    assert timedelta(hours=1) < moved - now < timedelta(hours=1, seconds=5)


async def test_time_that_stands_still_is_an_error_within_its_limit(server: TestServer):
    """A hanging activity holds time: the move says so in its limit, and ends by itself later."""
    async with working(server.address) as client:
        clock = await VirtualTime.at(server.address, limit_seconds=1)
        await client.start_workflow(Visit.run, args=[1, True], id="v", task_queue=QUEUE)
        began = time.monotonic()
        with pytest.raises(TimeStoodStill, match="the evening visit"):
            await clock.move_by(timedelta(days=2), "the evening visit")
        assert time.monotonic() - began < 3


async def test_there_is_one_mover_of_time(server: TestServer):
    """Two sleeps add up on the server, so a second move at the same moment is refused."""
    clock = await VirtualTime.at(server.address)
    moves = [clock.move_by(timedelta(days=1)), clock.move_by(timedelta(days=1))]
    outcomes = await asyncio.gather(*moves, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [datetime, RuntimeError]


async def test_a_taken_port_is_no_reason_to_fail():
    """A stranger on the chosen port makes the test server start on another one."""
    with run_directory() as run:
        part = TestServer(run)
        chosen = part._port.number
        with listening_socket(chosen):
            await part.start()
            assert part.address != f"127.0.0.1:{chosen}"
            await (await VirtualTime.at(part.address)).now()
            await part.stop()
        assert not listens(part.address)


async def test_the_development_server_keeps_workflows_over_a_kill():
    """After kill -9 the open workflow is there again, on the same port, from the file."""
    with run_directory() as run:
        part = DevServer(run, run.path / "temporal.db")
        await part.start()
        client = await Client.connect(part.address)
        await client.start_workflow(Visit.run, args=[1, False], id="kept", task_queue=QUEUE)
        address = part.address
        part.kill()
        await part.start()
        assert part.address == address
        kept = await (await Client.connect(address)).get_workflow_handle("kept").describe()
        assert kept.status is not None
        assert kept.status.name == "RUNNING"
        assert listens(part.ui)
        await part.stop()
        assert not listens(address)
