"""The handover: what a killed worker had in memory, another one goes on with."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from temporalio.client import Client

from clinic import Child, RunDirectory, TestServer
from clinic.handover import Handover, Watch
from tests.clinic.a_worker import QUEUE, Tally
from tests.clinic.waiting import listens, run_directory, until

REPOSITORY = Path(__file__).resolve().parents[2]
MORE_THAN_POLLS = 8
"""A worker polls with at most five calls at once. A task that one of them had just been given is
offered again after ten seconds in any case; a task that waits in the queue is not."""

NAME = b"17@a-host-0123456789abcdef0123456789abcdef"
POLL = b"\x0a" + bytes([len(NAME)]) + NAME + b"\x10\x02\x1a\x01q"


@asynccontextmanager
async def relayed(run: RunDirectory) -> AsyncIterator[tuple[Handover, Client]]:
    """A time-skipping server behind a handover, and a client of the server itself."""
    server, handover = TestServer(run), Handover()
    await server.start()
    try:
        await handover.start(server.address)
        yield handover, await Client.connect(server.address)
    finally:
        await handover.stop()
        await server.stop()


def a_worker(run: RunDirectory, number: int, address: str) -> Child:
    """Start a worker in a process of its own."""
    command = [sys.executable, "-m", "tests.clinic.a_worker", address]
    return Child(run, f"worker-{number}", command, cwd=REPOSITORY)


async def test_another_worker_goes_on_with_what_a_killed_one_had_in_memory():
    """Each of several workflows answers again after a kill -9, once, from where it stood."""
    with run_directory() as run:
        async with relayed(run) as (handover, client), asyncio.timeout(60):
            first = a_worker(run, 1, handover.address)
            tallies = [
                await client.start_workflow(Tally.run, id=f"tally-{n}", task_queue=QUEUE)
                for n in range(MORE_THAN_POLLS)
            ]
            for tally in tallies:
                # The second is answered from memory: its task came by the worker's own queue.
                assert [await tally.execute_update(Tally.more) for _ in range(2)] == [1, 2]
            first.kill()
            await until(lambda: len(handover.emptied) == 1)
            second = a_worker(run, 2, handover.address)
            asked = [tally.execute_update(Tally.more) for tally in tallies]
            assert await asyncio.gather(*asked) == [3] * MORE_THAN_POLLS
            second.kill()


async def test_a_handover_that_is_stopped_listens_no_more():
    """Nothing is left behind: no listener and no task."""
    with run_directory() as run:
        async with relayed(run) as (handover, _):
            assert listens(handover.address)
        assert not listens(handover.address)
        assert len(asyncio.all_tasks()) == 1


def test_a_queue_is_recognised_across_two_reads_and_told_once():
    """The name of a worker's own queue is seen whole, also where the wire cut it in two."""
    for cut in range(1, len(POLL) - 3):
        watch = Watch()
        seen = [watch.sees(part) for part in (b"before" + POLL[:cut], POLL[cut:], POLL)]
        assert seen.count(True) == 1
        assert watch.queue == NAME.decode()


def test_what_only_looks_like_a_queue_is_none():
    """Another field of the same shape, a queue of another kind, a wrong length: none of them."""
    watch = Watch()
    for other in (
        POLL.replace(b"\x10\x02", b"\x10\x01"),
        POLL.replace(NAME, b"an-ordinary-queue"),
        b"\x0a" + bytes([len(NAME) + 1]) + NAME + b"\x10\x02",
    ):
        assert not watch.sees(other)
