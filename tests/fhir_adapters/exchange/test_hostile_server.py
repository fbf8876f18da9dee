"""An EHR that misbehaves: ignored filters, suppressed hits, and answers nobody can read."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from domain.delivery.words import Action, Intent
from fhir_adapters.content import identifiers
from fhir_adapters.exchange.client import EhrClient
from fhir_adapters.exchange.failures import EhrRefused, NoAnswer, OutcomeUnknown
from fhir_adapters.exchange.shown import Proofs, Way
from fhir_adapters.exchange.transport import Limits
from fhir_adapters.exchange.verbs import Absent, Unproven, find
from fhir_adapters.profile.epic import EPIC
from fhir_adapters.profile.generic import GENERIC
from fhir_adapters.profile.plan import plan_for
from tests.fhir_adapters.exchange.prepared import Server
from tests.fhir_adapters.fhir_story import statement

PLAN = plan_for(statement(), GENERIC)
BODY = {
    "resourceType": "Flag",
    "identifier": [identifiers.identifier("pw-1/hold/1")],
    "status": "active",
    "code": {"text": "x"},
    "subject": {"reference": "Patient/p1"},
    "period": {"start": "2026-12-01T10:00:00Z"},
}
INTENT = Intent("pw-1/hold/1", "Flag", Action.CREATE, BODY)
PROVENANCE = Intent(
    "pw-1/provenance/1",
    "Provenance",
    Action.CREATE,
    {"target": [{"reference": "Flag/1"}], "agent": [{"who": {"display": "nurse-1"}}]},
)


@pytest.fixture
async def client(server: Server) -> AsyncIterator[EhrClient]:
    """A client of the tiny server, that is soon tired of waiting."""
    limits = Limits(connect=2, read=0.3, total=0.6, most_bytes=20_000)
    async with EhrClient(server.base_url, GENERIC, limits=limits) as made:
        yield made


def _issue(severity: str, code: str) -> dict[str, Any]:
    details = {"coding": [{"code": code}]}
    issue = {"severity": severity, "code": "processing", "details": details}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


async def test_hits_that_are_not_ours_mean_the_filter_was_ignored(server, client) -> None:
    """A search that answers with strangers proves nothing, neither there nor not there."""
    server.finds({"resourceType": "Flag", "id": "9", "subject": {"reference": "Patient/p1"}})
    found = await find(client, PLAN, INTENT, {})
    assert isinstance(found, Unproven)
    assert "ignored" in found.why


async def test_an_empty_answer_says_in_which_ways_it_was_looked_for(server, client) -> None:
    """By identifier, and by content too while that has not shown one of ours; a code is no harm."""
    server.finds(total=0)
    assert await find(client, PLAN, INTENT, {}) == Absent((Way.IDENTIFIER, Way.CONTENT))
    proved = Proofs(frozenset({Way.IDENTIFIER}))
    assert await find(client, PLAN, INTENT, {}, proved) == Absent((Way.IDENTIFIER,))
    withdrawn = Proofs(withdrawn=frozenset({Way.IDENTIFIER}))
    assert await find(client, PLAN, INTENT, {}, withdrawn) == Absent((Way.CONTENT,))
    server.finds(_issue("warning", "4101"), total=0)
    async with EhrClient(server.base_url, EPIC) as epic:
        assert isinstance(await find(epic, PLAN, INTENT, {}), Absent)


async def test_epics_nothing_found_is_no_proof_elsewhere(server, client) -> None:
    """A server of no vendor says 4101 beside an empty search: it is not proved to be absent."""
    server.finds(_issue("warning", "4101"), total=0)
    assert isinstance(await find(client, PLAN, INTENT, {}), Unproven)


@pytest.mark.parametrize("code", ["4119", "4122", "59100", "59204"])
async def test_a_warning_beside_an_empty_answer_is_no_proof(code, server, client) -> None:
    """Ignored parameters and suppressed hits come with status 200."""
    server.finds(_issue("warning", code), total=0)
    found = await find(client, PLAN, INTENT, {})
    assert isinstance(found, Unproven)
    assert code in found.why


async def test_an_unfinished_search_is_no_proof(server, client) -> None:
    """A next page on another host is not followed, so the search is not complete."""
    server.finds(link=[{"relation": "next", "url": "http://127.0.0.2:1/fhir/Flag?page=2"}])
    assert isinstance(await find(client, PLAN, INTENT, {}), Unproven)
    assert len(server.requests) == 1


async def test_endless_pages_come_to_an_end(server, client) -> None:
    """A server whose pages never end is left after a bounded number of them."""
    server.finds(link=[{"relation": "next", "url": f"{server.base_url}/Flag?page=2"}])
    assert isinstance(await find(client, PLAN, INTENT, {}), Unproven)
    assert len(server.requests) == 20


async def test_provenance_of_another_target_is_no_proof(server, client) -> None:
    """Provenance is looked for by target; hits of other targets mean it was ignored."""
    server.finds({"resourceType": "Provenance", "id": "1", "target": [{"reference": "Flag/2"}]})
    assert isinstance(await find(client, PLAN, PROVENANCE, {}), Unproven)
    other = {"agent": [{"who": {"display": "somebody"}}]}
    server.finds(
        {"resourceType": "Provenance", "id": "1", "target": [{"reference": "Flag/1"}], **other}
    )
    assert await find(client, PLAN, PROVENANCE, {}) == Absent((Way.TARGET,))
    assert b"target=Flag" in server.requests[0]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b'{"resourceType":"Bundle","resourceType":"Bundle"}',
        b'{"resourceType":"Patient"}',
        b"[" * 10_000,
        b" " * 30_000,
    ],
)
async def test_a_search_that_cannot_be_read_is_no_answer(body: bytes, server, client) -> None:
    """What cannot be read, is too large or is no Bundle is never taken for an empty answer."""
    server.says(200, body)
    with pytest.raises(NoAnswer):
        await find(client, PLAN, INTENT, {})


@pytest.mark.parametrize(
    ("status", "body"), [(201, b""), (201, b"<html>"), (200, b"{}"), (201, b" " * 30_000)]
)
async def test_a_success_without_an_id_is_unknown(status, body, server, client) -> None:
    """Created, but nobody says what: it has to be looked for."""
    server.says(status, body)
    with pytest.raises(OutcomeUnknown):
        await client.create("Flag", BODY)


async def test_an_empty_answer_with_location_is_enough(server, client) -> None:
    """Some EHRs answer 201 with no body: the id stands in Location, the version in ETag."""
    server.says(201, b"", f"Location: {server.base_url}/Flag/7", 'ETag: W/"10-1"',
                "Content-Type: text/html")  # fmt: skip
    done = await client.create("Flag", BODY)
    assert (done.ehr_id, done.version, done.existed) == ("7", "10-1", False)


async def test_a_redirect_is_not_followed(server) -> None:
    """A merged record answers with a redirect: nothing is sent to where it points."""
    server.says(307, json.dumps(_issue("fatal", "4107")).encode(),
                f"Location: {server.base_url}/Patient/9")  # fmt: skip
    async with EhrClient(server.base_url, EPIC) as epic:
        with pytest.raises(EhrRefused) as refused:
            await epic.create("Flag", BODY)
    assert refused.value.verdict == "conflict"
    assert len(server.requests) == 1


async def test_silence_after_a_write_is_unknown(server, client) -> None:
    """A server that takes the request and says nothing may have done it."""
    server.silent = True
    with pytest.raises(OutcomeUnknown):
        await client.create("Flag", BODY)
    with pytest.raises(NoAnswer):
        await client.capability()


async def test_nothing_is_asked_for_twice(server, client) -> None:
    """A connection that breaks is not tried again by the client."""
    server.answer = b""
    with pytest.raises(OutcomeUnknown):
        await client.create("Flag", BODY)
    assert len(server.requests) == 1
