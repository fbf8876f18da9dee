"""The delivery ledger: every write to an EHR, committed before its first byte leaves."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from domain.delivery.words import MOVES, Action, DeliveryState, Intent, Standing
from domain.language.errors import Conflict
from store.database import Transaction
from store.records import DeliveryRecord, delivery_record
from store.tables import AuditRow, DeliveryRow, LinkRow, PathwayRow

_STANDS = (DeliveryState.CONFIRMED, DeliveryState.DIVERGENT, DeliveryState.SUPERSEDED)


async def intend(
    tx: Transaction, pathway: PathwayRow, event_id: str, intents: Sequence[Intent], at: datetime
) -> None:
    """Commit what an event calls for, in the order given. The same event twice adds nothing."""
    for place, intent in enumerate(intents):
        by_hand = intent.action is Action.PERSON
        row = {
            "key": f"{event_id}|{place}|{intent.artefact}",
            "site_id": pathway.site_id,
            "pathway_id": pathway.id,
            "connection_id": pathway.connection_id,
            "patient_id": pathway.patient_id,
            "event_id": event_id,
            "artefact": intent.artefact,
            "resource_type": intent.resource_type,
            "action": intent.action,
            "body": dict(intent.body),
            "needs": list(intent.needs),
            "state": DeliveryState.INTENT,
            "needs_person": by_hand,
            "attempts": 0,
            "differences": [],
            "reason": "this EHR cannot take it; a person enters it" if by_hand else None,
            "created_at": at,
            "changed_at": at,
        }
        added = insert(DeliveryRow).values(row)
        await tx.execute(added.on_conflict_do_nothing(index_elements=["key"]))


async def links(tx: Transaction, connection_id: str, artefacts: set[str]) -> dict[str, str]:
    """Map artefacts that are in the EHR to their `Type/id` there."""
    if not artefacts:
        return {}
    wanted = select(LinkRow).where(
        LinkRow.connection_id == connection_id, LinkRow.artefact.in_(sorted(artefacts))
    )
    rows = (await tx.execute(wanted)).scalars()
    return {row.artefact: f"{row.resource_type}/{row.ehr_id}" for row in rows}


async def standing(tx: Transaction, row: DeliveryRow) -> Standing:
    """Say what earlier deliveries of the same artefact left in the EHR, element by element."""
    wanted = select(DeliveryRow).where(
        DeliveryRow.connection_id == row.connection_id,
        DeliveryRow.artefact == row.artefact,
        DeliveryRow.id < row.id,
        DeliveryRow.state.in_(_STANDS),
        DeliveryRow.ehr_id.is_not(None),
    )
    version: str | None = None
    elements: dict[str, Any] = {}
    for before in (await tx.execute(wanted.order_by(DeliveryRow.id))).scalars():
        differ = {re.split(r"[.\[]", path.removeprefix("_"))[0] for path in before.differences}
        elements |= {key: value for key, value in before.body.items() if key not in differ}
        version = None if differ else before.ehr_version
    return Standing(version, elements)


async def link(tx: Transaction, row: DeliveryRow, ehr_id: str) -> None:
    """Remember which resource a delivery became. Conflict if it is another than known."""
    place = select(LinkRow.artefact).where(
        LinkRow.connection_id == row.connection_id,
        LinkRow.resource_type == row.resource_type,
        LinkRow.ehr_id == ehr_id,
        LinkRow.artefact != row.artefact,
    )
    if (await tx.execute(place)).first() is not None:
        raise Conflict(f"{row.resource_type}/{ehr_id} is already what another delivery became")
    added = insert(LinkRow).values(
        connection_id=row.connection_id,
        artefact=row.artefact,
        resource_type=row.resource_type,
        ehr_id=ehr_id,
    )
    await tx.execute(added.on_conflict_do_nothing(index_elements=["connection_id", "artefact"]))
    known = await tx.get(LinkRow, (row.connection_id, row.artefact))
    if known is None or known.ehr_id != ehr_id:
        raise Conflict(f"delivery {row.id} is another resource of the EHR than before")


async def find(tx: Transaction, delivery_id: int) -> DeliveryRecord | None:
    """Find a delivery, to look at it."""
    row = await tx.get(DeliveryRow, delivery_id)
    return None if row is None else delivery_record(row)


async def get(tx: Transaction, delivery_id: int) -> DeliveryRow:
    """Take a delivery for changing it."""
    wanted = select(DeliveryRow).where(DeliveryRow.id == delivery_id).with_for_update()
    return (await tx.execute(wanted)).scalar_one()


def intent_of(row: DeliveryRow) -> Intent:
    """The write as the ledger holds it."""
    action = Action(row.action)
    return Intent(row.artefact, row.resource_type, action, row.body, tuple(row.needs))


def move(row: DeliveryRow, to: DeliveryState, at: datetime, reason: str | None = None) -> None:
    """Move a delivery along; Conflict for a move that the ledger does not know."""
    if to not in MOVES[DeliveryState(row.state)]:
        raise Conflict(f"delivery {row.id} cannot go from {row.state} to {to}")
    row.state = to
    row.reason = reason
    row.changed_at = at


def ask(row: DeliveryRow, reason: str, at: datetime) -> None:
    """Ask a person as what a delivery stands in the EHR, for it is not known."""
    if row.state != DeliveryState.UNKNOWN:
        move(row, DeliveryState.UNKNOWN, at)
    row.reason, row.needs_person, row.ehr_id = reason, True, None


def again(row: DeliveryRow) -> DeliveryState:
    """Say what a delivery is when it is tried again: if it was ever sent it is looked for first."""
    return DeliveryState.UNKNOWN if row.attempts or row.ehr_id else DeliveryState.INTENT


def send_again(row: DeliveryRow, at: datetime, reason: str) -> None:
    """Have a lane take a delivery once more."""
    if row.state == DeliveryState.UNKNOWN:
        row.reason = reason
    else:
        move(row, again(row), at, reason)
    row.needs_person = False


def audit(
    tx: Transaction, row: DeliveryRow, action: str, actor_id: str, actor_role: str, at: datetime
) -> None:
    """Write down who changed a delivery by hand."""
    tx.add(
        AuditRow(
            site_id=row.site_id,
            pathway_id=row.pathway_id,
            action=action,
            actor_id=actor_id,
            actor_role=actor_role,
            subject=f"delivery/{row.id}",
            request_id=None,
            at=at,
        )
    )


async def page(
    tx: Transaction,
    sites: list[str],
    *,
    pathway_id: str | None,
    state: str | None,
    needs_person: bool | None,
    after: int,
    most: int,
) -> list[DeliveryRecord]:
    """List deliveries of these sites in lane order, those after the given id."""
    wanted = select(DeliveryRow).where(DeliveryRow.site_id.in_(sites), DeliveryRow.id > after)
    if pathway_id is not None:
        wanted = wanted.where(DeliveryRow.pathway_id == pathway_id)
    if state is not None:
        wanted = wanted.where(DeliveryRow.state == state)
    if needs_person is not None:
        wanted = wanted.where(DeliveryRow.needs_person == needs_person)
    rows = (await tx.execute(wanted.order_by(DeliveryRow.id).limit(most))).scalars()
    return [delivery_record(row) for row in rows]


async def counts(
    tx: Transaction, sites: list[str], pathway_id: str | None = None
) -> dict[str, int]:
    """Count deliveries by state; `needs-person` counts those waiting for one."""
    wanted = (
        select(DeliveryRow.state, DeliveryRow.needs_person, func.count())
        .where(DeliveryRow.site_id.in_(sites))
        .group_by(DeliveryRow.state, DeliveryRow.needs_person)
    )
    if pathway_id is not None:
        wanted = wanted.where(DeliveryRow.pathway_id == pathway_id)
    found: dict[str, int] = {}
    for state, by_person, count in (await tx.execute(wanted)).all():
        found[state] = found.get(state, 0) + count
        if by_person:
            found["needs-person"] = found.get("needs-person", 0) + count
    return found
