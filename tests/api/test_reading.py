"""Reading: the pathway as it is now, lists page by page, reference data and health."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from api.dependencies import Dependencies
from api.edge.tokens import Tokens
from domain.language.errors import Unavailable
from store import jobs, outages, queue
from store.tables import PathwayRow
from tests.api.service import Service, patient


async def test_what_is_next_says_rule_reason_source_and_who(service: Service):
    """For a patient who is here, `next` names every reading missing, why, and who can supply it."""
    address, visit = await service.checked_in()
    view = (await service.nurse.get(address)).json()
    record = next(step for step in view["next"] if step["ask"] == "record")
    assert record["about"] == visit
    assert "nurse" in record["who"]
    pressure = next(b for b in record["blocked_by"] if b["rule"] == "blood-pressure-before")
    assert pressure["missing"]
    assert pressure["why"]
    assert pressure["source"]
    assert view["visits"][0]["starts"] == "2027-03-01T14:00:00Z"
    assert view["phases"][0]["signed"] == "2027-03-01T13:00:00Z"
    assert [p["entered"] for p in view["phases"][1:]] == [None, None]
    assert view["tasks"]


async def test_a_gate_that_holds_says_so(service: Service):
    """A pressure above the gate is a finding, overridable, and a task for a prescriber."""
    address, visit = await service.checked_in()
    pair = [
        {"observation": "systolic_bp", "value": 152, "unit": "mmHg"},
        {"observation": "diastolic_bp", "value": 94, "unit": "mmHg"},
    ]
    body = {"measured_at": service.clock.at.isoformat(), "visit": visit, "readings": pair}
    assert (await service.nurse.post(f"{address}/readings", body)).status_code == 201
    steps = (await service.nurse.get(address)).json()["next"]
    held = next(s for s in steps if s["ask"] == "clear-gate")
    assert "152" in held["blocked_by"][0]["finding"]
    assert held["blocked_by"][0]["overridable"] is True
    assert held["task"] == f"clear-gate~{visit}~blood-pressure-before.1"
    task = (await service.prescriber.get("/v1/tasks", role="prescriber")).json()["items"]
    assert held["task"] in {t["id"] for t in task}


async def test_lists_come_page_by_page(service: Service):
    """Following `next` gives every item once, in order, and ends with null."""
    for number in range(5):
        service.ehr.patients[f"p{number}"] = patient(f"p{number}")
        await service.started(patient=f"p{number}")
    for path, count in (("/v1/pathways", 5), ("/v1/tasks", 5)):
        seen, cursor = [], None
        while True:
            params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
            page = (await service.manager.get(path, **params)).json()
            assert len(page["items"]) <= 2
            seen += [item.get("pathway") or item["id"] for item in page["items"]]
            if (cursor := page["next"]) is None:
                break
        assert len(set(seen)) == len(seen) == count
        assert seen == sorted(seen)


async def test_the_timeline_comes_page_by_page(service: Service):
    """The timeline's pages are its events in order, without gap or repeat."""
    address, _ = await service.checked_in()
    whole = (await service.nurse.get(f"{address}/timeline", limit=200)).json()["items"]
    seqs, cursor = [], None
    while True:
        params = {"limit": "3"} | ({"cursor": cursor} if cursor else {})
        page = (await service.nurse.get(f"{address}/timeline", **params)).json()
        seqs += [item["seq"] for item in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seqs == [item["seq"] for item in whole] == list(range(1, len(whole) + 1))


async def test_a_cursor_of_another_list_is_refused(service: Service):
    """A cursor that is not of this list and these filters is 400, never another page."""
    for number in range(2):
        service.ehr.patients[f"p{number}"] = patient(f"p{number}")
        await service.started(patient=f"p{number}")
    cursor = (await service.manager.get("/v1/pathways", limit=1)).json()["next"]
    assert (await service.manager.get("/v1/pathways", limit=1, cursor=cursor)).status_code == 200
    for path, params in (
        ("/v1/tasks", {}),
        ("/v1/pathways", {"status": "open"}),
        ("/v1/deliveries", {}),
    ):
        answer = await service.manager.get(path, cursor=cursor, **params)
        assert answer.status_code == 400
        assert answer.json()["type"].endswith("bad-cursor")


async def test_a_patient_is_found_by_the_identifier_with_what_people_compare(service: Service):
    """A search gives name, birth date and identifier, and says whether the birth date sent fits."""
    service.ehr.patients["merged"] = patient(
        "merged", link=[{"type": "replaced-by", "other": {"reference": "Patient/patient-1"}}]
    )
    search = "/v1/sites/manhattan/patients"
    found = await service.manager.get(search, identifier="MRN-patient-1", birth_date="1961-07-19")
    assert found.json()["items"] == [
        {
            "id": "patient-1",
            "name": "Ottoline Canary-Featherstone",
            "birth_date": "1961-07-19",
            "identifier": "MRN-patient-1",
            "may_be_enrolled": True,
            "why_not": None,
            "active": True,
            "replaced_by": None,
            "identifiers": 1,
            "labels": [],
            "birth_date_matches": True,
        }
    ]
    other = await service.manager.get(search, identifier="MRN-patient-1", birth_date="1961-07-20")
    assert other.json()["items"][0]["birth_date_matches"] is False
    merged = (await service.manager.get(search, identifier="MRN-merged")).json()["items"][0]
    assert (merged["may_be_enrolled"], merged["replaced_by"]) == (False, "patient-1")
    assert (await service.manager.get(search, identifier="MRN-nobody")).json()["items"] == []
    assert (await service.manager.get(search, identifier="a|b")).json()["items"] == []
    assert (await service.manager.get(search, identifier="a\tb")).status_code == 422
    service.ehr.away = True
    assert (await service.manager.get(search, identifier="MRN-1")).status_code == 503


async def test_a_connection_says_what_would_be_written_and_how(service: Service):
    """The plan names each artefact's way; before the first probe it is not known."""
    integrator = service.staff("integrator")
    plan = (await integrator.get("/v1/connections/demo-ehr/plan")).json()
    ways = {line["kind"]: line["way"] for line in plan["plan"]}
    assert ways["blood-pressure"] == "native"
    listed = (await integrator.get("/v1/connections")).json()["items"][0]
    assert listed["sites"] == ["manhattan"]
    assert listed["capability_read_at"] == plan["capability_read_at"]
    service.ehr.away = True
    answer = await integrator.post("/v1/connections/demo-ehr/probe")
    assert answer.status_code == 503


async def test_an_ehr_is_probed_without_a_key(service: Service):
    """Asking an EHR what it can do needs no Idempotency-Key, and may be done again at will."""
    token = service.issuer.token("integrator-1", ["integrator"], ["manhattan"])
    for _ in range(2):
        answer = await service.http.post(
            "/v1/connections/demo-ehr/probe", headers={"Authorization": f"Bearer {token}"}
        )
        assert (answer.status_code, answer.json()["connection"]) == (201, "demo-ehr")


async def test_waiting_writes_are_tried_when_operations_staff_say_so(service: Service):
    """Without a key, again at will; how many patients waited, and whether the EHR is away."""
    there = "/v1/connections/demo-ehr/retry"
    operations = service.staff("operations")
    quiet = await operations.post(there)
    assert (quiet.status_code, quiet.json()["patients"], quiet.json()["asked_now"]) == (
        201,
        0,
        False,
    )
    soon, later = service.clock.at, service.clock.at + timedelta(hours=8)
    async with service.database.begin() as tx:
        await queue.ring(tx, "demo-ehr", "patient-1", soon)
        held = await queue.take(tx, "demo-ehr", "a-test", soon)
        assert held is not None
        await queue.rest(tx, held, soon, later)
        await outages.note(tx, "demo-ehr", soon, later, "503 when asked to create a Task")
    seen = (await operations.get("/v1/connections")).json()["items"][0]
    assert seen["away_because"] == "503 when asked to create a Task"
    assert seen["asked_next"] > seen["away_since"]
    tried = (await operations.post(there)).json()
    assert (tried["patients"], tried["asked_now"]) == (1, True)
    async with service.database.begin() as tx:
        assert await queue.take(tx, "demo-ehr", "a-test", soon, probing=True) is not None
    asked = (await operations.get("/v1/connections")).json()["items"][0]
    assert asked["asked_next"] == asked["away_since"]
    for refused in (service.nurse, service.manager):
        assert (await refused.post(there)).status_code == 403
    assert (await operations.post("/v1/connections/another/retry")).status_code == 404


async def test_operations_staff_see_what_kairos_does_by_itself(service: Service):
    """Late until it was done once, failing with its reason, and neither once it is done again."""
    operations = service.staff("operations")

    async def seen() -> dict[str, Any]:
        items = (await operations.get("/v1/jobs")).json()["items"]
        return {each["name"]: each for each in items}

    first = await seen()
    assert set(first) == {"sweep", "inbox", "capability/demo-ehr"}
    assert all(each["late"] and each["done_at"] is None for each in first.values())
    now = datetime.now(UTC)
    async with service.database.begin() as tx:
        await jobs.failed(tx, jobs.SWEEP, now, "Temporal could not list the workflows")
        await jobs.failed(tx, jobs.SWEEP, now + timedelta(minutes=1), "KeyError")
        await jobs.done(tx, jobs.INBOX, now)
    failing = await seen()
    assert failing["sweep"]["why"] == "KeyError"
    assert datetime.fromisoformat(failing["sweep"]["failing_since"]) == now
    assert (failing["inbox"]["late"], failing["inbox"]["failing_since"]) == (False, None)
    async with service.database.begin() as tx:
        await jobs.done(tx, jobs.SWEEP, now)
        await jobs.done(tx, jobs.INBOX, now - timedelta(hours=1))
    again = await seen()
    assert (again["sweep"]["late"], again["sweep"]["why"]) == (False, None)
    assert again["inbox"]["late"]
    assert (await service.nurse.get("/v1/jobs")).status_code == 403


async def test_protocols_and_sites_are_listed(service: Service):
    """Protocols are there for everyone, sites for those who have them."""
    auditor = service.staff("auditor")
    protocols = (await auditor.get("/v1/protocols")).json()["items"]
    assert {p["status"] for p in protocols} == {"approved", "draft"}
    one = (await auditor.get("/v1/protocols/esketamine-then-dtms")).json()
    assert one["phases"][0] == "esketamine-induction"
    assert (await auditor.get("/v1/protocols/none")).status_code == 404
    sites = (await auditor.get("/v1/sites")).json()["items"]
    assert [site["id"] for site in sites] == ["manhattan"]


async def test_health_needs_no_token_and_tells_what_is_missing(service: Service):
    """Ready means schema, Temporal and protocols; live means that the process answers."""
    assert (await service.http.get("/health/live")).json() == {"live": True}
    ready = await service.http.get("/health/ready")
    assert (ready.status_code, ready.json()["ready"]) == (200, True)
    service.gateway.away = True
    away = await service.http.get("/health/ready")
    assert (away.status_code, away.json()["temporal"]) == (503, False)


async def test_an_older_schema_is_not_ready(service: Service):
    """A database that is not at the revision that the code expects is not ready."""
    deps: Dependencies = service.app.state.dependencies
    object.__setattr__(deps, "schema", "9999")
    ready = await service.http.get("/health/ready")
    assert (ready.status_code, ready.json()["schema_newest"]) == (503, False)


async def test_a_starting_pathway_is_shown_and_takes_no_command(service: Service):
    """Until its first events are recorded a pathway is `starting`; a command then is 409."""
    service.gateway.away = True
    address = (await service.manager.post("/v1/pathways", _start())).json()["pathway"]
    view = (await service.manager.get(address)).json()
    assert (view["status"], view["next"], view["version"]) == ("starting", [], 0)
    answer = await service.manager.post(f"{address}/holds", {"reason": "other"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:kairos:problem:conflict")
    async with service.database.begin() as tx:
        row = await tx.get(PathwayRow, address.rpartition("/")[2])
    assert row is not None


def _start() -> dict[str, object]:
    return {
        "site": "manhattan",
        "patient": "patient-1",
        "protocol": "esketamine-then-dtms",
        "first_visit": {"day": "2027-03-01", "hour": "09:00"},
    }


async def test_a_pathway_of_a_newer_kairos_hides_no_other(service: Service):
    """An event that this process does not know: 503, and listed as the newer one wrote it."""
    newer = await service.started()
    service.ehr.patients["patient-2"] = patient("patient-2")
    other = await service.started(patient="patient-2")
    async with service.database.begin() as tx:
        await tx.execute(
            text(
                'update event set fact = \'{"kind": "of-tomorrow"}\''
                " where pathway_id = :id and seq = 1"
            ),
            {"id": newer.rpartition("/")[2]},
        )
        await tx.execute(text("update pathway set rules = 'newer'"))
    read = await service.nurse.get(newer)
    assert (read.status_code, "newer Kairos" in read.text) == (503, True)
    assert (await service.nurse.get(other)).status_code == 200
    tasks = (await service.prescriber.get("/v1/tasks")).json()["items"]
    assert {task["pathway"] for task in tasks} == {
        newer.rpartition("/")[2],
        other.rpartition("/")[2],
    }
    assert (await service.prescriber.get("/v1/tasks")).json()["behind"] == 2
    hold = {"reason": "medical-review", "note": "dizzy"}
    kept = await service.nurse.post(f"{newer}/holds", hold)
    assert kept.status_code == 202
    command = (await service.nurse.get(kept.json()["command"])).json()
    assert command["state"] == "received"


async def test_an_api_that_can_let_nobody_in_is_not_ready(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    """While the issuer's keys were never read each call would be 503: that is told here."""
    assert (await service.http.get("/health/ready")).json()["issuer_keys"] is True

    async def none() -> bool:
        return False

    monkeypatch.setattr(service.app.state.dependencies.tokens, "has_keys", none)
    answer = await service.http.get("/health/ready")
    assert (answer.status_code, answer.json()["issuer_keys"]) == (503, False)


@pytest.mark.parametrize("hindered", [Unavailable("no answer"), None])
async def test_keys_are_read_when_readiness_is_asked(hindered: Exception | None):
    """Once, and not again within the minute; an issuer that does not answer is no error."""
    asked = []

    async def fetch() -> dict[str, object]:
        asked.append(1)
        if hindered:
            raise hindered
        return {"keys": []}

    tokens = Tokens("issuer", "kairos", fetch)
    assert await tokens.has_keys() is (hindered is None)
    assert await tokens.has_keys() is (hindered is None)
    assert len(asked) == 1
