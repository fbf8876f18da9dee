"""A hold as a Flag on the patient: active until a prescriber lifts it.

A hold that is open when the pathway ends stays active: only a prescriber says that its reason is
gone. Must not judge the reason.
"""

from collections.abc import Iterator
from typing import Any

from domain.language.holds import SEEN_AFTER_THE_END, HoldLifted, HoldPlaced
from domain.language.names import HoldId, spoken
from fhir_adapters.content import elements, identifiers
from fhir_adapters.content.drafts import Draft, Scene, changed, created
from fhir_adapters.profile.artefacts import ArtefactKind


def place(scene: Scene, fact: HoldPlaced) -> Draft:
    text = f"Treatment on hold: {spoken(fact.reason)}"
    body: dict[str, Any] = {
        "status": "active",
        "code": elements.concept(f"{text}. {fact.note}" if fact.note.strip() else text),
        "subject": scene.patient,
        "period": {"start": scene.at},
        "author": scene.author,
    }
    artefact = identifiers.hold(scene.after.id, fact.hold)
    says = f"{text}, from {scene.when}. {fact.note}".strip()
    return created(ArtefactKind.HOLD, artefact, body, says)


def end_with_pathway(scene: Scene) -> Iterator[Draft]:
    """End the holds that are open when a pathway ends: there is no treatment left to hold.

    But for one that somebody still has to answer: for suicide risk or an adverse event.
    """
    for key in scene.after.open_holds():
        hold = scene.after.holds[key]
        if hold.reason in SEEN_AFTER_THE_END:
            continue
        body = {
            "status": "inactive",
            "period": {"start": elements.moment(hold.placed), "end": scene.at},
        }
        artefact = identifiers.hold(scene.after.id, key)
        says = f"Hold ended with the care pathway ({spoken(hold.reason)}) {scene.when}"
        yield changed(ArtefactKind.HOLD, artefact, body, says, noted=False)


def ended(scene: Scene, hold: HoldId) -> Draft:
    """Say of a hold that it has ended, as it had before it was called an error."""
    found = scene.after.holds[hold]
    period = {"start": elements.moment(found.placed)}
    if found.lifted_at is not None:
        period["end"] = elements.moment(found.lifted_at)
    artefact = identifiers.hold(scene.after.id, hold)
    says = f"Hold ended ({spoken(found.reason)})"
    body = {"status": "inactive", "period": period}
    return changed(ArtefactKind.HOLD, artefact, body, says, noted=True)


def again(scene: Scene, hold: HoldId) -> Draft:
    """Make a hold active again, where what ended it was taken back."""
    found = scene.after.holds[hold]
    body = {"status": "active", "period": {"start": elements.moment(found.placed)}}
    artefact = identifiers.hold(scene.after.id, hold)
    says = f"Hold active again ({spoken(found.reason)})"
    return changed(ArtefactKind.HOLD, artefact, body, says, noted=True)


def lift(scene: Scene, fact: HoldLifted) -> Draft:
    """End a hold; who lifted it and why stands in its Provenance."""
    hold = scene.after.holds[fact.hold]
    body = {
        "status": "inactive",
        "period": {"start": elements.moment(hold.placed), "end": scene.at},
    }
    artefact = identifiers.hold(scene.after.id, fact.hold)
    says = f"Hold lifted ({spoken(hold.reason)}) {scene.when}: {fact.reason}"
    return changed(ArtefactKind.HOLD, artefact, body, says, noted=True)
