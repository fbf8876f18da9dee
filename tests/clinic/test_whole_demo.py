"""`python -m demo` as its user starts it: what it writes, and that it leaves nothing behind."""

import asyncio
import json
import signal
from collections.abc import Iterator

import pytest

from tests.clinic.whole_demo import WholeDemo
from tests.parts.waiting import kept_directory, listens, until

FAULTS = {"different", "missing", "doubled", "unexplained"}
COUNTS = {"intended", "found", "equal"} | FAULTS
WRITTEN = {
    "Appointment", "CarePlan", "EpisodeOfCare", "MedicationAdministration", "MedicationRequest",
    "Observation", "Procedure", "Provenance", "ServiceRequest", "Task",
}  # fmt: skip
FIGURES = {"equal", "resources", "writes", "virtual_days", "seconds", "addresses"}


@pytest.fixture
def demo() -> Iterator[WholeDemo]:
    """A demo for one test."""
    with kept_directory() as directory:
        running = WholeDemo(directory)
        yield running
        running.end()


@pytest.mark.slow
async def test_ctrl_c_in_the_middle_of_the_story_leaves_nothing(demo: WholeDemo):
    """SIGINT after the first dose: it says that it stopped, exits 130, and nothing is left.

    Slow because a whole clinic is started, and some of the story told, for it.
    """

    def a_dose_was_given() -> bool:
        assert demo.process.poll() is None, demo.said()
        return any("dose given" in line for line in demo.said())

    await until(a_dose_was_given, 60)
    assert len(demo.processes()) > 5
    demo.process.send_signal(signal.SIGINT)
    await asyncio.to_thread(demo.process.wait, 20)
    assert demo.process.returncode == 130, demo.said()
    assert demo.said()[-1] == "stopped"
    assert not [line for line in demo.said() if "Traceback" in line]
    assert not demo.figures.exists()
    await until(demo.left_nothing)


@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_the_whole_demo_from_start_to_end(demo: WholeDemo):
    """Exit 0, the figures have their shape, all is equal, and nothing is left.

    Slow because two patients' months are told.
    """
    assert await asyncio.to_thread(demo.process.wait, 200) == 0, demo.said()
    figures = json.loads(demo.figures.read_text())
    assert set(figures) == FIGURES
    assert figures["equal"] is True
    assert set(figures["resources"]) == WRITTEN
    for kind, counted in figures["resources"].items():
        assert set(counted) == COUNTS, kind
        assert counted["intended"] == counted["found"] == counted["equal"] > 0, kind
        assert not any(counted[fault] for fault in FAULTS), kind
    assert figures["writes"] >= sum(c["intended"] for c in figures["resources"].values())
    assert figures["virtual_days"] >= 84
    assert set(figures["seconds"]) == {"start", "story", "stop"}
    assert all(seconds > 0 for seconds in figures["seconds"].values())
    assert set(figures["addresses"]) == {"ehr", "api", "temporal"}
    assert "all is equal" in demo.said()[-1]
    await until(demo.left_nothing)
    assert not [address for address in figures["addresses"].values() if listens(address)]
