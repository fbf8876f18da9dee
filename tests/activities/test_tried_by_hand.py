"""What people may have tried at once, what they may not, and what they see of an EHR's state."""

from collections import Counter

import pytest

from domain.delivery.words import DeliveryState
from store import jobs, outages, queue
from tests.activities.hurt import Lane, always, reading

CONFIRMED = DeliveryState.CONFIRMED


async def _patients(lane: Lane, count: int, each: int) -> None:
    for number in range(count):
        patient = f"patient-{number}"
        intents = [reading(f"{number}-{place}", patient=patient) for place in range(each)]
        await lane.intend(f"e{number}", *intents, patient=patient)


async def _states(lane: Lane) -> Counter[str]:
    return Counter(row.state for row in await lane.rows())


@pytest.mark.parametrize("patients", [1, 20])
async def test_what_waits_for_a_busy_ehr_is_tried_when_a_person_says_so(lane: Lane, patients: int):
    """It asked for a day: a person who knows better has it tried now, away or busy for one."""
    lane.ehr.before = lambda m, _: (429, {"Retry-After": "86400"}, None) if m == "POST" else None
    await _patients(lane, patients, each=2)
    await lane.deliver(1, apart=5)
    lane.ehr.before = lambda *_: None
    await lane.deliver(1, apart=5)
    assert (await _states(lane))[CONFIRMED] == 0
    async with lane.database.begin() as tx:
        assert await queue.wake(tx, "ehr", lane.at) > 0
        await outages.ask_now(tx, "ehr", lane.at)
    await lane.deliver(2, apart=5)
    assert await _states(lane) == {CONFIRMED: 2 * patients}


async def test_a_lost_write_goes_on_waiting_whoever_has_it_tried(lane: Lane):
    """Until it would be seen, an empty search proves nothing: no hand makes it a second create."""
    await lane.intend("e1", reading("a"))
    lane.ehr.shows = lambda _: False  # it is there, and not found yet
    lane.ehr.after = lambda m, _: (0, {}, None) if m == "POST" else None
    await lane.deliver(1, apart=5)
    lane.ehr.after = lambda *_: None
    for _ in range(3):
        async with lane.database.begin() as tx:
            await queue.wake(tx, "ehr", lane.at)
            await outages.ask_now(tx, "ehr", lane.at)
        await lane.deliver(1, apart=5)
    assert len(lane.ehr.held) == 1
    lane.ehr.shows = lambda _: True
    await lane.deliver(3, apart=60)
    assert (len(lane.ehr.held), (await lane.row()).state) == (1, CONFIRMED)


async def test_it_is_seen_that_capabilities_cannot_be_read(lane: Lane):
    """Since when and why, in the EHR's status and codes; and not any more once they can."""
    name = jobs.capability_of("ehr")
    async with lane.database.begin() as tx:
        assert (await jobs.every(tx))[name].failing_since is None
    for status in (403, 500, 403):
        lane.ehr.before = always("GET", status)
        await lane.drain._answers()
        async with lane.database.begin() as tx:
            seen = (await jobs.every(tx))[name]
        assert (seen.failing_since is not None, str(status) in str(seen.why)) == (True, True)
    lane.ehr.before = lambda *_: None
    await lane.drain._answers()
    async with lane.database.begin() as tx:
        well = (await jobs.every(tx))[name]
    assert (well.failing_since, well.why) == (None, None)
    assert well.done_at is not None
