"""Changing what stands in an EHR: nothing else is lost, and nobody's change is overwritten."""

from typing import Any

import pytest

from domain.delivery.words import DeliveryState
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


async def test_what_a_clinician_took_back_is_not_booked(lane: Lane):
    """Staff set entered-in-error; Kairos would book: nothing is written, and a person sees why."""
    await lane.intend("e1", visit())
    await lane.deliver()
    lane.ehr.change("Appointment/1", status="entered-in-error")
    await lane.intend("e2", BOOKED)
    await lane.deliver()
    row = await lane.row()
    assert (row.state, row.needs_person, row.differences) == (DIVERGENT, True, ["status"])
    assert row.reason == "someone else changed it in the EHR: status"
    assert lane.ehr.held["Appointment/1"]["status"] == "entered-in-error"
    assert lane.ehr.writes == ["POST Appointment"]


async def test_a_status_that_staff_changed_stops_a_change_of_the_time_too(lane: Lane):
    """Booked, then cancelled by staff, then moved here: the time is not put on a cancelled one."""
    await lane.intend("e1", visit(), BOOKED)
    await lane.deliver()
    lane.ehr.change("Appointment/1", status="cancelled")
    await lane.intend("e2", change(visit(), status="booked", start="2027-03-02T14:30:00Z"))
    await lane.deliver()
    row = await lane.row()
    assert (row.state, set(row.differences)) == (DIVERGENT, {"status", "start"})
    assert lane.ehr.held["Appointment/1"]["start"] == "2027-03-02T14:00:00Z"


async def test_what_only_they_changed_stays_and_is_shown(lane: Lane):
    """Staff moved the visit; Kairos checks the patient in: both stand, and a person is told."""
    await lane.intend("e1", visit(), BOOKED)
    await lane.deliver()
    lane.ehr.change("Appointment/1", start="2027-03-02T14:30:00Z")
    await lane.intend("e2", change(BOOKED, **{**BOOKED.body, "status": "arrived"}))
    await lane.deliver()
    row = await lane.row()
    held = lane.ehr.held["Appointment/1"]
    assert (held["status"], held["start"]) == ("arrived", "2027-03-02T14:30:00Z")
    assert (row.state, row.needs_person, row.differences) == (DIVERGENT, True, ["start"])


async def test_what_nobody_else_changed_is_written_over(lane: Lane):
    """Another version with other elements changed is nobody's dispute."""
    await lane.intend("e1", visit(), BOOKED)
    await lane.deliver()
    lane.ehr.change("Appointment/1", comment="wheelchair")
    await lane.intend("e2", change(visit(), status="arrived"))
    await lane.deliver()
    assert (await lane.row()).state == CONFIRMED
    assert lane.ehr.held["Appointment/1"]["comment"] == "wheelchair"


async def test_what_both_changed_alike_is_already_so(lane: Lane):
    """Staff booked it too: nothing is written, and it is confirmed."""
    await lane.intend("e1", visit())
    await lane.deliver()
    lane.ehr.change("Appointment/1", status="booked")
    await lane.intend("e2", BOOKED)
    await lane.deliver()
    assert ((await lane.row()).state, lane.ehr.writes) == (CONFIRMED, ["POST Appointment"])


async def test_a_dispute_is_not_forgotten_by_the_next_change(lane: Lane):
    """After a disputed change the next one is compared with what really stood, not with that."""
    await lane.intend("e1", visit())
    await lane.deliver()
    lane.ehr.change("Appointment/1", status="entered-in-error")
    await lane.intend("e2", BOOKED)
    await lane.deliver()
    await lane.intend("e3", change(visit(), status="arrived"))
    await lane.deliver()
    assert (await lane.row()).state == DIVERGENT
    assert lane.ehr.writes == ["POST Appointment"]
