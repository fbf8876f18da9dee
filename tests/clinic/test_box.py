"""A clinic starts whole, answers, and stops leaving nothing; what is kept comes back."""

import asyncio
import os
import signal
from datetime import timedelta

import httpx2
import psycopg
import pytest
import yaml

from clinic import Clinic, Commands, PartFailed
from tests.clinic.waiting import (
    COMMANDS,
    is_alive,
    is_gone,
    kept_directory,
    listens,
    processes_of,
    until,
)


async def test_a_clinic_starts_answers_and_leaves_nothing():
    """Every part answers while it runs; afterwards no process, port or directory is left."""
    async with Clinic.start("demo", commands=COMMANDS) as clinic:
        at = clinic.addresses
        run, processes = clinic.run.path, processes_of(clinic.run.path)
        urls = [at.ehr, at.api, at.temporal, at.connection]
        assert all(map(listens, urls))
        told = yaml.safe_load((clinic.run.path / "installation.yaml").read_text())
        assert told["connections"][0]["base_url"] == at.connection
        async with httpx2.AsyncClient(trust_env=False) as client:
            made = await client.post(f"{at.connection}/Patient", json={"resourceType": "Patient"})
        assert made.headers["location"].startswith(f"{at.connection}/Patient/")
        before = await clinic.time.now()
        assert await clinic.time.move_by(timedelta(days=1)) - before > timedelta(days=1)
        watchdog = clinic.run.watchdog_pid
    assert is_gone(run, processes, urls)
    assert not is_alive(watchdog)
    assert clinic.seconds["stop"] < 10


async def test_two_clinics_at_once_do_not_collide():
    """Two clinics started at the same moment have nothing in common and both answer."""

    async def live() -> set[str]:
        async with Clinic.start("demo", commands=COMMANDS) as clinic:
            await asyncio.wait_for(both.wait(), 40)
            at = clinic.addresses
            assert all(map(listens, [at.ehr, at.api, at.temporal, at.connection]))
            return {at.ehr, at.api, at.temporal, at.connection, at.database}

    both = asyncio.Barrier(2)
    one, other = await asyncio.gather(live(), live())
    assert not one & other


async def test_api_and_worker_are_killed_and_come_back():
    """After a kill -9 of the API and of the worker each starts again and readiness returns."""
    async with Clinic.start("demo", commands=COMMANDS) as clinic:
        clinic.kill_api()
        assert not listens(clinic.addresses.api)
        clinic.kill_worker()
        (clinic.run.path / "worker-begun").unlink()
        await clinic.start_api(until_ready=False)
        await clinic.start_worker()
        assert (clinic.run.path / "worker-begun").exists()


async def test_what_ends_by_itself_is_started_again_or_ends_it_all():
    """A worker that ends is started again, and that is said; without an EHR nothing goes on."""
    async with Clinic.start("demo", commands=COMMANDS) as clinic:
        said: list[str] = []
        begun = clinic.run.path / "worker-begun"
        begun.unlink()
        going = asyncio.create_task(clinic.keep_going(said.append))
        os.kill(clinic.run.processes()["worker"], signal.SIGKILL)
        await until(begun.exists)
        assert said == ["the worker stopped unexpectedly; restarting it"]
        (ehr,) = (pid for name, pid in clinic.run.processes().items() if name.startswith("ehr"))
        os.kill(ehr, signal.SIGKILL)
        with pytest.raises(PartFailed, match="Ehr has stopped"):
            await asyncio.wait_for(going, 15)


async def test_a_kept_clinic_comes_back_with_its_data():
    """`up` keeps rows, FHIR resources, the signing key and its ports; a second one must wait."""
    with kept_directory() as directory:
        async with Clinic.start("up", directory, commands=COMMANDS) as clinic:
            first = clinic.addresses
            assert first.ui is not None
            assert listens(first.ui)
            with psycopg.connect(first.database.replace("+psycopg", "")) as connection:
                assert connection.execute("SHOW fsync").fetchone() == ("on",)
                connection.execute("INSERT INTO visit VALUES ('kept')")
            async with httpx2.AsyncClient(trust_env=False) as client:
                made = await client.post(f"{first.ehr}/Patient", json={"resourceType": "Patient"})
            key = clinic.issuer.jwks.read_text()
            with pytest.raises(RuntimeError):
                _ = clinic.wire
        async with Clinic.start("up", directory, commands=COMMANDS) as clinic:
            assert clinic.addresses.ehr == first.ehr
            with psycopg.connect(clinic.addresses.database.replace("+psycopg", "")) as connection:
                assert connection.execute("SELECT id FROM visit").fetchall() == [("kept",)]
            async with httpx2.AsyncClient(trust_env=False) as client:
                assert (await client.get(made.headers["location"])).status_code == 200
            assert clinic.issuer.jwks.read_text() == key


@pytest.mark.parametrize("broken", ["store", "api", "worker"])
async def test_a_part_that_does_not_start_is_named_with_its_log(broken: str):
    """A process that dies at the start stops the clinic, which says why and leaves nothing."""
    wrong = ("/bin/sh", "-c", "echo no such clinic; exit 3")
    named = {"store": COMMANDS.store, "api": COMMANDS.api, "worker": COMMANDS.worker}
    commands = Commands(**{**named, broken: wrong}, directory=COMMANDS.directory)
    with pytest.raises(PartFailed, match="no such clinic"):
        async with Clinic.start("demo", commands=commands):
            pass
