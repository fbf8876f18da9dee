"""However the program that runs a clinic ends, nothing of the clinic stays behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clinic import RunDirectory
from clinic.box import REPOSITORY
from tests.clinic.waiting import is_alive, is_gone, processes_of, until


def program() -> subprocess.Popen[str]:
    """Start a Python of its own that runs a clinic."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.clinic.a_clinic"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def a_clinic() -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """Return the program, and what it says of its clinic once that has started."""
    started = program()
    assert started.stdout is not None
    line = await asyncio.wait_for(asyncio.to_thread(started.stdout.readline), 40)
    return started, json.loads(line)


@pytest.mark.parametrize("ending", [None, signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
async def test_no_end_leaves_anything(ending: signal.Signals | None):
    """A normal end, Ctrl-C, SIGTERM and kill -9 of the program leave nothing."""
    program, facts = await a_clinic()
    run = Path(facts["run"])
    processes = processes_of(run)
    assert len({owned.pid for owned in processes}) >= 5
    if ending is None:
        program.communicate()
    else:
        program.send_signal(ending)
        await asyncio.to_thread(program.wait, 15)
    await until(lambda: is_gone(run, processes, facts["urls"]))
    await until(lambda: not is_alive(facts["watchdog"]))


async def test_the_next_start_cleans_up_after_owner_and_watchdog_were_killed():
    """When the watchdog is killed too, the next start stops what is left and says so."""
    program, facts = await a_clinic()
    run = Path(facts["run"])
    processes = processes_of(run)
    os.kill(facts["watchdog"], signal.SIGKILL)
    program.kill()
    program.wait()
    await until(lambda: not is_alive(facts["watchdog"]))
    assert any(is_alive(owned.pid) for owned in processes)
    following = await asyncio.to_thread(RunDirectory, "test")
    try:
        (sentence,) = [said for said in following.swept if str(run) in said]
        assert "postgres" in sentence
        assert str(program.pid) in sentence
        assert is_gone(run, processes, facts["urls"])
    finally:
        following.close()


async def test_a_live_clinic_is_not_swept():
    """A second start leaves the directory of a living owner alone."""
    first = RunDirectory("test")
    second = RunDirectory("test")
    try:
        assert first.path.exists()
        assert not [said for said in second.swept if str(first.path) in said]
    finally:
        second.close()
        first.close()
    assert not first.path.exists()
