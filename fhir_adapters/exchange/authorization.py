"""How an EHR is asked to let Kairos in: what each request carries, and what comes of a refusal.

The place for SMART Backend Services. Whatever an authorization does, the transport keeps two
promises: without one nothing is sent, and a write is never sent twice because of one.
"""

from collections.abc import Mapping
from typing import Protocol


class Authorization(Protocol):
    """Lets requests in to one EHR, many of them at a time."""

    async def headers(self) -> Mapping[str, str]:
        """Give the headers for one request. It may fetch a token for that, or raise anything."""
        ...

    def invalidate(self, headers: Mapping[str, str]) -> None:
        """Learn that the EHR answered 401 to these headers.

        Others may have learnt the same before and have a new token by now: only what stands in
        `headers` is dead.
        """
        ...


class NoAuthorization:
    """For an EHR that asks for none."""

    async def headers(self) -> Mapping[str, str]:
        """Give none."""
        return {}

    def invalidate(self, headers: Mapping[str, str]) -> None:
        """Have nothing that could be dead."""


NO_AUTHORIZATION = NoAuthorization()
