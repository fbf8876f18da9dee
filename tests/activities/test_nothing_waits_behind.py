"""One delivery that comes to nothing: the others go on, and it ends with a person; no outage does.

Each is a real delivery to an EHR in memory; only the error that nobody foresaw is put in by hand.
"""

import pytest

from activities import attempt, deliveries
from domain.delivery.after import MOST_ATTEMPTS
from domain.delivery.words import Action, DeliveryState, Intent
from fhir_adapters.exchange.failures import Busy
from tests.activities.conftest import LaneTo
from tests.activities.hurt import Answer, Lane, once, reading
from tests.fhir_adapters.fhir_story import statement

CONFIRMED, UNKNOWN, INTENT = DeliveryState.CONFIRMED, DeliveryState.UNKNOWN, DeliveryState.INTENT
OFTEN = MOST_ATTEMPTS + 3


def _breaks(monkeypatch: pytest.MonkeyPatch, name: str, artefact: str) -> None:
    """Let an error that nobody foresaw follow one step of an attempt, for one artefact."""
    step = getattr(attempt, name)

    async def broken(client, plan, intent, *also):
        done = await step(client, plan, intent, *also)
        if intent.artefact == artefact:
            raise KeyError(artefact)
        return done

    monkeypatch.setattr(attempt, name, broken)


def _no_search(method: str, path: str) -> Answer | None:
    """An EHR that answers everything but searches for Observations."""
    return (500, {}, None) if (method, path) == ("GET", "Observation") else None


async def test_an_error_after_the_write_left_makes_no_double(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
):
    """The EHR took it and Kairos broke: unknown with the error's type, then found; once."""
    with monkeypatch.context() as broken:
        _breaks(broken, "send", "a")
        await lane.intend("e1", reading("a"), reading("b"))
        await lane.deliver()
    first, second = await lane.rows()
    assert (first.state, first.needs_person, second.state) == (UNKNOWN, False, CONFIRMED)
    assert first.reason == "an error in Kairos: KeyError"
    await lane.deliver()
    assert (await lane.rows())[0].state == CONFIRMED
    assert lane.ehr.writes == ["POST Observation", "POST Observation"]


async def test_an_error_that_stays_becomes_a_persons(lane: Lane, monkeypatch: pytest.MonkeyPatch):
    """An error at each look for one write: a person is asked, and it was sent only once."""
    _breaks(monkeypatch, "find", "a")
    lane.ehr.after = once("POST", 0)
    await lane.intend("e1", reading("a"), reading("b"))
    await lane.deliver(OFTEN, apart=900)
    first, second = await lane.rows()
    assert (first.state, first.needs_person, first.attempts) == (UNKNOWN, True, MOST_ATTEMPTS)
    assert (second.state, lane.ehr.writes) == (CONFIRMED, ["POST Observation"] * 2)


async def test_an_error_before_anything_is_tried_becomes_a_persons(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
):
    """What cannot even be prepared holds nothing back, and a person is asked after its attempts."""
    await lane.intend("e1", reading("a"))
    await lane.deliver()
    change = Intent("a", "Observation", Action.UPDATE, {"status": "amended"}, ())
    await lane.intend("e2", change, reading("b"))

    def broken(*_: object) -> None:
        raise KeyError

    monkeypatch.setattr(deliveries, "last_seen", broken)
    await lane.deliver(OFTEN, apart=900)
    _, changed, other = await lane.rows()
    assert (changed.needs_person, changed.attempts) == (True, MOST_ATTEMPTS)
    assert (changed.reason or "").startswith("an error in Kairos: KeyError")
    assert other.state == CONFIRMED


async def test_a_search_that_is_never_answered_becomes_a_persons(lane: Lane):
    """The EHR is there, but not for this search: the rest of the lane goes, then somebody looks."""
    lane.ehr.after = once("POST", 0)
    lane.ehr.before = _no_search
    await lane.intend("e1", reading("a"), reading("b"))
    await lane.deliver()
    first, second = await lane.rows()
    assert (first.state, first.needs_person, second.state) == (UNKNOWN, False, CONFIRMED)
    await lane.deliver(OFTEN, apart=900)
    first, _ = await lane.rows()
    assert (first.state, first.needs_person) == (UNKNOWN, True)
    assert lane.ehr.writes == ["POST Observation"] * 2


@pytest.mark.parametrize("status", [0, 500, 502, 503])
async def test_an_outage_uses_up_nobodys_attempts(lane: Lane, status: int):
    """A gateway answers for an EHR that is away, for days: nobody is asked, and then all arrive."""
    lane.ehr.before = lambda *_: (status, {}, None)
    await lane.intend("e1", reading("a"), reading("b"))
    await lane.deliver(3 * MOST_ATTEMPTS, apart=900)
    first, second = await lane.rows()
    assert (first.state, first.attempts, second.state) == (UNKNOWN, 1, INTENT)
    assert (first.needs_person, second.needs_person) == (False, False)
    lane.ehr.before = lambda *_: None
    await lane.deliver()
    assert [row.state for row in await lane.rows()] == [CONFIRMED, CONFIRMED]
    assert len(lane.ehr.held) == 2


async def test_what_is_committed_meanwhile_does_not_wait_long(lane: Lane):
    """While a lost write settles the lane looks again soon; the lost one is left alone."""
    lane.ehr.after = once("POST", 0)
    lane.ehr.shows = lambda _: False
    await lane.intend("e1", reading("a"))
    await lane.deliver(2, apart=2)
    looks = len(lane.ehr.calls)
    await lane.intend("e2", reading("b"))
    await lane.deliver(apart=1)
    assert [row.state for row in await lane.rows()] == [UNKNOWN, CONFIRMED]
    assert lane.ehr.calls[looks:] == ["POST Observation", "GET Observation/2"]


async def test_a_change_of_one_that_is_left_alone_keeps_its_order(lane_to: LaneTo):
    """A second event's write of the same artefact is not sent past the first."""
    lane = await lane_to(statement())
    lane.ehr.after = once("POST", 0)
    lane.ehr.before = _no_search
    await lane.intend("e1", reading("a"), reading("a", status="amended"), reading("b"))
    await lane.deliver()
    assert [row.state for row in await lane.rows()] == [UNKNOWN, INTENT, CONFIRMED]


async def test_one_that_alone_is_not_let_in_holds_nothing_back(
    lane: Lane, monkeypatch: pytest.MonkeyPatch
):
    """A 401 for one write while others are taken: they go out, and it ends with a person."""
    real = attempt.send  # type: ignore[attr-defined]

    async def no_right(client, plan, intent, *also):
        if intent.artefact == "a":
            raise Busy("the EHR asks for a login: 401", None)
        return await real(client, plan, intent, *also)

    monkeypatch.setattr(attempt, "send", no_right)
    await lane.intend("e1", reading("a"), reading("b"))
    await lane.deliver()
    first, second = await lane.rows()
    assert (first.state, first.attempts, second.state) == (UNKNOWN, 0, CONFIRMED)
    for number in range(OFTEN):
        await lane.intend(f"more-{number}", reading(f"more-{number}"))
        await lane.deliver(2, apart=900)
    first, *others = await lane.rows()
    assert {each.state for each in others} == {CONFIRMED}
    assert (first.state, first.needs_person, first.attempts) == (UNKNOWN, True, MOST_ATTEMPTS)


async def test_an_ehr_that_lets_nobody_in_is_asked_twice_at_a_time(lane: Lane):
    """Where nothing is taken the EHR is busy: two are tried, and no attempt is counted."""
    lane.ehr.before = lambda method, _path: (429, {}, None) if method == "POST" else None
    await lane.intend("e1", *(reading(name) for name in "abcdef"))
    await lane.deliver()
    assert len(lane.ehr.writes) == 2
    assert {(row.state, row.attempts) for row in await lane.rows()} == {(INTENT, 0), (UNKNOWN, 0)}
