"""`python -m demo` as its user starts it: what it writes, and that it leaves nothing behind."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from demo.parts.clinic import REPOSITORY
from tests.clinic.house import until
from tests.parts.waiting import kept_directory, listens

COUNTS = {"intended", "found", "equal", "different", "missing", "doubled"}
WRITTEN = {
    "Appointment", "CarePlan", "EpisodeOfCare", "MedicationAdministration", "MedicationRequest",
    "Observation", "Procedure", "Provenance", "ServiceRequest", "Task",
}  # fmt: skip


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A temporary directory that only the demo of this test uses."""
    with kept_directory() as directory:
        yield directory


async def started(temporary: Path, *options: str) -> Process:
    """Start the demo in a session of its own."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo", *options),
        cwd=REPOSITORY,
        env={**os.environ, "TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"},
        stdout=PIPE,
        stderr=STDOUT,
        start_new_session=True,
    )


def processes_of(temporary: Path) -> list[str]:
    """The command of every process that was told of this directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if str(temporary).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


async def check_left_nothing(demo: Process, temporary: Path) -> None:
    """No process of its group or of its directory, and the directory is empty."""

    async def gone() -> bool:
        return not processes_of(temporary) and not list(temporary.iterdir())

    await until(gone, "every process and directory of the demo is gone", 15)
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.pid, 0)


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_the_whole_demo_from_start_to_end(temporary: Path, tmp_path: Path):
    """Exit 0, the figures have their shape, all is equal, and nothing is left.

    Slow because two patients' months are told once, as a newcomer sees them.
    """
    file = tmp_path / "figures.json"
    demo = await started(temporary, "--json", str(file))
    told, _ = await demo.communicate()
    assert demo.returncode == 0, told.decode()[-3000:]
    figures = json.loads(file.read_text())
    assert set(figures) == {
        "equal", "resources", "writes", "virtual_days", "seconds", "addresses"
    }  # fmt: skip
    assert figures["equal"] is True
    assert set(figures["resources"]) == WRITTEN
    for kind, counted in figures["resources"].items():
        assert set(counted) == COUNTS, kind
        assert counted["intended"] == counted["found"] == counted["equal"] > 0, kind
        assert counted["different"] == counted["missing"] == counted["doubled"] == 0, kind
    assert figures["writes"] >= sum(c["intended"] for c in figures["resources"].values())
    assert figures["virtual_days"] >= 84
    assert set(figures["seconds"]) == {"start", "story", "stop"}
    assert all(seconds > 0 for seconds in figures["seconds"].values())
    assert set(figures["addresses"]) == {"ehr", "api", "temporal"}
    assert "all is equal" in told.decode().splitlines()[-1]
    await check_left_nothing(demo, temporary)
    assert not [address for address in figures["addresses"].values() if listens(address)]


@pytest.mark.slow
async def test_ctrl_c_in_the_middle_of_the_story_leaves_nothing(temporary: Path, tmp_path: Path):
    """SIGINT after the first dose: it says that it stopped, exits 130, and nothing is left.

    Slow because a whole clinic is started, and some of the story told, for it.
    """
    file = tmp_path / "figures.json"
    demo = await started(temporary, "--json", str(file))
    assert demo.stdout is not None
    async with asyncio.timeout(60):
        while b"dose given" not in (line := await demo.stdout.readline()):
            assert line, "the demo ended before its first dose"
    assert len(processes_of(temporary)) > 5
    demo.send_signal(signal.SIGINT)
    rest, _ = await asyncio.wait_for(demo.communicate(), 20)
    assert demo.returncode == 130, rest.decode()
    assert rest.decode().splitlines()[-1] == "stopped"
    assert "Traceback" not in rest.decode()
    assert not file.exists()
    await check_left_nothing(demo, temporary)
