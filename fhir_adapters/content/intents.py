"""Which event writes what: one case for every kind of fact, also for those that write nothing.

Pure and deterministic: the same event on the same pathway under the same plan gives the same
intents, byte for byte, so that a retry is recognised as one.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import assert_never

from domain.delivery.words import Intent
from domain.language.authorizations import AuthorizationRecorded
from domain.language.baselines import BaselineNamed
from domain.language.chart import ChartRead
from domain.language.corrections import ActQuestioned, EntryVoided
from domain.language.events import Event
from domain.language.holds import SEEN_AFTER_THE_END, HoldLifted, HoldPlaced
from domain.language.names import PathwayOutcome, VisitStatus
from domain.language.observations import ReadingsTaken, ScaleAssessed
from domain.language.overrides import GateOverridden
from domain.language.pathway import Pathway
from domain.language.phases import (
    DecisionMade,
    FirstVisitHastened,
    OrderSigned,
    PathwayFinished,
    PathwayStarted,
    PhaseEntered,
    ProtocolChanged,
)
from domain.language.protocol import CombinedProtocol
from domain.language.release import RELEASED, VisitReleased
from domain.language.standing import DecidedAhead, DecisionEnded
from domain.language.tasks import TaskAcknowledged, TaskClosed, TaskOpened, TaskRaised
from domain.language.treatment import DoseGiven, StimulationGiven
from domain.language.trials import TrialRecorded
from domain.language.visits import (
    VisitBooked,
    VisitCancelled,
    VisitCheckedIn,
    VisitMissed,
    VisitMoved,
    VisitProposed,
)
from fhir_adapters.content import (
    administrations,
    episode,
    holds,
    observations,
    orders,
    provenance,
    scales,
    stimulations,
    tasks,
)
from fhir_adapters.content import appointments as visits
from fhir_adapters.content.drafts import Draft, Scene, intent_of
from fhir_adapters.profile.plan import EhrPlan


def intents_for(
    event: Event,
    before: Pathway,
    after: Pathway,
    protocol: CombinedProtocol,
    plan: EhrPlan,
    recorded: datetime | None = None,
) -> tuple[Intent, ...]:
    """Say what an event writes to one EHR, in the order in which it should be delivered.

    `recorded` is when Kairos heard of it; as it happened, where nothing else is said.
    """
    scene = Scene(event, before, after, protocol, plan, recorded or event.at)
    intents = (intent_of(scene, draft) for draft in _drafts(scene))
    return tuple(intent for intent in intents if intent is not None)


def undone(
    void: Event,
    original: Event,
    before: Pathway,
    after: Pathway,
    protocol: CombinedProtocol,
    plan: EhrPlan,
    recorded: datetime,
) -> tuple[Intent, ...] | None:
    """Say what becomes active again where what ended it was taken back; None if nothing had ended.

    An event like any other is told again with what is so without it; of an end there is nothing
    left to tell.
    """
    scene = Scene(void, before, after, protocol, plan, recorded)
    drafts = _undone(scene, original)
    if drafts is None:
        return None
    intents = (intent_of(scene, draft) for draft in drafts)
    return tuple(intent for intent in intents if intent is not None)


def restored(
    original: Event,
    before: Pathway,
    after: Pathway,
    protocol: CombinedProtocol,
    plan: EhrPlan,
    recorded: datetime,
) -> tuple[Intent, ...]:
    """Say what an entry changes that counts again after all: what it did, as of now.

    What it brought there is not told here: `in_error.restore` knows it from the ledger.
    """
    told = intents_for(original, before, after, protocol, plan, recorded)
    changes = tuple(intent for intent in told if "resourceType" not in intent.body)
    if isinstance(original.fact, HoldPlaced) and original.fact.hold not in after.open_holds():
        scene = Scene(original, before, after, protocol, plan, recorded)
        ended = intent_of(scene, holds.ended(scene, original.fact.hold))
        return changes if ended is None else (*changes, ended)
    return changes


def _undone(scene: Scene, original: Event) -> tuple[Draft, ...] | None:
    after = scene.after
    match original.fact:
        case HoldLifted(hold=hold):
            return (holds.again(scene, hold),) if hold in after.open_holds() else ()
        case PhaseEntered():
            again = episode.show_phase_again(scene, after.phase)
            return (*_resumed(scene), again)
        case PathwayFinished():
            stand = (
                holds.again(scene, hold)
                for hold in after.open_holds()
                if after.holds[hold].reason not in SEEN_AFTER_THE_END
            )
            return (*_resumed(scene), *stand, *episode.reopen(scene))
    return None


def _resumed(scene: Scene) -> tuple[Draft, ...]:
    signed = scene.after.phases[scene.after.phase].signed is not None
    return (orders.resume(scene, scene.after.phase),) if signed else ()


def _drafts(scene: Scene) -> Iterator[Draft]:  # noqa: C901, PLR0912, PLR0915  one case a fact
    match scene.event.fact:
        case PathwayStarted():
            yield episode.open_episode(scene)
            yield episode.start_care_plan(scene)
        case PhaseEntered() as fact:
            yield from _end_order_before(scene)
            yield episode.show_phase(scene, fact.phase)
        case OrderSigned() as fact:
            order = orders.sign(scene, fact.phase)
            yield order
            yield from provenance.vouch(scene, order.kind, order.artefact, "order signed")
        case ProtocolChanged() as fact:
            yield episode.show_protocol(scene, fact.version)
            yield provenance.protocol_changed(scene, fact)
        case VisitProposed() as fact:
            yield visits.propose(scene, fact.visit)
        case VisitBooked(visit=visit) | VisitMoved(visit=visit):
            booked = scene.after.visits[visit].status is VisitStatus.BOOKED
            yield visits.follow(scene, visit, noted=booked)
        case VisitMissed(visit=visit):
            yield visits.follow(scene, visit, noted=True)
        case VisitCancelled(visit=visit, reason=reason):
            yield visits.cancel(scene, visit, reason)
        case VisitCheckedIn(visit=visit):
            yield visits.follow(scene, visit, noted=False)
        case VisitReleased(visit=visit) as fact:
            yield visits.follow(scene, visit, noted=False)
            if fact.disposition not in RELEASED:
                yield provenance.left_otherwise(scene, fact)
            if fact.not_treated is not None:
                yield _not_given(scene, fact)
        case ReadingsTaken() as fact:
            yield from observations.take(scene, fact)
        case ScaleAssessed() as fact:
            yield from scales.assess(scene, fact)
        case DoseGiven() as fact:
            dose = administrations.give(scene, fact)
            yield dose
            yield from provenance.vouch(scene, dose.kind, dose.artefact, "dose given")
        case StimulationGiven() as fact:
            session = stimulations.give(scene, fact)
            yield session
            yield from provenance.vouch(scene, session.kind, session.artefact, "session given")
        case HoldPlaced() as fact:
            yield holds.place(scene, fact)
        case HoldLifted() as fact:
            yield holds.lift(scene, fact)
            yield from provenance.lifted(scene, fact)
        case GateOverridden() as fact:
            yield provenance.override(scene, fact)
        case DecisionMade() as fact:
            yield provenance.decision(scene, fact)
        case DecidedAhead() as fact:
            yield provenance.decided_ahead(scene, fact)
        case DecisionEnded() as fact:
            yield provenance.decision_ended(scene, fact)
        case TaskOpened() as fact:
            yield tasks.open_task(scene, fact)
        case TaskRaised() as fact:
            yield tasks.rise(scene, fact)
        case TaskAcknowledged(task=task, words=words):
            yield tasks.follow(scene, task, words)
        case TaskClosed(task=task):
            yield tasks.follow(scene, task)
        case EntryVoided() as fact:  # what it brought there, the ledger knows: `in_error.py`
            yield provenance.taken_back(scene, fact)
        case (
            ActQuestioned()
            | BaselineNamed()
            | TrialRecorded()
            | FirstVisitHastened()
            | ChartRead()
            | AuthorizationRecorded()
        ):
            pass
        case PathwayFinished(outcome=outcome):
            yield from _end_order(scene, outcome)
            yield from holds.end_with_pathway(scene)
            yield episode.end_care_plan(scene, outcome)
            yield episode.close_episode(scene, outcome)
        case unknown:
            assert_never(unknown)


def _not_given(scene: Scene, fact: VisitReleased) -> Draft:
    """A session that was planned and not given, with why: `not-done`."""
    phase = scene.protocol.phase(scene.after.visits[fact.visit].phase)
    if phase.dose is not None:
        return administrations.not_given(scene, fact)
    return stimulations.not_given(scene, fact)


def _end_order_before(scene: Scene) -> Iterator[Draft]:
    """When the pathway moves on, the order of the phase that it leaves ends."""
    before = scene.before
    if before.phases and before.phases[before.phase].signed is not None:
        yield orders.end(scene, before.phase, None)


def _end_order(scene: Scene, outcome: PathwayOutcome) -> Iterator[Draft]:
    """When the pathway ends, so does the order of the phase that it was in."""
    after = scene.after
    if after.phases and after.phases[after.phase].signed is not None:
        yield orders.end(scene, after.phase, outcome)
