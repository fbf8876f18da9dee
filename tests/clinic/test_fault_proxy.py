"""The wire is faithful until it is told to hurt, and then hurts exactly once."""

import asyncio

import httpx2
import pytest

from clinic import Ehr, FaultProxy
from tests.clinic.waiting import run_directory, until

PATIENT = {"resourceType": "Patient"}


@pytest.fixture(scope="module")
def ehr():
    """One EHR for all of these tests."""
    with run_directory() as run:
        part = Ehr(run, run.path / "ehr")
        asyncio.run(part.start())
        yield part
        asyncio.run(part.stop())


@pytest.fixture
def wire(ehr: Ehr):
    """A wire of its own for each test."""
    made = FaultProxy(ehr.port)
    yield made
    made.close()


@pytest.fixture
async def client(wire: FaultProxy):
    """A client that reaches the EHR through the wire only."""
    async with httpx2.AsyncClient(base_url=wire.base_url, trust_env=False, timeout=5) as made:
        yield made


async def count(ehr: Ehr, family: str) -> int:
    """How many patients of that name the EHR itself has."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        found = await client.get(f"{ehr.base_url}/Patient", params={"family": family})
    return int(found.json()["total"])


def named(family: str) -> dict[str, object]:
    """A patient with that family name."""
    return {**PATIENT, "name": [{"family": family}]}


async def test_it_passes_everything_on(client: httpx2.AsyncClient, wire: FaultProxy, ehr: Ehr):
    """Writes, reads, deletes, HEAD and several calls on one connection are as without it."""
    made = await client.post("/Patient", json=named("Faithful"))
    path = f"/Patient/{made.json()['id']}"
    read = await client.get(path)
    async with httpx2.AsyncClient(trust_env=False) as direct:
        past = await direct.get(f"{ehr.base_url}{path}")
    assert (read.status_code, read.content) == (past.status_code, past.content)
    assert read.headers["etag"] == past.headers["etag"]
    assert (await client.head(path)).content == b""
    assert (await client.delete(path)).is_success
    assert [(call.method, call.fate) for call in wire.calls] == [
        ("POST", "passed"),
        ("GET", "passed"),
        ("HEAD", "passed"),
        ("DELETE", "passed"),
    ]
    assert wire.calls[0].path == "/fhir/Patient"
    assert wire.calls[0].status == 201


async def test_it_drops_one_response_after_the_ehr_has_committed(
    client: httpx2.AsyncClient, wire: FaultProxy, ehr: Ehr
):
    """The caller hears nothing, the resource is in the EHR, and the next call goes through."""
    wire.drop_next_response("POST", "/fhir/Patient")
    await client.get("/metadata")
    with pytest.raises(httpx2.RemoteProtocolError):
        await client.post("/Patient", json=named("Dropped"))
    assert await count(ehr, "Dropped") == 1
    assert [call.status for call in wire.dropped] == [201]
    assert (await client.post("/Patient", json=named("Heard"))).status_code == 201
    assert len(wire.dropped) == 1


async def test_it_refuses_connections_and_accepts_again(
    client: httpx2.AsyncClient, wire: FaultProxy
):
    """While refusing, also a connection that was kept open is closed; then all is as before."""
    assert (await client.get("/metadata")).status_code == 200
    wire.refuse()
    for _ in range(3):
        with pytest.raises((httpx2.ConnectError, httpx2.ReadError, httpx2.RemoteProtocolError)):
            await client.get("/metadata")
    with pytest.raises(httpx2.ConnectError):
        await client.get("/metadata")
    wire.accept()
    assert (await client.get("/metadata")).status_code == 200


async def test_it_answers_one_write_without_the_ehr(
    client: httpx2.AsyncClient, wire: FaultProxy, ehr: Ehr
):
    """One write is refused with an OperationOutcome and never reaches the EHR."""
    wire.answer_next("POST", "/fhir/Patient", 422)
    refused = await client.post("/Patient", json=named("Refused"))
    assert refused.status_code == 422
    assert refused.json()["resourceType"] == "OperationOutcome"
    assert await count(ehr, "Refused") == 0
    assert wire.calls[-1] == ("POST", "/fhir/Patient", 422, "answered")


async def test_it_holds_one_response_until_released(
    client: httpx2.AsyncClient, wire: FaultProxy, ehr: Ehr
):
    """The EHR has committed while the caller waits; others pass; release lets it go on."""
    fault = wire.hang_next("POST", "/fhir/Patient", at_most=10)
    waiting = asyncio.create_task(client.post("/Patient", json=named("Held")))
    await until(fault.happened.is_set)
    assert await count(ehr, "Held") == 1
    assert (await client.get("/metadata")).status_code == 200
    assert not waiting.done()
    fault.release()
    assert (await waiting).status_code == 201


async def test_a_held_response_is_let_go_in_time(client: httpx2.AsyncClient, wire: FaultProxy):
    """Nobody has to release it: holding is bounded."""
    wire.hang_next("GET", "/fhir/metadata", at_most=0.2)
    assert (await client.get("/metadata")).status_code == 200


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", (204, b"")),
        (b'HTTP/1.1 304 Not Modified\r\nETag: W/"1"\r\n\r\n', (304, b"")),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            (200, b"abc"),
        ),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nto the end", (200, b"to the end")),
    ],
)
async def test_every_framing_is_understood(said: bytes, heard: tuple[int, bytes]):
    """No content, not modified, chunks and "until the end" all arrive, and the next call too."""

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    wire = FaultProxy(server.sockets[0].getsockname()[1])
    try:
        async with httpx2.AsyncClient(base_url=wire.base_url, trust_env=False) as client:
            for _ in range(2):
                answer = await client.get("/Patient/1")
                assert (answer.status_code, answer.content) == heard
    finally:
        await asyncio.to_thread(wire.close)
        server.close()


async def test_an_ehr_that_is_away_is_a_broken_connection():
    """When nobody listens behind the wire the caller sees a closed connection."""
    wire = FaultProxy(1)
    try:
        async with httpx2.AsyncClient(base_url=wire.base_url, trust_env=False) as client:
            with pytest.raises(httpx2.RemoteProtocolError):
                await client.get("/metadata")
        assert wire.calls[-1].fate == "unreachable"
    finally:
        wire.close()
