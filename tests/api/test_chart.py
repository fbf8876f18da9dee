"""The EHR's chart by the API: read at the start, at each check-in and on request."""

from typing import Any

import pytest

from tests.api.service import PATIENT, Service, Staff, authorized
from tests.api.test_bad_days import screened

ICD = "http://hl7.org/fhir/sid/icd-10-cm"


def stands(service: Service, code: str, ehr_id: str = "17", whose: str = PATIENT) -> None:
    """Put a diagnosis into the patient's chart, as the hospital would."""
    service.ehr.others[f"Condition/{ehr_id}"] = {
        "resourceType": "Condition",
        "id": ehr_id,
        "subject": {"reference": f"Patient/{whose}"},
        "code": {"coding": [{"system": ICD, "code": code}]},
    }


async def checklist(staff: Staff, address: str) -> dict[str, Any]:
    """The start checklist."""
    answer = await staff.get(f"{address}/start-checklist")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def row(seen: dict[str, Any], observation: str) -> dict[str, Any]:
    """The first row about an observation."""
    return next(each for each in seen["rows"] if each["observation"] == observation)


async def test_the_start_reads_the_chart(service: Service):
    """A diagnosis is met before anybody typed it, by Kairos, with where it stands."""
    stands(service, "F33.2")
    address = await service.started()
    seen = await checklist(service.nurse, address)
    found = row(seen, "depression_diagnosis")
    assert (found["state"], found["value"]) == ("met", "F33.2")
    assert found["chart"] == ["Condition/17, F33.2"]
    assert found["by"]["role"] == "kairos"
    assert seen["chart_read"] is not None
    assert seen["chart_unread"] == []
    assert row(seen, "psychosis")["state"] == "unknown"


async def test_a_new_diagnosis_stops_the_dose_at_the_next_check_in(service: Service):
    """The hospital adds a hemorrhage before the visit: the check-in finds it, the dose is off."""
    address = await service.started()
    stands(service, "I61.9")
    signed = {"phase": service.protocol.phases[0].id}
    assert (await service.prescriber.post(f"{address}/orders", signed)).is_success
    visit = (await service.nurse.get(f"{address}/visits")).json()["items"][0]["id"]
    for step in ("booking", "check-in"):
        assert (await service.nurse.post(f"{address}/visits/{visit}/{step}")).is_success
    may = (await service.nurse.get(f"{address}/visits/{visit}/may-give-dose", mg=56)).json()
    assert not may["granted"]
    stopped = [b for b in may["blocked_by"] if b["rule"] == "contraindications" and b["finding"]]
    assert "history of intracerebral hemorrhage present" in stopped[0]["finding"]
    items = (await service.nurse.get(f"{address}/timeline", limit=200)).json()["items"]
    assert [each["kind"] for each in items].count("chart-read") == 2


async def test_it_is_read_again_on_request_and_a_prescriber_may_say_otherwise(service: Service):
    """A nurse has it read; what it found is a prescriber's to weigh, and holds no longer then."""
    address, visit = await screened(service, 128)
    stands(service, "I61.9")
    answer = await service.nurse.post(f"{address}/chart")
    assert answer.status_code == 201, answer.text
    asked = f"{address}/visits/{visit}/may-give-dose"
    assert not (await service.nurse.get(asked, mg=56)).json()["granted"]
    service.clock.at = service.clock.at.replace(minute=5)
    reading = {
        "measured_at": service.clock.at.isoformat(),
        "readings": [{"observation": "intracerebral_hemorrhage", "answer": "absent"}],
    }
    assert (await service.prescriber.post(f"{address}/readings", reading)).status_code == 201
    assert (await service.nurse.post(f"{address}/chart")).status_code == 201
    assert (await service.nurse.get(asked, mg=56)).json()["granted"]


async def test_an_ehr_that_is_away_keeps_nobody_from_care(service: Service):
    """Checked in all the same, and the checklist says what was not read; asked for, 503."""
    address = await service.started()
    signed = {"phase": service.protocol.phases[0].id}
    assert (await service.prescriber.post(f"{address}/orders", signed)).is_success
    visit = (await service.nurse.get(f"{address}/visits")).json()["items"][0]["id"]
    assert (await service.nurse.post(f"{address}/visits/{visit}/booking")).is_success
    service.ehr.away = True
    assert (await service.nurse.post(f"{address}/visits/{visit}/check-in")).status_code == 201
    seen = await checklist(service.nurse, address)
    assert "Condition" in seen["chart_unread"]
    answer = await service.nurse.post(f"{address}/chart")
    assert answer.status_code == 503
    assert answer.json()["type"].endswith("ehr-unavailable")


async def test_another_patients_diagnosis_is_not_taken(service: Service):
    """An EHR that answers with somebody else's entry stops nobody, and counts as not read."""
    stands(service, "I61.9", whose="patient-2")
    address = await service.started()
    seen = await checklist(service.nurse, address)
    assert row(seen, "intracerebral_hemorrhage")["state"] == "unknown"
    assert seen["chart_unread"] == ["Condition"]


async def test_an_authorization_is_shown_with_what_is_left(service: Service):
    """Recorded from the letter, used by a dose, and listed with its number, window and codes."""
    address, visit = await screened(service, 128)
    at = service.clock.at.isoformat()
    dose = {"visit": visit, "first_device_at": at, "mg": 56, "lot": "LOT-1"}
    assert (await service.nurse.post(f"{address}/doses", dose)).status_code == 201
    (found,) = (await checklist(service.nurse, address))["authorizations"]
    assert (found["number"], found["units"], found["left"]) == ("PA-1", 60, 59)
    assert (found["unit"], found["codes"], found["excludes"]) == ("session", ["G2083"], [])


async def test_a_letter_that_cannot_be_meant_is_refused(service: Service):
    """An end before its start, no code, a number that is there already: each says what is wrong."""
    address = await service.started()
    await authorized(service, address)
    body = {
        "treatment": "dtms",
        "number": "PA-2",
        "starts": "2027-03-02",
        "ends": "2027-03-01",
        "units": 36,
        "unit": "session",
        "codes": ["90868"],
    }
    for wrong, says in (
        ({}, "both days are included"),
        ({"ends": "2027-09-01", "codes": []}, "CPT or HCPCS"),
        ({"ends": "2027-09-01", "unit": "mg"}, "by session or day"),
        ({"ends": "2027-09-01", "treatment": "esketamine", "number": "PA-1"}, "already recorded"),
    ):
        answer = await service.manager.post(f"{address}/authorizations", body | wrong)
        assert answer.status_code in (409, 422), answer.text
        assert says in answer.text


async def test_what_is_refused_anyhow_asks_no_ehr(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    """A visit of another day is refused for what is known here, without waiting for the EHR."""
    address = await service.started()
    signed = {"phase": service.protocol.phases[0].id}
    assert (await service.prescriber.post(f"{address}/orders", signed)).is_success
    visit = (await service.nurse.get(f"{address}/visits")).json()["items"][1]["id"]
    assert (await service.nurse.post(f"{address}/visits/{visit}/booking")).is_success
    asked: list[str] = []

    async def read(resource_type: str, ehr_id: str) -> None:
        asked.append(f"{resource_type}/{ehr_id}")

    monkeypatch.setattr(service.ehr, "read", read)
    answer = await service.nurse.post(f"{address}/visits/{visit}/check-in")
    assert (answer.status_code, asked) == (409, [])
