"""What was another patient's, by the API: nothing is taken back here that cannot stand there."""

from typing import Any

from tests.api.service import PATIENT, Service, patient
from tests.api.test_bad_days import screened

OTHER = "patient-2"
WHY = "two charts were open side by side"


async def _dosed(service: Service) -> tuple[str, str, str]:
    """A patient who was given the first dose; the address, the visit and the entry."""
    address, visit = await screened(service, 130)
    at = service.clock.at.isoformat()
    dose = {"visit": visit, "first_device_at": at, "mg": 56, "lot": "LOT-1"}
    assert (await service.nurse.post(f"{address}/doses", dose)).status_code == 201
    return address, visit, await _entry(service, address, "dose-given")


async def _entry(service: Service, address: str, kind: str) -> str:
    items = (await service.nurse.get(f"{address}/timeline", limit=200)).json()["items"]
    return str([item["id"] for item in items if item["kind"] == kind][-1])


async def _another(service: Service, first_visit: str = "2027-03-01") -> str:
    """Another patient's pathway, with its order signed."""
    service.ehr.patients[OTHER] = patient(OTHER)
    visit = {"day": first_visit, "hour": "09:00"}
    address = await service.started(patient=OTHER, first_visit=visit)
    phase = service.protocol.phases[0].id
    assert (await service.prescriber.post(f"{address}/orders", {"phase": phase})).is_success
    return address


def _said(event: str, whose: dict[str, Any]) -> dict[str, Any]:
    return {"event": event, "reason": WHY, "wrong_patient": whose}


async def test_a_dose_goes_where_it_belongs(service: Service):
    """Taken back here in one request, and a command of the same author waits for the other."""
    address, visit, event = await _dosed(service)
    there = await _another(service)
    visits = (await service.nurse.get(f"{there}/visits")).json()["items"]
    whose = {"pathway": there.rpartition("/")[2], "visit": visits[0]["id"]}
    answer = await service.nurse.post(f"{address}/corrections", _said(event, whose))
    assert answer.status_code == 201, answer.text
    here = (await service.nurse.get(address)).json()
    assert here["sessions"] == []
    rules = [task["rule"] for task in here["tasks"]]
    assert "wrong-patient" in rules
    assert visit in {each["id"] for each in here["visits"]}


async def test_what_cannot_stand_there_is_not_taken_back_here(service: Service):
    """A visit that is not there, a pathway of nobody, another site's: refused, and all stands."""
    address, _, event = await _dosed(service)
    there = (await _another(service)).rpartition("/")[2]
    for whose, status in (
        ({"pathway": there, "visit": "no-such-visit"}, 422),
        ({"pathway": there}, 422),
        ({"pathway": "7d1f7c5e-1111-4222-8333-444455556666", "visit": "a-visit"}, 422),
        ({"pathway": address.rpartition("/")[2], "visit": "a-visit"}, 422),
    ):
        answer = await service.nurse.post(f"{address}/corrections", _said(event, whose))
        assert answer.status_code == status, answer.text
    seen = (await service.nurse.get(address)).json()
    assert len(seen["sessions"]) == 1
    elsewhere = service.staff("nurse", sites=("manhattan",), name="nurse-9")
    assert (await elsewhere.get(address)).status_code == 200


async def test_a_patient_treated_elsewhere_is_said_so(service: Service):
    """Without a pathway it is taken back here, and a prescriber is to see to the rest."""
    address, _, event = await _dosed(service)
    answer = await service.nurse.post(f"{address}/corrections", _said(event, {}))
    assert answer.status_code == 201, answer.text
    tasks = (await service.prescriber.get(address)).json()["tasks"]
    (task,) = [each for each in tasks if each["rule"] == "wrong-patient"]
    assert "has no pathway here" in task["says"]
    assert PATIENT not in task["says"]
