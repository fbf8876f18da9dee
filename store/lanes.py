"""Lanes: what of a patient's deliveries to one EHR is not settled, in the order it was meant.

Which is next and what waits for ever is the domain's to say; here it is looked up and written
down. Reads no body but that of the delivery taken, however long the lane is.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy import select, update

from domain.delivery.waiting import (
    Bringer,
    InLane,
    missing_from,
    next_of,
    questions,
)
from domain.delivery.words import OPEN, Action, Delivery, DeliveryState
from store.database import Transaction
from store.ledger import get, linked
from store.tables import DeliveryRow

_NOT_DONE = (*OPEN, DeliveryState.REFUSED, DeliveryState.MISFILED)


async def next_in_lane(
    tx: Transaction, connection_id: str, patient_id: str, aside: Collection[int] = ()
) -> Delivery | None:
    """Find the lane's next delivery that nothing holds back, and lock it.

    Those in `aside` are left alone, and so is what waits for them.
    """
    while True:
        lane, in_ehr = await _look(tx, connection_id, patient_id)
        chosen = next_of(lane, in_ehr, aside)
        if chosen is None:
            return None
        delivery = await get(tx, chosen)
        if delivery.state in OPEN and not delivery.needs_person:
            return delivery  # nobody settled it between the look and the lock


async def ask_what_waits(tx: Transaction, connection_id: str, patient_id: str) -> None:
    """Ask a person about each delivery that waits for what no delivery will bring.

    Once it is known which resource of the EHR it waits for, nobody is asked any more.
    """
    await _look(tx, connection_id, patient_id)


async def lanes_with_work(tx: Transaction) -> list[tuple[str, str]]:
    """List the (connection, patient) lanes that have something to deliver."""
    wanted = (
        select(DeliveryRow.connection_id, DeliveryRow.patient_id)
        .where(DeliveryRow.state.in_(OPEN), DeliveryRow.needs_person.is_(False))
        .distinct()
    )
    return [(connection, patient) for connection, patient in (await tx.execute(wanted)).all()]


async def _look(
    tx: Transaction, connection_id: str, patient_id: str
) -> tuple[list[InLane], set[str]]:
    """Read a lane and which artefacts that it needs are in the EHR; note who is to be asked."""
    lane = await _not_done(tx, connection_id, patient_id)
    in_ehr = await linked(tx, connection_id, {need for each in lane for need in each.all_needs})
    missing = missing_from(lane, in_ehr)
    asked = questions(lane, missing, await _bringers(tx, connection_id, missing))
    for question in asked:
        await tx.execute(
            update(DeliveryRow)
            .where(DeliveryRow.id == question.id, DeliveryRow.state == DeliveryState.INTENT)
            .values(needs_person=question.reason is not None, reason=question.reason)
        )
    why = {question.id: question.reason for question in asked}
    return [_with_a_person(each, why[each.id]) if each.id in why else each for each in lane], in_ehr


def _with_a_person(each: InLane, reason: str | None) -> InLane:
    return replace(each, needs_person=reason is not None, reason=reason)


async def _not_done(tx: Transaction, connection_id: str, patient_id: str) -> list[InLane]:
    wanted = (
        select(
            DeliveryRow.id,
            DeliveryRow.artefact,
            DeliveryRow.action,
            DeliveryRow.state,
            DeliveryRow.needs,
            DeliveryRow.needs_person,
            DeliveryRow.reason,
        )
        .where(
            DeliveryRow.connection_id == connection_id,
            DeliveryRow.patient_id == patient_id,
            DeliveryRow.state.in_(_NOT_DONE),
        )
        .order_by(DeliveryRow.id)
    )
    return [
        InLane(number, artefact, Action(action), DeliveryState(state), tuple(needs), by, reason)
        for number, artefact, action, state, needs, by, reason in (await tx.execute(wanted)).all()
    ]


async def _bringers(
    tx: Transaction, connection_id: str, missing: Sequence[str]
) -> Sequence[Bringer]:
    if not missing:
        return ()
    wanted = (
        select(DeliveryRow.id, DeliveryRow.artefact, DeliveryRow.action, DeliveryRow.state)
        .where(
            DeliveryRow.connection_id == connection_id,
            DeliveryRow.artefact.in_(missing),
            DeliveryRow.action != Action.UPDATE,
        )
        .order_by(DeliveryRow.id)
    )
    return [
        Bringer(number, artefact, Action(action), DeliveryState(state))
        for number, artefact, action, state in (await tx.execute(wanted)).all()
    ]
