"""The clinic that is kept goes on after Temporal was killed and after all of it was stopped."""

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client

from clinic import Clinic, DevServer
from clinic.box import REPOSITORY
from demo.visits import spo2
from tests.clinic.waiting import kept_directory
from tests.whole.house import INDUCTION, House, Json, house_of, until


async def timers(house: House, path: str) -> list[str]:
    """The timers of a pathway's workflow that are running."""
    client = await Client.connect(house.clinic.addresses.temporal)
    handle = client.get_workflow_handle(f"pathway/{path.rpartition('/')[2]}")
    running: list[str] = []
    async for event in handle.fetch_history_events():
        if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED:
            running.append(event.timer_started_event_attributes.timer_id)
        elif event.event_type == EventType.EVENT_TYPE_TIMER_CANCELED:
            running.remove(event.timer_canceled_event_attributes.timer_id)
    return running


async def waits(house: House, path: str) -> list[str]:
    """Wait until the pathway has nothing to do but wait for people or time."""
    return await until(lambda: timers(house, path), "the pathway waits")


async def tasks(house: House, path: str) -> set[tuple[str, bool]]:
    """The open tasks of a pathway, and whether somebody saw them."""
    seen: Json = await house.staff.nurse.see(path)
    return {(task["id"], task["acknowledged"]) for task in seen["tasks"]}


@asynccontextmanager
async def kept(directory: Path) -> AsyncIterator[House]:
    """The clinic of a directory, on real time."""
    async with Clinic.start("up", directory) as clinic, house_of(clinic) as house:
        yield house


def open_to_others(directory: Path) -> set[str]:
    """What another user of this machine could read of what patients and keys stand in."""
    told = {"installation.yaml", "ports.json", "addresses.json", "in-use"}
    return {
        str(each.relative_to(directory))
        for each in directory.rglob("*")
        if each.is_file()
        and each.name not in told
        and each.stat().st_mode & stat.S_IROTH
        and all(
            parent.stat().st_mode & stat.S_IXOTH
            for parent in each.parents
            if parent == directory or directory in parent.parents
        )
    }


async def check_goes_on(house: House, path: str, before: list[str]) -> None:
    """The pathway waits where it waited, for the same timer, and takes the next command."""
    assert await waits(house, path) == before
    at = (await house.now()).isoformat()
    await house.staff.nurse.do(f"{path}/readings", {"measured_at": at, "readings": [spo2(97)]})
    await house.delivered(path)
    assert (await house.recounted()).equal


@pytest.mark.slow
async def test_a_kept_clinic_outlives_temporal_and_itself():
    """Pathways, timers, retries and tasks go on after Temporal's kill -9 and a stop of everything.

    Slow because a whole clinic starts twice.
    """
    with kept_directory() as directory:
        async with kept(directory) as house:
            path = await house.enrolled()
            await house.staff.prescriber.do(f"{path}/orders", {"phase": INDUCTION})
            (task,) = {task for task, _ in await tasks(house, path)}
            await house.staff.nurse.do(f"{path}/tasks/{task}/acknowledgement")
            await house.delivered(path)
            second = await second_up(directory)
            assert open_to_others(directory) == set()

            running = await waits(house, path)
            temporal = house.clinic.temporal
            assert isinstance(temporal, DevServer)
            temporal.kill()
            await temporal.start()
            await check_goes_on(house, path, running)
            assert await tasks(house, path) == {(task, True)}

            other = await api_dies_before_the_workflow_starts(house)
            running, open_tasks = await waits(house, path), await tasks(house, path)
            told = await asyncio.wait_for(second.communicate(), 30)
            assert (second.returncode, told[0].decode().count("\n")) == (1, 1), told
            assert f"already running in {directory}" in told[0].decode()
            assert "--directory" in told[0].decode()
        async with kept(directory) as house:
            assert await tasks(house, path) == open_tasks == {(task, True)}
            await check_goes_on(house, path, running)
            assert (await house.staff.nurse.see(other))["status"] == "open"
            for visit in (await house.staff.nurse.see(f"{path}/visits"))["items"]:
                await house.staff.nurse.do(f"{path}/visits/{visit['id']}/booking")
            assert await tasks(house, path) == set()


async def second_up(directory: Path) -> asyncio.subprocess.Process:
    """Start `./dev up` on a directory that is in use; it does not wait for it."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clinic.up", "--directory", str(directory)),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def api_dies_before_the_workflow_starts(house: House) -> str:
    """Freeze Temporal, kill the API while it starts the workflow: the pathway is there, once."""
    body, key = await house.start_body(await house.patient()), uuid4().hex
    manager = house.staff.care_manager
    port = house.clinic.addresses.temporal.rpartition(":")[2]
    frozen = house.clinic.run.processes()[f"temporal-{port}"]
    os.kill(frozen, signal.SIGSTOP)
    try:
        asking = asyncio.create_task(house.post(manager, "/v1/pathways", body, key))

        async def applied() -> bool:
            return await house.received(key) == "applied"

        await until(applied, "the pathway is recorded")
        house.clinic.kill_api()
        with pytest.raises(httpx2.TransportError):
            await asking
    finally:
        os.kill(frozen, signal.SIGCONT)
    await house.clinic.start_api()
    answer = await house.insist(manager, "/v1/pathways", body, key)
    assert answer.status_code == 201
    started = "select count(*) from event where pathway_id = %s and kind = 'pathway-started'"
    pathway = str(answer.json()["pathway"])
    assert await house.rows(started, pathway.rpartition("/")[2]) == [(1,)]
    await house.delivered(pathway)
    return pathway
