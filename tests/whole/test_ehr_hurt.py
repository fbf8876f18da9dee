"""An EHR that is away or refuses: the clinic goes on, and each write arrives exactly once."""

from datetime import timedelta
from uuid import uuid4

import pytest

from demo.staff import TurnedAwayError
from demo.story import until_quiet
from demo.visits import answer, blood_pressure, dissociation, sedation, spo2
from tests.whole.house import INDUCTION, MRN, House, Json, until

pytestmark = pytest.mark.asyncio(loop_scope="module")
MINUTE = timedelta(minutes=1)

REFUSAL = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "business-rule", "diagnostics": "not by this client"}],
}


def of_type(deliveries: list[Json], kind: str) -> list[Json]:
    """The writes of one resource type."""
    return [each for each in deliveries if each["resource_type"] == kind]


async def test_an_ehr_that_is_down_for_an_hour_stops_nobody(house: House):
    """Down from before the dose to an hour later: dose and readings are taken, then all arrives."""
    mrn = uuid4().hex[:12]
    patient = await house.patient(identifier=[{"system": MRN, "value": mrn}])
    course, here = await house.at_first_visit(mrn)
    await course.prepare_for_dose(here)
    await until_quiet(house.clinic, house.staff)
    before = await house.in_ehr(f"Observation?patient=Patient/{patient}&_count=200")
    house.clinic.wire.refuse()
    given = await here.dose(56)
    await course.agenda.until(given + 40 * MINUTE)
    await here.measure(*blood_pressure(146, 92), spo2(96), sedation(4), dissociation(22))
    await course.agenda.until(given + 60 * MINUTE)
    waiting = await house.deliveries(course.path)
    assert not await house.in_ehr(f"MedicationAdministration?patient=Patient/{patient}")
    found = await house.in_ehr(f"Observation?patient=Patient/{patient}&_count=200")
    assert len(found) == len(before) > 0
    assert {d["state"] for d in of_type(waiting, "MedicationAdministration")} <= {"intent", "sent"}
    assert not [each for each in waiting if each["needs_person"]]
    house.clinic.wire.accept()
    await until_quiet(house.clinic, house.staff)
    assert len(await house.in_ehr(f"MedicationAdministration?patient=Patient/{patient}")) == 1
    await here.observe_and_release(given, 1)
    await until_quiet(house.clinic, house.staff)
    assert {each["state"] for each in await house.deliveries(course.path)} == {"confirmed"}
    counted = await house.recounted()
    assert counted.equal, counted.differences


async def test_a_write_that_the_ehr_refuses_waits_for_a_person(house: House):
    """422: it says why, what needs it waits, others go on; sent again it arrives with the rest."""
    patient = await house.patient()
    path = await house.enrolled(patient)
    refused = house.clinic.wire.answer_next("POST", "/fhir/MedicationRequest", 422, REFUSAL)
    await house.staff.prescriber.do(f"{path}/orders", {"phase": INDUCTION})

    async def needs_person() -> list[Json]:
        return [each for each in await house.deliveries(path) if each["needs_person"]]

    (stuck,) = await until(needs_person, "the refused write needs a person")
    assert refused.happened.is_set()
    assert (stuck["resource_type"], stuck["state"]) == ("MedicationRequest", "refused")
    assert "422" in stuck["reason"]
    assert "business-rule" in stuck["reason"]
    assert "not by this client" not in stuck["reason"]
    assert stuck["said"] is None
    shown = await house.staff.operations.see(f"/v1/deliveries/{stuck['id']}")
    assert shown["said"] == "not by this client"
    at = (await house.now()).isoformat()
    taken = {
        "measured_at": at,
        "readings": [spo2(97), answer("metal_near_coil", "absent")],
    }
    await house.staff.prescriber.do(f"{path}/readings", taken)

    async def others_arrived() -> list[Json]:
        seen = await house.deliveries(path)
        settled = [each for each in seen if each["state"] == "confirmed"]
        return of_type(settled, "Observation") and of_type(seen, "Provenance")

    (signature,) = await until(others_arrived, "what does not need it goes on")
    assert (signature["state"], signature["attempts"]) == ("intent", 0)
    resolution = f"/v1/deliveries/{stuck['id']}/resolution"
    with pytest.raises(TurnedAwayError, match="403"):
        await house.staff.nurse.do(resolution, {"action": "retry", "reason": "not mine"})
    key = uuid4().hex
    body = {"action": "retry", "reason": "the EHR's permission was corrected"}
    resolved = await house.post(house.staff.operations, resolution, body, key)
    assert resolved.status_code == 201
    await until_quiet(house.clinic, house.staff)
    await house.delivered(path)
    assert len(await house.in_ehr(f"MedicationRequest?patient=Patient/{patient}")) == 1
    again = await house.post(house.staff.operations, resolution, body, key)
    assert (again.status_code, again.json()) == (201, resolved.json())
    counted = await house.recounted()
    assert counted.equal, counted.differences
