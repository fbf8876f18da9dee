"""`python -m benchmarks.peers.python_clients NAME`: one Python client does all of the work.

The work comes as JSON on standard input; seconds and errors go as JSON to standard output. A
process of its own, as the JavaScript clients have, and only it needs the lock `peers`.
"""

import asyncio
import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import httpx2
from fhirclient.models.observation import Observation
from fhirclient.server import FHIRServer
from fhirpy import AsyncFHIRClient

Body = dict[str, Any]


class Client(Protocol):
    """What is measured: both raise when the library does."""

    async def create(self, body: Body) -> str:
        """Create an Observation; its id."""

    async def read(self, ehr_id: str) -> object:
        """Read it back."""


class Bare:
    """An HTTP library and nothing else, with the header that makes a create conditional."""

    def __init__(self, base: str, at_once: int) -> None:
        limits = httpx2.Limits(max_connections=at_once)
        self._http = httpx2.AsyncClient(base_url=base, trust_env=False, limits=limits)

    async def create(self, body: Body) -> str:
        (known,) = body["identifier"][:1]
        condition = {"If-None-Exist": f"identifier={known['system']}|{known['value']}"}
        made = await self._http.post("/Observation", json=body, headers=condition)
        return str(made.raise_for_status().json()["id"])

    async def read(self, ehr_id: str) -> object:
        return (await self._http.get(f"/Observation/{ehr_id}")).raise_for_status().json()


class Fhirpy:
    """fhirpy, asynchronous.

    Its conditional create puts the search into the query, which is not R4's: it is not used.
    """

    def __init__(self, base: str, _: int) -> None:
        self._client = AsyncFHIRClient(base)

    async def create(self, body: Body) -> str:
        observation = self._client.resource("Observation", **body)
        return str((await observation.create()).id)

    async def read(self, ehr_id: str) -> object:
        return await self._client.get("Observation", ehr_id)


class Fhirclient:
    """fhirclient, which blocks: as many threads, each with a session of its own."""

    def __init__(self, base: str, at_once: int) -> None:
        self._base = base
        self._threads = ThreadPoolExecutor(at_once)
        self._own = threading.local()

    async def create(self, body: Body) -> str:
        def work() -> str:
            return str(Observation(body).create(self._server())["id"])

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def read(self, ehr_id: str) -> object:
        def work() -> object:
            return Observation.read(ehr_id, self._server())

        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _server(self) -> FHIRServer:
        if not hasattr(self._own, "server"):
            self._own.server = FHIRServer(None, self._base)
        return self._own.server


CLIENTS: dict[str, Callable[[str, int], Client]] = {
    "bare": Bare,
    "fhirpy": Fhirpy,
    "fhirclient": Fhirclient,
}


async def _work(client: Client, job: dict[str, Any]) -> dict[str, float]:
    waiting = iter(job["bodies"])
    errors = 0

    async def tried(call: Callable[[Any], Awaitable[Any]], what: Body | str) -> Any:
        nonlocal errors
        for _ in range(job["tries"]):
            try:
                return await call(what)
            except Exception:  # noqa: BLE001  each library has its own; its user tries again
                errors += 1
        return None

    async def lane() -> None:
        for body in waiting:
            made = await tried(client.create, body)
            if made is not None:
                await tried(client.read, made)

    began = time.monotonic()
    await asyncio.gather(*(lane() for _ in range(job["at_once"])))
    return {"seconds": time.monotonic() - began, "errors": errors}


async def _main() -> None:
    job = json.load(sys.stdin)
    client = CLIENTS[sys.argv[1]](job["base"], job["at_once"])
    print(json.dumps(await _work(client, job)))


if __name__ == "__main__":
    asyncio.run(_main())
