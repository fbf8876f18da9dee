"""Pathways and their events: the projection, the protocol pinned to it, and the history."""

from datetime import UTC, datetime

from sqlalchemy import func, or_, select, text
from sqlalchemy.exc import IntegrityError

from build import RULES
from domain.language.errors import Conflict
from domain.language.events import Event
from domain.language.names import Author, EventId, PathwayId, PathwayStatus, Role
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from domain.rules.corrected import refold
from domain.worklist import NOTHING_WAITS
from store import columns, protocols
from store.database import Transaction
from store.records import EventRecord, PathwayRecord, event_record, pathway_record
from store.tables import EventRow, PathwayRow

_GOES_ON = or_(PathwayRow.status == PathwayStatus.OPEN, PathwayRow.due_at.is_not(None))


async def reserve(
    tx: Transaction,
    pathway: Pathway,
    protocol: CombinedProtocol,
    patient_fingerprint: str,
    at: datetime,
) -> None:
    """Reserve a patient for a pathway that is starting; Conflict if one is open already."""
    begun = Pathway(pathway.id)
    tx.add(
        PathwayRow(
            id=pathway.id,
            site_id=pathway.site,
            connection_id=pathway.connection,
            patient_id=pathway.patient,
            patient_fingerprint=patient_fingerprint,
            status=PathwayStatus.STARTING,
            phase=protocol.phases[0].id,
            version=0,
            protocol_sha256=await protocols.keep(tx, protocol),
            projection=columns.pathway_to_json(begun),
            rules=RULES,
            started_at=at,
            changed_at=at,
            urgency=NOTHING_WAITS,
        )
    )
    try:
        await tx.flush()
    except IntegrityError as error:
        raise Conflict("this patient has an open pathway already") from error


async def find(tx: Transaction, pathway_id: str) -> PathwayRecord | None:
    """Find a pathway by its id, whatever its site: who may see it is the API's to say."""
    return _record(await tx.get(PathwayRow, pathway_id))


async def open_for(tx: Transaction, connection_id: str, patient_id: str) -> PathwayRecord | None:
    """Find the pathway that a patient has open."""
    wanted = select(PathwayRow).where(
        PathwayRow.connection_id == connection_id,
        PathwayRow.patient_id == patient_id,
        PathwayRow.status != PathwayStatus.FINISHED,
    )
    return _record((await tx.execute(wanted)).scalar_one_or_none())


async def ended_for(tx: Transaction, connection_id: str, patient_id: str) -> list[PathwayRecord]:
    """List the pathways that a patient has behind them."""
    wanted = select(PathwayRow).where(
        PathwayRow.connection_id == connection_id,
        PathwayRow.patient_id == patient_id,
        PathwayRow.status == PathwayStatus.FINISHED,
    )
    return [pathway_record(row) for row in (await tx.execute(wanted)).scalars()]


def _record(row: PathwayRow | None) -> PathwayRecord | None:
    return None if row is None else pathway_record(row)


async def lock(tx: Transaction, pathway_id: str) -> PathwayRecord:
    """Take a pathway that exists, alone until the transaction ends."""
    return (await lock_with_restore(tx, pathway_id))[0]


_LOCK = text(
    "select p.*, (select restored_at from origin) as restored_at from pathway p where p.id = :id"
    " for update of p"
)


async def lock_with_restore(
    tx: Transaction, pathway_id: str
) -> tuple[PathwayRecord, datetime | None]:
    """Take a pathway as `lock` does; and when the database was last noticed to be restored."""
    row = (await tx.execute(_LOCK, {"id": pathway_id})).one()
    return pathway_record(row), row.restored_at


async def folded(tx: Transaction, row: PathwayRecord, protocol: CombinedProtocol) -> Pathway:
    """The pathway as the rules of this build see it: as it is stored if they made it, else anew."""
    if row.rules == RULES:
        return columns.pathway_from_json(row.projection)
    return refold(PathwayId(row.id), await history(tx, row.id), protocol.vocabulary)


async def history(tx: Transaction, pathway_id: str) -> list[Event]:
    """List all that was recorded on a pathway, in its order."""
    wanted = (
        select(
            EventRow.event_id, EventRow.at, EventRow.author_id, EventRow.author_role, EventRow.fact
        )
        .where(EventRow.pathway_id == pathway_id)
        .order_by(EventRow.seq)
    )
    return [
        Event(
            EventId(event_id),
            at.astimezone(UTC),
            Author(author_id, Role(role)),
            columns.fact_from_json(fact),
        )
        for event_id, at, author_id, role, fact in (await tx.execute(wanted)).all()
    ]


async def authors_of(tx: Transaction, pathway_id: str, events: set[str]) -> dict[str, Author]:
    """Say whose these events of a pathway are."""
    if not events:
        return {}
    wanted = select(EventRow.event_id, EventRow.author_id, EventRow.author_role).where(
        EventRow.pathway_id == pathway_id, EventRow.event_id.in_(sorted(events))
    )
    rows = (await tx.execute(wanted)).all()
    return {event: Author(author, Role(role)) for event, author, role in rows}


async def unfinished(tx: Transaction, after: str, most: int) -> list[tuple[str, str]]:
    """List pathways that should have a workflow by id, those after the given one: id, rules.

    All that are open, and those that are over while somebody is still to look at something.
    """
    wanted = (
        select(PathwayRow.id, PathwayRow.rules)
        .where(_GOES_ON, PathwayRow.id > after)
        .order_by(PathwayRow.id)
        .limit(most)
    )
    return [(found, rules) for found, rules in (await tx.execute(wanted)).all()]


async def earliest_due(tx: Transaction) -> datetime | None:
    """Say when the first pathway is due to look again, by the clinic's clock."""
    return (await tx.execute(select(func.min(PathwayRow.due_at)).where(_GOES_ON))).scalar_one()


async def going_on(tx: Transaction) -> list[str]:
    """List every pathway that should have a workflow."""
    return list((await tx.execute(select(PathwayRow.id).where(_GOES_ON))).scalars())


async def due_by(tx: Transaction, at: datetime) -> list[str]:
    """List the pathways that should have looked by a time."""
    wanted = select(PathwayRow.id).where(_GOES_ON, PathwayRow.due_at <= at)
    return list((await tx.execute(wanted)).scalars())


async def page(
    tx: Transaction, sites: list[str], status: PathwayStatus | None, after: str | None, most: int
) -> list[PathwayRecord]:
    """List pathways of these sites by id, those after the given one."""
    wanted = select(PathwayRow).where(PathwayRow.site_id.in_(sites))
    if status is not None:
        wanted = wanted.where(PathwayRow.status == status)
    if after is not None:
        wanted = wanted.where(PathwayRow.id > after)
    rows = (await tx.execute(wanted.order_by(PathwayRow.id).limit(most))).scalars()
    return [pathway_record(row) for row in rows]


async def events_after(tx: Transaction, pathway_id: str, seq: int, most: int) -> list[EventRecord]:
    """List a pathway's events in their recorded order, those after `seq`."""
    wanted = (
        select(EventRow)
        .where(EventRow.pathway_id == pathway_id, EventRow.seq > seq)
        .order_by(EventRow.seq)
        .limit(most)
    )
    return [event_record(row) for row in (await tx.execute(wanted)).scalars()]
