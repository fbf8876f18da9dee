"""A rating scale as Observations: its panel with the items, and by themselves what is looked for.

Total and risk item are Observations of their own, each with its code and its points. Must not score
anything: items and total are what was recorded.
"""

from dataclasses import dataclass
from typing import Any

from domain.language.names import ObservationName
from domain.language.observations import ScaleAssessed
from domain.language.vocabulary import Code
from fhir_adapters.content import elements, identifiers
from fhir_adapters.content.drafts import Draft, Scene, created
from fhir_adapters.content.observations import concept, head
from fhir_adapters.content.references import refer
from fhir_adapters.profile.artefacts import ArtefactKind
from fhir_adapters.profile.plan import NATIVE_TYPE

_POINTS = ("points", "{score}")
_SCREENING = "us-core-observation-screening-assessment"


def assess(scene: Scene, fact: ScaleAssessed) -> tuple[Draft, ...]:
    """Write a scored scale: the total and each item that a gate names by themselves, then the rest.

    Who searches an EHR for a total finds it; the panel has them as members. It comes last, so that
    nothing is lost with it. What stands in for an Observation has everything in one.
    """
    scale = scene.protocol.vocabulary.scales[fact.scale]
    total = scene.protocol.vocabulary.kind(scale.total)
    scored = [
        _Scored(scale.item_observations.get(number), title, code, value)
        for number, (title, code, value) in enumerate(
            zip(scale.item_titles, scale.item_codes, fact.items, strict=True), start=1
        )
    ]
    scored.append(_Scored(scale.total, total.title, total.code, fact.total))
    own = [s for s in scored if s.name and s.code] if _as_observations(scene) else []
    body: dict[str, Any] = {
        "meta": elements.profile(_SCREENING),
        **head(scene, "survey", concept(scale.title, scale.panel)),
    }
    if own:
        body["hasMember"] = [refer(_part(scene, scored)) for scored in own]
    body["component"] = [
        {"code": concept(s.title, s.code), "valueQuantity": elements.quantity(s.value, *_POINTS)}
        for s in scored
        if s not in own
    ]
    items = ", ".join(f"{place}: {value}" for place, value in enumerate(fact.items, start=1))
    says = f"{scale.title} assessed {scene.when}: total {fact.total}. Items {items}."
    artefact = identifiers.scale(scene.after.id, scene.event.id)
    panel = created(ArtefactKind.SCALE, artefact, body, says)
    return (*(_member(scene, scored) for scored in reversed(own)), panel)


@dataclass(frozen=True, slots=True)
class _Scored:
    """An item or the total; `name` if a gate may look at it."""

    name: ObservationName | None
    title: str
    code: Code | None
    value: int


def _as_observations(scene: Scene) -> bool:
    return scene.plan.target(ArtefactKind.SCALE) == NATIVE_TYPE[ArtefactKind.SCALE]


def _part(scene: Scene, scored: _Scored) -> str:
    return identifiers.scale_part(scene.after.id, scene.event.id, scored.name or "")


def _member(scene: Scene, scored: _Scored) -> Draft:
    body = {
        "meta": elements.profile(_SCREENING),
        **head(scene, "survey", concept(scored.title, scored.code)),
        "valueQuantity": elements.quantity(scored.value, *_POINTS),
    }
    says = f"{scored.title} {scene.when}: {scored.value}."
    return created(ArtefactKind.SCALE, _part(scene, scored), body, says)
