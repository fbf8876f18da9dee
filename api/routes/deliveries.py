"""Writes to EHRs: what waits, what needs a person, and what that person decided about it."""

from typing import Annotated
from uuid import uuid4

import structlog
from fastapi import APIRouter, Depends, Path, Query
from starlette.responses import JSONResponse

from api.commands.answers import Resolved
from api.commands.bodies import ResolveDelivery
from api.commands.request import Asked, MayAsk
from api.commands.submit import repeated
from api.edge.access import May, site_list
from api.edge.tokens import Caller
from api.reading import rendering
from api.reading import work_views as w
from api.reading.lookup import find_delivery
from api.reading.pages import Cursor, Limit, Page, page_of
from api.reading.verify_resource import check_stands
from api.routes.declaring import POSTING, READING, With, example
from domain.delivery.words import NEEDS_PERSON, Action, DeliveryState
from domain.language.errors import Conflict, Unavailable
from domain.language.names import CARE, Role
from domain.permissions import MAY_READ
from store import inbox, lanes, ledger, pathways
from store.database import Transaction
from store.records import DeliveryRecord, delivery_record

router = APIRouter(prefix="/deliveries", tags=["deliveries"])
KIND = "resolve-delivery"
TO = {
    "accept": DeliveryState.CONFIRMED,
    "supersede": DeliveryState.SUPERSEDED,
}
Id = Annotated[int, Path(ge=1, le=2**63 - 1)]

log = structlog.get_logger("kairos.api.deliveries")


@router.get("", summary="List writes to EHRs", responses=READING)
async def list_deliveries(
    *,
    parts: With,
    caller: Annotated[Caller, Depends(May(*MAY_READ, Role.INTEGRATOR))],
    state: Annotated[DeliveryState | None, Query()] = None,
    needs_person: Annotated[bool | None, Query()] = None,
    site: Annotated[str | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[w.DeliveryView]:
    """List deliveries of the caller's sites in the order in which they were meant."""
    of_list = f"deliveries|{state}|{needs_person}|{site}"
    place = parts.cursors.read(of_list, cursor)
    async with parts.database.begin() as tx:
        rows = await ledger.page(
            tx,
            site_list(caller, site),
            pathway_id=None,
            state=state,
            needs_person=needs_person,
            after=int(place[0]) if place else 0,
            most=limit + 1,
        )
    return page_of(
        parts.cursors, of_list, [([r.id], rendering.delivery_view(r)) for r in rows], limit
    )


@router.get("/{delivery}", summary="A write to an EHR, with its resource", responses=READING)
async def get_delivery(
    delivery: Id,
    parts: With,
    caller: Annotated[Caller, Depends(May(*CARE, Role.OPERATIONS, Role.INTEGRATOR))],
) -> w.DeliveryDetail:
    """Show what was to be written, for whoever enters or corrects it in the EHR by hand."""
    async with parts.database.begin() as tx:
        found = await find_delivery(tx, caller, delivery)
    view = rendering.delivery_view(found)
    return w.DeliveryDetail(**view.model_dump(), resource=dict(found.body))


@router.post(
    "/{delivery}/resolution",
    summary="Decide about a write that needs a person",
    status_code=201,
    response_model=Resolved,
    responses=POSTING,
)
async def resolve(
    delivery: Id,
    body: Annotated[ResolveDelivery, example(ResolveDelivery)],
    asked: Annotated[Asked, Depends(MayAsk(Role.OPERATIONS, Role.INTEGRATOR))],
) -> JSONResponse:
    """Send it again, take what the EHR made of it, or say that it is not needed any more."""
    parts = asked.parts
    now = await parts.clock.now()
    async with parts.database.begin() as tx:
        there = await find_delivery(tx, asked.caller, delivery)
        before = await repeated(tx, asked)
        if before is not None:
            return _answer(delivery, before.body["becomes"], replayed=True)
    if body.ehr_id is not None:
        await check_stands(parts, there, body.ehr_id)
    async with parts.database.begin() as tx:
        row = await ledger.get(tx, delivery)
        pathway = await pathways.lock(tx, row.pathway_id)
        command = await inbox.receive(tx, _received(asked, there, body, ledger.again(row)), now)
        if command is None:
            return await _said_before(tx, asked, delivery)
        _check(delivery_record(row), body)
        if body.ehr_id is not None:
            await ledger.link(tx, row, body.ehr_id)
            row.ehr_id = body.ehr_id
        if row.state == DeliveryState.SUPERSEDED:
            row.reason = body.reason  # it only says now as what it stands
        elif body.action == "retry":
            ledger.send_again(row, now, body.reason)
        else:
            ledger.move(row, TO[body.action], now, body.reason)
        row.needs_person = False
        await tx.flush()
        await lanes.ask_what_waits(tx, row.connection_id, row.patient_id)
        ledger.audit(tx, row, f"{KIND}:{body.action}", asked.author.id, asked.role, now)
        await inbox.applied(tx, command.id, pathway.version, now)
    try:
        await parts.door.wake_lane(row.connection_id, row.patient_id)
    except Unavailable:
        log.warning("lane_not_woken", delivery_id=row.id, connection=row.connection_id)
    return _answer(delivery, row.state)


def _received(
    asked: Asked, row: DeliveryRecord, body: ResolveDelivery, again: DeliveryState
) -> inbox.Received:
    return inbox.Received(
        id=str(uuid4()),
        pathway_id=row.pathway_id,
        site_id=row.site_id,
        kind=KIND,
        author_id=asked.caller.subject,
        idempotency_key=asked.key,
        fingerprint=asked.fingerprint,
        body={
            "delivery": row.id,
            "action": body.action,
            "reason": body.reason,
            "ehr_id": body.ehr_id,
            "becomes": TO.get(body.action) or again,
        },
    )


async def _said_before(tx: Transaction, asked: Asked, delivery: int) -> JSONResponse:
    known = await repeated(tx, asked)
    if known is None:
        raise Unavailable("the same request came twice at one moment")
    return _answer(delivery, known.body["becomes"], replayed=True)


def _check(row: DeliveryRecord, body: ResolveDelivery) -> None:
    """Only what waits for a person is a person's to decide; the rest is under way."""
    action = body.action
    if row.state == DeliveryState.SUPERSEDED and body.ehr_id is not None:
        return
    if not (row.needs_person or row.state in NEEDS_PERSON):
        raise Conflict(f"delivery {row.id} is {row.state} and waits for nobody")
    if action == "accept" and row.state != DeliveryState.DIVERGENT:
        raise Conflict(f"delivery {row.id} is {row.state}: there is nothing in the EHR to accept")
    if action == "retry" and row.action == Action.PERSON:
        raise Conflict(f"delivery {row.id} is entered by hand; supersede it once it is there")
    if action == "retry" and row.state == DeliveryState.INTENT:
        raise Conflict(f"delivery {row.id} {row.reason}")


def _answer(delivery: int, state: str, *, replayed: bool = False) -> JSONResponse:
    address = f"/v1/deliveries/{delivery}"
    again = {"Idempotency-Replayed": "true"} if replayed else {}
    return JSONResponse(
        {"delivery": address, "state": state},
        status_code=201,
        headers={"Location": address, **again},
    )
