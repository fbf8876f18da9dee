"""Whose a lane is: a hand that lost one begins nothing more in it, and no hand is left behind.

And which lane is next: one urgent write that cannot go makes nothing else of its patient urgent.
"""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select, text

from domain.delivery.words import Action, DeliveryState, Intent
from fhir_adapters.content import identifiers
from store import lanes, queue
from store.ehr_tables import LaneRow
from tests.activities.hurt import PATIENT, Lane, reading

CONFIRMED, INTENT, SENT = DeliveryState.CONFIRMED, DeliveryState.INTENT, DeliveryState.SENT


def _order(name: str, patient: str, *needs: str, of: str = "ServiceRequest") -> Intent:
    body: dict[str, Any] = {
        "resourceType": of,
        "identifier": [identifiers.identifier(name)],
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
    }
    return Intent(name, of, Action.CREATE, body, needs)


async def test_a_hand_that_lost_its_lane_ends_its_write_and_begins_no_other(lane: Lane):
    """Thought dead while it lived: the write under way is settled, the next is another hand's."""
    await lane.intend("e1", *(reading(name) for name in "abcd"))
    slow = lane.another("slow")._deliveries
    begun = await slow.take()
    assert begun is not None
    tried = await slow.attempt(begun)
    async with lane.database.begin() as tx:
        assert await queue.free_what_dead_hold(tx, "ehr", "a-test", lane.at) == 1
    concluded = await slow.conclude(begun, tried, go_on=False)
    assert concluded.following is None
    assert [row.state for row in await lane.rows()] == [CONFIRMED, INTENT, INTENT, INTENT]
    await lane.deliver(2)
    assert {row.state for row in await lane.rows()} == {CONFIRMED}
    assert len(lane.ehr.held) == 4


async def test_two_hands_of_one_holder_are_told_apart(lane: Lane):
    """Freed, and taken again by the same process: only the later hand goes on in it."""
    await lane.intend("e1", *(reading(name) for name in "abcd"))
    holder = lane.another("one")._deliveries
    first = await holder.take()
    assert first is not None
    tried = await holder.attempt(first)
    async with lane.database.begin() as tx:
        await queue.free_what_dead_hold(tx, "ehr", "a-test", lane.at)
    second = await holder.take()
    assert second is not None
    assert (await holder.conclude(first, tried, go_on=False)).following is None
    following = (await holder.conclude(second, await holder.attempt(second))).following
    assert following is not None
    assert len(lane.ehr.held) <= 2
    async with lane.database.begin() as tx:
        assert await queue.is_in_hand(tx, following.lane.held)


async def test_a_write_that_begins_while_the_worker_is_told_to_stop_is_ended(lane: Lane):
    """The lane was being taken at that moment: the worker ends when its write has."""
    await lane.intend("e1", reading("a"), reading("b"))
    ending = lane.another("ending")
    deliveries = ending._deliveries
    taking, go_on = asyncio.Event(), asyncio.Event()
    take, attempt = deliveries._take, deliveries.attempt

    async def slowly(*args: Any, **how: Any) -> Any:
        begun = await take(*args, **how)
        taking.set()
        await go_on.wait()  # its transaction commits after the worker was told
        return begun

    async def asked(begun: Any) -> Any:
        for _ in range(20):
            await asyncio.sleep(0)
        return await attempt(begun)

    deliveries._take, deliveries.attempt = slowly, asked  # type: ignore[method-assign]
    running = asyncio.create_task(ending.run())
    await taking.wait()
    stopping = asyncio.create_task(ending.stop())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not stopping.done()
    go_on.set()
    await asyncio.gather(stopping, running)
    assert not ending._lanes
    assert [row.state for row in await lane.rows()] == [CONFIRMED, INTENT]
    async with lane.database.begin() as tx:
        assert (await tx.execute(select(LaneRow.holder))).scalar_one() is None


@pytest.mark.parametrize("blocked", [False, True])
async def test_an_order_that_cannot_go_makes_nothing_else_urgent(lane: Lane, *, blocked: bool):
    """It waits behind what was refused: its patient's readings go no earlier than without it."""
    real = lane.ehr._do
    gone: list[str] = []

    def seen(method: str, path: str, query: Any, headers: Any, body: Any) -> Any:
        if method == "POST":
            gone.append(body["subject"]["reference"].removeprefix("Patient/"))
            if path == "CarePlan":
                return 422, {}, None
        return real(method, path, query, headers, body)

    lane.ehr._do = seen  # type: ignore[method-assign]
    waits = [_order("plan", "long", of="CarePlan"), _order("order", "long", "plan")]
    readings = [reading(f"long-{n}", patient="long") for n in range(100)]
    await lane.intend("long", *(waits if blocked else ()), *readings, patient="long")
    for number in range(3):
        patient = f"short-{number}"
        await lane.intend(patient, reading(patient, patient=patient), patient=patient)
    await lane.another(at_once=1).until_idle()
    last = max(gone.index(f"short-{number}") for number in range(3))
    assert last < 2 * lanes.MOST_IN_A_ROW


async def test_an_order_a_little_further_on_makes_its_lane_urgent(lane: Lane):
    """What stands before it goes first, and all of that before what others wait for."""
    await lane.intend("others", *(reading(f"o{n}") for n in range(30)))
    await lane.intend("first", *(reading(f"f{n}", patient="p") for n in range(5)), patient="p")
    await lane.intend("order", _order("order", "p"), patient="p")
    async with lane.database.begin() as tx:
        assert (await lanes.view(tx, "ehr", "p")).is_urgent(lane.at)
        assert not (await lanes.view(tx, "ehr", PATIENT)).is_urgent(lane.at)


async def test_a_transaction_that_hangs_on_one_lane_stops_no_other(lane: Lane):
    """Its machine is gone and so is the lane's holder: all others' writes go meanwhile."""
    await lane.intend("hung", reading("hung", patient="hung"), patient="hung")
    async with lane.database.begin() as hung:
        taken = text("update lane set holder = 'dead' where patient_id = 'hung'")
        await hung.execute(taken)
        for number in range(4):
            patient = f"p{number}"
            await lane.intend(patient, reading(patient, patient=patient), patient=patient)
        live = lane.another("live", at_once=2)
        await live.until_idle()
        states = {row.patient_id: row.state for row in await lane.rows()}
        assert {states[f"p{number}"] for number in range(4)} == {CONFIRMED}
