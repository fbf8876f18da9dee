"""The start checklist, and who is not enrolled, by the API."""

import pytest

from tests.api.service import PATIENT, START, Service, patient, tried


async def rows(service: Service, address: str) -> dict[str, dict[str, object]]:
    """The checklist's rows of induction."""
    answer = await service.nurse.get(f"{address}/start-checklist")
    assert answer.status_code == 200, answer.text
    found = answer.json()["rows"]
    return {row["observation"]: row for row in found if row["phase"] == "esketamine-induction"}


async def test_the_checklist_names_what_is_known_by_whom_and_what_is_not(service: Service):
    """Age is Kairos' from the EHR; what a prescriber recorded is theirs; the rest says who can."""
    address = await service.started()
    at = service.clock.at.isoformat()
    readings = [{"observation": "intracerebral_hemorrhage", "answer": "present"}]
    body = {"measured_at": at, "readings": readings}
    assert (await service.prescriber.post(f"{address}/readings", body)).status_code == 201
    found = await rows(service, address)
    kairos = {"id": "kairos", "role": "kairos"}
    assert (found["age"]["state"], found["age"]["by"]) == ("met", kairos)
    hemorrhage = found["intracerebral_hemorrhage"]
    assert (hemorrhage["state"], hemorrhage["value"]) == ("not-met", "present")
    assert hemorrhage["by"] == {"id": "prescriber-1", "role": "prescriber"}
    assert hemorrhage["entry"]
    assert (found["psychosis"]["state"], found["psychosis"]["who"]) == ("unknown", ["prescriber"])
    assert found["adequate_trials"]["state"] == "unknown"
    await tried(service, address)
    assert (await rows(service, address))["adequate_trials"]["state"] == "met"
    ready = (await service.nurse.get(f"{address}/start-checklist")).json()["ready"]
    assert ready == []


@pytest.mark.parametrize("born", ["2016-03-02", "2009-03-02", "2027-01-01"])
async def test_a_child_is_not_enrolled(service: Service, born: str):
    """By the EHR's birth date, on the day of the first visit; and nothing is left behind."""
    service.ehr.patients[PATIENT] = patient(PATIENT, birthDate=born)
    answer = await service.manager.post("/v1/pathways", START)
    assert answer.status_code == 409
    problem = answer.json()
    assert [block["rule"] for block in problem["blocked_by"]] == ["adult"]
    assert "required at least 18 years" in problem["detail"]
    assert born not in answer.text
    service.ehr.patients[PATIENT] = patient(PATIENT)
    assert (await service.manager.post("/v1/pathways", START)).status_code == 201


async def test_who_turns_18_on_the_day_of_the_first_visit_may_start(service: Service):
    """The day of the first visit counts, not the day of the enrolment."""
    service.ehr.patients[PATIENT] = patient(PATIENT, birthDate="2009-03-01")
    assert (await service.manager.post("/v1/pathways", START)).status_code == 201


@pytest.mark.parametrize("born", [None, "1980", "1980-05", "someday", 1980, "9999-12-31"])
async def test_an_age_that_the_ehr_does_not_know_is_unknown(service: Service, born: object):
    """No birth date, a year, or nonsense: unknown, for a person to supply, and never met."""
    resource = patient(PATIENT, birthDate=born)
    service.ehr.patients[PATIENT] = {k: v for k, v in resource.items() if v is not None}
    address = await service.started()
    age = (await rows(service, address))["age"]
    assert (age["state"], age["value"]) == ("unknown", None)
    assert "care-manager" in age["who"]  # type: ignore[operator]
