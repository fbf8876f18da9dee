"""`python -m tests.workflows.record VERSION`: record the story's histories for replay.

Tells the story on real parts and keeps, as compressed JSON, of each pathway the first run, one of
the middle and the last.
No history holds a rule or what one decided, so a change of the rules records nothing anew. A change
of what the workflows do does: a new shape, which no worker of the old one takes over.
"""

import asyncio
import gzip
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
from temporalio.client import Client, WorkflowHistory

from clinic import Clinic
from demo.screen import Screen
from demo.staff import hire
from demo.story import tell_story
from temporal.gateway import connect
from workflows.messages import pathway_workflow_id

FOLDER = Path(__file__).parent / "histories"


async def runs(client: Client, workflow_id: str, first: str) -> AsyncIterator[WorkflowHistory]:
    """Follow a workflow's runs from the first to the last."""
    run: str | None = first
    while run:
        history = await client.get_workflow_handle(workflow_id, run_id=run).fetch_history()
        yield history
        last = history.events[-1].workflow_execution_continued_as_new_event_attributes
        run = last.new_execution_run_id or None


async def record(version: str) -> None:
    """Record the histories of the story's pathways."""
    async with Clinic.start("demo") as clinic:
        await tell_story(clinic, Screen())
        client = await connect(clinic.addresses.temporal, "default")
        async with httpx2.AsyncClient(base_url=clinic.addresses.api, trust_env=False) as http:
            manager = hire(clinic.issuer, http).care_manager
            pathways = (await manager.see("/v1/pathways"))["items"]
            for pathway in pathways:
                await _keep(client, pathway["id"], pathway["phase"], version)


async def _keep(client: Client, pathway: str, ended_in: str, version: str) -> None:
    """Keep the first run, one of the middle, and the last."""
    workflow_id = pathway_workflow_id(pathway)
    handle = client.get_workflow_handle(workflow_id)
    last = await handle.fetch_history()
    first = last.events[0].workflow_execution_started_event_attributes.first_execution_run_id
    all_runs = [history async for history in runs(client, workflow_id, first)]
    for place in sorted({0, len(all_runs) // 2, len(all_runs) - 1}):
        _write(f"{version}-{ended_in}-run-{place + 1}-of-{len(all_runs)}", all_runs[place])


def _write(name: str, history: WorkflowHistory) -> None:
    file = FOLDER / f"{name}.json.gz"
    file.write_bytes(gzip.compress(history.to_json().encode(), mtime=0))
    sys.stdout.write(f"{file.name}: {len(history.events)} events\n")


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)
