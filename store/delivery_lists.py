"""Deliveries as people look through them: page by page, and counted."""

from sqlalchemy import func, select

from domain.delivery.words import Delivery
from store.database import Transaction
from store.ledger import delivery_of
from store.tables import DeliveryRow


async def page(
    tx: Transaction,
    sites: list[str],
    *,
    pathway_id: str | None,
    state: str | None,
    needs_person: bool | None,
    after: int,
    most: int,
) -> list[Delivery]:
    """List deliveries of these sites in lane order, those after the given id."""
    wanted = select(DeliveryRow).where(DeliveryRow.site_id.in_(sites), DeliveryRow.id > after)
    if pathway_id is not None:
        wanted = wanted.where(DeliveryRow.pathway_id == pathway_id)
    if state is not None:
        wanted = wanted.where(DeliveryRow.state == state)
    if needs_person is not None:
        wanted = wanted.where(DeliveryRow.needs_person == needs_person)
    rows = (await tx.execute(wanted.order_by(DeliveryRow.id).limit(most))).scalars()
    return [delivery_of(row) for row in rows]


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
