"""One HTTP exchange with an EHR: bounded in time and size, and plain about how far it came.

Follows no redirect, reads no environment, keeps no cookie. Must not know FHIR beyond its media
type, and must never send a request twice.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import httpx2

from fhir_adapters.exchange.failures import NeverSent

# The library logs every URL, in which patients' ids stand, and in detail every header.
for _library in ("httpx2", "httpcore2"):
    logging.getLogger(_library).setLevel(logging.WARNING)

FHIR_JSON = "application/fhir+json"
MOST_BYTES = 5_000_000

Authorize = Callable[[], Awaitable[Mapping[str, str]]]
"""Gives the headers that authorize one request; asked anew for each."""


class Lost(Exception):  # noqa: N818  turned into what it means by whoever knows the request
    """The request may have left, and no whole answer came."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to wait for a connection, for each read and write, and for the whole exchange."""

    connect: float = 10.0
    read: float = 10.0
    total: float = 30.0
    most_bytes: int = MOST_BYTES


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer."""

    status: int
    headers: Mapping[str, str]  # names in small letters
    body: bytes


class Wire:
    """A pool of connections to one EHR."""

    def __init__(self, base_url: str, limits: Limits, authorize: Authorize | None) -> None:
        """Open nothing yet."""
        self._limits = limits
        self._authorize = authorize
        self._http = httpx2.AsyncClient(
            base_url=base_url.rstrip("/") + "/",
            follow_redirects=False,
            trust_env=False,
            timeout=httpx2.Timeout(limits.read, connect=limits.connect),
        )

    async def close(self) -> None:
        """Close every connection."""
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
        """Send one request and read its answer. Raises NeverSent or Lost."""
        sent = {"Accept": FHIR_JSON, "Accept-Encoding": "identity", **(headers or {})}
        if content is not None:
            sent["Content-Type"] = FHIR_JSON
        if self._authorize is not None:
            sent |= await self._authorize()
        request = self._http.build_request(
            method, url, headers=sent, params=params, content=content
        )
        try:
            async with asyncio.timeout(self._limits.total):
                return await self._send(request)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as problem:
            raise NeverSent(f"no connection to the EHR ({type(problem).__name__})") from None
        except (httpx2.HTTPError, TimeoutError) as problem:
            raise Lost(type(problem).__name__) from None

    async def _send(self, request: httpx2.Request) -> Reply:
        response = await self._http.send(request, stream=True)
        try:
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > self._limits.most_bytes:
                    raise Lost(f"the answer is larger than {self._limits.most_bytes} bytes")
        finally:
            await response.aclose()
        self._http.cookies.clear()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status_code, headers, bytes(body))
