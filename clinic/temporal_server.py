"""A real Temporal server from a wheel: the time-skipping one, or the development server.

`TestServer` listens on every interface, without authentication, and can be told nothing but its
port: demo and tests with synthetic patients only. `DevServer` listens on loopback and keeps its
state in a file; it is what `./dev up` uses. Neither is for production.
"""

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, GetSystemInfoRequest
from temporalio.client import Client

from clinic.ports import LOOPBACK, Port
from clinic.process import Child, PartFailed
from clinic.rundir import RunDirectory

_START_SECONDS = 30.0
_TRIES = 3


def program(name: str) -> Path:
    """A program that a wheel put next to our Python."""
    found = Path(sys.executable).parent / name
    if not found.exists():
        raise PartFailed(f"{name} is not installed next to {sys.executable}")
    return found


class TestServer:
    """The time-skipping server: one virtual clock for all of its workflows."""

    __test__ = False  # not a test class, whatever its name begins with

    def __init__(self, run: RunDirectory) -> None:
        self._run = run
        self._port = Port()
        self._child: Child | None = None
        self.address = ""

    async def start(self) -> None:
        """Start it; with another port when a stranger takes the chosen one."""
        for attempt in range(_TRIES):
            self.address = f"{LOOPBACK}:{self._port.number}"
            command = [str(program("temporal-test-server")), str(self._port.number)]
            self._child = Child(self._run, f"temporal-{self._port.number}", command)
            try:
                # With its port taken it says so and stays, so its end cannot be waited for.
                await self._child.wait_ready(
                    self._answers, _START_SECONDS, hopeless="Failed to bind"
                )
            except PartFailed:
                self._child.kill()
                if attempt == _TRIES - 1 or "Failed to bind" not in self._child.log_tail(200):
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
        """Kill it. Asked to end it may take five seconds, with nothing to keep."""
        if self._child is not None:
            self._child.kill()
            self._child = None
        self._port.close()

    async def _answers(self) -> bool:
        return await _answers(self.address)


class DevServer:
    """The development server with its web page; workflows outlive it in `database`."""

    def __init__(
        self,
        run: RunDirectory,
        database: Path,
        *,
        port: Port | None = None,
        ui_port: Port | None = None,
        search_attributes: Sequence[str] = (),
        dynamic_config: Sequence[str] = (),
    ) -> None:
        """`search_attributes` as NAME=TYPE, `dynamic_config` as KEY=VALUE."""
        self._run = run
        self._database = database
        self._ports = (port or Port(), ui_port or Port())
        self._more = [
            *(word for item in search_attributes for word in ("--search-attribute", item)),
            *(word for item in dynamic_config for word in ("--dynamic-config-value", item)),
        ]
        self._child: Child | None = None
        self.address = f"{LOOPBACK}:{self._ports[0].number}"
        self.ui = f"http://{LOOPBACK}:{self._ports[1].number}"

    async def start(self) -> None:
        """Start it, with what `database` holds from before; nobody else may read that."""
        for attempt in range(_TRIES):
            port, ui_port = (chosen.number for chosen in self._ports)
            self.address, self.ui = f"{LOOPBACK}:{port}", f"http://{LOOPBACK}:{ui_port}"
            self._child = Child(
                self._run,
                f"temporal-{port}",
                [
                    *(str(program("temporal")), "server", "start-dev", "--log-level", "never"),
                    *("--ip", LOOPBACK, "--port", str(port)),
                    *("--ui-ip", LOOPBACK, "--ui-port", str(ui_port), "--ui-disable-news-fetch"),
                    *("--db-filename", str(self._database), *self._more),
                ],
                umask=0o077,
            )
            try:
                await self._child.wait_ready(self._answers, _START_SECONDS)
            except PartFailed:
                self._child.kill()
                taken = "address already in use" in self._child.log_tail(200)
                if attempt == _TRIES - 1 or not taken:
                    raise
                for chosen in self._ports:
                    chosen.close()
                self._ports = (Port(), Port())
            else:
                return

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._child is not None and self._child.running

    async def stop(self) -> None:
        """End it; its state stays in the file."""
        if self._child is not None:
            await self._child.stop()
            self._child = None
        for port in self._ports:
            port.close()

    def kill(self) -> None:
        """Kill -9; `start` goes on with what was in the file."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    async def _answers(self) -> bool:
        return await _answers(self.address, namespace="default")


async def _answers(address: str, namespace: str | None = None) -> bool:
    # A plain connection first: the SDK takes its time to report a refused one.
    host, _, port = address.rpartition(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    service = (await Client.connect(address)).workflow_service
    await service.get_system_info(GetSystemInfoRequest())
    if namespace is not None:
        await service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    return True
