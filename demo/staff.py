"""The clinic's people, acting by HTTP as any client would: own tokens, own roles, one door.

Must not import workflows, activities, store or domain: what they know, the API told them.
"""

import asyncio
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx2

from clinic import Issuer

SITES = ("manhattan",)
IN_FLIGHT = "urn:kairos:problem:in-flight"
PATIENCE = 60.0
"""Real seconds that a person tries again while a process is away."""


class TurnedAwayError(Exception):
    """The API answered with a problem; `problem` is its RFC 9457 document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('title')}: {problem.get('detail')}")
        self.status = status
        self.problem = problem

    def rules(self) -> list[str]:
        """The rules that stand in the way, as the API names them."""
        return [block["rule"] for block in self.problem.get("blocked_by", [])]


@dataclass
class Person:
    """Somebody with a name, a role and a token."""

    name: str
    role: str
    http: httpx2.AsyncClient
    token: str

    @property
    def title(self) -> str:
        """Who this is, for whoever watches."""
        return f"{self.name} ({self.role})"

    async def see(self, path: str, **query: str) -> Any:
        return (await self._call("GET", path, params=query)).json()

    async def do(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask for something and wait until its outcome is known.

        Raises TurnedAway with the problem if it is refused. Tries again with the same idempotency
        key while nothing answers, as a client must.
        """
        key = {"Idempotency-Key": str(uuid4())}
        answer = await self._call("POST", path, json=body or {}, headers=key)
        if answer.status_code in (HTTPStatus.ACCEPTED, HTTPStatus.CONFLICT):
            return await self._outcome(answer.headers["Location"])
        return dict(answer.json())

    async def _outcome(self, address: str) -> dict[str, Any]:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            command = await self.see(address)
            if command["state"] == "applied":
                return dict(command)
            if command["state"] == "rejected":
                problem = command["problem"]
                raise TurnedAwayError(int(problem.get("status", 409)), problem)
            await asyncio.sleep(0.1)
        raise TimeoutError(f"the outcome of {address} is not known after {PATIENCE:g} s")

    async def _call(self, method: str, path: str, **how: Any) -> httpx2.Response:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        headers = {"Authorization": f"Bearer {self.token}"} | how.pop("headers", {})
        while True:
            try:
                answer = await self.http.request(method, path, headers=headers, **how)
            except httpx2.TransportError:
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(0.1)
                continue
            if answer.is_success:
                return answer
            again = answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
            if again and asyncio.get_running_loop().time() < deadline:
                await asyncio.sleep(0.1)
                continue
            problem = answer.json()
            if problem["type"] == IN_FLIGHT:
                return answer
            raise TurnedAwayError(answer.status_code, problem)


@dataclass(frozen=True)
class Staff:
    """The four people of the story, and one who watches the deliveries."""

    care_manager: Person
    nurse: Person
    prescriber: Person
    operator: Person
    operations: Person


def hire(issuer: Issuer, http: httpx2.AsyncClient, sites: tuple[str, ...] = SITES) -> Staff:
    """Give everybody a token of their own, for these sites."""

    def person(name: str, role: str) -> Person:
        return Person(name, role, http, issuer.token(name, [role], sites))

    return Staff(
        care_manager=person("cam.manager", "care-manager"),
        nurse=person("nia.nurse", "nurse"),
        prescriber=person("pat.prescriber", "prescriber"),
        operator=person("omar.operator", "tms-operator"),
        operations=person("olga.operations", "operations"),
    )
