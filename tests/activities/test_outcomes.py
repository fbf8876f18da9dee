"""What an EHR's answer to a write is taken for: whatever it says, exactly one resource stands."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from domain.delivery.resolve import Retry
from domain.delivery.words import DeliveryState
from fhir_adapters.profile.epic import EPIC
from fhir_adapters.profile.vendor import Vendor
from fhir_adapters.profile.vendors import VENDORS
from tests.activities.conftest import LaneTo
from tests.activities.hurt import Lane, always, change, once, outcome, provenance, reading
from tests.fhir_adapters.fhir_story import statement

CONFIRMED, UNKNOWN = DeliveryState.CONFIRMED, DeliveryState.UNKNOWN
REFUSED, INTENT = DeliveryState.REFUSED, DeliveryState.INTENT
NOT_EPIC = [vendor for vendor in VENDORS.values() if vendor is not EPIC]


@pytest.mark.parametrize("status", [404, 429, 500, 503, 0])
async def test_a_read_back_that_fails_for_a_moment_doubles_nothing(lane: Lane, status: int):
    """Created, then the read fails once: the id is kept, and the same resource is confirmed."""
    lane.ehr.before = once("GET", status)
    await lane.intend("e1", reading())
    await lane.deliver()
    row = await lane.row()
    assert (row.state, row.needs_person, row.ehr_id) == (UNKNOWN, False, "1")
    await lane.deliver()
    row = await lane.row()
    assert (row.state, row.ehr_id, lane.ehr.writes) == (CONFIRMED, "1", ["POST Observation"])


@pytest.mark.parametrize("status", [403, 404])
async def test_what_cannot_be_read_back_is_unproved_and_not_refused(lane: Lane, status: int):
    """A write that stands but may not be read is a person's question, and never sent again."""
    lane.ehr.before = always("GET", status)
    await lane.intend("e1", reading())
    await lane.deliver(3)
    row = await lane.row()
    assert (row.state, row.needs_person, row.ehr_id) == (UNKNOWN, True, "1")
    assert str(status) in str(row.reason)
    assert lane.ehr.writes == ["POST Observation"]


@pytest.mark.parametrize("status", [301, 307, 400, 401, 403, 404, 409, 412, 422, 423, 429, 451])
async def test_what_was_done_although_the_ehr_said_no_is_found(lane: Lane, status: int):
    """Whatever it answers after it has committed: it is looked for, and nobody is asked."""
    lane.ehr.after = once("POST", status)
    await lane.intend("e1", reading())
    await lane.deliver(2)
    row = await lane.row()
    assert (row.state, row.needs_person, row.said) == (CONFIRMED, False, None)
    assert lane.ehr.writes == ["POST Observation"]


@pytest.mark.parametrize("status", [301, 307, 400, 403, 404, 409, 412, 422, 451])
async def test_what_is_refused_is_called_so_once_it_was_looked_for(lane: Lane, status: int):
    """With the EHR's own words, and after one search that does not find it."""
    lane.ehr.before = once("POST", status)
    await lane.intend("e1", reading())
    await lane.deliver()
    row = await lane.row()
    assert (row.state, row.needs_person) == (REFUSED, True)
    assert str(status) in str(row.reason)
    asked = [call for call in lane.ehr.calls if call != "GET metadata"]
    assert asked == ["POST Observation", "GET Observation"]


@pytest.mark.parametrize("status", [302, 403, 404, 405, 409])
async def test_a_page_before_the_whole_ehr_is_an_outage(lane: Lane, status: int):
    """A gateway answers everything with a page for people: nothing is refused, and all arrives."""
    page = {"Content-Type": "text/html"}
    lane.ehr.before = lambda *_: (status, page, "<html>being deployed</html>")
    await lane.intend("e1", reading("a"), reading("b"))
    await lane.deliver(3)
    rows = await lane.rows()
    assert {row.state for row in rows} <= {INTENT, UNKNOWN}
    assert not any(row.needs_person for row in rows)
    lane.ehr.before = lambda *_: None
    await lane.deliver(4)
    assert [row.state for row in await lane.rows()] == [CONFIRMED, CONFIRMED]
    assert len(lane.ehr.held) == 2


async def test_a_page_for_one_write_alone_is_a_refusal(lane: Lane):
    """A firewall that does not like one text: the EHR answers otherwise, so a person is asked."""
    page = {"Content-Type": "text/html"}
    blocked = lambda method, _: (403, page, "<p>blocked</p>") if method == "POST" else None  # noqa: E731
    lane.ehr.before = blocked
    await lane.intend("e1", reading("a"))
    await lane.deliver(2)
    row = await lane.row()
    assert (row.state, row.needs_person, row.said) == (REFUSED, True, "blocked")


@pytest.mark.parametrize("status", [401, 409, 429, 500, 503])
async def test_what_the_ehr_says_is_kept_whatever_it_means(lane: Lane, status: int):
    """Also of what is only put off or unknown, until it is confirmed."""
    told = outcome(None)
    told["issue"][0]["diagnostics"] = "the interface is down"
    lane.ehr.before = lambda method, _: (status, {}, told) if method == "POST" else None
    await lane.intend("e1", reading("a"))
    await lane.deliver()
    assert (await lane.row()).said == "the interface is down"
    lane.ehr.before = lambda *_: None
    await lane.deliver(3)
    row = await lane.row()
    assert status == 409 or (row.state, row.said) == (CONFIRMED, None)


async def test_a_retry_of_what_was_refused_is_sent_once_it_is_proved_absent(lane: Lane):
    """Refused and really not done: looked for, not there, sent again."""
    lane.ehr.before = once("POST", 422)
    await lane.intend("e1", reading())
    await lane.deliver()
    await lane.decide((await lane.row()).id, Retry("the permission was corrected"))
    await lane.deliver(2)
    assert (await lane.row()).state == CONFIRMED
    assert lane.ehr.writes == ["POST Observation", "POST Observation"]


@pytest.mark.parametrize(
    ("status", "code"),
    [(400, "59141"), (400, "59177"), (400, "59189"), (408, None), (424, None), (503, None)],
)
async def test_an_answer_that_may_hide_a_success_is_unknown(
    lane_to: LaneTo, status: int, code: str | None
):
    """Already done, outcome unknown, timed out, or a gateway's 503: looked for, never doubled."""
    lane = await lane_to(vendor=EPIC)
    lane.ehr.after = once("POST", status, code=code, retry_after="1")
    await lane.intend("e1", reading())
    await lane.deliver()
    assert (await lane.row()).state == UNKNOWN
    await lane.deliver()
    assert (await lane.row()).state == CONFIRMED
    assert lane.ehr.writes == ["POST Observation"]


@pytest.mark.parametrize("vendor", NOT_EPIC, ids=lambda vendor: vendor.name)
async def test_a_foreign_number_beside_an_empty_search_sends_nothing_again(
    lane_to: LaneTo, vendor: Vendor
):
    """The write stands and its answer was lost; "4101" beside no hits is Epic's word alone."""
    lane = await lane_to(vendor=vendor)
    lane.ehr.after = once("POST", 0)
    bundle: dict[str, Any] = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    bundle["entry"] = [{"resource": outcome("4101", severity="warning")}]
    searching = ("GET", "Observation")
    lane.ehr.before = lambda *asked: (200, {}, bundle) if asked == searching else None
    await lane.intend("e1", reading())
    await lane.deliver(5)
    row = await lane.row()
    assert (row.state, row.needs_person) == (UNKNOWN, True)
    assert lane.ehr.writes == ["POST Observation"]
    assert len(lane.ehr.of("Observation")) == 1


@pytest.mark.parametrize("vendor", NOT_EPIC, ids=lambda vendor: vendor.name)
async def test_a_foreign_number_makes_no_refusal_a_success(lane_to: LaneTo, vendor: Vendor):
    """422 with "59141" from another vendor is what 422 is: refused, and a person is asked."""
    lane = await lane_to(vendor=vendor)
    lane.ehr.before = once("POST", 422, code="59141")
    await lane.intend("e1", reading())
    await lane.deliver()
    row = await lane.row()
    assert (row.state, row.needs_person) == (REFUSED, True)


async def test_a_conditional_create_that_matches_several_is_ambiguous(lane_to: LaneTo):
    """412 says that more than one carries our identifier: a person sees how many."""
    lane = await lane_to(statement())
    for twin in ("8", "9"):
        lane.ehr.held[f"Observation/{twin}"] = {**reading().body, "id": twin}
    lane.ehr.before = lambda method, _: (412, {}, None) if method == "POST" else None
    await lane.intend("e1", reading())
    await lane.deliver(2)
    row = await lane.row()
    assert (row.state, row.needs_person) == (UNKNOWN, True)
    assert row.reason == "2 resources in the EHR could be this one"


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "processing"), (401, "unknown"), (403, "login"), (403, "expired")]
)
@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_token_that_is_not_accepted_stops_the_lane_only(
    lane: Lane, method: str, status: int, kind: str
):
    """While the EHR does not let Kairos in nothing is refused, and then everything arrives."""
    lane.ehr.before = always(method, status, kind=kind)
    await lane.intend("e1", reading("a"), reading("b"))
    await lane.deliver(20)
    rows = await lane.rows()
    assert [row.needs_person for row in rows] == [False, False]
    assert {row.state for row in rows} <= {INTENT, UNKNOWN}
    lane.ehr.before = lambda *_: None
    await lane.deliver(2)
    assert [row.state for row in await lane.rows()] == [CONFIRMED, CONFIRMED]
    assert len(lane.ehr.held) == 2


class TokenEndpoint:
    """Gives tokens, unless it is down."""

    def __init__(self) -> None:
        self.down = True

    async def headers(self) -> Mapping[str, str]:
        """A token."""
        if self.down:
            raise OSError("the token endpoint is down")
        return {"Authorization": "Bearer one"}

    def invalidate(self, headers: Mapping[str, str]) -> None:
        """Nothing is refused here."""


async def test_without_a_token_the_lane_waits_and_nothing_was_sent(lane_to: LaneTo):
    """While no token can be had nothing is looked for or counted, and then each is sent once."""
    endpoint = TokenEndpoint()
    lane = await lane_to(authorization=endpoint)
    await lane.intend("e1", reading("a"), reading("b"))
    await lane.deliver(20)
    rows = [(row.state, row.attempts, row.needs_person) for row in await lane.rows()]
    assert (rows, lane.ehr.calls) == ([(INTENT, 0, False)] * 2, [])
    endpoint.down = False
    await lane.deliver()
    assert [row.state for row in await lane.rows()] == [CONFIRMED, CONFIRMED]
    assert lane.ehr.writes == ["POST Observation", "POST Observation"]


async def test_a_refused_permission_is_a_persons(lane: Lane):
    """A 403 that says nothing of the login refuses this write, and only this one."""
    lane.ehr.before = once("POST", 403)
    await lane.intend("e1", reading("a"), reading("b"))
    await lane.deliver()
    assert [row.state for row in await lane.rows()] == [REFUSED, CONFIRMED]


async def test_a_locked_record_is_waited_for(lane: Lane):
    """423: somebody has it open. The lane waits, one try at a time, and nothing is refused."""
    await lane.intend("e1", reading())
    await lane.deliver()
    lane.ehr.before = always("PUT", 423)
    await lane.intend("e2", change(reading(), status="amended"))
    await lane.deliver(20)
    row = await lane.row()
    assert (row.state, row.needs_person, len(lane.ehr.writes)) == (INTENT, False, 21)
    lane.ehr.before = lambda *_: None
    await lane.deliver()
    assert (await lane.row()).state == CONFIRMED


async def test_a_provenance_waits_until_a_lost_one_can_have_surfaced(lane_to: LaneTo):
    """Provenance carries no identifier, so no conditional create makes sending it again safe."""
    lane = await lane_to(statement())
    lane.ehr.shows = lambda resource: resource["resourceType"] != "Provenance"
    await lane.intend("e1", reading(), provenance(reading()))
    drop = always("POST", 0)
    lane.ehr.after = lambda method, path: drop(method, path) if path == "Provenance" else None
    await lane.deliver(3, apart=1)
    lane.ehr.after = lambda *_: None
    lane.ehr.shows = lambda _: True
    await lane.deliver(2)
    assert len(lane.ehr.of("Provenance")) == 1
    assert (await lane.row()).state == CONFIRMED


async def test_moving_the_clinics_clock_brings_no_lost_write_sooner(lane_to: LaneTo):
    """A rehearsal's clock moves on a week; what may still surface is waited for all the same."""
    lane = await lane_to(statement())
    lane.ehr.shows = lambda resource: resource["resourceType"] != "Provenance"
    await lane.intend("e1", reading(), provenance(reading()))
    drop = always("POST", 0)
    lane.ehr.after = lambda method, path: drop(method, path) if path == "Provenance" else None
    await lane.deliver(2, apart=1)
    lane.ehr.after = lambda *_: None
    lane.ahead = timedelta(weeks=1)
    await lane.deliver(2, apart=1)
    assert (await lane.row()).reason == (
        "waiting to see whether an unanswered write still appears in the EHR"
    )
    lane.ehr.shows = lambda _: True
    await lane.deliver(2)
    assert len(lane.ehr.of("Provenance")) == 1
    assert (await lane.row()).state == CONFIRMED


async def test_a_resource_of_another_delivery_is_not_adopted(lane: Lane):
    """The EHR says of a second create that it is the first one's resource: a person looks."""
    lane.ehr.after = lambda method, _: (
        (201, {"Location": f"{lane.ehr.base_url}/Observation/1"}, None)
        if method == "POST"
        else None
    )
    await lane.intend("e1", reading("a"), reading("b"), reading("c"))
    await lane.deliver()
    states = [(row.state, row.needs_person) for row in await lane.rows()]
    assert states == [(CONFIRMED, False), (UNKNOWN, True), (UNKNOWN, True)]
    assert "already belongs to another delivery" in str((await lane.row()).reason)


@pytest.mark.parametrize("status", [409, 412])
async def test_a_version_that_is_never_right_is_not_hammered(lane: Lane, status: int):
    """Stale: read again at the next attempt, and a person's after twelve of them."""
    await lane.intend("e1", reading())
    await lane.deliver()
    lane.ehr.before = always("PUT", status)
    await lane.intend("e2", change(reading(), status="amended"))
    await lane.deliver()
    assert ((await lane.row()).state, len(lane.ehr.writes)) == (INTENT, 2)
    await lane.deliver(12, apart=900)
    assert ((await lane.row()).state, len(lane.ehr.writes)) == (REFUSED, 13)
