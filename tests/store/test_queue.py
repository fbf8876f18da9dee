"""Lanes as a queue: one holder each, none forgotten, none held by the dead."""

import asyncio
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import select, text, update
from sqlalchemy.engine import make_url

from store import outages, queue
from store.database import Database
from store.ehr_tables import LaneRow
from store.listener import Listener
from store.queue import Held

NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


async def _ring(database: Database, patient: str, at: datetime = NOW, *, urgent: bool = False):
    async with database.begin() as tx:
        await queue.ring(tx, "ehr", patient, at, urgent=urgent)


async def _take(
    database: Database, holder: str = "a", now: datetime = LATER, *, probing: bool = False
) -> Held | None:
    async with database.begin() as tx:
        return await queue.take(tx, "ehr", holder, now, probing=probing)


async def _let_go(database: Database, held: Held | None, again_at: datetime | None = None) -> None:
    assert held is not None
    async with database.begin() as tx:
        await queue.let_go(tx, held, again_at)


async def _taken(database: Database) -> str | None:
    held = await _take(database)
    return None if held is None else held.patient_id


async def test_a_lane_has_one_holder(database: Database) -> None:
    """Ten that look at once take the two lanes that are ready once each."""
    await _ring(database, "one")
    await _ring(database, "two")
    taken = await asyncio.gather(*(_take(database, f"holder-{n}") for n in range(10)))
    assert sorted(each.patient_id for each in taken if each is not None) == ["one", "two"]


async def test_urgent_lanes_go_first_then_those_that_wait_longest(database: Database) -> None:
    """An order goes before readings that wait longer, and they in the order of their waiting."""
    await _ring(database, "second", NOW + timedelta(seconds=2))
    await _ring(database, "first", NOW + timedelta(seconds=1))
    await _ring(database, "urgent", NOW + timedelta(seconds=3), urgent=True)
    assert [await _taken(database) for _ in range(4)] == ["urgent", "first", "second", None]


async def test_a_bell_that_rings_while_a_lane_is_in_hand_is_not_lost(database: Database) -> None:
    """Let go of as empty, a lane is taken again if somebody rang meanwhile, and else is not."""
    await _ring(database, "p")
    held = await _take(database)
    await _ring(database, "p")
    await _let_go(database, held)
    held = await _take(database)
    assert held is not None
    await _let_go(database, held)
    assert await _take(database) is None


async def test_a_lane_is_left_until_its_time(database: Database) -> None:
    """Left until later it is not taken before, unless somebody rings."""
    await _ring(database, "p")
    await _let_go(database, await _take(database), LATER + timedelta(hours=1))
    assert await _take(database) is None
    assert await _take(database, now=LATER + timedelta(hours=1)) is not None


async def test_a_lane_rests_while_the_ehr_is_busy_for_it(database: Database) -> None:
    """Not even a bell wakes it before, and it is known how often it rested in a row."""
    await _ring(database, "p")
    held = await _take(database)
    assert held is not None
    async with database.begin() as tx:
        await queue.rest(tx, held, LATER, LATER + timedelta(seconds=30))
    await _ring(database, "p")
    assert await _take(database) is None
    held = await _take(database, now=LATER + timedelta(seconds=30))
    assert held is not None
    assert held.rests == 1
    await _let_go(database, held, NOW)
    assert (await _take(database) or held).rests == 0


async def test_while_the_ehr_is_away_only_a_probe_takes_a_lane(database: Database) -> None:
    """An outage is everybody's: no lane is taken until it is over, but by who tries whether."""
    await _ring(database, "p")
    async with database.begin() as tx:
        assert await outages.note(tx, "ehr", NOW, LATER, "no connection")
        assert not await outages.note(tx, "ehr", NOW, LATER, "no connection")
    assert await _take(database) is None
    held = await _take(database, probing=True)
    await _let_go(database, held, NOW)
    async with database.begin() as tx:
        await outages.over(tx, "ehr")
    assert await _take(database) is not None


async def test_one_process_asks_an_ehr_that_is_away(database: Database) -> None:
    """Of five that would ask at the same moment one does; the next question has its time."""
    async with database.begin() as tx:
        await outages.note(tx, "ehr", NOW, NOW, "no connection")

    async def may(holder: str, now: datetime) -> bool:
        async with database.begin() as tx:
            return await outages.may_ask(tx, "ehr", holder, now, now + timedelta(seconds=2))

    asked = await asyncio.gather(*(may(f"holder-{n}", NOW) for n in range(5)))
    assert sum(asked) == 1
    assert not await may("a", NOW + timedelta(seconds=1))
    assert await may("a", NOW + timedelta(seconds=2))


@pytest.mark.parametrize(
    ("session", "silent", "freed"),
    [(True, 0, 0), (True, 5, 0), (True, 11, 1), (False, 0, 0), (False, 2, 0), (False, 4, 1)],
)
async def test_what_the_dead_hold_is_freed(
    database: Database, *, session: bool, silent: int, freed: int
) -> None:
    """A holder who was stopped keeps nothing, nor one whose session is gone and who is silent too.

    A session that was cut is back in a second: whoever goes on saying that it lives keeps all.
    """
    await _ring(database, "p")
    assert await _take(database, "other") is not None
    url = make_url(database.url).set(drivername="postgresql").render_as_string(hide_password=False)
    name = "other" if session else "somebody"
    async with await psycopg.AsyncConnection.connect(url, application_name=name):
        async with database.begin() as tx:
            await queue.say_alive(tx, "other")
            ago = {"ago": timedelta(seconds=silent)}
            await tx.execute(text("update lease set until = until - :ago"), ago)
        async with database.begin() as tx:
            assert await queue.free_what_dead_hold(tx, "ehr", "a", LATER) == freed
    assert (await _take(database) is not None) is bool(freed)


async def test_nobody_frees_their_own(database: Database) -> None:
    """A process that has not said for long that it lives goes on with what it has in hand."""
    await _ring(database, "p")
    await _take(database, "a")
    async with database.begin() as tx:
        assert await queue.free_what_dead_hold(tx, "ehr", "a", LATER) == 0


async def test_who_has_lost_a_lane_changes_nothing(database: Database) -> None:
    """Going on after another took its lane over, a process does not leave it for the other."""
    await _ring(database, "p")
    late = await _take(database, "late")
    async with database.begin() as tx:
        await tx.execute(update(LaneRow).values(holder=None))
    await _take(database, "other")
    await _let_go(database, late)
    async with database.begin() as tx:
        assert (await tx.execute(select(LaneRow.holder))).scalar_one() == "other"


async def test_a_bell_is_heard_at_once(database: Database) -> None:
    """Whoever listens is told which connection rang, when the transaction commits."""
    heard: asyncio.Queue[str] = asyncio.Queue()
    listening = asyncio.create_task(Listener(database.url, "a", heard.put_nowait).run())
    try:
        told = asyncio.create_task(heard.get())
        while not told.done():  # it listens when it listens: until then nobody hears
            await _ring(database, "p")
            await asyncio.wait([told], timeout=0.05)
        assert told.result() == "ehr"
    finally:
        listening.cancel()


async def test_what_somebody_has_locked_keeps_nobody_from_freeing_the_rest(
    database: Database,
) -> None:
    """A transaction that hangs on one dead holder's lane stops no other lane of the EHR."""
    for patient in ("hung", "p"):
        await _ring(database, patient)
        assert await _take(database, "dead") is not None
    async with database.begin() as hung:
        await hung.execute(text("select from lane where patient_id = 'hung' for update"))
        async with database.begin() as tx:
            assert await queue.free_what_dead_hold(tx, "ehr", "a", LATER) == 1
    assert await _taken(database) == "p"


async def test_a_lane_that_was_freed_meanwhile_is_in_no_hand_of_before(database: Database) -> None:
    """Nor if the same holder has taken it again: neither leaves it, nor goes on in it."""
    await _ring(database, "p")
    before = await _take(database, "slow")
    assert before is not None
    async with database.begin() as tx:
        assert await queue.is_in_hand(tx, before)
        assert await queue.free_what_dead_hold(tx, "ehr", "a", LATER) == 1
        assert not await queue.is_in_hand(tx, before)
    now = await _take(database, "slow")
    assert now is not None
    async with database.begin() as tx:
        assert not await queue.is_in_hand(tx, before)
        await queue.let_go(tx, before, LATER)
        await queue.rest(tx, before, LATER, LATER)
        await queue.leave_forgotten(tx, before, LATER)
        assert await queue.is_in_hand(tx, now)


@pytest.mark.parametrize("way", ["rest", "freed", "forgotten", "gone"])
async def test_an_urgent_lane_stays_urgent_however_it_is_left(database: Database, way: str) -> None:
    """The EHR was busy, its holder died or ended: an order still goes before others' readings."""
    await _ring(database, "first")
    await _ring(database, "urgent", LATER, urgent=True)
    held = await _take(database)
    assert held is not None
    assert held.patient_id == "urgent"
    async with database.begin() as tx:
        if way == "rest":
            await queue.rest(tx, held, LATER, LATER)
        elif way == "freed":
            await queue.free_what_dead_hold(tx, "ehr", "another", LATER)
        elif way == "forgotten":
            await queue.leave_forgotten(tx, held, LATER)
        else:
            await queue.gone(tx, "ehr", held.holder)
    assert await _taken(database) == "urgent"


async def test_a_lane_is_urgent_no_more_once_what_was_is_done(database: Database) -> None:
    """Left with routine writes it waits its turn; one that rang for an order meanwhile does not."""
    await _ring(database, "p", urgent=True)
    await _let_go(database, await _take(database), LATER)
    await _ring(database, "first")
    assert await _taken(database) == "first"
    held = await _take(database)
    await _ring(database, "p", urgent=True)
    await _let_go(database, held, LATER)
    await _ring(database, "third")
    assert await _taken(database) == "p"
