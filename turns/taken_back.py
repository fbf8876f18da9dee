"""What an entry in error asks of the EHR: what never left is never sent, the rest is marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.delivery.withdrawn import was_withdrawn, withdrawn
from domain.delivery.words import OPEN, Action, Delivery, DeliveryState, Intent
from domain.language.corrections import EntryVoided
from domain.language.events import Event
from domain.language.names import EventId
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from fhir_adapters.content import in_error
from fhir_adapters.content.intents import intents_for, restored, undone
from fhir_adapters.profile.plan import EhrPlan
from store import ledger
from store.database import Transaction


@dataclass(frozen=True, slots=True)
class Scene:
    """The pathway before the turn and after the void, and what its EHR takes."""

    tx: Transaction
    protocol: CombinedProtocol
    before: Pathway
    after: Pathway
    plan: EhrPlan
    now: datetime
    pace: datetime  # the machine's time, by which deliveries are tried


async def intents(scene: Scene, void: Event, history: Sequence[Event]) -> tuple[Intent, ...]:
    """Say what a void asks of the EHR, and withdraw what never left."""
    assert isinstance(void.fact, EntryVoided)  # noqa: S101
    original = next(event for event in history if event.id == void.fact.event)
    if isinstance(original.fact, EntryVoided):
        return await _restored(scene, original.fact, history)
    stands = await _withdrawn(scene, original.id)
    changes = undone(
        void, original, scene.before, scene.after, scene.protocol, scene.plan, scene.now
    )
    if changes is None:
        told = _told(scene, in_error.unsaid(original))
        changes = tuple(intent for intent in told if in_error.is_change(intent))
    says = _told(scene, void) if stands else ()
    return (*in_error.void(stands, scene.plan), *changes, *says)


async def _restored(
    scene: Scene, undone_void: EntryVoided, history: Sequence[Event]
) -> tuple[Intent, ...]:
    """Say what brings an entry back that was right after all, and marks what stood for it."""
    was = await ledger.of_event(scene.tx, undone_void.event)
    instead = undone_void.instead
    stands = [] if instead is None else await _withdrawn(scene, instead)
    entry = next(event for event in history if event.id == undone_void.event)
    now = restored(
        in_error.unsaid(entry), scene.before, scene.after, scene.protocol, scene.plan, scene.now
    )
    was += await _went_with(scene, was)
    return (*in_error.restore(was, scene.plan), *now, *in_error.void(stands, scene.plan))


def _told(scene: Scene, event: Event) -> tuple[Intent, ...]:
    return tuple(
        intents_for(event, scene.before, scene.after, scene.protocol, scene.plan, scene.now)
    )


async def _withdrawn(scene: Scene, event_id: EventId) -> list[Delivery]:
    """Withdraw what of an event never left; the writes that may stand in the EHR."""
    stands, gone = [], set[int]()
    for each in await ledger.of_event(scene.tx, event_id):
        if each.id in gone:
            continue
        withdraws = withdrawn(each, await ledger.needing(scene.tx, each, *OPEN))
        if not withdraws:
            stands.append(each)
        for delivery, decision in withdraws:
            gone.add(delivery.id)
            await ledger.record_decision(scene.tx, delivery, decision, scene.pace)
    return stands


async def _went_with(scene: Scene, was: Sequence[Delivery]) -> list[Delivery]:
    """What was withdrawn with these and belongs to entries that still stand."""
    known = {each.id for each in was}
    found = {}
    for each in was:
        if was_withdrawn(each) and each.action is Action.CREATE:
            for other in await ledger.needing(scene.tx, each, DeliveryState.SUPERSEDED):
                if was_withdrawn(other) and other.event_id not in scene.after.voided:
                    found[other.artefact, other.action, str(other.body)] = other
    return [each for each in found.values() if each.id not in known]
