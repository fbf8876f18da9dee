"""A worker that keeps its workflows in memory until it is killed: `a_worker.py HOST:PORT`."""

import asyncio
import sys

from temporalio import workflow
from temporalio.client import Client
from temporalio.service import GrpcCompression
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "tests-of-the-handover"


@workflow.defn
class Tally:
    """Counts what it is told, for ever."""

    def __init__(self) -> None:
        self._count = 0

    @workflow.run
    async def run(self) -> None:
        """Wait for ever."""
        await workflow.wait_condition(lambda: False)

    @workflow.update
    async def more(self) -> int:
        """Count one more."""
        self._count += 1
        return self._count


async def work(address: str) -> None:
    """Work until killed."""
    client = await Client.connect(address, grpc_compression=GrpcCompression.NONE)
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue=QUEUE, workflows=[Tally], workflow_runner=runner):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1]))
