"""`python -m benchmarks.floor ADDRESS`: a worker whose one workflow does nothing but answer.

What a command costs at the least on the same Temporal server: an Update on a loop that waits.
"""

import asyncio
import sys
from datetime import timedelta

from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

QUEUE = "floor"


@workflow.defn(name="IdleLoop")
class IdleLoop:
    """Waits, and answers Updates."""

    @workflow.run
    async def run(self) -> None:
        """Wait for longer than any benchmark lasts."""
        await workflow.sleep(timedelta(days=1))

    @workflow.update(name="touch")
    async def touch(self, number: int) -> int:
        """Say the number again."""
        return number


async def _serve(address: str) -> None:
    client = await Client.connect(address)
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue=QUEUE, workflows=[IdleLoop], workflow_runner=runner):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1]))
