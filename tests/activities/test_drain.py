"""Many lanes, drained by several workers, some of which die: each write once, and soon.

Real drains on a real database, to an EHR in memory that a test can hurt.
"""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from activities import deliveries, drain
from activities.in_hand import Begun
from domain.delivery.words import DeliveryState, Intent
from domain.language.errors import Unavailable
from store import lanes, ledger, queue
from store.ehr_tables import LaneRow, OutageRow
from tests.activities.conftest import LaneTo
from tests.activities.hurt import Lane, always, reading, visit
from tests.fhir_adapters.fhir_story import statement

CONFIRMED, UNKNOWN, INTENT = DeliveryState.CONFIRMED, DeliveryState.UNKNOWN, DeliveryState.INTENT


async def _patients(lane: Lane, count: int, each: int = 1) -> None:
    """Readings of several patients."""
    for number in range(count):
        patient = f"patient-{number}"
        names = [f"{number}-{place}" for place in range(each)]
        intents = [reading(name, patient=patient) for name in names]
        await lane.intend(f"e{number}", *intents, patient=patient)


async def _states(lane: Lane) -> Counter[str]:
    return Counter(row.state for row in await lane.rows())


async def _outages(lane: Lane) -> int:
    async with lane.database.begin() as tx:
        return len((await tx.execute(select(OutageRow))).all())


async def test_two_workers_write_each_once(lane: Lane):
    """Two that drain the same lanes, four at a time each: every write once, none left."""
    await _patients(lane, 12, each=5)
    both = [lane.another(holder, at_once=4) for holder in ("one", "two")]
    await asyncio.gather(*(each.until_idle() for each in both))
    assert await _states(lane) == {CONFIRMED: 60}
    assert len(lane.ehr.writes) == len(lane.ehr.held) == 60


async def test_a_patients_writes_go_one_at_a_time(lane: Lane):
    """Never are two of one patient's under way, however many hands are free; others' are."""
    under_way: Counter[str] = Counter()
    most, together = 0, 0
    await _patients(lane, 6, each=6)
    busy = lane.another(at_once=6)
    real_attempt = busy._deliveries.attempt

    async def counted(begun):
        nonlocal most, together
        patient = begun.found.patient_id
        under_way[patient] += 1
        most, together = max(most, under_way[patient]), max(together, sum(under_way.values()))
        try:
            return await real_attempt(begun)
        finally:
            under_way[patient] -= 1

    busy._deliveries.attempt = counted  # type: ignore[method-assign]
    await busy.until_idle()
    assert most == 1
    assert together > 1
    assert await _states(lane) == {CONFIRMED: 36}


async def test_a_worker_that_was_stopped_sends_nothing_late(lane: Lane):
    """Stopped before its write left, thought dead, and let go on after another wrote: once."""
    await lane.intend("e1", reading("a"))
    stopped = lane.another("stopped")._deliveries
    begun = await stopped.take()
    assert begun is not None
    async with lane.database.begin() as tx:
        assert await queue.free_what_dead_hold(tx, "ehr", "a-test", lane.at) == 1
    await lane.deliver(3, apart=90)
    assert (await lane.row()).state == CONFIRMED
    as_if = begun.taken - deliveries.LEAVES_WITHIN.total_seconds()
    concluded = await stopped.conclude(begun, await stopped.attempt(_taken_at(begun, as_if)))
    assert concluded.following is None
    assert (len(lane.ehr.held), (await lane.row()).state) == (1, CONFIRMED)


def _taken_at(begun: Begun, at: float) -> Begun:
    return Begun(begun.at, begun.lane, begun.found, begun.in_hand, begun.in_ledger, at - 1)


async def test_a_worker_that_died_after_its_write_left_is_looked_after(lane: Lane):
    """The EHR has it and nobody heard: whoever takes the lane over finds it there."""
    await lane.intend("e1", reading("a"), reading("b"))
    dead = lane.another("dead")._deliveries
    begun = await dead.take()
    assert begun is not None
    await dead.attempt(begun)  # and its process ends here
    await lane.deliver()
    assert await _states(lane) == {CONFIRMED: 2}
    assert len(lane.ehr.held) == 2


async def test_a_worker_that_ends_finishes_the_write_under_way(lane: Lane):
    """Told to stop while the EHR is asked: that write is settled, nothing else is begun."""
    await lane.intend("e1", reading("a"), reading("b"))
    ending = lane.another("ending")
    asked, go_on = asyncio.Event(), asyncio.Event()
    real = ending._deliveries.attempt

    async def slowly(begun):
        asked.set()
        await go_on.wait()
        return await real(begun)

    ending._deliveries.attempt = slowly  # type: ignore[method-assign]
    running = asyncio.create_task(ending.run())
    await asked.wait()
    stopping = asyncio.create_task(ending.stop())
    go_on.set()
    await asyncio.gather(stopping, running)
    assert [row.state for row in await lane.rows()] == [CONFIRMED, INTENT]
    async with lane.database.begin() as tx:
        assert (await tx.execute(select(LaneRow.holder))).scalar_one() is None


async def test_while_the_ehr_is_away_its_lanes_ask_nothing(lane: Lane):
    """One question now and then, however many wait; back, one write goes first, then all."""
    await _patients(lane, 8, each=2)
    lane.ehr.before = lambda *_: (0, {}, None)
    await lane.deliver(1, apart=1)
    first = list(lane.ehr.calls)
    await lane.deliver(60, apart=30)
    assert set(lane.ehr.calls[len(first) :]) == {"GET metadata"}
    assert len(lane.ehr.calls) - len(first) <= 61
    assert await _outages(lane) == 1
    lane.ehr.before = lambda *_: None
    back = len(lane.ehr.calls)
    await lane.deliver()
    assert await _states(lane) == {CONFIRMED: 16}
    assert (len(lane.ehr.held), await _outages(lane)) == (16, 0)
    assert lane.ehr.calls[back : back + 2][0] == "GET metadata"


@pytest.mark.parametrize("status", [0, 429, 503])
async def test_an_ehr_that_answers_and_takes_nothing_stays_away(lane: Lane, status: int):
    """It says what it can do, and takes no write: a few are tried, and it counts as away again."""
    await _patients(lane, 12)
    lane.ehr.before = lambda *_: (0, {}, None)
    await lane.deliver(1, apart=2)
    lane.ehr.before = lambda method, path: None if path == "metadata" else (status, {}, None)
    before = len(lane.ehr.calls)
    await lane.deliver(1, apart=2)
    tried = [call for call in lane.ehr.calls[before:] if call != "GET metadata"]
    assert 0 < len(tried) <= 2 * deliveries.TROUBLE_FOR_MANY
    assert await _outages(lane) == 1


async def test_one_patients_trouble_makes_no_outage(lane: Lane):
    """The EHR is busy for one patient, again and again: the others' writes go out meanwhile."""
    real = lane.ehr._do

    def locked(method, path, query, headers, body):
        if method == "POST" and "patient-0" in str(body):
            return 423, {}, None
        return real(method, path, query, headers, body)

    lane.ehr._do = locked  # type: ignore[method-assign]
    await _patients(lane, 4, each=3)
    await lane.deliver(10, apart=5)
    rows = await lane.rows()
    assert {row.state for row in rows if row.patient_id == "patient-0"} <= {
        INTENT,
        UNKNOWN,
    }
    assert {row.state for row in rows if row.patient_id != "patient-0"} == {CONFIRMED}
    assert await _outages(lane) == 0


async def test_an_ehr_that_is_busy_for_all_is_left_in_peace(lane: Lane):
    """Busy for one patient after another it counts as away, for as long as it asked for."""
    lane.ehr.before = always("POST", 429)
    await _patients(lane, 20)
    await lane.deliver(1, apart=0)
    assert len(lane.ehr.writes) == deliveries.TROUBLE_FOR_MANY
    assert await _outages(lane) == 1
    lane.ehr.before = lambda *_: None
    await lane.deliver(3, apart=40)
    assert await _states(lane) == {CONFIRMED: 20}


async def test_urgent_patients_go_first(lane: Lane):
    """With one hand free and readings of many waiting, the patient with a visit's order is next."""
    await _patients(lane, 5, each=2)
    order = Intent("order", "ServiceRequest", visit().action, {"resourceType": "ServiceRequest"})
    await lane.intend("late", order, patient="patient-9")
    begun = await lane.another()._deliveries.take()
    assert begun is not None
    assert begun.found.patient_id == "patient-9"


async def test_a_long_backlog_holds_up_nobody_elses(lane: Lane):
    """After some writes of one patient another has their turn, before the first has all."""
    await lane.intend("long", *(reading(f"a{n}") for n in range(30)))
    await lane.intend("short", reading("b", patient="patient-2"), patient="patient-2")
    await lane.deliver()
    order = [row.id for row in sorted(await lane.rows(), key=lambda row: int(row.ehr_id or 0))]
    assert order.index(31) == lanes.MOST_IN_A_ROW


@pytest.mark.parametrize("waiting", [10, 300])
async def test_what_is_read_for_a_delivery_does_not_grow_with_the_backlog(lane: Lane, waiting: int):
    """Ten of a lane are delivered: the rows read for that are as few with hundreds waiting."""
    await lane.intend("e", *(reading(f"a{n}") for n in range(waiting)))
    rows = 0

    def count(_c, cursor, text, *_):
        nonlocal rows
        rows += cursor.rowcount if text.startswith("select") else 0

    engine = lane.database._engine.sync_engine
    event.listen(engine, "after_cursor_execute", count)
    begun, done = await lane.drain._deliveries.take(), 0
    while begun is not None and done < 10:
        tried = await lane.drain._deliveries.attempt(begun)
        begun, done = (await lane.drain._deliveries.conclude(begun, tried)).following, done + 1
    event.remove(engine, "after_cursor_execute", count)
    assert done == 10
    assert rows <= 150


async def test_a_lane_that_cannot_be_looked_at_holds_up_no_other(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
):
    """A defect of ours in one patient's lane: it rests, the others' writes go out."""
    real = lanes.view

    async def broken(tx, connection, patient, *most):
        if patient == "patient-0":
            raise KeyError
        return await real(tx, connection, patient, *most)

    monkeypatch.setattr(lanes, "view", broken)
    await _patients(lane, 4)
    await lane.deliver(3, apart=1)
    assert await _states(lane) == {CONFIRMED: 3, INTENT: 1}
    monkeypatch.undo()
    await lane.deliver(1, apart=60)
    await lane.deliver()
    assert await _states(lane) == {CONFIRMED: 4}


async def test_what_an_attempt_came_to_is_kept_until_the_database_is_back(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
):
    """The database goes away while the EHR answers: when it is back the answer is written down."""
    monkeypatch.setattr(deliveries, "DATABASE_AGAIN", 0.01)
    real, away = ledger.settle, [True, True]

    async def settle(*arguments, **named):
        if away:
            away.pop()
            raise Unavailable("the database went away")
        return await real(*arguments, **named)

    async def overtaken(tx, known, real=ledger.overtaken):
        if away:
            away.pop()
            raise Unavailable("the database went away")
        return await real(tx, known)

    monkeypatch.setattr(ledger, "settle", settle)
    monkeypatch.setattr(ledger, "overtaken", overtaken)
    await lane.intend("e1", reading("a"), reading("b"))
    await lane.deliver()
    assert await _states(lane) == {CONFIRMED: 2}
    assert lane.ehr.writes == ["POST Observation"] * 2


async def test_a_defect_after_an_attempt_lets_the_lane_rest(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
):
    """What breaks while an outcome is written down is looked for later, and sent once."""
    real = lane.drain._deliveries.conclude

    async def broken(begun, tried):
        raise KeyError

    monkeypatch.setattr(lane.drain._deliveries, "conclude", broken)
    await lane.intend("e1", reading("a"))
    await lane.deliver()
    assert (await lane.row()).state == DeliveryState.SENT
    monkeypatch.setattr(lane.drain._deliveries, "conclude", real)
    await lane.deliver()
    assert (await lane.row()).state == CONFIRMED
    assert lane.ehr.writes == ["POST Observation"]


async def test_a_delivery_that_somebody_decides_about_is_not_waited_for(lane: Lane):
    """While a person's decision holds its lock the lane goes on with the next."""
    await lane.intend("e1", reading("a"), reading("b"))
    async with lane.database.begin() as tx:
        await ledger.get(tx, 1)
        await lane.deliver()
    assert [row.state for row in await lane.rows()] == [INTENT, CONFIRMED]
    await lane.deliver()
    assert await _states(lane) == {CONFIRMED: 2}


async def test_an_ehr_that_was_never_read_is_asked_until_it_answers(lane_to: LaneTo):
    """A worker that starts while the EHR is away has its plan as soon as that is back."""
    lane = await lane_to(statement())
    lane.ehr.before = lambda *_: (0, {}, None)
    fresh = lane.another("fresh")
    await fresh.until_idle()
    assert await _outages(lane) == 1
    lane.ehr.before = lambda *_: None
    lane.at += timedelta(seconds=drain.EARLY.total_seconds())
    await fresh.until_idle()
    assert await _outages(lane) == 0


async def test_a_lane_left_by_nobody_is_found_by_its_ready_time(lane: Lane):
    """What is left alone for a while goes out by itself when its time has come."""
    await lane.intend("e1", reading("a"))
    async with lane.database.begin() as tx:
        later = lane.at + timedelta(seconds=50)
        await tx.execute(update(LaneRow).values(ready_at=later))
    await lane.deliver(1, apart=50)
    assert (await lane.row()).state == INTENT
    await lane.deliver()
    assert (await lane.row()).state == CONFIRMED


async def test_what_is_committed_while_a_lane_is_in_hand_goes_at_once(lane: Lane):
    """A bell that rings while the EHR is asked is answered when the lane is left, not later."""
    await lane.intend("e1", reading("a"))
    real = lane.drain._deliveries.attempt

    async def meanwhile(begun):
        lane.drain._deliveries.attempt = real  # type: ignore[method-assign]
        await lane.intend("e2", reading("b"))
        lane.drain.ring()
        return await real(begun)

    lane.drain._deliveries.attempt = meanwhile  # type: ignore[method-assign]
    lane.drain.ring()
    await lane.drain.look()
    while under_way := lane.drain._lanes:
        await asyncio.wait(under_way)
        await lane.drain.look()
    assert await _states(lane) == {CONFIRMED: 2}
