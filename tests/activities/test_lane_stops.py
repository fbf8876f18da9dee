"""What stops a lane, what only waits, and how a person lets it go on."""

from domain.delivery.resolve import Retry, Supersede
from domain.delivery.words import Action, DeliveryState, Intent
from domain.language.names import EhrPatientId
from store import lanes, ledger
from tests.activities.hurt import PATIENT, Lane, always, change, reading

CONFIRMED, MISFILED = DeliveryState.CONFIRMED, DeliveryState.MISFILED
REFUSED, INTENT = DeliveryState.REFUSED, DeliveryState.INTENT
OTHER = {"reference": "Patient/other"}


async def test_a_write_on_another_patient_stops_the_lane(lane: Lane):
    """The EHR files one on another patient: nothing more of this patient is sent."""
    lane.ehr.keep = lambda resource: {**resource, "subject": OTHER}
    await lane.intend("e1", reading("a"), reading("b"), reading("c"))
    await lane.deliver(3)
    first, *rest = await lane.rows()
    assert (first.state, first.needs_person, first.ehr_id) == (MISFILED, True, "1")
    assert first.reason == "the EHR shows it in another patient's chart"
    assert [row.state for row in rest] == [INTENT, INTENT]
    assert lane.ehr.writes == ["POST Observation"]


async def test_the_lane_goes_on_once_the_patient_is_right(lane: Lane):
    """Put right in the EHR and tried again: it is read again, not sent again, and the rest goes."""
    lane.ehr.keep = lambda resource: {**resource, "subject": OTHER}
    await lane.intend("e1", reading("a"), reading("b"))
    await lane.deliver()
    lane.ehr.keep = lambda resource: resource
    lane.ehr.change("Observation/1", subject={"reference": f"Patient/{PATIENT}"})
    await _decide(lane, "retry")
    await lane.deliver()
    assert [row.state for row in await lane.rows()] == [CONFIRMED, CONFIRMED]
    assert lane.ehr.writes == ["POST Observation", "POST Observation"]


async def test_a_resource_that_moved_to_another_patient_is_not_changed(lane: Lane):
    """What Kairos wrote stands on another patient now: it is not touched, and the lane stops."""
    await lane.intend("e1", reading("a"))
    await lane.deliver()
    lane.ehr.change("Observation/1", subject=OTHER)
    await lane.intend("e2", change(reading("a"), status="amended"), reading("b"))
    await lane.deliver(2)
    assert [row.state for row in await lane.rows()] == [CONFIRMED, MISFILED, INTENT]
    assert lane.ehr.writes == ["POST Observation"]


async def test_nothing_refers_to_what_stands_on_another_patient(lane: Lane):
    """Given up by a person, it still is no place that another resource could refer to."""
    lane.ehr.keep = lambda resource: {**resource, "subject": OTHER}
    await lane.intend("e1", reading("a"))
    await lane.deliver()
    await _decide(lane, "supersede")
    async with lane.database.begin() as tx:
        assert await ledger.links(tx, "ehr", {"a"}) == {}


async def test_what_needs_a_superseded_create_asks_a_person(lane: Lane):
    """An order is refused and superseded: the dose and its own change say what they wait for."""
    lane.ehr.before = always("POST", 422)
    dose = reading("dose", "order", partOf=[{"reference": "urn:kairos:artefact:order"}])
    await lane.intend("e1", reading("order"), dose, change(reading("order"), status="amended"))
    await lane.deliver()
    order, *waiting = await lane.rows()
    assert [row.needs_person for row in waiting] == [False, False]  # the order's question first
    await _decide(lane, "supersede")
    await lane.deliver()
    for row in (await lane.rows())[1:]:
        assert (row.state, row.needs_person) == (INTENT, True)
        assert f"delivery {order.id}" in str(row.reason)


async def test_what_comes_later_and_needs_it_asks_too(lane: Lane):
    """Also what is intended after the order was given up, or entered by hand, says so."""
    by_hand = Intent("order", "Observation", Action.PERSON, {"resourceType": "Observation"})
    dose = reading("dose", "order", partOf=[{"reference": "urn:kairos:artefact:order"}])
    await lane.intend("e1", by_hand)
    await lane.intend("e2", dose, reading("b"))
    await lane.deliver()
    order, waiting, other = await lane.rows()
    assert (waiting.state, waiting.needs_person, other.state) == (INTENT, True, CONFIRMED)
    assert f"delivery {order.id}" in str(waiting.reason)


async def test_it_goes_on_by_itself_once_its_place_is_known(lane: Lane):
    """A person says as what the order stands in the EHR: the dose refers to that and goes."""
    lane.ehr.before = always("POST", 422)
    dose = reading("dose", "order", partOf=[{"reference": "urn:kairos:artefact:order"}])
    await lane.intend("e1", reading("order"), dose)
    await lane.deliver()
    await _decide(lane, "supersede")
    lane.ehr.before = lambda *_: None
    lane.ehr.held["Observation/77"] = {**reading("by hand").body, "id": "77"}
    async with lane.database.begin() as tx:
        await ledger.link(tx, await ledger.get(tx, (await lane.rows())[0].id), "77")
        await lanes.ask_what_waits(tx, "ehr", EhrPatientId(PATIENT))
    assert not (await lane.row()).needs_person
    await lane.deliver()
    row = await lane.row()
    assert (row.state, row.needs_person, row.reason) == (CONFIRMED, False, None)
    assert lane.ehr.held[f"Observation/{row.ehr_id}"]["partOf"] == [{"reference": "Observation/77"}]


async def _decide(lane: Lane, action: str) -> None:
    """A person decides about the lane's first delivery, as the API has it written."""
    choice = Retry("looked into") if action == "retry" else Supersede("looked into")
    await lane.decide((await lane.rows())[0].id, choice)
