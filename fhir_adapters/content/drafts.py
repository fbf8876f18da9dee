"""From what an event says to what is written: a draft, put into the way that the EHR's plan has.

A draft holds the artefact as its own FHIR type and, in a sentence, the same for an EHR that takes
only text. Must not decide what is written for which event: that is `intents.py`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.delivery.words import Action, Intent
from domain.language.clocks import local, wall
from domain.language.events import Event
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from fhir_adapters.content import elements, identifiers
from fhir_adapters.content.fallbacks import stand_in
from fhir_adapters.content.references import artefacts_in, refer
from fhir_adapters.profile.artefacts import ArtefactKind
from fhir_adapters.profile.plan import NATIVE_TYPE, EhrPlan, Fallback, Kept, Native, Person


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that a builder may look at: the event, the pathway around it, rules and plan."""

    event: Event
    before: Pathway
    after: Pathway
    protocol: CombinedProtocol
    plan: EhrPlan
    recorded: datetime
    """When Kairos heard of it, which is later than the event where something is entered late."""

    @property
    def patient(self) -> dict[str, Any]:
        return elements.patient(self.after.patient)

    @property
    def at(self) -> str:
        """When it happened, UTC."""
        return elements.moment(self.event.at)

    @property
    def when(self) -> str:
        """When it happened, as people at the clinic say it."""
        return self.wall(self.event.at)

    def wall(self, at: datetime) -> str:
        """An instant, as people at the clinic say it."""
        return wall(local(at, self.after.zone), self.after.zone)

    @property
    def author(self) -> dict[str, Any]:
        return elements.person(self.event.by)

    def link(self, kind: ArtefactKind, artefact: str, *allowed: str) -> dict[str, Any] | None:
        """Refer to another artefact, if this EHR holds it as one of the allowed types (or any)."""
        target = self.plan.target(kind)
        if target is None or (allowed and target not in allowed):
            return None
        return refer(artefact)

    def name(self, kind: ArtefactKind, artefact: str) -> dict[str, Any] | None:
        """Refer to another artefact by its identifier, if this EHR holds it as its own type.

        Unlike `link` this waits for nothing: one refused resource must not hold back a dose.
        """
        native = NATIVE_TYPE[kind]
        return elements.named(native, artefact) if self.plan.target(kind) == native else None


@dataclass(frozen=True, slots=True)
class Draft:
    """One artefact's create, or its change.

    `body` is the whole resource, or the top-level elements that change. `says` is the same in a
    sentence without the patient. A change that is not `noted` is not worth an entry of its own
    where the EHR cannot hold the artefact itself.
    """

    kind: ArtefactKind
    artefact: str
    action: Action
    body: dict[str, Any]
    says: str
    noted: bool = True


def created(
    kind: ArtefactKind, artefact: str, body: dict[str, Any], says: str, *, noted: bool = True
) -> Draft:
    """Draft a new artefact; its type and identifier are put in front."""
    resource = NATIVE_TYPE[kind]
    head: dict[str, Any] = {"resourceType": resource}
    if resource != "Provenance":  # which has no identifier: it names its event in `entity`
        head["identifier"] = [identifiers.identifier(artefact)]
    return Draft(kind, artefact, Action.CREATE, head | body, says, noted)


def changed(
    kind: ArtefactKind, artefact: str, body: dict[str, Any], says: str, *, noted: bool = False
) -> Draft:
    """Draft a change of an artefact's top-level elements."""
    return Draft(kind, artefact, Action.UPDATE, body, says, noted)


def intent_of(scene: Scene, draft: Draft) -> Intent | None:
    """Put a draft into the way of the EHR's plan; None if nothing is to be written there."""
    native = NATIVE_TYPE[draft.kind]
    match scene.plan.ways[draft.kind]:
        case Native(update=may_update):
            if draft.action is Action.UPDATE and not may_update:
                return Intent(draft.artefact, native, Action.PERSON, draft.body)
            return Intent(
                draft.artefact, native, draft.action, draft.body, artefacts_in(draft.body)
            )
        case Fallback(to=to) if draft.noted:
            artefact = draft.artefact
            if draft.action is Action.UPDATE:
                artefact = identifiers.note(artefact, scene.event.id)
            body = stand_in(to.resource_type, artefact, draft.body, draft.says, scene)
            return Intent(artefact, to.resource_type, Action.CREATE, body, artefacts_in(body))
        case Person() if draft.noted:
            return Intent(draft.artefact, native, Action.PERSON, draft.body)
        case Fallback() | Person() | Kept():
            return None
