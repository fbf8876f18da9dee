"""The delivery ledger: every write to an EHR, committed before its first byte leaves.

Gives and takes the domain's dataclasses. What a delivery becomes is decided in `domain/delivery`;
here it is written down, but for an attempt that another has overtaken, which changes nothing.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import or_, select, text, update
from sqlalchemy.dialects.postgresql import insert

from domain.delivery.after import MOST_ATTEMPTS, may_move
from domain.delivery.restored import begins, distrusted
from domain.delivery.urgency import is_urgent
from domain.delivery.words import OPEN, Action, Delivery, DeliveryDecision, DeliveryState, Intent
from domain.language.errors import Conflict
from domain.language.names import Author
from store import queue
from store.database import Transaction
from store.ehr_tables import DeliveryRow, LinkRow
from store.queue import Held
from store.records import PathwayRecord, delivery_of
from store.tables import AuditRow

_IN_EHR = (DeliveryState.CONFIRMED, DeliveryState.DIVERGENT, DeliveryState.SUPERSEDED)


async def intend(
    tx: Transaction,
    pathway: PathwayRecord,
    event_id: str,
    intents: Sequence[Intent],
    at: datetime,
    restored_at: datetime | None = None,
) -> None:
    """Commit what an event calls for, in the order given, and ring for its lane.

    The same event twice adds nothing.
    """
    await intend_all(tx, pathway, [(event_id, intents)], at, restored_at)
    if intents:
        urgent = any(is_urgent(each.resource_type) for each in intents)
        await queue.ring(tx, pathway.connection_id, pathway.patient_id, at, urgent=urgent)


_INTEND = text(
    "insert into delivery (key, site_id, pathway_id, connection_id, patient_id, event_id, artefact,"
    " resource_type, action, body, needs, state, needs_person, attempts, differences, reason,"
    " created_at, changed_at, sent_at)"
    " values (:key, :site, :pathway, :connection, :patient, :event, :artefact, :type, :action,"
    " cast(:body as jsonb), cast(:needs as jsonb), :state, :person, 0, '[]', :reason,"
    " :at, :at, :sent) on conflict (key) do nothing"
)


async def intend_all(
    tx: Transaction,
    pathway: PathwayRecord,
    intents: Sequence[tuple[str, Sequence[Intent]]],
    at: datetime,
    restored_at: datetime | None,
) -> None:
    """Commit what events call for, by the events' ids. Who calls this rings for the lane."""
    rows = [
        _row(pathway, event_id, place, intent, at, restored_at)
        for event_id, of_event in intents
        for place, intent in enumerate(of_event)
    ]
    if rows:
        await tx.execute(_INTEND, rows)


def _row(
    pathway: PathwayRecord,
    event_id: str,
    place: int,
    intent: Intent,
    at: datetime,
    restored_at: datetime | None,
) -> dict[str, object]:
    state, reason = begins(intent.action, at, restored_at)
    return {
        "key": f"{event_id}|{place}|{intent.artefact}",
        "site": pathway.site_id,
        "pathway": pathway.id,
        "connection": pathway.connection_id,
        "patient": pathway.patient_id,
        "event": event_id,
        "artefact": intent.artefact,
        "type": intent.resource_type,
        "action": intent.action,
        "body": json.dumps(dict(intent.body)),
        "needs": json.dumps(list(intent.needs)),
        "state": state,
        "person": intent.action is Action.PERSON,
        "reason": reason,
        "at": at,
        "sent": restored_at if state is DeliveryState.SENT else None,
    }


async def links(tx: Transaction, connection_id: str, artefacts: set[str]) -> dict[str, str]:
    """Map artefacts that are in the EHR to their `Type/id` there."""
    if not artefacts:
        return {}
    wanted = select(LinkRow.artefact, LinkRow.resource_type, LinkRow.ehr_id).where(
        LinkRow.connection_id == connection_id, LinkRow.artefact.in_(sorted(artefacts))
    )
    rows = (await tx.execute(wanted)).all()
    return {artefact: f"{resource_type}/{ehr_id}" for artefact, resource_type, ehr_id in rows}


async def link(tx: Transaction, delivery: Delivery, ehr_id: str) -> None:
    """Remember which resource a delivery became. Conflict if it is another than known."""
    connection_id, artefact = delivery.connection_id, delivery.artefact
    place = {"resource_type": delivery.resource_type, "ehr_id": ehr_id}
    added = (
        insert(LinkRow)
        .values(connection_id=connection_id, artefact=artefact, **place)
        .on_conflict_do_nothing()
        .returning(LinkRow.artefact)
    )
    if (await tx.execute(added)).first() is not None:
        return
    same_place = (LinkRow.resource_type == delivery.resource_type) & (LinkRow.ehr_id == ehr_id)
    known = select(LinkRow.artefact, LinkRow.ehr_id).where(
        LinkRow.connection_id == connection_id, or_(LinkRow.artefact == artefact, same_place)
    )
    found = {(each, there) for each, there in (await tx.execute(known)).all()}
    if any(each != artefact for each, _ in found):
        message = f"{delivery.resource_type}/{ehr_id} already belongs to another delivery"
        raise Conflict(message)
    if found != {(artefact, ehr_id)}:
        raise Conflict(f"delivery {delivery.id} already belongs to another resource in the EHR")


async def find(tx: Transaction, delivery_id: int) -> Delivery | None:
    """Find a delivery by its id, whatever its site: who may see it is the API's to say."""
    row = await tx.get(DeliveryRow, delivery_id)
    return None if row is None else delivery_of(row)


async def get(tx: Transaction, delivery_id: int) -> Delivery:
    """Take a delivery that exists for changing it, alone until the transaction ends."""
    return delivery_of(await _locked(tx, delivery_id))


async def unless_locked(tx: Transaction, delivery_id: int) -> Delivery | None:
    """Take an open delivery alone until the transaction ends; None if somebody else has."""
    wanted = select(DeliveryRow).where(DeliveryRow.id == delivery_id, DeliveryRow.state.in_(OPEN))
    row = (await tx.execute(wanted.with_for_update(skip_locked=True))).scalar_one_or_none()
    return None if row is None else delivery_of(row)


async def of_event(tx: Transaction, event_id: str) -> list[Delivery]:
    """List what an event called for, each alone until the transaction ends."""
    wanted = select(DeliveryRow).where(DeliveryRow.event_id == event_id).with_for_update()
    rows = (await tx.execute(wanted.order_by(DeliveryRow.id))).scalars()
    return [delivery_of(row) for row in rows]


async def needing(tx: Transaction, delivery: Delivery, *states: DeliveryState) -> list[Delivery]:
    """List the later deliveries of its lane that change or need its artefact, in these states."""
    wanted = select(DeliveryRow).where(
        DeliveryRow.connection_id == delivery.connection_id,
        DeliveryRow.patient_id == delivery.patient_id,
        DeliveryRow.id > delivery.id,
        DeliveryRow.state.in_(states),
    )
    rows = (await tx.execute(wanted.order_by(DeliveryRow.id).with_for_update())).scalars()
    found = (delivery_of(row) for row in rows)
    return [each for each in found if delivery.artefact in (each.artefact, *each.needs)]


async def seen_before(tx: Transaction, delivery: Delivery) -> list[Delivery]:
    """List the earlier deliveries of the same artefact that are in the EHR, in their order."""
    wanted = select(DeliveryRow).where(
        DeliveryRow.connection_id == delivery.connection_id,
        DeliveryRow.artefact == delivery.artefact,
        DeliveryRow.id < delivery.id,
        DeliveryRow.state.in_(_IN_EHR),
        DeliveryRow.ehr_id.is_not(None),
    )
    rows = (await tx.execute(wanted.order_by(DeliveryRow.id))).scalars()
    return [delivery_of(row) for row in rows]


_BEGIN = text(
    "update delivery d set attempts = d.attempts + 1,"
    " state = case d.state when 'intent' then 'sent' else d.state end,"
    " changed_at = case d.state when 'intent' then :at else d.changed_at end,"
    " refusal = case d.state when 'intent' then null else d.refusal end,"
    " put_off = d.state <> 'intent' and d.put_off,"
    " said = case d.state when 'intent' then null else d.said end,"
    " sent_at = case d.state when 'intent' then :at else d.sent_at end"
    " from (select id, state, changed_at, sent_at from delivery where id = :number"
    " and (state = 'intent' or state in ('sent', 'unknown') and attempts <= :most)"
    " and not needs_person"
    " and exists (select from lane where lane.connection_id = delivery.connection_id"
    " and lane.patient_id = delivery.patient_id and holder = :holder and takes = :takes)"
    " for update of delivery skip locked) was where d.id = was.id"
    " returning d.*, was.state as was_state, was.changed_at as was_changed_at,"
    " was.sent_at as was_sent_at,"
    " (select coalesce(jsonb_object_agg(l.artefact, l.resource_type || '/' || l.ehr_id), '{}')"
    " from ehr_link l where l.connection_id = d.connection_id and l.artefact ="
    " any(array(select jsonb_array_elements_text(d.needs)) || d.artefact)) as known"
)


async def begin_next(
    tx: Transaction, held: Held, number: int, at: datetime
) -> tuple[Delivery, Delivery, dict[str, str]] | None:
    """Write down that a delivery is about to be tried, as `after.begun` says.

    As it was found, as it then stands, and what it refers to, and itself, as `Type/id`. None if it
    is settled meanwhile, with a person, has no attempt left, its lane is not in this hand any more,
    or somebody else has it locked: nobody is waited for, because who has it locked may wait for
    this lane.
    """
    values = {"number": number, "at": at, "most": MOST_ATTEMPTS}
    values |= {"holder": held.holder, "takes": held.takes}
    row = (await tx.execute(_BEGIN, values)).first()
    if row is None:
        return None
    stands = delivery_of(row)
    found = replace(
        stands,
        attempts=stands.attempts - 1,
        state=DeliveryState(row.was_state),
        changed_at=row.was_changed_at,
        sent_at=row.was_sent_at,
    )
    return found, stands, dict(row.known)


_SETTLE = text(
    "with link as (insert into ehr_link (connection_id, artefact, resource_type, ehr_id)"
    " select connection_id, artefact, resource_type, cast(:ehr_id as text) from delivery"
    " where id = :number and :links on conflict do nothing returning ehr_id)"
    " update delivery set state = :becomes, attempts = :counts, reason = :reason,"
    " needs_person = :person, ehr_id = :ehr_id, ehr_version = :ehr_version,"
    " said = case :becomes when 'confirmed' then null else coalesce(:said, said) end,"
    " refusal = :refusal, put_off = :put_off,"
    " differences = cast(:differences as jsonb), changed_at = :changed, not_before = :not_before"
    " where id = :number and state = :state and attempts = :attempts and changed_at = :known_since"
    " and (not :links or exists (select from link)) returning id"
)


async def settle(
    tx: Transaction,
    known: Delivery,
    decision: DeliveryDecision,
    at: datetime,
    *,
    links: bool,
    not_before: datetime | None,
    said: str = "",
) -> bool:
    """Write down what was decided about an attempt, and with `links` which resource it became.

    `said` is what the EHR wrote when it refused.
    False if another has overtaken the attempt, or the resource is one that Kairos knows as
    another: then the transaction is not to be committed. Conflict for a move that there is not.
    """
    insist_move(known, decision)
    moved = decision.state is not known.state
    values = {
        "number": known.id,
        "state": known.state,
        "attempts": known.attempts,
        "known_since": known.changed_at,
        "links": links,
        "becomes": decision.state,
        "counts": decision.attempts,
        "reason": decision.reason,
        "person": decision.needs_person,
        "ehr_id": decision.ehr_id,
        "ehr_version": decision.ehr_version,
        "differences": json.dumps(decision.differences),
        "changed": at if moved else known.changed_at,
        "not_before": not_before,
        "said": said or None,
        "refusal": decision.refusal,
        "put_off": decision.put_off,
    }
    return (await tx.execute(_SETTLE, values)).first() is not None


def insist_move(known: Delivery, decision: DeliveryDecision) -> None:
    """Raise Conflict for a move that there is not."""
    if not may_move(known.state, decision.state):
        raise Conflict(f"delivery {known.id} cannot go from {known.state} to {decision.state}")


async def leave_alone_no_more(tx: Transaction, numbers: Collection[int]) -> None:
    """Let these be tried as soon as their lane is: it is the lane that waits."""
    wanted = update(DeliveryRow).where(DeliveryRow.id.in_(numbers))
    await tx.execute(wanted.values(not_before=None))


async def overtaken(tx: Transaction, known: Delivery) -> bool:
    """Lock a delivery, and say whether it is not any more as it was known to stand."""
    row = await _locked(tx, known.id)
    now = (DeliveryState(row.state), row.attempts, row.changed_at)
    return now != (known.state, known.attempts, known.changed_at)


async def record_decision(
    tx: Transaction,
    known: Delivery,
    decision: DeliveryDecision,
    at: datetime,
    not_before: datetime | None = None,
    said: str = "",
) -> None:
    """Write down what was decided about a locked delivery, known as it stands in the ledger.

    `said` is what the EHR wrote when it refused; what it wrote before stays otherwise.
    Conflict for a move that there is not.
    """
    insist_move(known, decision)
    moved = decision.state is not known.state
    await tx.execute(
        update(DeliveryRow)
        .where(DeliveryRow.id == known.id)
        .values(
            state=decision.state,
            attempts=decision.attempts,
            reason=decision.reason,
            needs_person=decision.needs_person,
            ehr_id=decision.ehr_id,
            ehr_version=decision.ehr_version,
            differences=list(decision.differences),
            changed_at=at if moved else known.changed_at,
            not_before=not_before,
            refusal=decision.refusal,
            put_off=decision.put_off,
            **({"said": said} if said else {}),
            **({"vouched_at": at} if decision.vouched else {}),
        )
    )


async def distrust(tx: Transaction, at: datetime) -> int:
    """After a restore: write down what may still be believed; how many deliveries that changes."""
    unsent = (DeliveryState.INTENT, DeliveryState.SENT, DeliveryState.REFUSED)
    wanted = select(DeliveryRow).where(DeliveryRow.state.in_(unsent)).with_for_update()
    changed = 0
    for row in (await tx.execute(wanted.order_by(DeliveryRow.id))).scalars():
        before = delivery_of(row)
        now = distrusted(before, at)
        row.state, row.attempts, row.reason = now.state, now.attempts, now.reason
        row.changed_at, row.sent_at = now.changed_at, now.sent_at
        changed += now != before
    return changed


def audit(tx: Transaction, delivery: Delivery, action: str, person: Author, at: datetime) -> None:
    """Write down who changed a delivery by hand."""
    tx.add(
        AuditRow(
            site_id=delivery.site_id,
            pathway_id=delivery.pathway_id,
            action=action,
            actor_id=person.id,
            actor_role=person.role,
            subject=f"delivery/{delivery.id}",
            request_id=None,
            at=at,
        )
    )


async def _locked(tx: Transaction, delivery_id: int) -> DeliveryRow:
    wanted = select(DeliveryRow).where(DeliveryRow.id == delivery_id).with_for_update()
    fresh = wanted.execution_options(populate_existing=True)
    return (await tx.execute(fresh)).scalar_one()
