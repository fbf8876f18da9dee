"""When an answer is lost on the way to a real FHIR server: unknown first, then looked for."""

from dataclasses import replace

import pytest

from domain.delivery.words import Action, Intent, LastSeen
from domain.language.names import EhrPatientId
from fhir_adapters.content import identifiers
from fhir_adapters.exchange.failures import NeverSent, NoAnswer, OutcomeUnknown
from fhir_adapters.exchange.verbs import Absent, Ambiguous, FoundInEhr, Unproven, find, send
from fhir_adapters.profile.plan import EhrPlan


async def test_a_lost_answer_is_unknown_and_then_found(
    client, plan, patient, episode, wire
) -> None:
    """The EHR committed and nobody heard: unknown, then found, and still only one."""
    wire.drop_next_response("POST", "/fhir/EpisodeOfCare")
    with pytest.raises(OutcomeUnknown):
        await send(client, plan, episode, {}, EhrPatientId(patient))
    assert isinstance(await find(client, plan, episode, {}), FoundInEhr)
    query = [("identifier", identifiers.token(episode.artefact))]
    assert len((await client.search("EpisodeOfCare", query)).resources) == 1


async def test_a_lost_answer_is_found_by_content(client, plan, patient, story, wire) -> None:
    """Without identifier search the write is found by patient, code, time and values."""
    blind = _blind(plan, "Observation")
    intents = [intent for intent in story if intent.resource_type == "Observation"]
    for intent in intents[:4]:
        assert isinstance(await find(client, blind, intent, {}), Absent)
        wire.drop_next_response("POST", "/fhir/Observation")
        with pytest.raises(OutcomeUnknown):
            await send(client, blind, intent, {}, EhrPatientId(patient))
        assert isinstance(await find(client, blind, intent, {}), FoundInEhr)


async def test_another_entry_of_the_same_reading_is_no_proof(client, plan, patient, story) -> None:
    """A like entry with another value means that a person looks; an equal one is adopted."""
    blind = _blind(plan, "Observation")
    intent = next(i for i in story if "valueQuantity" in i.body)
    strange = {k: v for k, v in intent.body.items() if k != "identifier"}
    other = {"valueQuantity": {**strange["valueQuantity"], "value": 51.5}}
    await client.create("Observation", strange | other)
    assert isinstance(await find(client, blind, intent, {}), Unproven)
    await client.create("Observation", strange)
    assert isinstance(await find(client, blind, intent, {}), FoundInEhr)
    await client.create("Observation", strange)
    assert await find(client, blind, intent, {}) == Ambiguous(2)


async def test_two_of_ours_are_ambiguous(client, plan, episode) -> None:
    """If our identifier stands on two resources a person decides which is right."""
    for _ in range(2):
        await client.create("EpisodeOfCare", episode.body)
    assert await find(client, plan, episode, {}) == Ambiguous(2)


async def test_a_type_that_cannot_be_searched_proves_nothing(client, plan, episode) -> None:
    """Without any search to look with the answer is unproven, never absent."""
    deaf = replace(plan, supports={})
    assert isinstance(await find(client, deaf, episode, {}), Unproven)


async def test_a_refused_connection_sent_nothing(client, plan, patient, episode, wire) -> None:
    """Connection refused: provably never sent, for a write and for a read."""
    wire.refuse()
    try:
        with pytest.raises(NeverSent):
            await send(client, plan, episode, {}, EhrPatientId(patient))
        with pytest.raises(NeverSent):
            await find(client, plan, episode, {})
    finally:
        wire.accept()
    assert isinstance(await find(client, plan, episode, {}), Absent)


async def test_a_lost_answer_to_a_change_is_looked_up(client, plan, patient, episode, wire) -> None:
    """After a lost answer to an update, looking says that it stands."""
    created = await send(client, plan, episode, {}, EhrPatientId(patient))
    known = {episode.artefact: f"EpisodeOfCare/{created.ehr_id}"}
    change = Intent(episode.artefact, "EpisodeOfCare", Action.UPDATE, {"status": "onhold"})
    wire.drop_next_response("PUT", "/fhir/EpisodeOfCare")
    before = LastSeen(created.version)
    with pytest.raises(OutcomeUnknown):
        await send(client, plan, change, known, EhrPatientId(patient), before)
    assert isinstance(await find(client, plan, change, known), FoundInEhr)


async def test_a_failed_search_is_no_answer(client, plan, episode, wire) -> None:
    """A search that fails raises, and one that is refused proves nothing."""
    wire.answer_next("GET", "/fhir/EpisodeOfCare", 500)
    with pytest.raises(NoAnswer):
        await find(client, plan, episode, {})
    wire.answer_next("GET", "/fhir/EpisodeOfCare", 400)
    assert isinstance(await find(client, plan, episode, {}), Unproven)


def _blind(plan: EhrPlan, resource_type: str) -> EhrPlan:
    """The same plan for an EHR that cannot search for identifiers."""
    support = plan.support(resource_type)
    blind = replace(support, search=support.search - {"identifier"}, conditional_create=False)
    return replace(plan, supports={**plan.supports, resource_type: blind})
