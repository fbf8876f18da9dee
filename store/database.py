"""The connection to PostgreSQL. One transaction is one `async with Database.begin()`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from domain.language.errors import Unavailable

Transaction = AsyncSession


class Database:
    """A pool of connections that heals when PostgreSQL was away."""

    def __init__(self, url: str, *, pool_size: int = 10, patience: float = 5) -> None:
        """Prepare the pool; connects when first used."""
        self._engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_pre_ping=True,
            hide_parameters=True,  # an error's text may end in a log or in a workflow's history
            pool_timeout=patience,
            connect_args={"connect_timeout": 5},
        )
        self._sessions = async_sessionmaker(self._engine, expire_on_commit=False)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """Begin a transaction; commit at the end, roll back on any error.

        Raises Unavailable when PostgreSQL cannot be reached or went away. After that a commit may
        or may not have taken effect: callers write so that doing it again is harmless.
        """
        try:
            async with self._sessions.begin() as transaction:
                yield transaction
        except OperationalError:
            raise Unavailable("the database is not reachable") from None
        except DBAPIError as error:
            if error.connection_invalidated:
                raise Unavailable("the database went away") from None
            raise
        except (PoolTimeoutError, TimeoutError) as error:
            raise Unavailable("no database connection is free") from error

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
