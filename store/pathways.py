"""Pathways and their events: the projection, the protocol pinned to it, and the history."""

from collections import OrderedDict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from domain.language.errors import Conflict
from domain.language.events import Event
from domain.language.names import PathwayStatus
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from store import codec
from store.database import Transaction
from store.records import EventRecord, PathwayRecord, event_record, pathway_record
from store.tables import AuditRow, EventRow, PathwayRow


async def reserve(
    tx: Transaction,
    pathway: Pathway,
    protocol: CombinedProtocol,
    patient_fingerprint: str,
    at: datetime,
) -> None:
    """Reserve a patient for a pathway that is starting; Conflict if one is open already."""
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
            protocol=codec.protocol_to_json(protocol),
            projection=codec.pathway_to_json(Pathway(pathway.id)),
            started_at=at,
            changed_at=at,
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


async def lock(tx: Transaction, pathway_id: str) -> PathwayRow:
    """Take a pathway for recording on it, alone until the transaction ends."""
    wanted = select(PathwayRow).where(PathwayRow.id == pathway_id).with_for_update()
    return (await tx.execute(wanted)).scalar_one()


class PinnedProtocols:
    """The protocols pinned to pathways, read once each: they never change."""

    def __init__(self, most: int = 500) -> None:
        """Keep the latest `most`."""
        self._known: OrderedDict[str, CombinedProtocol] = OrderedDict()
        self._most = most

    async def of(self, tx: Transaction, pathway_id: str) -> CombinedProtocol:
        """Read the protocol of a pathway that exists."""
        if pathway_id not in self._known:
            wanted = select(PathwayRow.protocol).where(PathwayRow.id == pathway_id)
            stored = (await tx.execute(wanted)).scalar_one()
            self._known[pathway_id] = codec.protocol_from_json(stored)
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return self._known[pathway_id]


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


def project(row: PathwayRow, pathway: Pathway, at: datetime) -> None:
    """Keep the pathway as it is after the events appended in this transaction."""
    row.status = PathwayStatus.OPEN if pathway.outcome is None else PathwayStatus.FINISHED
    row.phase = pathway.phase if pathway.phases else row.phase
    row.projection = codec.pathway_to_json(pathway)
    row.changed_at = at


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
