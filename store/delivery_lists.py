"""How many of a pathway's deliveries have come how far."""

from sqlalchemy import func, select

from store.database import Transaction
from store.ehr_tables import DeliveryRow


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
