"""Commands: once a key, refused with the rule named, and never lost."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from demo.course import FOR_ESKETAMINE
from domain.language.errors import Unavailable
from store import inbox
from tests.api.service import Service, Staff, authorized, tried
from workflows.messages import Settled

HOLD = {"reason": "medical-review", "note": "review"}


async def timeline(staff: Staff, address: str) -> list[str]:
    """The kinds of everything that happened."""
    items = (await staff.get(f"{address}/timeline", limit=200)).json()["items"]
    return [item["kind"] for item in items]


async def test_an_applied_command_says_its_version(service: Service):
    """A command is 201 with the version it led to, an ETag and its status address."""
    address = await service.started()
    answer = await service.nurse.post(f"{address}/holds", HOLD)
    assert answer.status_code == 201
    body = answer.json()
    assert body["pathway"] == address
    assert answer.headers["location"] == body["command"]
    assert answer.headers["etag"] == f'"{body["version"]}"'
    assert (await service.nurse.get(body["command"])).json()["state"] == "applied"


async def test_a_repeated_key_replays_the_answer(service: Service):
    """The same key with the same body gives the same answer and happens once."""
    address = await service.started()
    first = await service.nurse.post(f"{address}/holds", HOLD, key="hold-1")
    again = await service.nurse.post(f"{address}/holds", HOLD, key="hold-1")
    assert (again.status_code, again.json()) == (first.status_code, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert (await timeline(service.nurse, address)).count("hold-placed") == 1


async def test_spelling_the_same_body_otherwise_is_a_repeat(service: Service):
    """Key order and white space do not make another request."""
    address = await service.started()
    await service.nurse.post(f"{address}/holds", HOLD, key="hold-1")
    turned = dict(reversed(HOLD.items()))
    assert (await service.nurse.post(f"{address}/holds", turned, key="hold-1")).status_code == 201


async def test_a_key_with_another_body_is_refused(service: Service):
    """The same key with another body is 422 and happens not at all."""
    address = await service.started()
    await service.nurse.post(f"{address}/holds", HOLD, key="hold-1")
    other = HOLD | {"reason": "supply"}
    answer = await service.nurse.post(f"{address}/holds", other, key="hold-1")
    assert answer.status_code == 422
    assert answer.json()["type"].endswith("idempotency-key-reused")


async def test_another_persons_key_is_another_key(service: Service):
    """Keys belong to who sends them: two people may choose the same one."""
    address = await service.started()
    await service.nurse.post(f"{address}/holds", HOLD, key="hold-1")
    assert (await service.manager.post(f"{address}/holds", HOLD, key="hold-1")).status_code == 201
    assert (await timeline(service.nurse, address)).count("hold-placed") == 2


async def test_a_key_in_flight_is_a_conflict(service: Service):
    """While the first is under way, its repeat is 409 with when and where to look."""
    address = await service.started()
    service.gateway.asked.clear()
    service.gateway.gate.clear()
    first = asyncio.create_task(service.nurse.post(f"{address}/holds", HOLD, key="hold-1"))
    await service.gateway.asked.wait()
    again = await service.nurse.post(f"{address}/holds", HOLD, key="hold-1")
    assert again.status_code == 409
    assert again.json()["type"].endswith("in-flight")
    assert again.headers["retry-after"] == "1"
    assert (await service.nurse.get(again.headers["location"])).json()["state"] == "received"
    service.gateway.gate.set()
    assert (await first).status_code == 201


async def waiting(service: Service) -> int:
    """How many commands are received and not settled."""
    async with service.database.begin() as tx:
        return len(await inbox.waiting(tx, 10))


@pytest.mark.parametrize("key", [None, "", "with space", "ümlaut", "x" * 256])
async def test_a_post_needs_a_usable_key(service: Service, key: str | None):
    """A POST without a key of visible ASCII is 400 and is not received."""
    address = await service.started()
    token = service.issuer.token("nurse-1", ["nurse"], ["manhattan"])
    headers: dict[str, str | bytes] = {"Authorization": f"Bearer {token}"}
    if key is not None:
        headers["Idempotency-Key"] = key.encode()
    sent = [
        (name.encode(), v if isinstance(v, bytes) else v.encode()) for name, v in headers.items()
    ]
    answer = await service.http.post(f"{address}/holds", headers=sent, json=HOLD)
    assert answer.status_code == 400
    assert answer.json()["type"].endswith("idempotency-key-missing")


async def test_a_refusal_names_the_rule_and_who_can_help(service: Service):
    """A dose without blood pressure is 409 with what is missing, and is replayed as that."""
    address, visit = await service.checked_in()
    dose = {
        "visit": visit,
        "first_device_at": service.clock.at.isoformat(),
        "mg": 56,
        "lot": "L1",
    }
    answer = await service.nurse.post(f"{address}/doses", dose, key="dose-1")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "urn:kairos:problem:refused"
    by_rule = {block["rule"]: block for block in problem["blocked_by"]}
    pressure = by_rule["blood-pressure-before"]
    assert pressure["missing"]
    assert "nurse" in pressure["who"]
    again = await service.nurse.post(f"{address}/doses", dose, key="dose-1")
    assert again.status_code == 409
    assert again.json()["blocked_by"] == problem["blocked_by"]
    assert "dose-given" not in await timeline(service.nurse, address)


async def test_a_double_click_gives_one_dose(service: Service):
    """The same dose sent twice at once with one key is recorded once."""
    address, visit = await service.checked_in()
    await make_ready(service, address, visit)
    dose = {"visit": visit, "first_device_at": service.clock.at.isoformat(), "mg": 56, "lot": "L1"}
    clicks = [service.nurse.post(f"{address}/doses", dose, key="dose-1") for _ in range(2)]
    answers = await asyncio.gather(*clicks)
    assert {a.status_code for a in answers} <= {201, 409}
    assert (await timeline(service.nurse, address)).count("dose-given") == 1


async def make_ready(service: Service, address: str, visit: str) -> None:
    """Record all that the first dose waits for, as those who may."""
    now = service.clock.at.isoformat()
    readings = [
        {"observation": "ride_home", "answer": "arranged"},
        *({"observation": name, "answer": answer} for name, answer in FOR_ESKETAMINE),
        {"observation": "systolic_bp", "value": 128, "unit": "mmHg"},
        {"observation": "diastolic_bp", "value": 80.5, "unit": "mmHg"},
    ]
    body = {"measured_at": now, "visit": visit, "readings": readings}
    taken = await service.prescriber.post(f"{address}/readings", body)
    assert taken.status_code == 201, taken.text
    await tried(service, address)
    await authorized(service, address)
    for scale, items in (("phq9", [0] * 9), ("madrs", [3] * 9 + [0])):
        scored = {"scale": scale, "assessed_at": now, "items": items}
        assert (await service.nurse.post(f"{address}/assessments", scored)).status_code == 201


STALE = ['"1"', '"999"']


@pytest.mark.parametrize("match", STALE)
async def test_a_stale_if_match_is_refused(service: Service, match: str):
    """With If-Match of another version a command is 412, tells the version and does nothing."""
    address = await service.started()
    answer = await service.nurse.post(f"{address}/holds", HOLD, match=match)
    current = (await service.nurse.get(address)).headers["etag"]
    assert (answer.status_code, answer.headers["etag"]) == (412, current)
    assert "hold-placed" not in await timeline(service.nurse, address)
    assert (await service.nurse.post(f"{address}/holds", HOLD, match=current)).status_code == 201


async def test_if_match_must_be_a_version(service: Service):
    """An If-Match that is no ETag of ours is 400."""
    address = await service.started()
    assert (await service.nurse.post(f"{address}/holds", HOLD, match="*")).status_code == 400


async def test_a_command_while_temporal_is_away_is_kept(service: Service):
    """With Temporal away a command is 202, and its row holds all that settles it later."""
    address = await service.started()
    service.gateway.away = True
    answer = await service.nurse.post(f"{address}/holds", HOLD)
    assert answer.status_code == 202
    assert answer.headers["retry-after"] == "1"
    command_id = answer.headers["location"].rpartition("/")[2]
    service.gateway.away = False
    await service.gateway.send(address.rpartition("/")[2], command_id)
    assert (await service.nurse.get(answer.headers["location"])).json()["state"] == "applied"


async def test_an_answer_that_is_lost_is_202_and_the_outcome_stands(service: Service, monkeypatch):
    """A command that was settled without its answer coming is 202; its status says applied."""
    address = await service.started()
    send = service.gateway.send

    async def lost(pathway_id: str, command_id: str) -> Settled:
        await send(pathway_id, command_id)
        raise Unavailable("no answer came")

    monkeypatch.setattr(service.gateway, "send", lost)
    answer = await service.nurse.post(f"{address}/holds", HOLD)
    assert answer.status_code == 202
    status = await service.nurse.get(answer.headers["location"])
    assert status.json()["state"] == "applied"


def reading(service: Service, **also: object) -> dict[str, object]:
    """A blood pressure taken now."""
    pair = [
        {"observation": "systolic_bp", "value": 128, "unit": "mmHg"},
        {"observation": "diastolic_bp", "value": 80, "unit": "mmHg"},
    ]
    return {"measured_at": service.clock.at.isoformat(), "readings": pair} | also


BAD_READINGS: dict[str, tuple[dict[str, Any], str]] = {
    "wrong unit": ({"value": 17.1, "unit": "kPa"}, "mmHg"),
    "misplaced point": ({"value": 1520, "unit": "mmHg"}, "must be 40 to 300"),
    "no unit": ({"value": 128}, "mmHg"),
    "text": ({"value": "128", "unit": "mmHg"}, "number"),
    "true": ({"value": True, "unit": "mmHg"}, "number"),
}


@pytest.mark.parametrize("case", BAD_READINGS)
async def test_a_bad_reading_is_told_what_would_be_right(service: Service, case: str):
    """A reading of a wrong unit or range is 422 with the right one, and is never converted."""
    address = await service.started()
    wrong, right = BAD_READINGS[case]
    body = reading(service)
    readings = body["readings"]
    assert isinstance(readings, list)
    readings[0] = {"observation": "systolic_bp", **wrong}
    answer = await service.nurse.post(f"{address}/readings", body)
    assert answer.status_code == 422
    assert right in answer.text
    assert (await timeline(service.nurse, address)).count("readings-taken") == 1  # the age


async def test_a_time_without_offset_is_told_how_to_write_it(service: Service):
    """A naive time is 422 and the answer says how its offset is written."""
    address = await service.started()
    body = reading(service, measured_at="2027-03-01T08:00:00")
    answer = await service.nurse.post(f"{address}/readings", body)
    assert answer.status_code == 422
    assert "-05:00" in answer.json()["detail"]


async def test_a_future_time_is_refused_before_the_inbox(service: Service):
    """A time after the clinic's now is 422, says what it is now, and is not received."""
    address = await service.started()
    later = (service.clock.at + timedelta(minutes=5)).isoformat()
    answer = await service.nurse.post(f"{address}/readings", reading(service, measured_at=later))
    assert answer.status_code == 422
    assert "2027-03-01T13:00:00" in answer.json()["detail"]


async def test_a_booking_in_the_spring_gap_names_the_choices(service: Service):
    """A visit moved into the hour that the clocks skip is 422 and told both sides of it."""
    address = await service.started()
    phase = service.protocol.phases[0].id
    await service.prescriber.post(f"{address}/orders", {"phase": phase})
    visit = (await service.nurse.get(f"{address}/visits")).json()["items"][3]["id"]
    gap = {"to": {"day": "2027-03-14", "hour": "02:30"}}
    answer = await service.nurse.post(f"{address}/visits/{visit}/move", gap)
    assert answer.status_code == 422
    assert "03:30" in answer.json()["detail"]


UNKNOWN: dict[str, tuple[dict[str, Any], int]] = {
    "visits/no-such-visit/check-in": ({}, 404),
    "holds/no-such-hold/lift": ({"reason": "why"}, 404),
    "tasks/no-such~task.1/acknowledgement": ({}, 404),
    "orders": ({"phase": "no-such-phase"}, 422),
    "decisions": ({"phase": "no-such-phase", "decision": "stop", "reason": "why"}, 422),
    "overrides": ({"visit": "no-such-visit", "gate": "a-gate", "reason": "why"}, 422),
    "doses": (
        {"visit": "no-such-visit", "first_device_at": "2027-03-01T13:00:00Z", "mg": 56, "lot": "1"},
        422,
    ),
}


@pytest.mark.parametrize("where", UNKNOWN)
async def test_what_is_not_there_is_never_repeated(service: Service, where: str):
    """A command about what the pathway does not have is refused without echoing its name."""
    address = await service.started()
    body, status = UNKNOWN[where]
    person = service.staff("prescriber", "nurse")
    answer = await person.post(f"{address}/{where}", body)
    assert answer.status_code == status
    assert "no-such" not in answer.text
    assert await waiting(service) == 0


async def test_a_task_is_acknowledged_by_the_id_of_the_list(service: Service):
    """The id that a list gives a task stands in the address of its acknowledgement."""
    address = await service.started()
    task = (await service.prescriber.get("/v1/tasks")).json()["items"][0]
    assert task["acknowledged"] is False
    answer = await service.prescriber.post(f"{address}/tasks/{task['id']}/acknowledgement")
    assert answer.status_code == 201
    task = (await service.prescriber.get(f"{address}/tasks")).json()["items"][0]
    assert task["acknowledged"] is True


async def test_a_hold_is_lifted_by_the_id_it_is_shown_with(service: Service):
    """A placed hold is shown with its id, and a prescriber lifts it with a reason."""
    address = await service.started()
    await service.nurse.post(f"{address}/holds", HOLD)
    hold = (await service.nurse.get(address)).json()["holds"][0]
    lift = f"{address}/holds/{hold['id']}/lift"
    assert (await service.prescriber.post(lift, {"reason": "reviewed"})).status_code == 201
    assert (await service.nurse.get(address)).json()["holds"][0]["lifted"] is True
    again = await service.prescriber.post(lift, {"reason": "reviewed"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:kairos:problem:conflict")


@pytest.mark.parametrize("character", ["\u000b", "\u001b", "\u0007", "\u007f", "\u0085", "\ufffe"])
@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("holds", {"reason": "other"}, "note"),
        ("holds/a-hold/lift", {}, "reason"),
        ("visits/a-visit/release", {"disposition": "against-advice"}, "words"),
        ("tasks/a/acknowledgement", {}, "words"),
        (
            "trials",
            {"drug_class": "SSRI", "dose": "1", "weeks": 6, "outcome": "no-response"},
            "drug",
        ),
    ],
)
async def test_what_no_ehr_can_hold_is_named(
    service: Service, path: str, body: dict[str, Any], field: str, character: str
):
    """FHIR's text has no control characters but tabs and ends of lines: the field is named."""
    address = await service.started()
    text = {field: f"a{character}b c"}
    answer = await service.prescriber.post(f"{address}/{path}", body | text)
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == [f"#/{field}"]


async def test_a_note_may_have_lines(service: Service):
    """Tabs and ends of lines are text."""
    address = await service.started()
    body = {"reason": "other", "note": "one\r\ntwo\tthree"}
    assert (await service.nurse.post(f"{address}/holds", body)).status_code == 201
