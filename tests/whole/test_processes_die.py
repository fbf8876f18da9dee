"""Processes die at the worst moment: nothing acknowledged is lost and nothing happens twice."""

import asyncio
import time
from datetime import timedelta
from uuid import uuid4

import httpx2
import pytest

from clinic import TimeStoodStill, VirtualTime
from demo.visits import blood_pressure
from tests.whole.house import House, Json, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

A_DELIVERY = 80.0
"""Real seconds after which the delivery of a worker that died is taken up by another one."""


async def pressure(house: House, systolic: int) -> Json:
    """A blood pressure taken now, outside any visit."""
    measured = (await house.now()).isoformat()
    return {"measured_at": measured, "readings": list(blood_pressure(systolic, 80))}


async def systolics(house: House, path: str) -> list[int]:
    """Every systolic value recorded on a pathway, in order."""
    seen = await house.rows(
        "select (reading->>'value')::numeric::int from event,"
        " jsonb_array_elements(fact->'readings') reading"
        " where pathway_id = %s and reading->>'observation' = 'systolic_bp' order by seq",
        path.rpartition("/")[2],
    )
    return [row[0] for row in seen]


async def test_the_api_dies_while_a_command_waits_for_its_turn(house: House):
    """API killed after the inbox, before anything was recorded: one effect, one answer for ever."""
    path, key, nurse = await house.enrolled(), uuid4().hex, house.staff.nurse
    body = await pressure(house, 131)
    async with house.nobody_records():
        asking = asyncio.create_task(house.post(nurse, f"{path}/readings", body, key))
        assert await house.received(key) == "received"
        house.clinic.kill_api()
        with pytest.raises(httpx2.TransportError):
            await asking
    await house.clinic.start_api()
    answer = await house.insist(nurse, f"{path}/readings", body, key)
    again = await house.post(nurse, f"{path}/readings", body, key)
    assert (answer.status_code, again.status_code) == (201, 201)
    assert again.json() == answer.json()
    assert await systolics(house, path) == [131]
    await house.delivered(path)
    assert (await house.recounted()).equal


async def test_a_pathway_whose_start_was_cut_off_is_there_afterwards(house: House):
    """API killed during a start: the patient has one pathway, and it opens."""
    body, key = await house.start_body(await house.patient()), uuid4().hex
    manager = house.staff.care_manager
    async with house.nobody_records():
        asking = asyncio.create_task(house.post(manager, "/v1/pathways", body, key))
        assert await house.received(key) == "received"
        house.clinic.kill_api()
        with pytest.raises(httpx2.TransportError):
            await asking
    await house.clinic.start_api()
    answer = await house.insist(manager, "/v1/pathways", body, key)
    assert answer.status_code == 201
    assert (await manager.see(answer.json()["pathway"]))["status"] == "open"
    second = await house.post(manager, "/v1/pathways", body)
    assert second.json()["type"] == "urn:kairos:problem:pathway-open"


async def test_care_goes_on_without_a_worker(house: House):
    """No worker, and so nothing is written to the EHR: people record and are answered all the same.

    What falls due meanwhile is done when one comes, and so is what was to be written.
    """
    path, nurse = await house.enrolled(), house.staff.nurse
    await house.at_rest()
    await house.delivered(path)
    house.clinic.kill_worker()
    answers = [
        (await house.post(nurse, f"{path}/readings", await pressure(house, systolic))).status_code
        for systolic in (121, 122, 123)
    ]
    assert answers == [201, 201, 201]
    await house.clinic.start_worker()
    await house.delivered(path)
    assert await systolics(house, path) == [121, 122, 123]
    assert (await house.recounted()).equal


@pytest.mark.slow
async def test_the_worker_dies_in_the_middle_of_a_delivery(house: House):
    """EHR committed, its answer is on the wire, worker killed: one resource, and it is confirmed.

    Slow because another worker takes the delivery up when the dead one's time is over.
    """
    patient = await house.patient()
    held = house.clinic.wire.hang_next("POST", "/fhir/EpisodeOfCare", at_most=A_DELIVERY)
    path = await house.enrolled(patient)
    assert await asyncio.to_thread(held.happened.wait, 10)
    assert len(await house.in_ehr(f"EpisodeOfCare?patient=Patient/{patient}")) == 1
    house.clinic.kill_worker()
    held.release()
    await house.clinic.start_worker()
    (waiting,) = [d for d in await house.deliveries(path) if d["resource_type"] == "EpisodeOfCare"]
    assert waiting["state"] == "sent"
    assert (await house.post(house.staff.nurse, f"{path}/holds", {"reason": "other"})).is_success
    await house.delivered(path, A_DELIVERY)
    assert len(await house.in_ehr(f"EpisodeOfCare?patient=Patient/{patient}")) == 1
    counted = await house.recounted()
    assert counted.equal, counted.differences


async def test_postgresql_restarts_and_is_killed_while_commands_come(house: House):
    """Every acknowledged command is there once, none twice, and the API heals by itself."""
    path, nurse = await house.enrolled(), house.staff.nurse
    api = house.clinic.run.processes()["api"]
    values, acknowledged = range(100, 130), list[int]()
    answers = set[int]()
    under_way = asyncio.Event()

    async def take(systolic: int) -> None:
        body, key = await pressure(house, systolic), uuid4().hex

        async def asked() -> bool:
            answer = await house.post(nurse, f"{path}/readings", body, key)
            answers.add(answer.status_code)
            return answer.status_code == 201

        await until(asked, f"{systolic} mmHg is acknowledged")
        acknowledged.append(systolic)
        if len(acknowledged) in (5, 15):
            under_way.set()

    async def work() -> None:
        for start in range(0, len(values), 3):
            await asyncio.gather(*(take(systolic) for systolic in values[start : start + 3]))

    working = asyncio.create_task(work())
    await under_way.wait()
    under_way.clear()
    await house.clinic.postgres.restart()
    await under_way.wait()
    await house.clinic.postgres.kill()
    await house.clinic.postgres.start()
    await working
    assert answers <= {201, 202, 409, 503}
    assert answers > {201}, "no command came while the database was away"
    assert sorted(await systolics(house, path)) == list(values)
    assert house.clinic.run.processes()["api"] == api
    await house.delivered(path)
    counted = await house.recounted()
    assert counted.equal, counted.differences


async def test_time_without_a_worker_is_an_error_in_seconds(house: House):
    """A move of time that nobody works off says what was waited for; later time goes on."""
    await house.enrolled()
    clock = await VirtualTime.at(house.clinic.addresses.temporal, limit_seconds=3)
    await house.at_rest()
    house.clinic.kill_worker()
    began = time.monotonic()
    with pytest.raises(TimeStoodStill, match="the next visit"):
        await clock.move_by(timedelta(days=2), "the next visit")
    assert time.monotonic() - began < 6
    stood = await clock.now()
    await house.clinic.start_worker()

    async def moves_again() -> bool:
        return await clock.now() - stood > timedelta(days=1)

    await until(moves_again, "the move that stood still ends by itself")
