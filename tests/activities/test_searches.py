"""What an EHR's searches are worth: proved by what they have shown, withdrawn by what came back."""

from datetime import timedelta

from sqlalchemy import select

from domain.delivery.resolve import NotThere
from domain.delivery.words import DeliveryState
from store.ehr_tables import SearchRow
from tests.activities.conftest import LaneTo
from tests.activities.hurt import Lane, once, provenance, reading
from tests.activities.lying import dose
from tests.fhir_adapters.fhir_story import statement

GET = ("GET", "Observation")
CONFIRMED, UNKNOWN, INTENT = DeliveryState.CONFIRMED, DeliveryState.UNKNOWN, DeliveryState.INTENT


async def _known(lane: Lane) -> dict[str, tuple[bool, bool, float | None]]:
    """What is known of the searches for Observations, by way."""
    async with lane.database.begin() as tx:
        rows = (await tx.execute(select(SearchRow))).scalars().all()
    return {
        row.way: (row.proved_at is not None, row.withdrawn_at is not None, row.lag_seconds)
        for row in rows
        if row.resource_type == "Observation"
    }


async def test_the_first_write_of_a_type_is_searched_for(lane_to: LaneTo):
    """Once it was read back; then it is known what the search is worth, and nobody asks again."""
    lane = await lane_to(proved=False)
    await lane.intend("e1", reading("a"), reading("b"))
    await lane.deliver()
    searches = [call for call in lane.ehr.calls if call == "GET Observation"]
    assert len(searches) == 1
    ((way, (proved, withdrawn, lag)),) = (await _known(lane)).items()
    assert (way, proved, withdrawn) == ("identifier", True, False)
    assert lag is not None
    assert lag < 60


async def test_what_comes_back_without_our_mark_is_no_difference(lane_to: LaneTo):
    """It is confirmed, the identifier is withdrawn for its type, and content is proved instead."""
    lane = await lane_to(proved=False)
    lane.ehr.keep = lambda resource: {k: v for k, v in resource.items() if k != "identifier"}
    await lane.intend("e1", reading("a"), reading("b", effectiveDateTime="2027-03-01T15:00:00Z"))
    await lane.deliver()
    assert [row.state for row in await lane.rows()] == [CONFIRMED, CONFIRMED]
    known = await _known(lane)
    assert known["identifier"][:2] == (False, True)
    assert known["content"][:2] == (True, False)
    assert lane.ehr.calls.count("GET Observation") == 1, "each write is searched for"


async def test_another_identifier_in_place_of_ours_is_no_difference_either(lane_to: LaneTo):
    """The EHR gave it a number of its own; what else it says must still be what was meant."""
    lane = await lane_to(proved=False)
    theirs = {"identifier": [{"system": "urn:oid:1.2.3", "value": "77"}]}
    lane.ehr.keep = lambda resource: resource | theirs
    await lane.intend("e1", reading("a"))
    await lane.deliver()
    lane.ehr.keep = lambda resource: resource | theirs | {"status": "preliminary"}
    await lane.intend("e2", reading("b"))
    await lane.deliver()
    assert [row.state for row in await lane.rows()] == [CONFIRMED, DeliveryState.DIVERGENT]
    assert (await lane.row()).differences == ["status"]


async def test_a_provenance_without_our_mark_is_found_by_what_it_says(lane_to: LaneTo):
    """Filed without its entity and its answer lost: found by its target, not sent again."""
    lane = await lane_to(proved=False)
    lane.ehr.keep = lambda resource: {k: v for k, v in resource.items() if k != "entity"}
    await lane.intend("e1", reading("a"))
    await lane.deliver()
    lane.ehr.after = once("POST", 0)
    await lane.intend("e2", provenance(reading("a")))
    await lane.deliver(2)
    assert (await lane.row()).state == CONFIRMED
    assert len(lane.ehr.of("Provenance")) == 1


async def test_nothing_is_proved_by_a_search_that_showed_nothing_yet(lane_to: LaneTo):
    """The first write of a type is lost and not found: a person is asked, and nothing is sent."""
    lane = await lane_to(proved=False)
    lane.ehr.before = once("POST", 0)
    await lane.intend("e1", reading("a"))
    await lane.deliver(4)
    row = await lane.row()
    assert (row.state, row.needs_person) == (UNKNOWN, True)
    assert lane.ehr.writes == ["POST Observation"]


async def test_a_search_that_hides_what_stands_there_is_behind(lane: Lane):
    """Proved long ago, it does not show the last writes now: a lost one waits until it does."""
    await lane.intend("e1", reading("a"))
    await lane.deliver()
    lane.ehr.lag = timedelta(minutes=20)
    await lane.intend("e2", reading("b"))
    await lane.deliver()
    lane.ehr.before = once("POST", 0)
    await lane.intend("e3", reading("c"))
    await lane.deliver(3)
    row = await lane.row()
    assert (row.state, row.needs_person) == (UNKNOWN, False)
    assert row.reason == "waiting: the EHR's search does not show yet what was written to it lately"
    await lane.deliver(4, apart=900)
    assert (await lane.row()).state == CONFIRMED
    assert len(lane.ehr.of("Observation")) == 3


async def test_what_another_write_became_is_not_this_one(lane_to: LaneTo):
    """Two equal readings in an EHR that strips our mark: each is one resource of its own."""
    lane = await lane_to(proved=False)
    lane.ehr.keep = lambda resource: {k: v for k, v in resource.items() if k != "identifier"}
    await lane.intend("e1", reading("a"))
    await lane.deliver()
    lane.ehr.after = once("POST", 0)
    await lane.intend("e2", reading("b"))
    await lane.deliver(2)
    rows = await lane.rows()
    assert [row.state for row in rows] == [CONFIRMED, CONFIRMED]
    assert {row.ehr_id for row in rows} == {"1", "2"}


async def test_two_equal_readings_that_both_were_lost_are_a_persons(lane_to: LaneTo):
    """Nothing tells which of the two is which; neither is sent again."""
    lane = await lane_to(proved=False)
    lane.ehr.keep = lambda resource: {k: v for k, v in resource.items() if k != "identifier"}
    await lane.intend("e0", reading("z", effectiveDateTime="2027-03-01T10:00:00Z"))
    await lane.deliver()
    lane.ehr.after = lambda method, _: (0, {}, None) if method == "POST" else None
    lane.ehr.before = lambda method, path: (0, {}, None) if (method, path) == GET else None
    await lane.intend("e1", reading("a"))
    await lane.deliver()
    await lane.intend("e2", reading("b"))
    await lane.deliver(3, apart=20)
    lane.ehr.before = lane.ehr.after = lambda *_: None
    await lane.deliver(6, apart=900)
    rows = (await lane.rows())[1:]
    assert [(row.state, row.needs_person) for row in rows] == [(UNKNOWN, True)] * 2
    assert len(lane.ehr.of("Observation")) == 3


async def test_a_lost_dose_is_not_given_twice(lane: Lane):
    """Lost before it arrived: whatever the search has proved, a person says that it is sent."""
    lane.ehr.before = once("POST", 0)
    await lane.intend("e1", dose())
    await lane.deliver(4)
    row = await lane.row()
    assert (row.state, row.needs_person) == (UNKNOWN, True)
    assert lane.ehr.writes == ["POST MedicationAdministration"]


async def test_one_that_is_gone_in_the_ehr_keeps_no_search_from_proving_itself(lane_to: LaneTo):
    """What staff deleted is never shown: after a few times another one is asked for."""
    lane = await lane_to(proved=False)
    lane.ehr.shows = lambda resource: resource["id"] != "1"
    for number in range(8):
        await lane.intend(f"e{number}", reading(f"r{number}"))
        await lane.deliver(apart=60)
    assert (await _known(lane))["identifier"][:2] == (True, False)


async def test_a_person_may_say_that_it_is_not_there_where_nothing_can_be_searched(lane_to: LaneTo):
    """Lost before it arrived, in an EHR without a search: their word has it sent, once."""
    lane = await lane_to(statement(search=(), conditional=False), proved=False)
    lane.ehr.before = once("POST", 0)
    await lane.intend("e1", reading("a"))
    await lane.deliver(2)
    assert (await lane.row()).needs_person
    await lane.decide((await lane.row()).id, NotThere("looked in the chart"))
    await lane.deliver(2)
    assert (await lane.row()).state == CONFIRMED
    assert len(lane.ehr.of("Observation")) == 1
