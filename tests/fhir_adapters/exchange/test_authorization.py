"""Being let in by an EHR: what an authorization may do wrong, and what it is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from fhir_adapters.exchange.client import EhrClient
from fhir_adapters.exchange.failures import Busy, NeverSent
from fhir_adapters.exchange.transport import Limits
from fhir_adapters.profile.generic import GENERIC
from tests.fhir_adapters.exchange.prepared import Server

FLAG = {"resourceType": "Flag", "id": "7"}
LIMITS = Limits(connect=2, read=2, total=4, authorize=0.2)

Asking = Callable[[EhrClient], Awaitable[Any]]
READS: list[Asking] = [lambda client: client.read("Flag", "7"), lambda client: client.capability()]
WRITES: list[Asking] = [
    lambda client: client.create("Flag", FLAG),
    lambda client: client.create("Flag", FLAG, "identifier=x"),
    lambda client: client.update("Flag", "7", FLAG, "1"),
]


class Tokens:
    """Gives a new token once the one before is known to be dead."""

    def __init__(self, *tokens: str) -> None:
        self.left = list(tokens)
        self.dead: list[str] = []

    async def headers(self) -> Mapping[str, str]:
        """The first token that is left."""
        return {"Authorization": f"Bearer {self.left[0]}"}

    def invalidate(self, headers: Mapping[str, str]) -> None:
        """Go on to the next one, if there is one."""
        self.dead.append(headers["Authorization"].removeprefix("Bearer "))
        if len(self.left) > 1:
            self.left.pop(0)


class Broken(Tokens):
    """Cannot give a token after so many of them, and fails when it is told something."""

    def __init__(self, problem: Exception | None, after: int = 0) -> None:
        super().__init__("one")
        self.problem, self.after = problem, after

    async def headers(self) -> Mapping[str, str]:
        """Fail, or never come back."""
        self.after -= 1
        if self.after >= 0:
            return await super().headers()
        if self.problem is None:
            await asyncio.Event().wait()
        raise self.problem or AssertionError

    def invalidate(self, headers: Mapping[str, str]) -> None:
        """Fail."""
        super().invalidate(headers)
        raise RuntimeError("a secret of the hook")


@asynccontextmanager
async def _client(server: Server, tokens: Tokens) -> AsyncIterator[EhrClient]:
    async with EhrClient(server.base_url, GENERIC, limits=LIMITS, authorization=tokens) as made:
        yield made


@pytest.mark.parametrize("asking", [*READS, *WRITES])
@pytest.mark.parametrize(
    "problem",
    [
        httpx2.ConnectError("the token endpoint is down"),
        httpx2.ReadTimeout("the token endpoint is slow"),
        TimeoutError("by itself"),
        RuntimeError("a secret of the hook"),
        KeyError("access_token"),
        None,
    ],
    ids=repr,
)
async def test_without_an_authorization_nothing_was_sent(server: Server, asking, problem) -> None:
    """Whatever it raises, or if it never answers: provably nothing left, and no secret is told."""
    async with _client(server, Broken(problem)) as client:
        with pytest.raises(NeverSent) as never:
            await asking(client)
    assert server.requests == []
    assert "secret" not in str(never.value)


@pytest.mark.parametrize("token", ["one\n", "tök", "a\r\nX-Other: b"])
async def test_a_token_that_fits_in_no_header_is_not_sent(server: Server, token: str) -> None:
    """A token read with its line end, or worse, is a fault of ours and not a lost answer."""
    async with _client(server, Tokens(token)) as client:
        with pytest.raises(NeverSent):
            await client.create("Flag", FLAG)
    assert server.requests == []


async def test_who_stops_waiting_for_an_authorization_is_not_held(server: Server) -> None:
    """A cancelled delivery ends at once, whatever the authorization is doing."""
    async with _client(server, Broken(None)) as client:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.create("Flag", FLAG), 0.05)


@pytest.mark.parametrize("asking", WRITES)
async def test_a_write_that_was_not_let_in_is_never_sent_twice(server: Server, asking) -> None:
    """The dead token is told; the ledger decides about the write, which then has a new one."""
    server.first(401)
    server.says(201, b"", f"Location: {server.base_url}/Flag/7")
    tokens = Tokens("one", "two")
    async with _client(server, tokens) as client:
        with pytest.raises(Busy):
            await asking(client)
        assert (tokens.dead, len(server.requests)) == (["one"], 1)
        await asking(client)
    assert b"Bearer two" in server.requests[1]


async def test_a_read_is_asked_once_more_with_a_new_token(server: Server) -> None:
    """A token that died between two requests costs a read nothing."""
    server.first(401)
    server.says(200, b'{"resourceType": "Flag", "id": "7"}')
    tokens = Tokens("one", "two")
    async with _client(server, tokens) as client:
        assert (await client.read("Flag", "7")).ehr_id == "7"
    assert tokens.dead == ["one"]
    assert [b"Bearer one" in server.requests[0], b"Bearer two" in server.requests[1]] == [True] * 2


@pytest.mark.parametrize(
    ("tokens", "asked", "dead"),
    [
        (Tokens("one"), 1, ["one"]),  # it has no other
        (Tokens("one", "two", "three"), 2, ["one", "two"]),  # which is not let in either
        (Broken(RuntimeError("no more"), after=1), 1, ["one"]),
    ],
    ids=["none", "dead as well", "broken"],
)
async def test_a_read_that_is_not_let_in_waits(server: Server, tokens, asked, dead) -> None:
    """Without a token that is let in it is Busy, after two requests at the most."""
    server.says(401, b"")
    async with _client(server, tokens) as client:
        with pytest.raises(Busy):
            await client.read("Flag", "7")
    assert (len(server.requests), tokens.dead) == (asked, dead)


@pytest.mark.parametrize("status", [200, 403, 404, 429, 500])
async def test_only_a_401_tells_that_a_token_is_dead(server: Server, status: int) -> None:
    """What is forbidden or busy is so with any token."""
    server.says(status, b"{}")
    tokens = Tokens("one", "two")
    async with _client(server, tokens) as client:
        await asyncio.gather(client.create("Flag", FLAG), return_exceptions=True)
    assert (tokens.dead, len(server.requests)) == ([], 1)
