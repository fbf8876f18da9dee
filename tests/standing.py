"""A real FHIR server that stands for all tests of a process."""

import asyncio

from clinic import Ehr, RunDirectory
from clinic.ports import LOOPBACK, Port


class StandingEhr:
    """A real EHR that many tests have one after the other, each with patients of its own.

    Starting one takes as long as most of these tests do. Clients know it by one address, at which
    each test has a wire of its own.
    """

    def __init__(self) -> None:
        """Start it."""
        self._run = RunDirectory("ehr")
        self.port = Port()
        known_as = f"http://{LOOPBACK}:{self.port.number}/fhir"
        self.server = Ehr(self._run, self._run.path / "ehr", known_as=known_as)
        asyncio.run(self.server.start())

    def stop(self) -> None:
        """End it."""
        asyncio.run(self.server.stop())
        self.port.close()
        self._run.close()
