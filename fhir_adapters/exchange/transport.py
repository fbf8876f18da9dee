"""One HTTP exchange with an EHR: bounded in time and size, and plain about how far it came.

Follows no redirect, reads no environment, keeps no cookie. Must not know FHIR beyond its media
type, and must never send a write twice.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace

import httpx2

from fhir_adapters.exchange.authorization import Authorization
from fhir_adapters.exchange.failures import NeverSent, Paused, Unsafe
from fhir_adapters.exchange.trust import NO_TRUST_OF_ITS_OWN, Trust

# The library logs every URL, in which patients' ids stand, and in detail every header.
for _library in ("httpx2", "httpcore2"):
    logging.getLogger(_library).setLevel(logging.WARNING)

FHIR_JSON = "application/fhir+json"
MOST_BYTES = 5_000_000

_UNAUTHORIZED = 401


_leaves_by: ContextVar[float | None] = ContextVar("leaves_by", default=None)


@contextmanager
def leaving_within(until: float) -> Iterator[None]:
    """Within it no write begins to leave after `until`, by the event loop's clock: NeverSent.

    A process that was stopped and goes on must not send what another has sent in its place.
    """
    before = _leaves_by.set(until)
    try:
        yield
    finally:
        _leaves_by.reset(before)


class Lost(Exception):  # noqa: N818  turned into what it means by whoever knows the request
    """The request may have left, and no whole answer came."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to wait for a connection, for each read and write, and for the whole exchange.

    `authorize` are the seconds for getting the authorization, before any of these.
    """

    connect: float = 10.0
    read: float = 10.0
    total: float = 30.0
    authorize: float = 10.0
    most_bytes: int = MOST_BYTES


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]  # names in small letters
    body: bytes
    asked: str = ""  # the path below the base URL, without a query


class Transport:
    """A pool of connections to one EHR."""

    def __init__(
        self,
        base_url: str,
        limits: Limits,
        authorization: Authorization,
        trust: Trust = NO_TRUST_OF_ITS_OWN,
    ) -> None:
        self._limits = limits
        self._authorization = authorization
        self._http = httpx2.AsyncClient(
            base_url=base_url.rstrip("/") + "/",
            follow_redirects=False,
            trust_env=False,
            verify=trust.context() if base_url.startswith("https") else True,
            timeout=httpx2.Timeout(limits.read, connect=limits.connect),
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: tuple[tuple[str, str], ...] | None = None,
        content: bytes | None = None,
    ) -> Reply:
        """Send one request and read its answer. Raises NeverSent or Lost.

        A 401 is told to the authorization. If that has another one by then, a read is asked once
        more. A write is not: whether it may be sent again is decided with the ledger.
        """
        sent = {"Accept": FHIR_JSON, "Accept-Encoding": "identity", **(headers or {})}
        if content is not None:
            sent["Content-Type"] = FHIR_JSON

        async def once(authorized: Mapping[str, str]) -> Reply:
            try:
                request = self._http.build_request(
                    method, url, headers={**sent, **authorized}, params=params, content=content
                )
            except (httpx2.InvalidURL, ValueError):
                # Ours to mend, in this one request: it says nothing of the EHR.
                raise Unsafe("the request cannot be written as HTTP") from None
            if method != "GET":
                request.extensions["trace"] = _leaves_in_time
            reply = await self._answer(request, url)
            if reply.status == _UNAUTHORIZED:
                # If it fails at that, this must not hide that the EHR did answer, and what.
                with suppress(Exception):
                    self._authorization.invalidate(authorized)
            return reply

        authorized = await self._authorized()
        reply = await once(authorized)
        if reply.status == _UNAUTHORIZED and method == "GET":
            another = authorized
            with suppress(NeverSent):
                another = await self._authorized()
            if another != authorized:
                return await once(another)
        return reply

    async def _authorized(self) -> Mapping[str, str]:
        """Get the headers that let one request in. Without them nothing is sent."""
        try:
            async with asyncio.timeout(self._limits.authorize):
                headers = dict(await self._authorization.headers())
            fit = all(value.isascii() and value.isprintable() for value in headers.values())
        except Exception as problem:  # noqa: BLE001  whatever it was, no byte of the request left
            # Its message stays here: it may quote a token or a key.
            name = type(problem).__name__
            raise NeverSent(f"could not get an authorization for the EHR ({name})") from None
        if not fit:
            raise NeverSent("the EHR authorization is not a valid header: check for a line break")
        return headers

    async def _answer(self, request: httpx2.Request, url: str) -> Reply:
        try:
            async with asyncio.timeout(self._limits.total):
                return replace(await self._send(request), asked=url.partition("?")[0])
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as problem:
            raise NeverSent(f"no connection to the EHR ({_cause(problem)})") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError, ValueError) as problem:
            raise Lost(type(problem).__name__) from None  # also an address that none can read

    async def _send(self, request: httpx2.Request) -> Reply:
        response = await self._http.send(request, stream=True)
        try:
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > self._limits.most_bytes:
                    raise Lost(f"the response is larger than {self._limits.most_bytes} bytes")
        finally:
            await response.aclose()
        self._http.cookies.clear()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, headers, bytes(body))


def _cause(problem: BaseException) -> str:
    """What kept a connection from being made: what to mend, and no address."""
    below: BaseException | None = problem
    while below is not None:
        if isinstance(below, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {below.verify_message}"
        if isinstance(below, ssl.SSLError):
            return f"TLS: {below.reason or 'it failed'}"
        if isinstance(below, socket.gaierror):
            return "its host name cannot be resolved"
        if isinstance(below, ConnectionRefusedError):
            return "nothing accepts connections at its address"
        below = below.__cause__ or below.__context__
    return type(problem).__name__


async def _leaves_in_time(step: str, _: object) -> None:
    """Asked by the library at each step of a write; the first byte leaves after this one."""
    until = _leaves_by.get()
    late = until is not None and asyncio.get_running_loop().time() > until
    if late and step.endswith(".send_request_headers.started"):
        raise Paused("Kairos was paused before anything was sent")
