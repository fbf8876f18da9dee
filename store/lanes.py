"""Lanes: in which order a patient's deliveries go to one EHR, and what each of them waits for.

Must not send anything or change how far a delivery has come: it takes the next, and asks a person
about one that would otherwise wait for ever.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import and_, select

from domain.delivery.words import OPEN, Action, DeliveryState
from store.database import Transaction
from store.ledger import links
from store.tables import DeliveryRow

_UNSETTLED = (*OPEN, DeliveryState.REFUSED, DeliveryState.MISFILED)


async def next_in_lane(tx: Transaction, connection_id: str, patient_id: str) -> DeliveryRow | None:
    """Find the lane's next delivery that nothing holds back, and lock it.

    One that needs a person is passed over. One waits while an artefact it needs is not in the
    EHR, and while an earlier delivery of its own artefact is not settled there. All wait while
    one stands on another patient.
    """
    rows, known = await _look(tx, connection_id, patient_id)
    if any(row.state == DeliveryState.MISFILED for row in rows):
        return None
    behind: set[str] = set()
    for row in rows:
        ready = not row.needs_person and row.state in OPEN
        if ready and row.artefact not in behind and needs_of(row) <= known.keys():
            return await tx.get(DeliveryRow, row.id, with_for_update=True)
        behind.add(row.artefact)
    return None


async def ask_what_waits(tx: Transaction, connection_id: str, patient_id: str) -> None:
    """Ask a person about each delivery that waits for what no delivery will bring.

    Once it is known as what that stands in the EHR, nobody is asked any more.
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


def needs_of(row: DeliveryRow) -> set[str]:
    """List the artefacts that must be in the EHR before: a change needs what it changes."""
    own = {row.artefact} if row.action == Action.UPDATE else set()
    return own | set(row.needs)


async def _look(
    tx: Transaction, connection_id: str, patient_id: str
) -> tuple[Sequence[DeliveryRow], Mapping[str, str]]:
    """Read a lane's unsettled deliveries and the places that they need; see who is to be asked."""
    lane = and_(DeliveryRow.connection_id == connection_id, DeliveryRow.patient_id == patient_id)
    wanted = select(DeliveryRow).where(lane, DeliveryRow.state.in_(_UNSETTLED))
    rows = (await tx.execute(wanted.order_by(DeliveryRow.id))).scalars().all()
    known = await links(tx, connection_id, {need for row in rows for need in needs_of(row)})
    waiting = [row for row in rows if _has_not_begun(row)]
    missing = {need for row in waiting for need in needs_of(row)} - known.keys()
    endless = await _endless(tx, connection_id, missing)
    for row in waiting:
        reasons = [endless[need] for need in sorted(needs_of(row)) if need in endless]
        if reasons or row.needs_person:
            row.needs_person, row.reason = bool(reasons), "; ".join(reasons) or None
    return rows, known


def _has_not_begun(row: DeliveryRow) -> bool:
    return row.state == DeliveryState.INTENT and row.action != Action.PERSON


async def _endless(
    tx: Transaction, connection_id: str, missing: Collection[str]
) -> Mapping[str, str]:
    """Say of each missing artefact that no delivery will bring, why that is so."""
    wanted = select(DeliveryRow).where(
        DeliveryRow.connection_id == connection_id,
        DeliveryRow.artefact.in_(sorted(missing)),
        DeliveryRow.action != Action.UPDATE,
    )
    found = list((await tx.execute(wanted.order_by(DeliveryRow.id))).scalars()) if missing else []
    reasons: dict[str, str] = {}
    for artefact in missing:
        of_it = [row for row in found if row.artefact == artefact]
        creates = [row for row in of_it if row.action == Action.CREATE]
        last = next(reversed(creates or of_it), None)
        if last is None:
            reasons[artefact] = f"waits for {artefact}, which no delivery brings to this EHR"
        elif last.state == DeliveryState.SUPERSEDED:
            reasons[artefact] = f"waits for delivery {last.id}, which was superseded; {_SAY}"
        elif last.action == Action.PERSON:
            reasons[artefact] = f"waits for delivery {last.id}, entered by hand; {_SAY}"
    return reasons


_SAY = "supersede that one with the ehr_id as which it stands in the EHR, or this one as well"
