"""Lists over several pathways: what they hold, in which order, and what they can be asked for."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from store import patients
from tests.api.service import Service, Staff, patient
from tests.api.test_bad_days import screened

LISTS = ("/v1/tasks", "/v1/visits", "/v1/pathways")


async def all_of(staff: Staff, path: str, **params: Any) -> list[dict[str, Any]]:
    """Every line of a list, page by page."""
    lines: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await staff.get(path, **{"limit": "2"} | params | cursor)).json()
        lines += page["items"]
        if page["next"] is None:
            assert page["count"] == len(lines)
            return lines
        cursor = {"cursor": page["next"]}


async def several(service: Service, count: int) -> list[str]:
    """The addresses of pathways, each of a patient of their own."""
    for number in range(count):
        service.ehr.patients[f"p{number}"] = patient(f"p{number}")
    return [await service.started(patient=f"p{number}") for number in range(count)]


async def agree(service: Service, address: str) -> list[str]:
    """What the lists show of a pathway is what it says of itself; the ids of its open tasks."""
    seen = (await service.nurse.get(address)).json()
    own = address.rpartition("/")[2]
    assert await all_of(service.nurse, "/v1/tasks", pathway=own) == seen["tasks"]
    visits = await all_of(service.nurse, "/v1/visits", pathway=own)
    shown = {v["id"]: (v["status"], v["starts"], v["at"], v["sessions_given"]) for v in visits}
    assert shown == {
        v["id"]: (v["status"], v["starts"], v["at"], v["sessions_given"])
        for v in seen["visits"]
        if v["status"] != "cancelled"
    }
    (line,) = [p for p in await all_of(service.nurse, "/v1/pathways") if p["id"] == own]
    assert line == {name: seen[name] for name in line}
    first = seen["next"][0]
    assert line["most_pressing"]["says"] == first["says"]
    assert line["urgency"] == (seen["tasks"][0]["urgency"] if seen["tasks"] else None)
    return [task["id"] for task in seen["tasks"]]


async def test_lists_say_what_the_pathway_says(service: Service):
    """From the start to a dose against a rule, a hold and the end, after each command."""
    address, visit = await screened(service, 152)
    assert f"clear-gate~{visit}~blood-pressure-before.1" in await agree(service, address)
    at = service.clock.at.isoformat()
    told = {"visit": visit, "first_device_at": at, "mg": 56, "lot": "L", "what_happened": "Given."}
    assert (await service.nurse.post(f"{address}/incidents/doses", told)).status_code == 201
    await agree(service, address)
    hold = {"reason": "medical-review", "note": "dizzy"}
    assert (await service.nurse.post(f"{address}/holds", hold)).status_code == 201
    assert len(await agree(service, address)) >= 2
    service.clock.at += timedelta(hours=3)
    await service.gateway.look(address.rpartition("/")[2])
    left = {"left_at": service.clock.at.isoformat(), "against_advice": "Wanted to go."}
    await service.nurse.post(f"{address}/visits/{visit}/release", left)
    await agree(service, address)
    end = {"phase": "esketamine-induction", "decision": "stop", "reason": "moves away"}
    await service.prescriber.post(f"{address}/decisions", end)
    await agree(service, address)


async def test_what_other_rules_wrote_is_written_anew_from_the_events(service: Service):
    """The lists lose all of it and the rules are others: a look brings every line back."""
    address, _ = await screened(service, 152)
    before = {path: await all_of(service.nurse, path) for path in LISTS}
    async with service.database.begin() as tx:
        await tx.execute(text("delete from task"))
        await tx.execute(text("delete from visit"))
        await tx.execute(text("update pathway set rules = '', urgency = 3, next_says = null"))
    page = (await service.nurse.get("/v1/tasks")).json()
    assert (page["count"], page["behind"]) == (0, 1)
    await service.gateway.look(address.rpartition("/")[2])
    after = {path: await all_of(service.nurse, path) for path in LISTS}
    for lines in (before, after):
        for line in lines["/v1/pathways"]:
            line.pop("changed_at")
    assert after == before
    assert (await service.nurse.get("/v1/tasks")).json()["behind"] == 0


async def test_safety_comes_first_and_then_what_is_due_first(service: Service):
    """A hold of the last patient stands before every order, and of orders the due ones first."""
    *_, last = await several(service, 4)
    hold = {"reason": "suicide-risk", "note": "said so"}
    assert (await service.nurse.post(f"{last}/holds", hold)).status_code == 201
    tasks = await all_of(service.nurse, "/v1/tasks")
    assert len(tasks) == 5
    assert (tasks[0]["urgency"], tasks[0]["ask"]) == ("safety", "lift-hold")
    assert tasks[0]["due"] is not None
    order = [("safety", "visit", "routine").index(task["urgency"]) for task in tasks]
    assert order == sorted(order)
    lines = await all_of(service.nurse, "/v1/pathways")
    assert (lines[0]["id"], lines[0]["urgency"]) == (last.rpartition("/")[2], "safety")
    assert lines[0]["most_pressing"]["who"]


async def test_overdue_is_what_the_clinics_clock_says(service: Service):
    """Nothing happens but time: what was due is overdue, in lists and in the pathway."""
    address = await service.started()
    hold = {"reason": "medical-review", "note": "dizzy"}
    await service.nurse.post(f"{address}/holds", hold)
    assert await all_of(service.nurse, "/v1/tasks", overdue="true") == []
    everything = await all_of(service.nurse, "/v1/tasks")
    service.clock.at += timedelta(days=9)
    (late,) = await all_of(service.nurse, "/v1/tasks", overdue="true")
    assert (late["ask"], late["overdue"]) == ("lift-hold", True)
    assert len(await all_of(service.nurse, "/v1/tasks", overdue="false")) == len(everything) - 1
    (pathway,) = await all_of(service.nurse, "/v1/pathways", overdue="true")
    assert pathway["id"] == address.rpartition("/")[2]
    assert await all_of(service.nurse, "/v1/tasks", due_by="2027-03-01T00:00:00Z") == []


@pytest.mark.parametrize(
    ("path", "yes", "no"),
    [
        ("/v1/tasks", {"role": "prescriber"}, {"role": "auditor"}),
        ("/v1/tasks", {"patient": "patient-1"}, {"patient": "patient-2"}),
        ("/v1/tasks", {"connection": "demo-ehr"}, None),
        ("/v1/tasks", {"phase": "esketamine-induction"}, {"phase": "dtms-course"}),
        ("/v1/tasks", {"rule": "order-signed"}, {"rule": "hold"}),
        ("/v1/tasks", {"ask": "sign-order"}, {"ask": "lift-hold"}),
        ("/v1/tasks", {"urgency": "routine"}, {"urgency": "safety"}),
        ("/v1/tasks", {"acknowledged": "false"}, {"acknowledged": "true"}),
        ("/v1/tasks", {"site": "manhattan"}, None),
        ("/v1/pathways", {"patient": "patient-1"}, {"patient": "patient-2"}),
        ("/v1/pathways", {"phase": "esketamine-induction"}, {"phase": "dtms-course"}),
        ("/v1/pathways", {"status": "open"}, {"status": "finished"}),
        ("/v1/pathways", {"urgency": "routine"}, {"urgency": "safety"}),
        ("/v1/pathways", {"rule": "order-signed"}, {"rule": "hold"}),
        ("/v1/pathways", {"role": "prescriber"}, {"role": "nurse"}),
        ("/v1/pathways", {"overdue": "false"}, {"overdue": "true"}),
    ],
)
async def test_a_list_is_narrowed(
    service: Service, path: str, yes: dict[str, str], no: dict[str, str] | None
) -> None:
    """Each filter keeps what it names and nothing else."""
    await service.started()
    assert len(await all_of(service.nurse, path, **yes)) == 1
    if no is not None:
        assert await all_of(service.nurse, path, **no) == []


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ({"status": "checked-in"}, {"status": "missed"}),
        (
            {"starting": "2027-03-01T13:59:00Z", "until": "2027-03-01T14:01:00Z"},
            {"until": "2027-03-01T14:00:00Z"},
        ),
        ({"patient": "patient-1", "status": "checked-in"}, {"patient": "patient-2"}),
        ({"phase": "esketamine-induction", "status": "checked-in"}, {"phase": "dtms-course"}),
        ({"overdue": "false", "status": "checked-in"}, {"overdue": "true"}),
    ],
)
async def test_visits_are_narrowed(
    service: Service, yes: dict[str, str], no: dict[str, str]
) -> None:
    """By state, day, patient and phase; a visit says its weekday and the zone of its time."""
    _, visit = await service.checked_in()
    (line,) = await all_of(service.nurse, "/v1/visits", **yes)
    assert (line["id"], line["weekday"], line["zone"]) == (visit, "Monday", "America/New_York")
    assert line["at"] == {"day": "2027-03-01", "hour": "09:00"}
    assert await all_of(service.nurse, "/v1/visits", **no) == []


@pytest.mark.parametrize("path", [*LISTS, "/v1/deliveries", "/v1/sites"])
@pytest.mark.parametrize("name", ["patient_id", "siteId", "sites", "order"])
async def test_a_parameter_that_is_not_known_is_refused_by_name(
    service: Service, path: str, name: str
) -> None:
    """Left out without a word, it would show all patients for one. The known ones are named."""
    answer = await service.nurse.get(path, **{name: "x"})
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["parameter"] == f"query {name}"
    assert "known names" in error["detail"]


async def test_a_parameter_given_twice_is_refused(service: Service):
    """Of two sites one would have been left out."""
    answer = await service.nurse.get("/v1/tasks", site=["manhattan", "brooklyn"])
    assert answer.status_code == 422
    assert "once" in answer.json()["errors"][0]["detail"]


async def test_what_is_no_name_is_not_repeated(service: Service):
    """A name that was typed where a parameter's should stand is not said again."""
    answer = await service.nurse.get("/v1/tasks", **{"Ottoline Canary": "x"})
    assert answer.status_code == 422
    assert "Ottoline" not in answer.text


async def test_an_ehr_that_is_not_of_the_callers_sites_is_refused(service: Service):
    """An EHR that no site of the caller has is a mistake, and no empty list."""
    answer = await service.nurse.get("/v1/tasks", connection="another", patient="patient-1")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["parameter"] == "query connection"


@pytest.mark.parametrize("path", LISTS)
async def test_the_cursor_of_other_filters_is_refused(service: Service, path: str) -> None:
    """A page is followed with the filters that it was asked with."""
    addresses = await several(service, 3)
    for address in addresses:
        body = {"phase": service.protocol.phases[0].id}
        await service.prescriber.post(f"{address}/orders", body)
    page = (await service.nurse.get(path, limit="2", site="manhattan")).json()
    answer = await service.nurse.get(path, limit="2", cursor=page["next"])
    assert answer.status_code == 400


async def test_deliveries_are_listed_with_what_was_to_be_written_for_who_may_see_it(
    service: Service,
) -> None:
    """Asked for, each line has its resource; whoever may not read one is refused all of them."""
    await service.checked_in()
    plain = (await service.nurse.get("/v1/deliveries")).json()["items"]
    assert plain
    assert {line["resource"] for line in plain} == {None}
    whole = (await service.nurse.get("/v1/deliveries", resources="true")).json()["items"]
    for line in whole:
        one = (await service.nurse.get(f"/v1/deliveries/{line['id']}")).json()
        assert line["resource"] == one["resource"]
    auditor = service.staff("auditor")
    assert (await auditor.get("/v1/deliveries")).status_code == 200
    assert (await auditor.get("/v1/deliveries", resources="true")).status_code == 403


async def test_a_holds_words_stand_where_the_hold_does(service: Service):
    """Why it was placed, in the hold, in what is next and in the task; long words are cut there."""
    address = await service.started()
    words = "Fainted in the waiting room. " * 12
    await service.nurse.post(f"{address}/holds", {"reason": "medical-review", "note": words})
    seen = (await service.prescriber.get(address)).json()
    assert seen["holds"][0]["note"] == words
    (task,) = [each for each in seen["tasks"] if each["ask"] == "lift-hold"]
    assert "Fainted in the waiting room." in task["says"]
    assert len(task["says"]) < len(words)


async def test_a_window_says_when_it_opens_and_closes_and_a_wait_when_it_passes(service: Service):
    """Before the forty minutes the readings' window opens and closes; the two hours pass."""
    address, visit = await screened(service, 125)
    at = service.clock.at
    dose = {"visit": visit, "first_device_at": at.isoformat(), "mg": 56, "lot": "L"}
    told = dose | {"what_happened": "Given while the trials were not recorded yet."}
    given = await service.nurse.post(f"{address}/doses", dose)
    if given.status_code != 201:
        given = await service.nurse.post(f"{address}/incidents/doses", told)
    assert given.status_code == 201, given.text
    steps = (await service.nurse.get(address)).json()["next"]
    blocks = [block for step in steps for block in step["blocked_by"]]
    windows = [each for each in blocks if each["opens"] is not None]
    waits = [each for each in blocks if each["passes"] is not None]
    assert windows
    assert waits
    for each in windows:
        assert each["missing"]
        assert each["opens"] < each["closes"]
        assert each["passes"] is None
    assert {each["opens"] for each in waits} == {None}


async def test_several_visits_are_booked_by_one_request(service: Service):
    """All that were proposed, in one command; a visit named twice keeps all from being booked."""
    address = await service.started()
    signed = {"phase": service.protocol.phases[0].id}
    await service.prescriber.post(f"{address}/orders", signed)
    visits = [each["id"] for each in (await service.nurse.get(f"{address}/visits")).json()["items"]]
    twice = {"visits": [{"visit": visits[0]}, {"visit": visits[0]}]}
    assert (await service.nurse.post(f"{address}/bookings", twice)).status_code == 422
    body = {"visits": [{"visit": each} for each in visits]}
    answer = await service.nurse.post(f"{address}/bookings", body)
    assert answer.status_code == 201, answer.text
    booked = await all_of(service.nurse, "/v1/visits", status="booked")
    assert sorted(each["id"] for each in booked) == sorted(visits)


@pytest.mark.parametrize("path", [*LISTS, "/v1/deliveries"])
@pytest.mark.parametrize(
    "asked",
    [
        {"site": "manhatan"},
        {"site": "Manhattan"},
        {"site": ""},
        {"site": "phoenix"},
        {"patient": "patient-1", "site": "phoenix"},
        {"patient": "Patient/patient-1"},
        {"patient": " patient-1"},
        {"patient": "a\x00"},
        {"connection": "another"},
        {"limit": "0"},
    ],
)
async def test_a_slip_is_no_empty_list(service: Service, path: str, asked: dict[str, str]) -> None:
    """A site that is not the caller's, and a patient's id that can be none, are refused by name."""
    await service.started()
    answer = await service.nurse.get(path, **asked)
    assert answer.status_code == 422, answer.text
    named = {error["parameter"].removeprefix("query ") for error in answer.json()["errors"]}
    assert named <= set(asked)


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/v1/visits", {"until": "20270401"}),
        ("/v1/visits", {"starting": "1806508800"}),
        ("/v1/visits", {"starting": "2027-03-02T00:00:00Z", "until": "2027-03-01T00:00:00Z"}),
        ("/v1/tasks", {"due_by": "20270401"}),
        ("/v1/tasks", {"due_by": "2027-04-01T00:00:00"}),
        ("/v1/tasks", {"phase": "a\x00"}),
        ("/v1/tasks", {"rule": "Order Signed"}),
        ("/v1/deliveries", {"resource_type": "observation"}),
        ("/v1/deliveries", {"resource_type": "Obs\x00"}),
    ],
)
async def test_a_value_that_can_be_none_is_refused(
    service: Service, path: str, asked: dict[str, str]
) -> None:
    """Digits are no time, a time has its offset, names are written as they are; never a 500."""
    assert (await service.nurse.get(path, **asked)).status_code == 422


async def test_a_word_of_a_newer_kairos_hides_no_other_line(service: Service):
    """A role, a state or an urgency that this one does not know: the others are shown."""
    one, two = await several(service, 2)
    for address in (one, two):
        await service.prescriber.post(f"{address}/orders", {"phase": service.protocol.phases[0].id})
    own = one.rpartition("/")[2]
    async with service.database.begin() as tx:
        for statement in (
            "update visit set status = 'rehearsed' where pathway_id = :id",
            "update task set urgency = 7, roles = '{seer}' where pathway_id = :id",
            "update pathway set next_who = '{seer}' where id = :id",
        ):
            await tx.execute(text(statement), {"id": own})
    for path in LISTS:
        page = (await service.nurse.get(path, limit="200")).json()
        shown = {line.get("pathway") or line["id"] for line in page["items"]}
        assert two.rpartition("/")[2] in shown
    assert (await service.nurse.get("/v1/visits")).json()["behind"] > 0


async def test_every_line_says_whose_it_is_as_last_read(service: Service):
    """Name, birth date and identifier with the time of reading; and that they became others."""
    address, _ = await screened(service, 120)
    enrolled = (await service.nurse.get(address)).json()["patient"]
    known = enrolled["identity"]
    assert known["name"] == "Ottoline Canary-Featherstone"
    assert (known["birth_date"], known["identifier"]) == ("1961-07-19", "MRN-patient-1")
    assert known["changed_at"] is None
    for path in (*LISTS, f"{address}/tasks"):
        lines = (await service.nurse.get(path)).json()["items"]
        assert lines
        assert all(line["patient"] == enrolled for line in lines), path
    there = service.ehr.patients["patient-1"]
    there["name"] = [{"use": "old", "family": "Before"}, {"text": "Ottoline\u202e Married"}]
    service.clock.at += timedelta(minutes=5)
    assert (await service.nurse.post(f"{address}/chart", {})).status_code == 201
    renamed = (await service.nurse.get(address)).json()["patient"]["identity"]
    assert (renamed["name"], renamed["changed_at"]) == ("Ottoline Married", None)
    assert renamed["read_at"] > known["read_at"]
    there["birthDate"] = "1961-07"
    service.clock.at += timedelta(minutes=5)
    assert (await service.nurse.post(f"{address}/chart", {})).status_code == 201
    another = (await service.nurse.get(address)).json()["patient"]["identity"]
    assert (another["birth_date"], another["changed_at"]) == ("1961-07", another["read_at"])


async def test_who_somebody_is_comes_from_the_latest_reading(service: Service):
    """Of two readings that arrive in another order, the later one stays."""
    address = await service.started()
    there = (await service.nurse.get(address)).json()["patient"]
    whose, now = (there["connection"], there["id"]), service.clock.at
    said: dict[str, Any] = {
        "name": "Late",
        "birth_date": None,
        "identifier": None,
        "fingerprint": "f",
    }
    async with service.database.begin() as tx:
        await patients.note(tx, *whose, **said, at=now + timedelta(minutes=2))
        await patients.note(tx, *whose, **said | {"name": "Early"}, at=now)
    identity = (await service.nurse.get(address)).json()["patient"]["identity"]
    assert (identity["name"], identity["birth_date"]) == ("Late", None)


async def test_pathways_list_their_last_scores_and_those_without_one(service: Service):
    """The last points with their time, and whoever was not scored since a time."""
    address, _ = await screened(service, 120)
    (line,) = (await service.nurse.get("/v1/pathways")).json()["items"]
    assert line["scores"]
    assert line["scores"] == (await service.nurse.get(address)).json()["scores"]
    later = (service.clock.at + timedelta(days=1)).isoformat()
    unscored = await all_of(service.nurse, "/v1/pathways", not_scored_since=later)
    assert [each["id"] for each in unscored] == [line["id"]]
    long_ago = (service.clock.at - timedelta(days=300)).isoformat()
    assert await all_of(service.nurse, "/v1/pathways", not_scored_since=long_ago) == []
