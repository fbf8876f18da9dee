"""Changing what stands in an EHR: nothing else is lost, and nobody's change is overwritten."""

from typing import Any

import pytest

from domain.deliveries import DeliveryState
from tests.activities.hurt import Lane, change, reading, visit

CONFIRMED, DIVERGENT = DeliveryState.CONFIRMED, DeliveryState.DIVERGENT
BOOKED = change(visit(), status="booked", start="2027-03-02T14:00:00Z", end="2027-03-02T15:00:00Z")


async def test_what_a_put_drops_is_found(lane: Lane):
    """The EHR loses the participants when the status is changed: divergent, and by name."""
    await lane.intend("e1", visit())
    await lane.deliver()
    lane.ehr.keep = lambda body: {**body, "participant": None}
    await lane.intend("e2", BOOKED)
    await lane.deliver()
    row = await lane.row()
    assert (row.state, row.needs_person, row.differences) == (DIVERGENT, True, ["participant"])


async def test_what_staff_added_before_is_to_stand_after(lane: Lane):
    """An element that Kairos does not know stays, and its loss is a difference."""
    await lane.intend("e1", visit())
    await lane.deliver()
    lane.ehr.change("Appointment/1", comment="wheelchair")
    await lane.intend("e2", BOOKED)
    await lane.deliver()
    assert (await lane.row()).state == CONFIRMED
    assert lane.ehr.held["Appointment/1"]["comment"] == "wheelchair"
    lane.ehr.keep = lambda body: {**body, "comment": None}
    await lane.intend("e3", change(visit(), status="arrived"))
    await lane.deliver()
    assert (await lane.row()).differences == ["comment"]


@pytest.mark.parametrize(
    "added",
    [{"valueString": "x"}, {"component": [{"valueInteger": 1}]}, {"reportedBoolean": True}],
)
async def test_a_value_that_nobody_sent_is_divergent(lane: Lane, added: dict[str, Any]):
    """The EHR adds a value of its own to a reading: a person looks."""
    lane.ehr.keep = lambda body: {**body, **added}
    await lane.intend("e1", reading())
    await lane.deliver()
    row = await lane.row()
    assert (row.state, row.differences) == (DIVERGENT, list(added))
