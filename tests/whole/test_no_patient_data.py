"""Nothing about a patient leaves by the side doors: logs, problems, Temporal's plain text."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from google.protobuf.json_format import MessageToDict, MessageToJson
from temporalio.api.workflowservice.v1 import (
    ListClosedWorkflowExecutionsRequest,
    ListOpenWorkflowExecutionsRequest,
)
from temporalio.client import Client

from demo.course import Course
from demo.staff import Person
from demo.story import until_quiet
from demo.visits import AtVisit, blood_pressure
from tests.whole.house import INDUCTION, MRN, House, Json, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NUMBER, FAMILY, GIVEN, BORN = "77310452296", "Featherstonehaugh", "Ottoline", "1961-07-19"
LOT, REASON, NOTE = "LOT-QUAGGA-5", "because of the okapi", "she told us about the zebra"
CANARIES = (NUMBER, FAMILY, GIVEN, BORN, LOT, "okapi", "zebra")
TELLTALE = {
    "resourceType": "OperationOutcome",
    "issue": [
        {
            "severity": "error",
            "code": "business-rule",
            "details": {"text": f"{FAMILY}, {GIVEN}"},
            "diagnostics": f"{NUMBER} born {BORN}",
        }
    ],
}


@dataclass
class Attempts:
    """Requests that must be turned away, and everything that was answered to them."""

    house: House
    answers: list[httpx2.Response] = field(default_factory=list)

    async def post(self, person: Person, path: str, body: Json, *allowed: int) -> None:
        """Ask for something that must not be done, with one of these statuses."""
        answer = await self.house.post(person, path, body)
        self.answers.append(answer)
        assert answer.status_code in (allowed or (409, 422)), answer.text

    async def get(self, person: Person, path: str, **query: str) -> None:
        """Look for something that is not there."""
        headers = {"Authorization": f"Bearer {person.token}"}
        self.answers.append(await self.house.http.get(path, headers=headers, params=query))
        assert self.answers[-1].status_code >= 400, self.answers[-1].text


async def test_no_patient_data_outside_its_places(house: House):
    """Canaries sent through routes, refusals and a talkative EHR: in no log, problem or history."""
    name = {"family": FAMILY, "given": [GIVEN]}
    number = {"system": MRN, "value": NUMBER}
    patient = await house.patient(name=[name], birthDate=BORN, identifier=[number])
    attempts = Attempts(house)
    house.clinic.wire.answer_next("POST", "/fhir/MedicationRequest", 422, TELLTALE)
    course, here = await house.at_first_visit(NUMBER)
    await a_visit_in_canaries(course, here)
    await refusals_in_canaries(attempts, course.path, here)
    await what_the_ehr_refused_is_sent_again(house, course.path)
    await until_quiet(house.clinic, house.staff)

    (given,) = await house.in_ehr(f"MedicationAdministration?patient=Patient/{patient}")
    assert LOT in str(given)
    assert len(attempts.answers) > 12
    told = [answer.text + str(answer.headers) for answer in attempts.answers]
    assert not found_in(*told)
    logs = house.clinic.run.path / "log"
    api, worker = ((logs / name).read_text() for name in ("api.log", "worker.log"))
    assert "/v1/pathways/{pathway}/doses" in api
    assert "worker_started" in worker
    assert not found_in(api, worker)
    plain, payloads = [], b""
    async for text, data in histories(house):
        plain.append(text)
        payloads += data
    assert not found_in(*plain)
    assert course.path.rpartition("/")[2].encode() in payloads
    assert not found_in(payloads.decode(errors="replace"))


def found_in(*texts: str) -> set[str]:
    """The canaries that are in one of these texts."""
    return {canary for canary in CANARIES if any(canary in text for text in texts)}


async def a_visit_in_canaries(course: Course, here: AtVisit) -> None:
    """Look the patient up, hold and override, give the dose, place a hold: with words in each."""
    staff, path = course.staff, course.path
    query = {"identifier": NUMBER, "birth_date": BORN}
    await staff.care_manager.see("/v1/sites/manhattan/patients", **query)
    await course.prepare_for_dose(here, (152, 94))
    await here.override("blood-pressure-before", REASON)
    dose = {"visit": here.visit, "mg": 56, "lot": LOT}
    first_device = await here.now()
    await staff.nurse.do(f"{path}/doses", {**dose, "first_device_at": first_device.isoformat()})
    hold = {"reason": "medical-review", "note": NOTE}
    await staff.nurse.do(f"{path}/holds", hold)
    (placed,) = (await staff.nurse.see(path))["holds"]
    await staff.prescriber.do(f"{path}/holds/{placed['id']}/lift", {"reason": REASON})
    await here.observe_and_release(first_device, 1)
    (*_, last) = await course.visits("booked")
    await staff.care_manager.do(f"{path}/visits/{last['id']}/cancel", {"reason": REASON})


async def refusals_in_canaries(attempts: Attempts, path: str, here: AtVisit) -> None:
    """Whatever can be refused, with canaries wherever a word can stand."""
    staff, now = here.staff, await here.now()
    post, nurse, at = attempts.post, here.staff.nurse, now.isoformat()
    pair = blood_pressure(1520, 94)
    future = (now + timedelta(days=1)).isoformat()
    told = {"measured_at": at, "visit": here.visit}
    await post(nurse, f"{path}/readings", {**told, "readings": list(pair)})
    wrong: tuple[Json, ...] = (
        {"observation": "systolic_bp", "value": 17.3, "unit": FAMILY},
        {"observation": FAMILY, "value": 1, "unit": "mmHg"},
        {"observation": "clinically_stable", "answer": NOTE},
    )
    for reading in wrong:
        await post(nurse, f"{path}/readings", {**told, "readings": [reading]})
    right = list(blood_pressure(128, 80))
    for when in (future, "2027-03-01T10:00:00", f"{BORN} {GIVEN}"):
        await post(nurse, f"{path}/readings", {"measured_at": when, "readings": right})
    again = {"visit": here.visit, "first_device_at": at, "mg": 28, "lot": LOT}
    await post(nurse, f"{path}/doses", again)
    await post(nurse, f"{path}/doses", {**again, "visit": FAMILY.lower()})
    await post(nurse, f"{path}/holds", {"reason": NOTE})
    await post(staff.prescriber, f"{path}/orders", {"phase": FAMILY.lower()})
    override = {"visit": here.visit, "gate": FAMILY.lower(), "reason": REASON}
    await post(staff.prescriber, f"{path}/overrides", override)
    await post(nurse, f"{path}/overrides", override, 403)
    decide = {"phase": INDUCTION, "decision": "continue", "reason": REASON}
    await post(staff.prescriber, f"{path}/decisions", decide)
    await post(nurse, f"{path}/incidents/doses", {**again, "mg": 30, "what_happened": REASON})
    scored = {"scale": FAMILY.lower(), "assessed_at": at, "items": [0]}
    await post(nurse, f"{path}/assessments", scored)
    session = {"started_at": at, "ended_at": future, "pulses": 1980, "intensity_percent_mt": 120}
    session |= {"visit": here.visit, "output_percent": 62, "what_happened": REASON}
    await post(staff.operator, f"{path}/incidents/stimulations", session)
    visit, manager = f"{path}/visits/{here.visit}", staff.care_manager
    await post(manager, f"{visit}/cancel", {"reason": REASON})
    await post(manager, f"{visit}/move", {"to": {"day": BORN, "hour": GIVEN}})
    await post(manager, f"{visit}/booking", {"at": {"day": BORN, "hour": "09:00"}})
    await post(nurse, f"{visit}/release", {"disposition": "against-advice", "words": "-"})
    await post(manager, f"{path}/visits/{FAMILY.lower()}/miss", {}, 404)
    await post(
        staff.prescriber, f"{path}/tasks/{FAMILY}/acknowledgement", {"words": NOTE}, 404, 422
    )
    await post(staff.prescriber, f"{path}/holds/{FAMILY}/lift", {"reason": REASON}, 404, 422)
    body = await attempts.house.start_body(NUMBER)
    await post(staff.care_manager, "/v1/pathways", body, 404, 422)
    await post(staff.care_manager, "/v1/pathways", {**body, "site": FAMILY.lower()}, 404, 422)
    await attempts.get(nurse, f"/v1/pathways/{FAMILY}")
    await attempts.get(nurse, f"{path}/timeline", cursor=NOTE)
    attempts.house.clinic.wire.answer_next("GET", "/fhir/Patient", 422, TELLTALE)
    lookup = {"identifier": NUMBER, "birth_date": BORN}
    await attempts.get(staff.care_manager, "/v1/sites/manhattan/patients", **lookup)
    lookup = {"identifier": NUMBER, "birth_date": NOTE}
    await attempts.get(staff.care_manager, "/v1/sites/manhattan/patients", **lookup)
    await attempts.house.clinic.postgres.stop()
    await post(nurse, f"{path}/holds", {"reason": "other", "note": NOTE}, 503)
    await attempts.house.clinic.postgres.start()


async def what_the_ehr_refused_is_sent_again(house: House, path: str) -> None:
    """The refused order says why without the EHR's words; a person sends it again."""

    async def refused() -> list[Json]:
        return [each for each in await house.deliveries(path) if each["state"] == "refused"]

    (stuck,) = await until(refused, "the EHR has refused")
    assert not found_in(str(stuck))
    body = {"action": "retry", "reason": REASON}
    await house.staff.operations.do(f"/v1/deliveries/{stuck['id']}/resolution", body)


async def histories(house: House) -> AsyncIterator[tuple[str, bytes]]:
    """All that Temporal holds: as text without payloads, and the payloads' bytes."""
    client = await Client.connect(house.clinic.addresses.temporal)
    opened = await client.workflow_service.list_open_workflow_executions(
        ListOpenWorkflowExecutionsRequest(namespace="default", maximum_page_size=1000)
    )
    closed = await client.workflow_service.list_closed_workflow_executions(
        ListClosedWorkflowExecutionsRequest(namespace="default", maximum_page_size=1000)
    )
    assert opened.executions
    for execution in (*opened.executions, *closed.executions):
        assert not execution.memo.fields
        assert not execution.search_attributes.indexed_fields
        yield MessageToJson(execution), b""
        which = execution.execution
        handle = client.get_workflow_handle(which.workflow_id, run_id=which.run_id)
        async for event in handle.fetch_history_events():
            yield MessageToJson(event), b"".join(payloads_in(MessageToDict(event)))


def payloads_in(part: Any) -> list[bytes]:
    """The bytes of every payload in a part of an event."""
    if isinstance(part, list):
        return [data for each in part for data in payloads_in(each)]
    if not isinstance(part, dict):
        return []
    if isinstance(part.get("data"), str):
        return [base64.b64decode(part["data"])]
    return [data for each in part.values() for data in payloads_in(each)]
