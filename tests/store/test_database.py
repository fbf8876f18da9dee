"""The connection to PostgreSQL: what goes wrong with it is one error."""

import pytest
from sqlalchemy import text

from domain.language.errors import Unavailable
from store.database import Database


async def test_an_exhausted_pool_is_unavailable(database_url: str) -> None:
    """With every connection in use, who asks for one is told to try again, by no other error."""
    small = Database(database_url, pool_size=1, patience=0.05)
    try:
        async with small.begin() as tx:
            await tx.execute(text("select 1"))
            with pytest.raises(Unavailable, match="no database connection is free"):
                async with small.begin() as another:
                    await another.execute(text("select 1"))
    finally:
        await small.close()


async def test_a_database_that_does_not_answer_is_unavailable(database_url: str) -> None:
    """A transaction that takes too long ends by itself, and its connection is free again."""
    slow = Database(database_url, pool_size=1, within=0.05)
    try:
        with pytest.raises(Unavailable, match="the database does not answer"):
            async with slow.begin() as tx:
                await tx.execute(text("select pg_sleep(600)"))
        async with slow.begin(within=20) as tx:
            assert await tx.scalar(text("select 1")) == 1
    finally:
        await slow.close()


async def test_a_time_out_inside_a_transaction_is_the_callers(database_url: str) -> None:
    """Only the database's own silence is Unavailable; another time-out stays what it was."""
    database = Database(database_url)
    try:
        with pytest.raises(TimeoutError):
            async with database.begin():
                raise TimeoutError
    finally:
        await database.close()


async def test_a_connection_that_the_server_has_dropped_is_made_anew(database_url: str) -> None:
    """After a server ended every session the next transaction works, and is not told of it."""
    database, other = Database(database_url, pool_size=1), Database(database_url)
    try:
        async with database.begin() as tx:
            session = await tx.scalar(text("select pg_backend_pid()"))
        async with other.begin() as tx:
            await tx.execute(text("select pg_terminate_backend(:pid, 5000)"), {"pid": session})
        async with database.begin() as tx:
            assert await tx.scalar(text("select pg_backend_pid()")) != session
        assert database.made == 2
    finally:
        await database.close()
        await other.close()


async def test_a_server_that_only_reads_is_left(database_url: str) -> None:
    """A primary that became a standby is unavailable once; then another connection is made."""
    database = Database(database_url, pool_size=1)
    try:
        async with database.begin() as tx:
            await tx.execute(text("set session characteristics as transaction read only"))
        with pytest.raises(Unavailable, match="the database is read-only"):
            async with database.begin() as tx:
                await tx.execute(text("create table t (a int)"))
        async with database.begin() as tx:
            await tx.execute(text("create temporary table t (a int)"))
    finally:
        await database.close()
