"""Starting a pathway: each thing that can be wrong is named, and nothing is left behind."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from store.ehr_tables import CapabilityRow
from store.tables import CommandRow, PathwayRow
from tests.api.service import PATIENT, START, Service, patient


async def rows(service: Service) -> tuple[int, int]:
    """How many pathways and commands the store holds."""
    async with service.database.begin() as tx:
        pathways = await tx.scalar(select(func.count()).select_from(PathwayRow))
        commands = await tx.scalar(select(func.count()).select_from(CommandRow))
    return pathways or 0, commands or 0


async def test_a_start_answers_with_the_pathway(service: Service):
    """A start is 201 with the pathway's address, its version and its ETag."""
    answer = await service.manager.post("/v1/pathways", START)
    assert answer.status_code == 201
    body = answer.json()
    assert answer.headers["location"] == body["pathway"]
    assert answer.headers["etag"] == f'"{body["version"]}"'
    there = (await service.manager.get(body["pathway"])).json()
    assert (there["status"], there["version"]) == ("open", body["version"])
    patient = there["patient"]
    assert (patient["connection"], patient["id"]) == ("demo-ehr", PATIENT)
    assert patient["identity"]["identifier"] == f"MRN-{PATIENT}"
    assert there["next"][0]["ask"] == "sign-order"


WRONG: dict[str, tuple[dict[str, Any], int, str]] = {
    "unknown site": ({"site": "elsewhere"}, 404, "not-found"),
    "site not granted": ({"site": "phoenix"}, 404, "not-found"),
    "unknown protocol": ({"protocol": "another"}, 422, "unknown-protocol"),
    "unknown version": ({"version": 9}, 422, "unknown-protocol"),
    "draft protocol": ({"protocol": "a-draft"}, 422, "protocol-not-approved"),
    "unknown patient": ({"patient": "nobody"}, 422, "unknown-patient"),
    "merged patient": ({"patient": "merged"}, 422, "patient-not-current"),
    "inactive patient": ({"patient": "inactive"}, 422, "patient-not-current"),
    "first visit in the spring gap": (
        {"first_visit": {"day": "2027-03-14", "hour": "02:30"}},
        422,
        "malformed",
    ),
    "first visit in the repeated hour": (
        {"first_visit": {"day": "2027-11-07", "hour": "01:30"}},
        422,
        "malformed",
    ),
    "first visit past": ({"first_visit": {"day": "2027-02-01", "hour": "09:00"}}, 422, "malformed"),
    "patient id that is none": ({"patient": "../Patient"}, 422, "invalid"),
    "unknown field": ({"priority": "high"}, 422, "invalid"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_what_is_wrong_is_said_and_nothing_is_left(service: Service, case: str):
    """Each wrong start is answered with the problem that says which, and stores nothing."""
    also, status, name = WRONG[case]
    service.ehr.patients |= {
        "merged": patient(
            "merged", link=[{"type": "replaced-by", "other": {"reference": "Patient/patient-1"}}]
        ),
        "inactive": patient("inactive", active=False),
    }
    answer = await service.manager.post("/v1/pathways", START | also)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:kairos:problem:{name}")
    assert await rows(service) == (0, 0)


async def test_the_spring_gap_names_the_choices(service: Service):
    """A first visit inside the spring gap is told the hours on both sides of it."""
    wanted = START | {"first_visit": {"day": "2027-03-14", "hour": "02:30"}}
    detail = (await service.manager.post("/v1/pathways", wanted)).json()["detail"]
    assert "01:30" in detail
    assert "03:30" in detail


async def test_a_site_without_the_treatment_is_refused(service: Service):
    """Phoenix has no dTMS, so it cannot start a protocol that needs it."""
    manager = service.staff("care-manager", sites=["phoenix"])
    answer = await manager.post("/v1/pathways", START | {"site": "phoenix"})
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("site-lacks-treatment")
    assert "dtms" in answer.json()["detail"]


async def test_an_ehr_that_is_away_leaves_nothing_behind(service: Service):
    """With the EHR away a start is 503, stores nothing, and the same key works afterwards."""
    service.ehr.away = True
    answer = await service.manager.post("/v1/pathways", START, key="start-1")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["type"].endswith("ehr-unavailable")
    assert await rows(service) == (0, 0)
    service.ehr.away = False
    assert (await service.manager.post("/v1/pathways", START, key="start-1")).status_code == 201


async def test_an_open_pathway_is_named(service: Service):
    """A second start for the patient is 409 and names the pathway that is open."""
    address = await service.started()
    answer = await service.manager.post("/v1/pathways", START)
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("pathway-open")
    assert answer.json()["pathway"] == address
    assert await rows(service) == (1, 1)


async def test_an_open_pathway_of_another_site_is_not_named(service: Service, monkeypatch):
    """Where another site has the patient, the caller learns that and not which pathway it is."""
    address = await service.started()
    phoenix = service.app.state.dependencies.installation.sites[1]
    monkeypatch.setitem(phoenix.__dict__, "offers", frozenset({"esketamine", "dtms"}))
    manager = service.staff("care-manager", sites=["phoenix"])
    answer = await manager.post("/v1/pathways", START | {"site": "phoenix"})
    assert answer.status_code == 409
    assert "pathway" not in answer.json()
    assert address.rpartition("/")[2] not in answer.text


async def test_fifty_starts_with_one_key_are_one_pathway(service: Service):
    """Of fifty starts at once with one key one is done; the others replay it or are in flight."""
    manager = service.manager
    starts = [manager.post("/v1/pathways", START, key="one") for _ in range(50)]
    answers = await asyncio.gather(*starts)
    assert {a.status_code for a in answers} <= {201, 409}
    assert {a.json()["type"] for a in answers if a.status_code == 409} <= {
        "urn:kairos:problem:in-flight"
    }
    assert len({a.json()["pathway"] for a in answers if a.status_code == 201}) == 1
    assert await rows(service) == (1, 1)
    assert len(service.gateway.starts) == 1


async def test_fifty_starts_with_fifty_keys_are_one_pathway(service: Service):
    """Of fifty starts at once with fifty keys one succeeds and the others name it."""
    manager = service.manager
    starts = [manager.post("/v1/pathways", START, key=f"key-{n}") for n in range(50)]
    answers = await asyncio.gather(*starts)
    assert sorted(a.status_code for a in answers) == [201] + [409] * 49
    assert len({a.json()["pathway"] for a in answers}) == 1
    assert await rows(service) == (1, 1)


async def test_a_start_while_temporal_is_away_is_kept(service: Service):
    """With Temporal away a start is 202 with a status address, and the row holds all of it."""
    service.gateway.away = True
    answer = await service.manager.post("/v1/pathways", START)
    assert answer.status_code == 202
    status = (await service.manager.get(answer.headers["location"])).json()
    assert (status["state"], status["kind"]) == ("received", "start-pathway")
    assert (await service.manager.get(answer.json()["pathway"])).json()["status"] == "starting"


async def test_a_start_is_authored_at_clinical_time(service: Service):
    """The first events carry the clinic's time and the caller in their acting role."""
    service.clock.at += timedelta(minutes=7)
    address = await service.started()
    first = (await service.manager.get(f"{address}/timeline")).json()["items"][0]
    assert first["kind"] == "pathway-started"
    assert first["by"] == {"id": "care-manager-1", "role": "care-manager"}
    assert first["at"] == "2027-03-01T13:07:00Z"


async def test_an_ehr_that_was_never_asked_is_asked(service: Service):
    """A start on a connection whose capabilities are not known reads them; away, it is 503."""
    async with service.database.begin() as tx:
        await tx.execute(delete(CapabilityRow))
    service.ehr.away = True
    assert (await service.manager.post("/v1/pathways", START)).status_code == 503
    service.ehr.away = False
    integrator = service.staff("integrator")
    plan = "/v1/connections/demo-ehr/plan"
    assert (await integrator.get(plan)).json()["type"].endswith("capability-unknown")
    await service.started()
    assert (await integrator.get(plan)).status_code == 200


async def test_an_ehr_that_is_none_is_refused(service: Service, monkeypatch):
    """A server that does not answer with a CapabilityStatement cannot be written to."""

    async def something_else() -> dict[str, Any]:
        return {"resourceType": "Bundle"}

    async with service.database.begin() as tx:
        await tx.execute(delete(CapabilityRow))
    monkeypatch.setattr(service.ehr, "capability", something_else)
    answer = await service.manager.post("/v1/pathways", START)
    assert answer.status_code == 409
    assert answer.json()["type"].endswith("capability-unknown")
    assert await rows(service) == (0, 0)
