"""Delivering to a real FHIR server: exactly one effect, whatever is lost on the way."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from domain.delivery.words import Action, Intent, LastSeen
from domain.language.errors import Malformed
from domain.language.names import EhrPatientId, EventId, PathwayId
from fhir_adapters.content import identifiers
from fhir_adapters.exchange.client import EhrClient
from fhir_adapters.exchange.failures import (
    Busy,
    EhrRefused,
    NotLetIn,
    OutcomeUnknown,
    Stale,
    Unsafe,
)
from fhir_adapters.exchange.verbs import Absent, FoundInEhr, find, read_back, send


async def _count(client: EhrClient, intent: Intent) -> int:
    query = [("identifier", identifiers.token(intent.artefact))]
    return len((await client.search(intent.resource_type, query)).resources)


async def test_everything_is_written_once_found_and_read_back_equal(
    client, plan, patient, story
) -> None:
    """All of a pathway's writes: absent before, written, found again, read back without a loss."""
    known: dict[str, str] = {}
    stood: dict[str, dict[str, Any]] = {}
    whose = EhrPatientId(patient)
    for intent in story:
        assert isinstance(await find(client, plan, intent, known), Absent), intent
        before = stood.get(intent.artefact, {})
        done = await send(client, plan, intent, known, whose, LastSeen(None, before))
        stood[intent.artefact] = {**before, **intent.body}
        assert not done.existed
        known.setdefault(intent.artefact, f"{intent.resource_type}/{done.ehr_id}")
        found = await find(client, plan, intent, known)
        assert isinstance(found, FoundInEhr)
        assert found.ehr_id == done.ehr_id
        assert done.whole is not None
        back = await read_back(client, intent.resource_type, done.ehr_id, done.whole, patient=whose)
        assert (back.equal, back.differences) == (True, ())
        assert back.version == done.version
    assert {i.action for i in story} == {Action.CREATE, Action.UPDATE}


async def test_a_second_create_makes_no_double(client, plan, patient, episode) -> None:
    """A conditional create that comes twice finds the first and says so."""
    first = await send(client, plan, episode, {}, EhrPatientId(patient))
    second = await send(client, plan, episode, {}, EhrPatientId(patient))
    assert (second.ehr_id, first.existed, second.existed) == (first.ehr_id, False, True)
    assert await _count(client, episode) == 1


async def test_an_odd_id_is_found_like_any_other(client, plan, patient, episode) -> None:
    """Request ids are the caller's: whatever stands in them, identity and search survive."""
    odd = EventId("a b,c|d$e\\f+g&h=i%2Fj#k?\u00e9")
    artefact = identifiers.scale(PathwayId(episode.artefact), odd)
    body = dict(episode.body) | {"identifier": [identifiers.identifier(artefact)]}
    intent = replace(episode, artefact=artefact, body=body)
    first = await send(client, plan, intent, {}, EhrPatientId(patient))
    again = await send(client, plan, intent, {}, EhrPatientId(patient))
    assert (again.ehr_id, again.existed) == (first.ehr_id, True)
    assert isinstance(await find(client, plan, intent, {}), FoundInEhr)


async def test_sixteen_at_once_are_one(client, plan, patient, episode) -> None:
    """The same create from sixteen sides at the same time leaves one resource."""
    sending = (send(client, plan, episode, {}, EhrPatientId(patient)) for _ in range(16))
    done = await asyncio.gather(*sending)
    assert len({written.ehr_id for written in done}) == 1
    assert await _count(client, episode) == 1


async def test_a_stale_version_is_stale(client, plan, patient, episode) -> None:
    """An update of a version that is no longer the latest changes nothing."""
    done = await send(client, plan, episode, {}, EhrPatientId(patient))
    held = await client.read("EpisodeOfCare", done.ehr_id)
    assert held.version
    await client.update("EpisodeOfCare", done.ehr_id, held.resource, held.version)
    with pytest.raises(Stale):
        await client.update(
            "EpisodeOfCare", done.ehr_id, held.resource | {"status": "cancelled"}, held.version
        )
    assert (await client.read("EpisodeOfCare", done.ehr_id)).resource["status"] == "active"


async def test_a_change_keeps_what_the_ehr_added(client, plan, patient, episode) -> None:
    """Only the intended elements change; a change that is already there is not sent."""
    created = await send(client, plan, episode, {}, EhrPatientId(patient))
    held = await client.read("EpisodeOfCare", created.ehr_id)
    theirs = {"careManager": {"display": "their own"}}
    assert held.version
    await client.update("EpisodeOfCare", created.ehr_id, held.resource | theirs, held.version)
    known = {episode.artefact: f"EpisodeOfCare/{created.ehr_id}"}
    change = Intent(episode.artefact, "EpisodeOfCare", Action.UPDATE, {"status": "onhold"})
    assert isinstance(await find(client, plan, change, known), Absent)
    before = LastSeen(created.version, episode.body)
    first = await send(client, plan, change, known, EhrPatientId(patient), before)
    again = await send(client, plan, change, known, EhrPatientId(patient))
    assert (first.existed, again.existed, again.version) == (False, True, first.version)
    now = (await client.read("EpisodeOfCare", created.ehr_id)).resource
    assert (now["status"], now["careManager"]) == ("onhold", theirs["careManager"])


async def test_another_patients_resource_is_never_touched(client, plan, patient, episode) -> None:
    """A body or an EHR resource of another patient is not sent, and read back as the worst."""
    with pytest.raises(Unsafe):
        await send(client, plan, episode, {}, EhrPatientId("somebody-else"))
    done = await send(client, plan, episode, {}, EhrPatientId(patient))
    known = {episode.artefact: f"EpisodeOfCare/{done.ehr_id}"}
    change = Intent(episode.artefact, "EpisodeOfCare", Action.UPDATE, {"status": "onhold"})
    other = EhrPatientId("somebody-else")
    with pytest.raises(Unsafe):
        await send(client, plan, change, known, other)
    back = await read_back(client, "EpisodeOfCare", done.ehr_id, episode.body, patient=other)
    assert (back.equal, back.wrong_patient) == (False, True)


async def test_a_dropped_field_is_named(client, patient, episode) -> None:
    """What the EHR lost is named by its path; what it is known to rewrite is kept apart."""
    lost = {key: value for key, value in episode.body.items() if key != "type"}
    done = await client.create("EpisodeOfCare", lost)
    whose = EhrPatientId(patient)
    back = await read_back(client, "EpisodeOfCare", done.ehr_id, episode.body, patient=whose)
    assert (back.equal, back.differences, back.wrong_patient) == (False, ("type",), False)
    expected = await read_back(
        client, "EpisodeOfCare", done.ehr_id, episode.body,
        patient=whose, rewrites=frozenset({"type"}),
    )  # fmt: skip
    assert (expected.equal, expected.rewritten) == (True, ("type",))


async def test_what_is_not_advertised_is_not_sent(client, plan, patient, episode, wire) -> None:
    """A create that the plan does not have is refused before a byte leaves."""
    before = len(wire.calls)
    with pytest.raises(Unsafe):
        await send(client, replace(plan, supports={}), episode, {}, EhrPatientId(patient))
    with pytest.raises(Malformed):
        await send(client, plan, replace(episode, body={"resourceType": "EpisodeOfCare"}), {},
                   EhrPatientId(patient))  # fmt: skip
    assert len(wire.calls) == before


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (202, OutcomeUnknown),
        (307, EhrRefused),
        (400, EhrRefused),
        (401, NotLetIn),
        (403, EhrRefused),
        (408, OutcomeUnknown),
        (409, EhrRefused),
        (429, Busy),
        (500, OutcomeUnknown),
        (502, OutcomeUnknown),
        (503, OutcomeUnknown),
    ],
)
async def test_what_an_answer_to_a_write_means(status, expected, client, episode, wire) -> None:
    """4xx is a refusal, 401 and 429 are to be waited for, and 408 and 5xx may have been done."""
    wire.answer_next("POST", "/fhir/EpisodeOfCare", status)
    with pytest.raises(expected) as raised:
        await client.create("EpisodeOfCare", episode.body)
    assert type(raised.value) is expected


@pytest.mark.parametrize(("status", "expected"), [(409, Stale), (412, Stale), (423, Busy)])
async def test_stale_is_said_in_two_ways(status, expected, client, episode, wire) -> None:
    """Vendors answer 409 or 412 where somebody else changed it; 423 says that it is open."""
    done = await client.create("EpisodeOfCare", episode.body)
    wire.answer_next("PUT", "/fhir/EpisodeOfCare", status)
    with pytest.raises(expected):
        await client.update("EpisodeOfCare", done.ehr_id, episode.body, done.version)


async def test_pages_are_followed_to_their_end(client, patient) -> None:
    """Fifty resources in pages of twenty are all found, and a bound is told."""
    for _ in range(50):
        await client.create(
            "Flag",
            {"resourceType": "Flag", "status": "active", "code": {"text": "x"},
             "subject": {"reference": f"Patient/{patient}"}},
        )  # fmt: skip
    query = [("patient", patient), ("_count", "20")]
    whole = await client.search("Flag", query)
    assert (len(whole.resources), whole.complete) == (50, True)
    part = await client.search("Flag", query, pages=2)
    assert (len(part.resources), part.complete) == (40, False)
