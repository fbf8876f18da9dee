"""Kairos at the same work: Observations from its ledger into an EHR that is reached in one way.

Each way to the EHR is a connection of its own, for what a connection advertises decides how it is
written to. The worker knows all of them at once; only one has anything to deliver at a time.
"""

import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks.deliveries import fill, ring, until
from benchmarks.ground import Store
from clinic import Clinic

PYPROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"

LAST = "select coalesce(max(id), 0) from delivery"
THESE = "select count(*) from delivery where id > %(last)s and starts_with(artefact, %(run)s)"
ENDED = f"{THESE} and (state = 'confirmed' or needs_person)"
TO_A_PERSON = f"{THESE} and needs_person"


async def connect(clinic: Clinic, ways: Mapping[str, str]) -> None:
    """Give the worker further connections, by their FHIR bases; it starts anew with them."""
    _add(ways, Path(clinic.environment["KAIROS_INSTALLATION_FILE"]))
    await clinic.stop_own("worker")
    await clinic.start_worker()


def _add(ways: Mapping[str, str], path: Path) -> None:
    installation = yaml.safe_load(path.read_text())
    (first,) = installation["connections"]
    further = [{**first, "id": name, "base_url": base} for name, base in ways.items()]
    path.write_text(yaml.safe_dump({**installation, "connections": [first, *further]}))


@dataclass(frozen=True)
class Kairos:
    """This checkout, as one of those that are compared."""

    version: str
    who: str = "Kairos"

    async def deliver(
        self,
        store: Store,
        template: int,
        connection: str,
        patients: list[str],
        each: int,
        run: str,
    ) -> tuple[float, int]:
        """Put the deliveries into the ledger and ring for their lanes.

        Seconds until each was read back or is a person's, and how many are a person's.
        """
        these: dict[str, object] = {"last": store.count(LAST, {}), "run": f"{run}-"}
        fill(store, template, patients, each, run, connection)
        began = time.monotonic()
        ring(store, patients, connection)
        await until(store, ENDED, these, len(patients) * each)
        return time.monotonic() - began, store.count(TO_A_PERSON, these)


def this_one() -> Kairos:
    """Kairos, by the version in pyproject.toml."""
    return Kairos(version=str(tomllib.loads(PYPROJECT.read_text())["project"]["version"]))
