"""Deliveries that need a person: only those, once a key, with an audit row and a woken lane."""

import pytest
from sqlalchemy import select, update

from domain.delivery.words import Action, Intent
from store import capabilities, ledger, pathways, queue
from store.ehr_tables import DeliveryRow, LaneRow
from store.tables import AuditRow
from tests.api.service import Service
from tests.fhir_adapters.fhir_story import statement


async def delivery(
    service: Service, state: str, *, needs_person: bool = True, action: Action = Action.CREATE
) -> int:
    """A delivery of a new pathway in this state."""
    address = await service.started()
    intent = Intent("an-artefact", "Observation", action, {"resourceType": "Observation"})
    async with service.database.begin() as tx:
        row = await pathways.lock(tx, address.rpartition("/")[2])
        await ledger.intend(tx, row, "an-event", [intent], service.clock.at)
        found = (await tx.execute(select(DeliveryRow))).scalar_one()
        found.state, found.needs_person = state, needs_person
        await tx.execute(update(LaneRow).values(ready_at=None))
        return found.id


async def _rung(service: Service) -> list[tuple[str, str]]:
    """The lanes that somebody rang for."""
    async with service.database.begin() as tx:
        ready = LaneRow.ready_at.is_not(None)
        rows = await tx.execute(select(LaneRow.connection_id, LaneRow.patient_id).where(ready))
        return [(connection, patient) for connection, patient in rows]


RIGHT = [
    ("refused", "retry", "intent"),
    ("refused", "supersede", "superseded"),
    ("divergent", "accept", "confirmed"),
    ("divergent", "supersede", "superseded"),
    ("unknown", "retry", "unknown"),  # it is looked for before it is sent again
    ("unknown", "supersede", "superseded"),
    ("unknown", "not-there", "unknown"),  # it is looked for once more, and sent if it is not found
    ("intent", "supersede", "superseded"),
    ("misfiled", "retry", "unknown"),  # it is read again
    ("misfiled", "supersede", "superseded"),
]


@pytest.mark.parametrize(("state", "action", "becomes"), RIGHT)
async def test_a_person_decides_what_becomes_of_it(
    service: Service, state: str, action: str, becomes: str
):
    """A decision moves the delivery, is written down with its author, and rings for the lane."""
    number = await delivery(service, state)
    operator = service.staff("operations")
    body = {"action": action, "reason": "looked into"}
    answer = await operator.post(f"/v1/deliveries/{number}/resolution", body)
    assert answer.status_code == 201
    assert answer.json() == {"delivery": f"/v1/deliveries/{number}", "state": becomes}
    shown = (await operator.get(f"/v1/deliveries/{number}")).json()
    assert (shown["state"], shown["needs_person"]) == (becomes, False)
    async with service.database.begin() as tx:
        rows = (await tx.execute(select(AuditRow).where(AuditRow.actor_id == "operations-1"))).all()
    assert len(rows) == 1
    assert await _rung(service) == [("demo-ehr", "patient-1")]


WRONG = [
    ("intent", "supersede", False, Action.CREATE),
    ("sent", "retry", False, Action.CREATE),
    ("confirmed", "retry", False, Action.CREATE),
    ("refused", "accept", True, Action.CREATE),
    ("unknown", "accept", True, Action.CREATE),
    ("divergent", "retry", True, Action.CREATE),
    ("refused", "retry", True, Action.PERSON),
    ("intent", "retry", True, Action.CREATE),
    ("misfiled", "accept", True, Action.CREATE),
    ("superseded", "supersede", False, Action.CREATE),
]


@pytest.mark.parametrize(("state", "action", "needs_person", "how"), WRONG)
async def test_what_is_under_way_or_makes_no_sense_is_a_conflict(
    *, service: Service, state: str, action: str, needs_person: bool, how: Action
):
    """A delivery that waits for nobody, or a move that the ledger does not know, is 409."""
    number = await delivery(service, state, needs_person=needs_person, action=how)
    body = {"action": action, "reason": "looked into"}
    path = f"/v1/deliveries/{number}/resolution"
    answer = await service.staff("integrator").post(path, body)
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:kairos:problem:conflict")
    shown = (await service.staff("integrator").get(f"/v1/deliveries/{number}")).json()
    assert shown["state"] == state
    assert await _rung(service) == []


async def test_a_repeated_decision_happens_once(service: Service):
    """The same key gives the same answer, also after the delivery has moved on."""
    number = await delivery(service, "refused")
    operator = service.staff("operations")
    body = {"action": "retry", "reason": "looked into"}
    path = f"/v1/deliveries/{number}/resolution"
    first = await operator.post(path, body, key="k")
    async with service.database.begin() as tx:
        held = await queue.take(tx, "demo-ehr", "a-test", service.clock.at)
        assert held is not None
        assert await ledger.begin_next(tx, held, number, service.clock.at) is not None
    again = await operator.post(path, body, key="k")
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    other = body | {"action": "supersede"}
    assert (await operator.post(path, other, key="k")).status_code == 422


async def test_another_sites_delivery_does_not_exist(service: Service):
    """A delivery of another site and one that is not there answer alike."""
    number = await delivery(service, "refused")
    stranger = service.staff("operations", sites=["phoenix"])
    body = {"action": "retry", "reason": "looked into"}
    for there in (number, number + 1, 2**63 - 1):
        assert (await stranger.get(f"/v1/deliveries/{there}")).status_code == 404
        answer = await stranger.post(f"/v1/deliveries/{there}/resolution", body)
        assert answer.status_code == 404
    assert (await stranger.get(f"/v1/deliveries/{2**63}")).status_code == 422


async def test_deliveries_are_filtered_and_counted(service: Service):
    """Lists filter by state and by need; the pathway counts its own."""
    number = await delivery(service, "refused")
    operator = service.staff("operations")
    for params, count in (
        ({"state": "refused"}, 1),
        ({"state": "confirmed"}, 0),
        ({"needs_person": "true"}, 1),
        ({"needs_person": "false"}, 0),
    ):
        items = (await operator.get("/v1/deliveries", **params)).json()["items"]
        assert len(items) == count
    one = (await operator.get("/v1/deliveries")).json()["items"][0]
    assert one["id"] == number
    pathway = (await operator.get(f"/v1/pathways/{one['pathway']}")).json()
    assert pathway["deliveries"] == {"refused": 1, "needs-person": 1}
    own = (await operator.get(f"/v1/pathways/{one['pathway']}/deliveries")).json()["items"]
    assert [d["id"] for d in own] == [number]


OURS = {"resourceType": "Observation", "subject": {"reference": "Patient/patient-1"}}


async def test_a_retry_of_what_was_sent_says_that_it_looks_first(service: Service):
    """Refused after it was sent: it becomes unknown, also when the same key asks again."""
    number = await delivery(service, "refused")
    async with service.database.begin() as tx:
        await tx.execute(update(DeliveryRow).values(attempts=1))
    path, body = f"/v1/deliveries/{number}/resolution", {"action": "retry", "reason": "again"}
    operator = service.staff("operations")
    answers = [(await operator.post(path, body, key="k")).json()["state"] for _ in range(2)]
    assert answers == ["unknown", "unknown"]


async def test_a_delivery_lists_what_a_person_may_decide(service: Service):
    """Whoever looks at a delivery sees the choices there are, and none that would be refused."""
    number = await delivery(service, "divergent")
    operator = service.staff("operations")
    shown = (await operator.get(f"/v1/deliveries/{number}")).json()
    assert shown["choices"] == ["accept", "supersede", "supersede-as"]
    body = {"action": "accept", "reason": "looked into"}
    await operator.post(f"/v1/deliveries/{number}/resolution", body)
    assert (await operator.get(f"/v1/deliveries/{number}")).json()["choices"] == []


@pytest.mark.parametrize("state", ["refused", "unknown", "intent", "misfiled", "superseded"])
async def test_a_person_says_as_what_it_stands(service: Service, state: str):
    """Entered by hand as Observation/77: shown there, and what needs it waits for nobody."""
    number = await delivery(service, state, needs_person=state != "superseded")
    service.ehr.others["Observation/77"] = OURS | {"id": "77"}
    waiting = await _needing(service, number)
    operator = service.staff("operations")
    body = {"action": "supersede", "reason": "entered by hand", "ehr_id": "77"}
    answer = await operator.post(f"/v1/deliveries/{number}/resolution", body)
    assert (answer.status_code, answer.json()["state"]) == (201, "superseded")
    shown = (await operator.get(f"/v1/deliveries/{number}")).json()
    assert (shown["in_ehr"], shown["needs_person"]) == ("Observation/77", False)
    assert not (await operator.get(f"/v1/deliveries/{waiting}")).json()["needs_person"]
    assert await _rung(service) == [("demo-ehr", "patient-1")]


async def test_what_needs_a_superseded_delivery_is_a_persons(service: Service):
    """Superseded without saying as what it stands: what needs it asks, and names it."""
    number = await delivery(service, "refused")
    waiting = await _needing(service, number)
    operator = service.staff("operations")
    body = {"action": "supersede", "reason": "entered by hand"}
    await operator.post(f"/v1/deliveries/{number}/resolution", body)
    shown = (await operator.get(f"/v1/deliveries/{waiting}")).json()
    assert (shown["state"], shown["needs_person"]) == ("intent", True)
    assert f"delivery {number}" in shown["reason"]


@pytest.mark.parametrize(
    ("resource", "says"),
    [
        (None, "has no Observation/77"),
        (OURS | {"subject": {"reference": "Patient/patient-2"}}, "another patient"),
        (OURS | {"subject": None}, "does not name its patient"),
        (OURS | {"status": "entered-in-error"}, "entered in error"),
    ],
)
async def test_what_does_not_stand_there_is_not_believed(service: Service, resource, says):
    """No such resource, another patient's, nobody's, or one taken back: 409 says which."""
    number = await delivery(service, "refused")
    if resource is not None:
        service.ehr.others["Observation/77"] = resource
    body = {"action": "supersede", "reason": "entered by hand", "ehr_id": "77"}
    operator = service.staff("operations")
    answer = await operator.post(f"/v1/deliveries/{number}/resolution", body)
    assert (answer.status_code, says in answer.json()["detail"]) == (409, True)
    shown = (await operator.get(f"/v1/deliveries/{number}")).json()
    assert (shown["state"], shown["in_ehr"]) == ("refused", None)


async def test_what_it_could_be_is_shown_beside_what_was_meant(service: Service):
    """The same patient's, likeliest first; not another's, nor what another delivery became."""
    number = await delivery(service, "unknown")
    waiting = await _needing(service, number)
    async with service.database.begin() as tx:
        await capabilities.save(tx, "demo-ehr", statement(), service.clock.at)
        row = await tx.get(DeliveryRow, waiting)
        assert row is not None
        row.ehr_id, row.artefact = "79", "another"
        mine = await tx.get(DeliveryRow, number)
        assert mine is not None
        mine.body = OURS | {"status": "final"}
    for ehr_id in ("77", "78", "79", "80"):
        service.ehr.others[f"Observation/{ehr_id}"] = OURS | {"id": ehr_id}
    service.ehr.others["Observation/78"]["status"] = "final"
    service.ehr.others["Observation/80"]["subject"] = {"reference": "Patient/patient-2"}
    operator = service.staff("operations")
    shown = (await operator.get(f"/v1/deliveries/{number}/candidates")).json()
    assert shown["meant"] == OURS | {"status": "final"}
    found = [(each["ehr_id"], each["differences"]) for each in shown["candidates"]]
    assert found == [("78", []), ("77", ["status"])]
    auditor = await service.staff("auditor").get(f"/v1/deliveries/{number}/candidates")
    assert auditor.status_code == 403
    service.ehr.away = True
    assert (await operator.get(f"/v1/deliveries/{number}/candidates")).status_code == 503


async def test_a_person_who_found_it_has_it_read(service: Service):
    """It is read and compared before it counts; one that belongs to another delivery is not it."""
    number = await delivery(service, "unknown")
    waiting = await _needing(service, number)
    for ehr_id in ("77", "79"):
        service.ehr.others[f"Observation/{ehr_id}"] = OURS | {"id": ehr_id}
    async with service.database.begin() as tx:
        row = await tx.get(DeliveryRow, waiting)
        assert row is not None
        row.ehr_id = "79"
    operator = service.staff("operations")
    path = f"/v1/deliveries/{number}/resolution"
    body = {"action": "this-one", "reason": "seen in the chart"}
    assert (await operator.post(path, body)).status_code == 422
    assert (await operator.post(path, body | {"ehr_id": "79"})).status_code == 409
    answer = await operator.post(path, body | {"ehr_id": "77"})
    assert (answer.status_code, answer.json()["state"]) == (201, "unknown")
    shown = (await operator.get(f"/v1/deliveries/{number}")).json()
    assert (shown["in_ehr"], shown["needs_person"]) == ("Observation/77", False)
    assert await _rung(service) == [("demo-ehr", "patient-1")]


async def test_one_resource_is_not_two_deliveries(service: Service):
    """What another delivery became cannot be said to be this one."""
    number = await delivery(service, "refused")
    waiting = await _needing(service, number)
    service.ehr.others["Observation/77"] = OURS | {"id": "77"}
    async with service.database.begin() as tx:
        await ledger.link(tx, await ledger.get(tx, waiting), "77")
    body = {"action": "supersede", "reason": "entered by hand", "ehr_id": "77"}
    answer = await service.staff("operations").post(f"/v1/deliveries/{number}/resolution", body)
    assert (answer.status_code, "another delivery" in answer.json()["detail"]) == (409, True)


async def test_a_place_is_verified_or_not_taken(service: Service):
    """While the EHR is away nothing is believed; an id with another action is refused."""
    number = await delivery(service, "refused")
    service.ehr.away = True
    operator = service.staff("operations")
    path = f"/v1/deliveries/{number}/resolution"
    body = {"action": "supersede", "reason": "entered by hand", "ehr_id": "77"}
    assert (await operator.post(path, body)).status_code == 503
    assert (await operator.post(path, body | {"action": "accept"})).status_code == 422
    assert (await operator.post(path, body | {"ehr_id": "../77"})).status_code == 422


async def _needing(service: Service, number: int) -> int:
    """A second delivery that needs the first."""
    intent = Intent("another", "Observation", Action.CREATE, {}, ("an-artefact",))
    async with service.database.begin() as tx:
        first = await ledger.get(tx, number)
        row = await pathways.lock(tx, first.pathway_id)
        await ledger.intend(tx, row, "another-event", [intent], service.clock.at)
        found = await tx.execute(select(DeliveryRow.id).where(DeliveryRow.artefact == "another"))
        return found.scalar_one()
