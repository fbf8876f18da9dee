"""Hears the bells of lanes as they ring, on one connection outside the pool. A hint, no more.

The connection carries its holder's name, by which others see that the holder's process is there.
"""

import asyncio
from collections.abc import Callable

import psycopg
import structlog
from sqlalchemy.engine import make_url

from store.queue import CHANNEL

AGAIN = 1.0
"""Seconds between tries to connect."""

log = structlog.get_logger("kairos.store")


class Listener:
    """Calls `heard` with a connection's id when one of its lanes rings."""

    def __init__(self, url: str, holder: str, heard: Callable[[str], None]) -> None:
        """`holder` names the session, in 63 characters at most."""
        plain = make_url(url).set(drivername="postgresql")
        self._url = plain.render_as_string(hide_password=False)
        self._holder = holder
        self._heard = heard

    async def run(self) -> None:
        """Listen until cancelled; what rings while nobody listens is found by looking."""
        while True:
            try:
                await self._listen()
            except psycopg.Error as error:
                log.warning("does_not_listen", error_type=type(error).__name__)
            await asyncio.sleep(AGAIN)

    async def _listen(self) -> None:
        connecting = psycopg.AsyncConnection.connect(
            self._url, autocommit=True, application_name=self._holder, connect_timeout=5
        )
        async with await connecting as connection:
            await connection.execute(f"listen {CHANNEL}")
            async for notice in connection.notifies():
                self._heard(notice.payload)
