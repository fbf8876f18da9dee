"""What a person decides about a delivery: once a key, with its audit row, and its lane's bell rung.

What may be decided and what follows is the domain's to say (`domain/delivery/resolve.py`).
"""

from datetime import datetime
from typing import assert_never
from uuid import uuid4

from starlette.responses import JSONResponse

from api.commands.bodies import ResolveDelivery
from api.commands.request import CommandRequest
from api.commands.submit import came_first, repeated
from api.reading.lookup import find_delivery
from api.reading.verify_resource import check_resource
from domain.delivery.resolve import (
    Accept,
    Choice,
    NotThere,
    Retry,
    Supersede,
    SupersedeAs,
    ThisOne,
    resolve,
)
from domain.delivery.words import Delivery, DeliveryDecision
from domain.language.errors import Conflict
from store import inbox, lanes, ledger, pathways, queue, searches
from store.database import Transaction
from store.records import PathwayRecord

KIND = "resolve-delivery"


def choice_of(body: ResolveDelivery) -> Choice:
    """Read a person's choice from the body of the request."""
    match body.action:
        case "retry":
            return Retry(body.reason)
        case "accept":
            return Accept(body.reason)
        case "supersede" if body.ehr_id is not None:
            return SupersedeAs(body.reason, body.ehr_id)
        case "supersede":
            return Supersede(body.reason)
        case "not-there":
            return NotThere(body.reason)
        case "this-one":
            assert body.ehr_id is not None  # noqa: S101  the body was checked
            return ThisOne(body.reason, body.ehr_id)
    assert_never(body.action)


async def decide(request: CommandRequest, delivery_id: int, choice: Choice) -> JSONResponse:
    """Commit what a person decided about a delivery, and ring for its lane.

    A resource that the person names is read in the EHR first. The same key again gets the answer
    of the first.
    """
    deps = request.deps
    now, pace = await deps.clock.now(), await deps.clock.pace()
    async with deps.database.begin() as tx:
        found = await find_delivery(tx, request.caller, delivery_id)
        before = await repeated(tx, request)
    if before is not None:
        return _answer(delivery_id, before.body["becomes"], replayed=True)
    if isinstance(choice, SupersedeAs | ThisOne):
        await check_resource(deps, found, choice.ehr_id)
    async with deps.database.begin() as tx:
        # Locks in the order in which all take them: the pathway, its deliveries, their lane.
        pathway = await pathways.lock(tx, found.pathway_id)
        delivery = await ledger.get(tx, delivery_id)
        decision = await _commit(tx, request, pathway, delivery, choice, now, pace)
        if decision is None:
            known = await came_first(tx, request)
            return _answer(delivery_id, known.body["becomes"], replayed=True)
        await queue.ring(tx, found.connection_id, found.patient_id, pace)
    return _answer(delivery_id, decision.state)


async def _commit(
    tx: Transaction,
    request: CommandRequest,
    pathway: PathwayRecord,
    delivery: Delivery,
    choice: Choice,
    now: datetime,
    pace: datetime,
) -> DeliveryDecision | None:
    """Write down a decision and all that follows. None if its key came first in another request."""
    earlier = await inbox.earlier(tx, request.caller.subject, request.key)
    if earlier is not None:
        return None
    decision = resolve(delivery, choice, request.author)
    if isinstance(choice, ThisOne) and choice.ehr_id in await searches.taken(tx, delivery):
        place = f"{delivery.resource_type}/{choice.ehr_id}"
        raise Conflict(f"{place} already belongs to another delivery")
    command = await inbox.receive(tx, _received(request, delivery, choice, decision), now)
    if command is None:
        return None
    if decision.linked and decision.ehr_id is not None:
        await ledger.link(tx, delivery, decision.ehr_id)
    await ledger.record_decision(tx, delivery, decision, pace)
    await lanes.ask_what_waits(tx, delivery.connection_id, delivery.patient_id)
    ledger.audit(tx, delivery, f"{KIND}:{choice.kind}", request.author, now)
    await inbox.applied(tx, command.id, pathway.version, now)
    return decision


def _received(
    request: CommandRequest, delivery: Delivery, choice: Choice, decision: DeliveryDecision
) -> inbox.Received:
    body = {
        "delivery": delivery.id,
        "action": choice.kind,
        "reason": choice.reason,
        "ehr_id": choice.ehr_id if isinstance(choice, SupersedeAs | ThisOne) else None,
        "becomes": decision.state,
    }
    return request.received(str(uuid4()), delivery.pathway_id, delivery.site_id, KIND, body)


def _answer(delivery_id: int, state: str, *, replayed: bool = False) -> JSONResponse:
    address = f"/v1/deliveries/{delivery_id}"
    again = {"Idempotency-Replayed": "true"} if replayed else {}
    return JSONResponse(
        {"delivery": address, "state": state},
        status_code=201,
        headers={"Location": address, **again},
    )
