"""The same request many times at once has one effect, however it is repeated."""

import asyncio
from collections import Counter
from uuid import uuid4

import pytest

from tests.whole.house import House, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
FIFTY = 50


async def pathways_of(house: House, patient: str) -> list[str]:
    """Every pathway that there is for a patient, open or not."""
    found = await house.rows("select id from pathway where patient_id = %s", patient)
    return [row[0] for row in found]


async def check_one_of_everything(house: House, patient: str) -> str:
    """One row, one workflow, one episode in the EHR."""
    (pathway,) = await pathways_of(house, patient)
    await house.delivered(f"/v1/pathways/{pathway}")
    episodes = await house.in_ehr(f"EpisodeOfCare?patient=Patient/{patient}")
    assert len(episodes) == 1
    started = "select seq from event where pathway_id = %s and kind = 'pathway-started'"
    assert await house.rows(started, pathway) == [(1,)]
    assert await workflows(house) == await pathways(house)
    return f"/v1/pathways/{pathway}"


async def workflows(house: House) -> list[str]:
    """The workflow of every pathway that runs at all, by its id."""
    ids = [workflow.id for workflow in await house.workflows()]
    return sorted(each for each in ids if each.startswith("pathway/"))


async def pathways(house: House) -> list[str]:
    """The workflow ids that there should be: one for each pathway of the clinic."""
    return sorted(f"pathway/{row[0]}" for row in await house.rows("select id from pathway"))


async def test_fifty_starts_with_one_key_are_one_pathway(house: House):
    """Fifty clients with one key all hear of the same pathway, or that it is under way."""
    patient, key = await house.patient(), uuid4().hex
    body, manager = await house.start_body(patient), house.staff.care_manager
    asked = [house.post(manager, "/v1/pathways", body, key) for _ in range(FIFTY)]
    first = await asyncio.gather(*asked)
    assert {answer.status_code for answer in first} <= {201, 409}
    assert {a.json()["type"] for a in first if a.status_code == 409} <= {
        "urn:kairos:problem:in-flight"
    }
    later = [house.insist(manager, "/v1/pathways", body, key) for _ in range(FIFTY)]
    answers = await asyncio.gather(*later)
    assert {answer.status_code for answer in answers} == {201}
    assert all(answer.headers["idempotency-replayed"] == "true" for answer in answers)
    told = {answer.json()["pathway"] for answer in (*first, *answers) if answer.is_success}
    assert told == {await check_one_of_everything(house, patient)}
    commands = "select count(*) from command where idempotency_key = %s"
    assert await house.rows(commands, key) == [(1,)]


async def test_fifty_starts_with_fifty_keys_are_one_pathway(house: House):
    """One of fifty clients starts it; the others are told which pathway is open."""
    patient = await house.patient()
    body, manager = await house.start_body(patient), house.staff.care_manager
    answers = await asyncio.gather(
        *(house.post(manager, "/v1/pathways", body) for _ in range(FIFTY))
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: FIFTY - 1}
    address = await check_one_of_everything(house, patient)
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert {problem["type"] for problem in refused} == {"urn:kairos:problem:pathway-open"}
    assert {problem["pathway"] for problem in refused} == {address}
    assert [a.json()["pathway"] for a in answers if a.status_code == 201] == [address]


async def test_a_key_with_another_body_is_422(house: House):
    """A key that was used for one patient cannot start a pathway for another."""
    one, other, key = await house.patient(), await house.patient(), uuid4().hex
    manager = house.staff.care_manager
    first = await house.post(manager, "/v1/pathways", await house.start_body(one), key)
    assert first.status_code == 201
    reused = await house.post(manager, "/v1/pathways", await house.start_body(other), key)
    assert reused.status_code == 422
    assert reused.json()["type"] == "urn:kairos:problem:idempotency-key-reused"
    assert await pathways_of(house, other) == []


async def test_a_request_that_is_under_way_is_409(house: House):
    """While the first is under way a repeat is told so and where to ask; afterwards its outcome."""
    manager, key = house.staff.care_manager, uuid4().hex
    body = await house.start_body(await house.patient())
    async with house.nobody_records():
        first = asyncio.create_task(house.post(manager, "/v1/pathways", body, key))
        assert await house.received(key) == "received"
        again = await house.post(manager, "/v1/pathways", body, key)
        assert again.status_code == 409
        assert again.json()["type"] == "urn:kairos:problem:in-flight"
    assert (await first).status_code in (201, 202)

    async def applied() -> bool:
        return str((await manager.see(again.headers["location"]))["state"]) == "applied"

    await until(applied, "the first request is applied")
    settled = await house.post(manager, "/v1/pathways", body, key)
    assert (settled.status_code, settled.headers["idempotency-replayed"]) == (201, "true")
