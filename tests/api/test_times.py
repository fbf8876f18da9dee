"""Days and instants by the API: of our time, and none that lies back gets more than one of now."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.service import Service

ENDS = ["9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z"]


@pytest.mark.parametrize("moment", ENDS)
async def test_an_instant_at_the_calendars_ends_is_refused_by_its_field(
    service: Service, moment: str
):
    """On every route that takes one: 422, what would be right, and not a word of what was typed."""
    address, visit = await service.checked_in()
    at = f"{address}/visits/{visit}"
    reading = {"observation": "spo2", "value": 97, "unit": "%"}
    wishes: list[tuple[str, str, dict[str, Any]]] = [
        (f"{address}/readings", "measured_at", {"readings": [reading]}),
        (f"{address}/assessments", "assessed_at", {"scale": "phq9", "items": [0] * 9}),
        (f"{address}/doses", "first_device_at", {"visit": visit, "mg": 56, "lot": "L"}),
        (f"{at}/release", "left_at", {}),
    ]
    for path, field, body in wishes:
        answer = await service.nurse.post(path, {**body, field: moment})
        assert answer.status_code == 422, (path, answer.text)
        assert field in answer.text
        assert "must be of a year from 1900 to 2200" in answer.text
        assert moment not in answer.text


@pytest.mark.parametrize(
    ("starts", "ends"),
    [
        (0, "2027-08-14"),
        ("2027-05-01T00:00:00", "2027-08-14"),
        ("0001-01-01", "2027-08-14"),
        ("2027-05-01", "9999-12-31"),
    ],
)
async def test_a_day_is_written_as_a_day_of_our_time(service: Service, starts: Any, ends: str):
    """A number, a day with an hour and a year of no letter are refused, and nothing is kept."""
    address, _ = await service.checked_in()
    body = {
        "treatment": "esketamine",
        "number": "PA-1",
        "starts": starts,
        "ends": ends,
        "units": 8,
        "unit": "session",
        "codes": ["G2082"],
    }
    answer = await service.nurse.post(f"{address}/authorizations", body)
    assert answer.status_code == 422
    assert "starts" in answer.text or "ends" in answer.text


async def test_a_patient_is_not_let_go_before_a_reading_of_their_visit(service: Service):
    """A time of leaving typed back to before a reading of the visit: 422, with that reading's."""
    address, visit = await service.checked_in()
    at = service.clock.at + timedelta(minutes=10)
    service.clock.at = at + timedelta(minutes=1)
    reading = {"observation": "sedation_moaas", "value": 3, "unit": "points"}
    body = {"visit": visit, "measured_at": at.isoformat(), "readings": [reading]}
    assert (await service.nurse.post(f"{address}/readings", body)).status_code == 201
    left = (at - timedelta(minutes=5)).isoformat()
    release = {"left_at": left, "not_treated": "other"}
    answer = await service.nurse.post(f"{address}/visits/{visit}/release", release)
    assert answer.status_code == 422
    assert "left_at must be later than the last reading here, at" in answer.text
