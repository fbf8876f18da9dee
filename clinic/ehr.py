"""A real FHIR R4 server on loopback, standing in for the hospital's EHR (SEKMET).

It keeps its data in its own directory, so the same directory brings the same EHR back. Its
simulator is switched off: it would answer proposed appointments by itself. Must hold synthetic
patients only: it has no authentication.
"""

import os
from pathlib import Path

import httpx2

from clinic.ports import LOOPBACK, Port
from clinic.process import Child, PartFailed
from clinic.rundir import RunDirectory
from clinic.temporal_server import program

_START_SECONDS = 30.0
_TRIES = 3
_SETTINGS = "simulator: {enabled: false}\n"


class Ehr:
    """One EHR in one directory."""

    def __init__(
        self,
        run: RunDirectory,
        directory: Path,
        *,
        port: Port | None = None,
        known_as: str | None = None,
    ) -> None:
        """`known_as` is the FHIR base that clients use when something stands before the EHR."""
        self._run = run
        self._directory = directory
        self._port = port or Port()
        self._known_as = known_as
        self._child: Child | None = None

    @property
    def port(self) -> int:
        """The port the server itself listens on."""
        return self._port.number

    @property
    def base_url(self) -> str:
        """The server's own FHIR base."""
        return f"http://{LOOPBACK}:{self.port}/fhir"

    async def start(self) -> None:
        """Start it; with another port when a stranger takes the chosen one."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self._directory / "settings.yaml").write_text(_SETTINGS)
        for attempt in range(_TRIES):
            environment = {
                **{name: value for name, value in os.environ.items() if name[:7] != "SEKMET_"},
                "SEKMET_BASE_URL": self._known_as or self.base_url,
                "NO_PROXY": "*",
            }
            command = [str(program("sekmet")), "serve", "--host", LOOPBACK]
            command += ["--port", str(self.port)]
            self._child = Child(
                self._run, f"ehr-{self.port}", command, env=environment, cwd=self._directory
            )
            try:
                await self._child.wait_ready(self._answers, _START_SECONDS)
            except PartFailed:
                self._child.kill()
                taken = "address already in use" in self._child.log_tail(200)
                if attempt == _TRIES - 1 or not taken:
                    raise
                self._port.close()
                self._port = Port()
            else:
                return

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._child is not None and self._child.running

    async def stop(self) -> None:
        """End it; its data stays in the directory."""
        if self._child is not None:
            await self._child.stop()
            self._child = None
        self._port.close()

    async def _answers(self) -> bool:
        async with httpx2.AsyncClient(trust_env=False) as client:
            answer = await client.get(f"{self.base_url}/metadata")
        return answer.status_code == httpx2.codes.OK
