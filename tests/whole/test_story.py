"""The clinic with people in it: filled, moved on while people work, stopped and started again."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from clinic import Clinic
from clinic.addresses import remember
from clinic.box import REPOSITORY
from demo.recount import recount
from demo.staff import Staff, hire
from demo.visits import spo2
from demo.watching import on_their_way
from story.cast import NOW
from tests.clinic.waiting import kept_directory
from tests.whole.house import until

FEW = "6"
FILL = (sys.executable, "-m", "story", "--seed", "1", "--patients", FEW)


@asynccontextmanager
async def story(directory: Path, fill: tuple[str, ...]) -> AsyncIterator[tuple[Clinic, Staff]]:
    """The clinic of a directory on a movable clock, and its people."""
    async with (
        Clinic.start("up", directory, movable=True, fill=fill) as clinic,
        httpx2.AsyncClient(base_url=clinic.addresses.api, timeout=30, trust_env=False) as http,
    ):
        remember(directory, clinic)
        yield clinic, hire(clinic.issuer, http)


async def clock(directory: Path, *words: str) -> str:
    """What `./dev clock` prints."""
    asked = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clinic.clock", "--directory", str(directory), *words),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
    )
    told, _ = await asyncio.wait_for(asked.communicate(), 60)
    assert asked.returncode == 0, told
    return told.decode()


async def states(staff: Staff) -> dict[str, tuple[str, str]]:
    """Each pathway's status and phase."""
    found = (await staff.nurse.see("/v1/pathways", limit="100"))["items"]
    return {each["id"]: (each["status"], each["phase"]) for each in found}


async def delivered(staff: Staff) -> None:
    """Wait until no write to the EHR is on its way."""

    async def none_is() -> bool:
        return not await on_their_way(staff.operations)

    await until(none_is, "every write is in the EHR")


@pytest.mark.slow
async def test_a_filled_clinic_goes_on_while_its_clock_is_moved():
    """Six patients to their hour; ten days in one move while a nurse works; then all again.

    Every command is taken, everything due is done, the EHR holds what was meant, and after a stop
    the clinic goes on later than it stopped. Slow because a clinic is filled and starts twice.
    """
    with kept_directory() as directory:
        async with story(directory, FILL) as (clinic, staff):
            before = await states(staff)
            assert len(before) == int(FEW)
            now = datetime.fromisoformat((await staff.nurse.see("/v1/clock"))["now"])
            assert NOW <= now < NOW + timedelta(minutes=5)

            moving = asyncio.create_task(clock(directory, "--by", "10d"))
            taken = 0
            while not moving.done():
                for pathway in before:
                    at = (await staff.nurse.see("/v1/clock"))["now"]
                    body = {"measured_at": at, "readings": [spo2(97)]}
                    await staff.nurse.do(f"/v1/pathways/{pathway}/readings", body)
                    taken += 1
            assert "Sunday 2027-05-23 13:4" in await moving
            assert taken > len(before)
            for pathway in before:
                seen = await staff.nurse.see(f"/v1/pathways/{pathway}/visits")
                past = {v["status"] for v in seen["items"] if v["at"]["day"] < "2027-05-23"}
                assert "booked" not in past or await overdue(staff, pathway)
            await delivered(staff)
            counted = await recount(clinic.addresses.ehr, staff.operations)
            assert counted.equal, counted.as_json()
            stopped_at = datetime.fromisoformat((await staff.nurse.see("/v1/clock"))["now"])
            kept = await states(staff)
        async with story(directory, ()) as (_, staff):
            assert await states(staff) == kept
            now = datetime.fromisoformat((await staff.nurse.see("/v1/clock"))["now"])
            assert stopped_at < now < stopped_at + timedelta(minutes=5)


async def overdue(staff: Staff, pathway: str) -> bool:
    """Whether somebody is asked about a visit whose time is past."""
    tasks = (await staff.nurse.see(f"/v1/pathways/{pathway}"))["tasks"]
    return any(task["rule"] == "visit-overdue" for task in tasks)
