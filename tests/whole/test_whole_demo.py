"""`python -m demo` as its user starts it: what it writes, and that it leaves nothing behind."""

import asyncio
import json
import signal
from collections.abc import Iterator

import pytest

from tests.clinic.waiting import kept_directory, listens, until
from tests.whole.whole_demo import WholeDemo

FAULTS = {"different", "missing", "doubled", "unexplained"}
COUNTS = {"intended", "found", "equal"} | FAULTS
WRITTEN = {
    "Appointment", "CarePlan", "EpisodeOfCare", "MedicationAdministration", "MedicationRequest",
    "Observation", "Procedure", "Provenance", "ServiceRequest", "Task",
}  # fmt: skip
TOLD = (
    "152 mmHg", "94 mmHg", "overridden by pat.prescriber", "corrected by nia.nurse", "missed",
    "booked again, as the protocol says",
    "the clocks changed", "worker was killed", "another worker took over",
    "answer to the dose was lost", "the delivery is confirmed", "four weeks since the first dose",
    "motor threshold", "PHQ-9", "MADRS", "stop, decided by pat.prescriber",
)  # fmt: skip
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


@pytest.fixture
def kept() -> Iterator[WholeDemo]:
    """A demo that stays when its story is over."""
    with kept_directory() as directory:
        running = WholeDemo(directory, "--keep")
        yield running
        running.end()


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_the_whole_demo_from_start_to_end(kept: WholeDemo):
    """All is equal, the figures are there while it is kept, Ctrl-C ends it, and nothing is left.

    Slow because two patients' months are told.
    """
    demo = kept

    def is_kept() -> bool:
        assert demo.process.poll() is None, demo.said()
        return "press Ctrl-C to stop everything" in demo.said()

    await until(is_kept, 240)
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
    assert set(figures["addresses"]) == {"ehr", "api", "temporal"}
    assert all(listens(address) for address in figures["addresses"].values())
    told = "\n".join(demo.said())
    assert all(words in told for words in TOLD), told

    demo.process.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(demo.process.wait, 20) == 0, demo.said()
    seconds = json.loads(demo.figures.read_text())["seconds"]
    assert set(seconds) == {"start", "story", "stop"}
    assert all(each > 0 for each in seconds.values())
    assert "everything matches" in demo.said()[-1]
    await until(demo.left_nothing)
    assert not [address for address in figures["addresses"].values() if listens(address)]
