"""Readings as Observations, with the vocabulary's verified or local codes.

Readings that share a panel become one Observation with components. They refer to the patient
only: a `partOf` that is a link would let a blood pressure wait for a refused dose, and one by
identifier is dropped by an EHR that files readings into flowsheets, a difference for a person to
look at each time. Must not derive a value, convert a unit or choose a code.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from domain.language.names import Role
from domain.language.observations import Reading, ReadingsTaken
from domain.language.vocabulary import Code, ObservationKind, Vocabulary
from fhir_adapters.content import elements, identifiers
from fhir_adapters.content.drafts import Draft, Scene, created
from fhir_adapters.profile.artefacts import ArtefactKind
from fhir_adapters.profile.plan import TEXT

_LOINC = "http://loinc.org"
_BLOOD_PRESSURE = "85354-9"
_PULSE_OXIMETRY = "59408-5"
_SATURATION = Code(_LOINC, "2708-6", "Oxygen saturation in Arterial blood")
"""Second coding that the US Core pulse oximetry profile itself fixes."""

_NOT_TAKEN = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
            "code": "unknown",
            "display": "Unknown",
        }
    ]
}


def take(scene: Scene, fact: ReadingsTaken) -> tuple[Draft, ...]:
    """Write readings taken together: each panel once, everything else by itself.

    What Kairos has from the EHR (an age) is not told to it.
    """
    if scene.event.by.role is Role.KAIROS:
        return ()
    vocabulary = scene.protocol.vocabulary
    panels: dict[str, Code] = {}
    drafts: list[Draft] = []
    for reading in fact.readings:
        kind = vocabulary.kind(reading.observation)
        if kind.code is None:
            continue  # the vocabulary says that it is never sent
        if kind.panel is None:
            drafts.append(_single(scene, kind, reading))
        elif kind.panel.code not in panels:
            panels[kind.panel.code] = kind.panel
            drafts.append(_panel(scene, kind.panel, kind.category, fact.readings))
    return _as_few_texts(scene, drafts)


def _as_few_texts(scene: Scene, drafts: list[Draft]) -> tuple[Draft, ...]:
    """Join what this EHR takes only as text: readings taken together are one message."""
    texts: dict[str, list[Draft]] = {}
    for draft in drafts:
        target = scene.plan.target(draft.kind)
        if target in TEXT:
            texts.setdefault(target, []).append(draft)
    joined = {id(draft) for together in texts.values() for draft in together}
    left = [draft for draft in drafts if id(draft) not in joined]
    artefact = identifiers.reading(scene.after.id, scene.event.id, "together")
    return (
        *left,
        *(
            replace(
                together[0],
                artefact=f"{artefact}/{target}",
                says="\n".join(draft.says for draft in together),
            )
            for target, together in texts.items()
        ),
    )


def _single(scene: Scene, kind: ObservationKind, reading: Reading) -> Draft:
    oximetry = kind.code is not None and kind.code.code == _PULSE_OXIMETRY
    codes = (kind.code, _SATURATION) if oximetry else (kind.code,)
    name = "us-core-pulse-oximetry" if oximetry else "us-core-simple-observation"
    vital = kind.category == "vital-signs"
    if vital and not oximetry:
        name = "us-core-vital-signs"
    body = {
        "meta": elements.profile(name),
        **head(scene, kind.category, concept(kind.title, *codes)),
        **_value(kind, reading),
    }
    artefact = identifiers.reading(scene.after.id, scene.event.id, kind.name)
    says = f"Recorded {scene.when}: {_said(kind, reading)}."
    return created(ArtefactKind.VITAL_SIGN if vital else ArtefactKind.FINDING, artefact, body, says)


def _panel(scene: Scene, panel: Code, category: str, readings: Iterable[Reading]) -> Draft:
    vocabulary = scene.protocol.vocabulary
    taken = {reading.observation: reading for reading in readings}
    components, sentences = [], []
    for kind in _members(vocabulary, panel):
        reading = taken.get(kind.name)
        value = {"dataAbsentReason": _NOT_TAKEN} if reading is None else _value(kind, reading)
        components.append({"code": concept(kind.title, kind.code), **value})
        if reading is not None:
            sentences.append(_said(kind, reading))
    pressure = panel.code == _BLOOD_PRESSURE and panel.system == _LOINC
    body: dict[str, Any] = {
        "meta": elements.profile("us-core-blood-pressure" if pressure else "us-core-vital-signs"),
        **head(scene, category, concept(panel.display, panel)),
        "component": components,
    }
    if category != "vital-signs":
        body["meta"] = elements.profile("us-core-simple-observation")
    artefact = identifiers.reading(scene.after.id, scene.event.id, panel.code)
    kind_of = ArtefactKind.BLOOD_PRESSURE if pressure else ArtefactKind.FINDING
    return created(kind_of, artefact, body, f"Recorded {scene.when}: {', '.join(sentences)}.")


def _members(vocabulary: Vocabulary, panel: Code) -> list[ObservationKind]:
    return [kind for kind in vocabulary.observations.values() if kind.panel == panel]


def head(scene: Scene, category: str, code: dict[str, Any]) -> dict[str, Any]:
    """Say what every Observation says: what, of whom, when and by whom."""
    return {
        "status": "final",
        "category": [{"coding": [{"system": elements.OBSERVATION_CATEGORY, "code": category}]}],
        "code": code,
        "subject": scene.patient,
        "effectiveDateTime": scene.at,
        "performer": [scene.author],
    }


def concept(text: str, *codes: Code | None) -> dict[str, Any]:
    """Build a CodeableConcept of the codes that there are."""
    return elements.concept(text, *(code for code in codes if code is not None))


def _value(kind: ObservationKind, reading: Reading) -> dict[str, Any]:
    if reading.value is None:
        return {"valueCodeableConcept": elements.concept(reading.answer or "")}
    return {"valueQuantity": elements.quantity(reading.value, kind.unit or "", kind.ucum or "")}


def _said(kind: ObservationKind, reading: Reading) -> str:
    if reading.value is None:
        return f"{kind.title} {reading.answer}"
    return f"{kind.title} {kind.amount(str(elements.number(reading.value)))}"
