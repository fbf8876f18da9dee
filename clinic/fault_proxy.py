"""The wire between Kairos and the EHR, which can be hurt in the ways that wires are.

A proxy on loopback that forwards one whole request and one whole response at a time. Everything it
does by default is faithful; each fault is asked for, once. Runs in a thread of its own, so that the
demo may also drive it from code that blocks. Must not change what a request or response says.
"""

import asyncio
import json
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import h11

from clinic.ports import LOOPBACK, Port, listening_socket

_READ = 65536
_HOP_BY_HOP = {b"connection", b"keep-alive", b"transfer-encoding", b"upgrade", b"proxy-connection"}
_NO_CONTENT, _NOT_MODIFIED = 204, 304
_OPEN_SECONDS = 5.0


class Call(NamedTuple):
    """One request seen on the wire; `status` is the EHR's own, or the wire's when it answered."""

    method: str
    path: str
    status: int
    fate: Literal["passed", "dropped", "answered", "unreachable"] = "passed"


class Message(NamedTuple):
    """A whole response."""

    status: int
    reason: bytes
    headers: list[tuple[bytes, bytes]]
    body: bytes


@dataclass
class Fault:
    """One thing that will go wrong with the next request that fits."""

    kind: Literal["drop", "answer", "hang"]
    method: str
    path_prefix: str
    status: int = 0
    body: bytes = b""
    at_most: float = 30.0
    happened: threading.Event = field(default_factory=threading.Event)
    """Set when the EHR's answer was dropped or is being held, or the wire has answered."""
    _released: threading.Event = field(default_factory=threading.Event)

    def release(self) -> None:
        """Let a held response go on."""
        self._released.set()

    async def held(self) -> None:
        """Wait in the wire's thread until it is released, bounded by `at_most` seconds."""
        self.happened.set()
        await asyncio.to_thread(self._released.wait, self.at_most)


class FaultProxy:
    """Listens on its own port and passes on to `upstream_port`."""

    def __init__(self, upstream_port: int = 0, port: Port | None = None) -> None:
        """Open it at once; `upstream_port` may be set later, before the first call.

        A `port` that is given stays its giver's, who closes it.
        """
        self.upstream_port = upstream_port
        self.calls: list[Call] = []
        self._faults: list[Fault] = []
        self._connections: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._port = port or Port()
        self._is_ours = port is None
        self.port = self._port.number
        self.base_url = f"http://{LOOPBACK}:{self.port}/fhir"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._thread.start()
        self._call(self._open())

    def close(self) -> None:
        """Close every connection and end the thread."""
        if self._loop.is_closed():
            return
        for fault in self._faults:
            fault.release()
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if self._is_ours:
            self._port.close()

    def drop_next_response(self, method: str, path_prefix: str) -> Fault:
        """The EHR gets the next such request and commits; nobody hears its answer."""
        return self._expect(Fault("drop", method, path_prefix))

    def answer_next(
        self, method: str, path_prefix: str, status: int, body: dict[str, Any] | None = None
    ) -> Fault:
        """The next such request is refused with an OperationOutcome and never reaches the EHR."""
        outcome = body or {
            "resourceType": "OperationOutcome",
            "issue": [{"severity": "error", "code": "processing"}],
        }
        encoded = json.dumps(outcome).encode()
        return self._expect(Fault("answer", method, path_prefix, status, encoded))

    def hang_next(self, method: str, path_prefix: str, at_most: float = 30.0) -> Fault:
        """The next such answer of the EHR is held until `release()`, `at_most` seconds."""
        return self._expect(Fault("hang", method, path_prefix, at_most=at_most))

    def refuse(self) -> None:
        """From now on connections are refused, and open ones are closed."""
        self._call(self._shut())

    def accept(self) -> None:
        """Listen again, on the same port."""
        if self._server is None:
            self._call(self._open())

    @property
    def dropped(self) -> list[Call]:
        """The calls whose answers were dropped."""
        return [call for call in self.calls if call.fate == "dropped"]

    def _expect(self, fault: Fault) -> Fault:
        self._faults.append(fault)
        return fault

    def _call(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=_OPEN_SECONDS * 2)

    async def _open(self) -> None:
        deadline = self._loop.time() + _OPEN_SECONDS
        while True:
            try:
                listening = listening_socket(self.port)
            except OSError:  # somebody's outgoing connection may have borrowed the number
                if self._loop.time() > deadline:
                    raise
                await asyncio.sleep(0.05)
            else:
                self._server = await asyncio.start_server(self._serve, sock=listening)
                return

    async def _shut(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for writer in list(self._connections):
            writer.transport.abort()

    async def _end(self) -> None:
        await self._shut()
        serving = asyncio.all_tasks() - {asyncio.current_task()}
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)
        await self._loop.shutdown_default_executor()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            await self._serve_connection(reader, writer)
        except (OSError, h11.ProtocolError, asyncio.IncompleteReadError):
            pass  # the other side sees a broken connection, as it would on a real wire
        finally:
            self._connections.discard(writer)
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _serve_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        client = h11.Connection(h11.SERVER)
        while True:
            request = await _next_event(client, reader, writer)
            if not isinstance(request, h11.Request):
                return
            body = await _read_body(client, reader, writer)
            answer = await self._answer(request, body)
            if answer is None:
                return
            headers = _framed(answer, is_head=request.method == b"HEAD")
            response = h11.Response(
                status_code=answer.status, reason=answer.reason, headers=headers
            )
            parts = [client.send(response)]
            if request.method != b"HEAD" and answer.status not in (_NO_CONTENT, _NOT_MODIFIED):
                parts.append(client.send(h11.Data(data=answer.body)))
            parts.append(client.send(h11.EndOfMessage()))
            writer.write(b"".join(part for part in parts if part))
            await writer.drain()
            if client.our_state is not h11.DONE or client.their_state is not h11.DONE:
                return
            client.start_next_cycle()

    async def _answer(self, request: h11.Request, body: bytes) -> Message | None:
        """The response to give; None means to close the connection without a byte."""
        method, target = request.method.decode(), request.target.decode()
        path = target.partition("?")[0]
        fault = self._take_fault(method, path)
        if fault and fault.kind == "answer":
            self.calls.append(Call(method, path, fault.status, "answered"))
            fault.happened.set()
            kind = [(b"content-type", b"application/fhir+json")]
            return Message(fault.status, b"", kind, fault.body)
        try:
            answer = await self._ask_ehr(request, body)
        except (OSError, h11.ProtocolError):
            self.calls.append(Call(method, path, 0, "unreachable"))
            return None
        if fault and fault.kind == "drop":
            self.calls.append(Call(method, path, answer.status, "dropped"))
            fault.happened.set()
            return None
        self.calls.append(Call(method, path, answer.status))
        if fault:
            await fault.held()
        return answer

    def _take_fault(self, method: str, path: str) -> Fault | None:
        for fault in self._faults:
            if fault.method == method and path.startswith(fault.path_prefix):
                self._faults.remove(fault)
                return fault
        return None

    async def _ask_ehr(self, request: h11.Request, body: bytes) -> Message:
        """One request on a connection of its own, and the whole response to it."""
        reader, writer = await asyncio.open_connection(LOOPBACK, self.upstream_port)
        ehr = h11.Connection(h11.CLIENT)
        try:
            headers = [pair for pair in request.headers if pair[0] not in _HOP_BY_HOP]
            if body and not any(name == b"content-length" for name, _ in headers):
                headers.append((b"content-length", str(len(body)).encode()))
            headers.append((b"connection", b"close"))
            asked = h11.Request(method=request.method, target=request.target, headers=headers)
            sent = [ehr.send(asked), ehr.send(h11.Data(data=body)) if body else b""]
            writer.write(b"".join(part or b"" for part in (*sent, ehr.send(h11.EndOfMessage()))))
            await writer.drain()
            response = await _next_event(ehr, reader, writer)
            while isinstance(response, h11.InformationalResponse):
                response = await _next_event(ehr, reader, writer)
            if not isinstance(response, h11.Response):
                raise h11.RemoteProtocolError("the EHR closed the connection before it answered")
            whole = await _read_body(ehr, reader, writer)
            return Message(response.status_code, response.reason, list(response.headers), whole)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()


def _framed(answer: Message, *, is_head: bool) -> list[tuple[bytes, bytes]]:
    """The response's headers, with the length of the body that we hold whole."""
    headers = [pair for pair in answer.headers if pair[0] not in _HOP_BY_HOP]
    if is_head or answer.status == _NOT_MODIFIED:
        return headers  # the length is that of a body which is not sent
    headers = [pair for pair in headers if pair[0] != b"content-length"]
    if answer.status != _NO_CONTENT:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    return headers


async def _next_event(
    connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> object:
    while (event := connection.next_event()) is h11.NEED_DATA:
        if connection.they_are_waiting_for_100_continue:
            go_on = connection.send(h11.InformationalResponse(status_code=100, headers=[]))
            writer.write(go_on or b"")
        connection.receive_data(await reader.read(_READ))
    return event


async def _read_body(
    connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bytes:
    body = bytearray()
    while isinstance(event := await _next_event(connection, reader, writer), h11.Data):
        body += event.data
    return bytes(body)
