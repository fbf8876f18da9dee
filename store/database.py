"""The connection to PostgreSQL. One transaction is one `async with Database.begin()`."""

import asyncio
import json
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any

import psycopg
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, DisconnectionError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from domain.language.errors import Unavailable

Transaction = AsyncSession

WITHIN_SECONDS = 20.0
"""How long a transaction may take in all. Ours take milliseconds; a server that was frozen, or that
a network has swallowed, would otherwise hold whoever asks for ever."""


_READ_ONLY = "25006"
_LONGEST_NUMBER = 100

_ENDS_WHAT_HANGS = "-c idle_in_transaction_session_timeout=60s"
"""A transaction of a machine that is gone keeps its locks for as long as TCP believes in it."""


def _json(value: Any) -> str:
    """JSON for a column: what an EHR said may hold numbers with a point, which are read exactly.

    One that no reader of JSON has room for is kept as text.
    """
    return json.dumps(value, default=_number)


def _number(value: Any) -> float | str:
    if isinstance(value, Decimal):
        return float(value) if isfinite(float(value)) else str(value)[:_LONGEST_NUMBER]
    raise TypeError(f"{type(value).__name__} is not JSON")


class Database:
    """A pool of connections that heals when PostgreSQL was away."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        patience: float = 5,
        within: float = WITHIN_SECONDS,
    ) -> None:
        """Prepare the pool; connects when first used.

        `patience` is how long to wait for a free connection, `within` how long a transaction may
        take in all; both in seconds.
        """
        self.url = url
        self._within = within
        self._engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            hide_parameters=True,  # an error's text may end in a log or in a workflow's history
            pool_timeout=patience,
            json_serializer=_json,
            connect_args={"connect_timeout": 5, "options": _ENDS_WHAT_HANGS},
        )
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)
        self.made = 0
        """Connections made so far: a server that was started anew has dropped all before."""
        event.listen(self._engine.sync_engine, "connect", self._count)
        event.listen(self._engine.sync_engine, "checkout", _insist_open)

    @asynccontextmanager
    async def begin(self, within: float | None = None) -> AsyncIterator[Transaction]:
        """Begin a transaction; commit at the end, roll back on any error.

        Raises Unavailable when PostgreSQL cannot be reached, went away or does not answer `within`
        so many seconds. After that a commit may or may not have taken effect: callers write so that
        doing it again is harmless.
        """
        whole = asyncio.timeout(self._within if within is None else within)
        try:
            async with whole, self._sessions.begin() as transaction:
                yield transaction
        except OperationalError:
            raise Unavailable("the database is not reachable") from None
        except DBAPIError as error:
            if error.connection_invalidated:
                raise Unavailable("the connection to the database was lost") from None
            if getattr(error.orig, "sqlstate", None) == _READ_ONLY:
                await self._engine.dispose()  # another server writes now: no connection is kept
                raise Unavailable("the database is read-only") from None
            raise
        except PoolTimeoutError as error:
            raise Unavailable("no database connection is free") from error
        except TimeoutError as error:
            if not whole.expired():
                raise
            raise Unavailable("the database does not answer") from error

    async def time(self) -> datetime:
        """What time the database has. Raises Unavailable."""
        async with self.begin() as tx:
            said: datetime = (await tx.execute(text("select clock_timestamp()"))).scalar_one()
        return said

    def _count(self, *_: object) -> None:
        self.made += 1

    async def close(self) -> None:
        await self._engine.dispose()


def _insist_open(connection: Any, *_: object) -> None:
    """See that the server has not hung up, without asking it: the pool then makes another.

    On a connection that nobody uses there is nothing to be read but that it has ended, or what TLS
    or the server says by the way.
    """
    postgres = connection.driver_connection.pgconn
    poll = select.poll()
    poll.register(postgres.socket, select.POLLIN)
    try:
        while poll.poll(0):
            postgres.consume_input()
    except psycopg.OperationalError as error:
        raise DisconnectionError from error
