"""Pathways and their events: the projection, the protocol pinned to it, and the history."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from build import RULES
from domain.language.errors import Conflict
from domain.language.events import Event
from domain.language.names import KAIROS, PathwayId
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from domain.rules.fold import fold
from store import codec, protocols
from store.database import Transaction
from store.tables import AuditRow, EventRow, PathwayRow


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
            status="starting",
            phase=protocol.phases[0].id,
            version=0,
            protocol_sha256=await protocols.keep(tx, protocol),
            projection=codec.pathway_to_json(begun),
            rules=RULES,
            started_at=at,
            changed_at=at,
        )
    )
    try:
        await tx.flush()
    except IntegrityError as error:
        raise Conflict("this patient has an open pathway already") from error


async def find(tx: Transaction, pathway_id: str) -> PathwayRow | None:
    """Find a pathway by its id, whatever its site: who may see it is the API's to say."""
    return await tx.get(PathwayRow, pathway_id)


async def open_for(tx: Transaction, connection_id: str, patient_id: str) -> PathwayRow | None:
    """Find the pathway that a patient has open."""
    wanted = select(PathwayRow).where(
        PathwayRow.connection_id == connection_id,
        PathwayRow.patient_id == patient_id,
        PathwayRow.status != "finished",
    )
    return (await tx.execute(wanted)).scalar_one_or_none()


async def ended_for(tx: Transaction, connection_id: str, patient_id: str) -> list[PathwayRow]:
    """List the pathways that a patient has behind them."""
    wanted = select(PathwayRow).where(
        PathwayRow.connection_id == connection_id,
        PathwayRow.patient_id == patient_id,
        PathwayRow.status == "finished",
    )
    return list((await tx.execute(wanted)).scalars())


async def lock(tx: Transaction, pathway_id: str) -> PathwayRow:
    """Take a pathway for recording on it, alone until the transaction ends."""
    wanted = select(PathwayRow).where(PathwayRow.id == pathway_id).with_for_update()
    return (await tx.execute(wanted)).scalar_one()


async def folded(tx: Transaction, row: PathwayRow, protocol: CombinedProtocol) -> Pathway:
    """The pathway as the rules of this build see it: as it is stored if they made it, else anew."""
    if row.rules == RULES:
        return codec.pathway_from_json(row.projection)
    wanted = select(EventRow.event).where(EventRow.pathway_id == row.id).order_by(EventRow.seq)
    events = [codec.event_from_json(stored) for stored in (await tx.execute(wanted)).scalars()]
    return fold(Pathway(PathwayId(row.id)), events, protocol.vocabulary)


def append(
    tx: Transaction, row: PathwayRow, event: Event, request_id: str | None, at: datetime
) -> None:
    """Record one event on a locked pathway: its history and its audit row."""
    row.version += 1
    tx.add(
        EventRow(
            pathway_id=row.id,
            seq=row.version,
            event_id=event.id,
            kind=event.fact.kind,
            at=event.at,
            author_id=event.by.id,
            author_role=event.by.role,
            recorded_at=at,
            rules=RULES,
            event=codec.event_to_json(event),
        )
    )
    tx.add(
        AuditRow(
            site_id=row.site_id,
            pathway_id=row.id,
            action=event.fact.kind,
            actor_id=event.by.id,
            actor_role=event.by.role,
            subject=event.id,
            request_id=request_id,
            at=at,
        )
    )


def note(tx: Transaction, row: PathwayRow, action: str, subject: str, at: datetime) -> None:
    """Write down what became of a pathway's record itself, for investigation."""
    tx.add(
        AuditRow(
            site_id=row.site_id,
            pathway_id=row.id,
            action=action,
            actor_id=KAIROS.id,
            actor_role=KAIROS.role,
            subject=subject,
            request_id=None,
            at=at,
        )
    )


def project(row: PathwayRow, pathway: Pathway, at: datetime) -> None:
    """Keep the pathway as it is after the events appended in this transaction."""
    row.status = "open" if pathway.outcome is None else "finished"
    row.phase = pathway.phase if pathway.phases else row.phase
    row.projection = codec.pathway_to_json(pathway)
    row.rules = RULES
    row.changed_at = at


async def unfinished(tx: Transaction, after: str, most: int) -> list[tuple[str, str]]:
    """List pathways that have begun and not ended by id, those after the given one: id, rules."""
    wanted = (
        select(PathwayRow.id, PathwayRow.rules)
        .where(PathwayRow.status == "open", PathwayRow.id > after)
        .order_by(PathwayRow.id)
        .limit(most)
    )
    return [(found, rules) for found, rules in (await tx.execute(wanted)).all()]


async def page(
    tx: Transaction, sites: list[str], status: str | None, after: str | None, most: int
) -> list[PathwayRow]:
    """List pathways of these sites by id, those after the given one."""
    wanted = select(PathwayRow).where(PathwayRow.site_id.in_(sites))
    if status is not None:
        wanted = wanted.where(PathwayRow.status == status)
    if after is not None:
        wanted = wanted.where(PathwayRow.id > after)
    return list((await tx.execute(wanted.order_by(PathwayRow.id).limit(most))).scalars())


async def events_after(tx: Transaction, pathway_id: str, seq: int, most: int) -> list[EventRow]:
    """List a pathway's events in their recorded order, those after `seq`."""
    wanted = (
        select(EventRow)
        .where(EventRow.pathway_id == pathway_id, EventRow.seq > seq)
        .order_by(EventRow.seq)
        .limit(most)
    )
    return list((await tx.execute(wanted)).scalars())
