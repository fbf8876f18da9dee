"""The inbox: a command is there once, and is settled once."""

import asyncio
from datetime import UTC, datetime

from domain.language.refusal import Refusal
from store import inbox
from store.database import Database

NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)


def _command(command_id: str, key: str = "key-1") -> inbox.Received:
    return inbox.Received(
        command_id, "p1", "manhattan", "check-in", "nurse-1", key, "abc", {"a": 1}
    )


async def test_a_key_is_received_once(database: Database) -> None:
    """Of ten commands with one author and key at once, one is received."""

    async def receive(number: int) -> bool:
        async with database.begin() as tx:
            return await inbox.receive(tx, _command(f"c{number}"), NOW) is not None

    assert sum(await asyncio.gather(*(receive(number) for number in range(10)))) == 1


async def test_settling_is_final(database: Database) -> None:
    """A command that was applied stays applied when a late rejection comes."""
    async with database.begin() as tx:
        await inbox.receive(tx, _command("c1"), NOW)
    async with database.begin() as tx:
        await inbox.applied(tx, "c1", 7, NOW)
        await inbox.rejected(tx, "c1", Refusal("Conflict", "late"), NOW)
    async with database.begin() as tx:
        row = await inbox.find(tx, "c1")
        waiting = await inbox.waiting(tx, 10)
    assert row is not None
    assert (row.state, row.version, row.problem) == ("applied", 7, None)
    assert waiting == []


async def test_what_is_not_settled_waits_oldest_first(database: Database) -> None:
    """Commands whose outcome is not known are listed by the time they were received."""
    async with database.begin() as tx:
        await inbox.receive(tx, _command("late", "k2"), NOW.replace(hour=15))
        await inbox.receive(tx, _command("early", "k1"), NOW)
    async with database.begin() as tx:
        assert [row.id for row in await inbox.waiting(tx, 10)] == ["early", "late"]
