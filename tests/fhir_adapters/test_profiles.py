"""What is claimed is kept: US Core 6.1.0 profiles, verified codes, exact numbers, R4 shapes."""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from domain.delivery.words import Action, Intent
from domain.language.errors import Malformed
from domain.language.protocol import CombinedProtocol
from fhir_adapters.content.elements import number
from fhir_adapters.content.intents import intents_for
from fhir_adapters.content.shape import check_shape
from fhir_adapters.profile.generic import GENERIC
from fhir_adapters.profile.plan import plan_for
from tests.fhir_adapters.fhir_profiles import profiles, published_data, violations
from tests.fhir_adapters.fhir_story import StoryStep, statement, whole_story, written

EVERYTHING = plan_for(statement(), GENERIC)


@pytest.fixture(scope="module")
def story(protocol: CombinedProtocol) -> tuple[StoryStep, ...]:
    """Every kind of fact."""
    return whole_story(protocol)


def test_a_resource_says_its_profile_and_fits_it(story, protocol) -> None:
    """Every US Core 6.1.0 profile that is claimed is kept: cardinalities, fixed values, slices."""
    published_data()
    claimed: Counter[str] = Counter()
    for intent in written(story, protocol, EVERYTHING):
        if intent.action is not Action.CREATE:
            continue
        for url in intent.body.get("meta", {}).get("profile", ()):
            assert violations(dict(intent.body), url) == []
            claimed[url.rpartition("/")[2]] += 1
    assert {
        "us-core-careplan",
        "us-core-medicationrequest",
        "us-core-servicerequest",
        "us-core-procedure",
        "us-core-provenance",
        "us-core-blood-pressure",
        "us-core-pulse-oximetry",
        "us-core-simple-observation",
        "us-core-observation-screening-assessment",
    } == set(claimed)


@pytest.mark.parametrize(
    ("kind", "place", "damage"),
    [
        ("readings-taken", 0, lambda body: body["component"].pop()),
        ("readings-taken", 0, lambda body: body["category"].clear()),
        ("readings-taken", 1, lambda body: body["code"]["coding"].pop()),
        ("readings-taken", 1, lambda body: body["valueQuantity"].update(code="/min")),
        ("dose-given", 1, lambda body: body["agent"].clear()),
        ("order-signed", 0, lambda body: body.pop("medicationCodeableConcept")),
        ("pathway-started", 1, lambda body: body["category"][0]["coding"][0].update(code="x")),
    ],
)
def test_the_profile_check_finds_damage(kind, place, damage, story, protocol) -> None:
    """The check of profiles is no rubber stamp: it finds what is missing or changed."""
    published_data()
    step = next(step for step in story if step.event.fact.kind == kind)
    intents = intents_for(step.event, step.before, step.after, protocol, EVERYTHING)
    intent: Intent = intents[place]
    body: dict[str, Any] = json.loads(json.dumps(intent.body))
    url = body["meta"]["profile"][0]
    assert url in profiles()
    damage(body)
    assert violations(body, url)


def test_published_codes_are_the_vocabularys(story, protocol) -> None:
    """Every LOINC, RxNorm or CPT code that is sent stands in the vocabulary or is named here."""
    vocabulary = protocol.vocabulary
    verified = {kind.code.code for kind in vocabulary.observations.values() if kind.code}
    verified |= {kind.panel.code for kind in vocabulary.observations.values() if kind.panel}
    verified |= {drug.code for drug in vocabulary.drugs.values()} | {"2708-6", "90868"}
    for scale in vocabulary.scales.values():
        verified |= {code.code for code in (*scale.item_codes, scale.panel) if code}
    sent = set()
    for intent in written(story, protocol, EVERYTHING):
        sent |= _codes(intent.body)
    published = {code for system, code in sent if _published(system)}
    assert published <= verified
    assert {"85354-9", "44249-1", "44261-6", "2201623", "90868"} <= published


def _published(system: str) -> bool:
    return not system.startswith("http://terminology.hl7.org") and "us/core" not in system


def _codes(value: Any) -> set[tuple[str, str]]:
    if isinstance(value, list | tuple):
        return {code for item in value for code in _codes(item)}
    if not isinstance(value, dict):
        return set()
    own = {(c["system"], c["code"]) for c in value.get("coding", ())}
    return own.union(*(_codes(inner) for inner in value.values()))


@pytest.mark.parametrize(
    ("value", "json_text"), [("138", "138"), ("97.50", "97.5"), ("1E2", "100")]
)
def test_numbers_have_no_noise(value: str, json_text: str) -> None:
    """A reading is a JSON number of exactly its value, whole ones without a point."""
    assert json.dumps(number(Decimal(value))) == json_text


def test_a_number_that_json_would_round_is_refused() -> None:
    """Rather than change a value, nothing is built."""
    with pytest.raises(Malformed):
        number(Decimal("0.12345678901234567890"))


def test_the_shape_check_names_paths_and_no_values() -> None:
    """What is wrong is said without quoting what may be about a patient."""
    with pytest.raises(Malformed) as refused:
        check_shape({"resourceType": "Observation", "status": "final", "secretName": "Ann"})
    assert "secretName" in str(refused.value)
    assert "Ann" not in str(refused.value)
