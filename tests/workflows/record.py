"""`python -m tests.workflows.record VERSION`: record the story's histories for replay.

Tells the story on real parts and keeps, as compressed JSON, of each pathway the first run and the
last, a run for each phase with a treatment of it, and its lane.
While nothing is released, a change of the rules records them anew, for no pathway runs that could
be stranded. Once something is, histories are only ever added.
"""

import asyncio
import gzip
import json
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
from workflows.messages import lane_workflow_id, pathway_workflow_id

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
    """Record one history a phase, and one lane."""
    async with Clinic.start("demo") as clinic:
        await tell_story(clinic, Screen())
        client = await connect(clinic.addresses.temporal, "default")
        async with httpx2.AsyncClient(base_url=clinic.addresses.api, trust_env=False) as http:
            manager = hire(clinic.issuer, http).care_manager
            pathways = (await manager.see("/v1/pathways"))["items"]
            for pathway in pathways:
                await _keep(client, pathway["id"], pathway["phase"], version)
                seen = await manager.see(f"/v1/pathways/{pathway['id']}")
                lane = lane_workflow_id(seen["patient"]["connection"], seen["patient"]["id"])
                history = await client.get_workflow_handle(lane).fetch_history()
                _write(f"{version}-lane-{pathway['phase']}", history)


async def _keep(client: Client, pathway: str, ended_in: str, version: str) -> None:
    """Keep the first run, the last, and one of each phase that has a treatment in it."""
    workflow_id = pathway_workflow_id(pathway)
    handle = client.get_workflow_handle(workflow_id)
    last = await handle.fetch_history()
    first = last.events[0].workflow_execution_started_event_attributes.first_execution_run_id
    all_runs = [history async for history in runs(client, workflow_id, first)]
    phases: dict[str, int] = {}
    for place, history in enumerate(all_runs):
        for phase in treated(history):
            phases.setdefault(phase, place)
    for place in sorted({0, *phases.values(), len(all_runs) - 1}):
        _write(f"{version}-{ended_in}-run-{place + 1}-of-{len(all_runs)}", all_runs[place])


def treated(history: WorkflowHistory) -> set[str]:
    """The phases of which a run stored a treatment: its visit's id begins with the phase's."""
    stored = [
        json.loads(payload.data)
        for event in history.events
        for payload in event.activity_task_scheduled_event_attributes.input.payloads
    ]
    facts = [each["event"]["fact"] for batch in stored for each in batch.get("events", ())]
    visits = [f["visit"] for f in facts if f["kind"] in ("dose-given", "stimulation-given")]
    return {visit.rpartition("-visit-")[0] for visit in visits}


def _write(name: str, history: WorkflowHistory) -> None:
    file = FOLDER / f"{name}.json.gz"
    file.write_bytes(gzip.compress(history.to_json().encode(), mtime=0))
    sys.stdout.write(f"{file.name}: {len(history.events)} events\n")


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1]))
    sys.stdout.flush()
    os._exit(0)
