"""Leases: one holder at a time, and none for longer than it lasts."""

from datetime import UTC, datetime, timedelta

from store import leases
from store.database import Database

NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)
LASTS = timedelta(minutes=3)


async def _take(database: Database, holder: str, at: datetime = NOW) -> bool:
    async with database.begin() as tx:
        return await leases.take(tx, "sweep", holder, at, LASTS)


async def test_a_lease_has_one_holder(database: Database) -> None:
    """While one holds it nobody else gets it, and the holder may take it again."""
    assert await _take(database, "a")
    assert not await _take(database, "b")
    assert await _take(database, "a")


async def test_a_lease_that_ran_out_is_free(database: Database) -> None:
    """When its holder has died, another gets it once its time is over."""
    assert await _take(database, "a")
    assert not await _take(database, "b", NOW + LASTS)
    assert await _take(database, "b", NOW + LASTS + timedelta(seconds=1))


async def test_a_lease_that_is_given_back_is_free(database: Database) -> None:
    """A holder that stops gives it back at once, and only its own."""
    assert await _take(database, "a")
    for holder, free in (("b", False), ("a", True)):
        async with database.begin() as tx:
            await leases.give_back(tx, "sweep", holder)
        assert await _take(database, "c") is free
