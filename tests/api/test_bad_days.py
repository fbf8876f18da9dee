"""Asking before, reporting what went against a rule, and putting an entry right, by the API."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from demo.course import FOR_ESKETAMINE
from tests.api.service import PATIENT, Service, authorized, tried


async def screened(service: Service, pressure: int) -> tuple[str, str]:
    """A patient in the chair of whom all is known that a first dose needs; at this pressure."""
    address, visit = await service.checked_in()
    at = service.clock.at.isoformat()
    found = {
        "nurse": {"ride_home": "arranged"},
        "prescriber": dict(FOR_ESKETAMINE),
    }
    for role, answers in found.items():
        readings: list[dict[str, Any]] = [
            {"observation": name, "answer": answer} for name, answer in answers.items()
        ]
        if role == "nurse":
            readings += [
                {"observation": "systolic_bp", "value": pressure, "unit": "mmHg"},
                {"observation": "diastolic_bp", "value": 80, "unit": "mmHg"},
            ]
        body = {"visit": visit, "measured_at": at, "readings": readings}
        assert (await service.staff(role).post(f"{address}/readings", body)).status_code == 201
    await tried(service, address)
    await authorized(service, address)
    for scale, items in (("phq9", [1] * 8 + [0]), ("madrs", [3] * 9 + [0])):
        scored: dict[str, Any] = {"scale": scale, "assessed_at": at, "items": items}
        assert (await service.nurse.post(f"{address}/assessments", scored)).status_code == 201
    return address, visit


async def test_may_i_give_this_is_asked_before_and_records_nothing(service: Service):
    """Granted for the milligrams ordered and refused for others, at a version that stays."""
    address, visit = await screened(service, 130)
    before = (await service.nurse.get(address)).json()["version"]
    asked = f"{address}/visits/{visit}/may-give-dose"
    yes = (await service.nurse.get(asked, mg=56)).json()
    assert (yes["granted"], yes["blocked_by"], yes["version"]) == (True, [], before)
    assert yes["as_of"].startswith(service.clock.at.isoformat()[:19])
    no = (await service.nurse.get(asked, mg=84)).json()
    assert (no["granted"], [block["rule"] for block in no["blocked_by"]]) == (False, ["dose"])
    assert no["says"].startswith("Do not give 84 mg: ")
    strength = {"pulses": 1980, "intensity_percent_mt": 120, "output_percent": 66}
    other = await service.nurse.get(f"{address}/visits/{visit}/may-stimulate", **strength)
    assert "treatment" in {block["rule"] for block in other.json()["blocked_by"]}
    assert (await service.nurse.get(f"{address}/visits/nothing/may-give-dose", mg=56)).is_error
    assert (await service.nurse.get(address)).json()["version"] == before


async def test_a_dose_against_a_stop_is_reported_and_never_recorded(service: Service):
    """200 mmHg: refused as a dose; reported by a nurse it stands as not authorized, and is due."""
    address, visit = await screened(service, 200)
    at = service.clock.at.isoformat()
    dose = {"visit": visit, "first_device_at": at, "mg": 56, "lot": "LOT-1"}
    refused = await service.nurse.post(f"{address}/doses", dose)
    assert (refused.status_code, "incident" in refused.text) == (409, False)
    assert (await service.nurse.post(f"{address}/incidents/doses", dose)).status_code == 422
    told = dose | {"what_happened": "Given before the pressure was read; Dr. P. was told."}
    assert (await service.nurse.post(f"{address}/incidents/doses", told)).status_code == 201
    seen = (await service.prescriber.get(address)).json()
    (session,) = seen["sessions"]
    assert session["authorized"] is False
    tasks = (await service.prescriber.get("/v1/tasks")).json()["items"]
    (task,) = [each for each in tasks if each["id"].startswith("review-unauthorized")]
    assert datetime.fromisoformat(task["due"]) == service.clock.at + timedelta(minutes=30)
    place = f"{address}/tasks/{task['id']}/acknowledgement"
    assert (await service.prescriber.post(place)).status_code == 422
    signed = {"words": "Seen at once: 150/90 after an hour, no harm."}
    assert (await service.prescriber.post(place, signed)).status_code == 201


async def _pressure(service: Service, address: str) -> dict[str, Any]:
    """The entry of a blood pressure, as the timeline shows it."""
    items = (await service.nurse.get(f"{address}/timeline", limit=200)).json()["items"]
    found: dict[str, Any] = [item for item in items if "systolic_bp" in str(item["fact"])][-1]
    return found


async def test_an_entry_in_error_is_corrected_and_stays_to_be_seen(service: Service):
    """152 was 125: the timeline keeps both, the first one marked, and the dose may be given."""
    address, visit = await screened(service, 152)
    wrong = await _pressure(service, address)
    asked = f"{address}/visits/{visit}/may-give-dose"
    assert (await service.nurse.get(asked, mg=56)).json()["granted"] is False
    readings = [
        {"observation": "systolic_bp", "value": 125, "unit": "mmHg"},
        {"observation": "diastolic_bp", "value": 79, "unit": "mmHg"},
        {"observation": "rems_enrolment", "answer": "confirmed"},
        {"observation": "ride_home", "answer": "arranged"},
    ]
    right = {"measured_at": wrong["at"], "visit": visit, "readings": readings}
    body = {"event": wrong["id"], "reason": "the wrong arm of the slip", "readings": right}
    answer = await service.nurse.post(f"{address}/corrections", body)
    assert answer.status_code == 201, answer.text
    shown = (await service.nurse.get(f"{address}/timeline", limit=200)).json()["items"]
    marked = {item["id"]: item["entered_in_error"] for item in shown if item["entered_in_error"]}
    assert marked == {wrong["id"]: "the wrong arm of the slip"}
    assert (await service.nurse.get(asked, mg=56)).json()["granted"] is True
    again = await service.nurse.post(f"{address}/corrections", body)
    assert again.status_code == 409


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"event": "zebra/0", "reason": "why"}, 422),
        ({"event": "zebra/0"}, 422),
        ({"event": "zebra 0", "reason": "why"}, 422),
        ({"event": "zebra/0", "reason": " "}, 422),
    ],
)
async def test_a_correction_of_nothing_is_refused_and_repeats_nothing(
    service: Service, body: dict[str, Any], status: int
):
    """What is not there, has no reason, or is no id, is named without what was sent."""
    address = await service.started()
    answer = await service.nurse.post(f"{address}/corrections", body)
    assert (answer.status_code, "zebra" in answer.text) == (status, False)


async def test_two_things_cannot_have_been_so_instead(service: Service):
    """A dose and a release in one correction are malformed."""
    address, visit = await service.checked_in()
    at = service.clock.at.isoformat()
    dose = {"visit": visit, "first_device_at": at, "mg": 56, "lot": "L"}
    body = {"event": "a/0", "reason": "why", "dose": dose, "release": {"visit": visit}}
    assert (await service.nurse.post(f"{address}/corrections", body)).status_code == 422


async def _booked(service: Service) -> tuple[str, str]:
    """A pathway with its order signed and its first visit booked."""
    address = await service.started()
    phase = service.protocol.phases[0].id
    signed = await service.prescriber.post(f"{address}/orders", {"phase": phase})
    assert signed.status_code == 201
    visit = (await service.nurse.get(f"{address}/visits")).json()["items"][0]["id"]
    assert (await service.nurse.post(f"{address}/visits/{visit}/booking")).status_code == 201
    return address, visit


@pytest.mark.parametrize(
    "changed",
    [
        {"deceasedDateTime": "2027-02-28"},
        {"deceasedBoolean": True},
        {"active": False},
        {"link": [{"other": {"reference": "Patient/other"}, "type": "replaced-by"}]},
    ],
)
async def test_nobody_is_checked_in_whom_the_ehr_has_as_dead_or_merged(
    service: Service, changed: dict[str, Any]
):
    """The patient is read again at each check-in, not at enrolment only."""
    address, visit = await _booked(service)
    service.ehr.patients[PATIENT] |= changed
    refused = await service.nurse.post(f"{address}/visits/{visit}/check-in")
    assert (refused.status_code, refused.json()["type"]) == (
        422,
        "urn:kairos:problem:patient-not-current",
    )
    assert (await service.nurse.get(f"{address}/visits")).json()["items"][0]["status"] == "booked"


async def test_an_ehr_that_is_away_keeps_nobody_from_care(service: Service):
    """A check-in is taken although the patient cannot be read again."""
    address, visit = await _booked(service)
    service.ehr.away = True
    assert (await service.nurse.post(f"{address}/visits/{visit}/check-in")).status_code == 201


async def test_what_comes_after_the_end_stands_on_the_work_list(service: Service):
    """A score at risk on a pathway that has ended is a task that the prescriber's list shows."""
    address = await service.started()
    end = {"phase": "esketamine-induction", "decision": "stop", "reason": "moves away"}
    assert (await service.prescriber.post(f"{address}/decisions", end)).status_code == 201
    assert (await service.prescriber.get("/v1/tasks")).json()["items"] == []
    at = service.clock.at.isoformat()
    body = {"scale": "phq9", "assessed_at": at, "items": [1] * 8 + [2]}
    assert (await service.nurse.post(f"{address}/assessments", body)).status_code == 201
    (task,) = (await service.prescriber.get("/v1/tasks", role="prescriber")).json()["items"]
    service.clock.at += timedelta(hours=1, minutes=1)
    await service.gateway.look(address.rpartition("/")[2])
    director = service.staff("medical-director")
    (risen,) = (await director.get("/v1/tasks", role="medical-director")).json()["items"]
    assert (risen["id"], risen["raised"], risen["was_due"]) == (task["id"], 1, task["due"])
    place = f"{address}/tasks/{task['id']}/acknowledgement"
    assert (await director.post(place, {"words": "Called: safe, with family."})).status_code == 201
    assert (await director.get("/v1/tasks")).json()["items"] == []
