"""A rating scale in the EHR: total and risk item can be searched for, and wait for nothing."""

from typing import Any

import pytest

from domain.delivery.words import ARTEFACT
from domain.language.protocol import CombinedProtocol
from fhir_adapters.content import identifiers
from fhir_adapters.content.intents import intents_for
from fhir_adapters.profile.generic import GENERIC
from fhir_adapters.profile.plan import EhrPlan, plan_for
from tests.fhir_adapters.fhir_story import StoryStep, statement, whole_story

EVERYTHING = plan_for(statement(), GENERIC)


@pytest.fixture(scope="module")
def story(protocol: CombinedProtocol) -> tuple[StoryStep, ...]:
    """Every kind of fact."""
    return whole_story(protocol)


def _written(story, protocol: CombinedProtocol, scale: str, plan: EhrPlan = EVERYTHING) -> Any:
    """What an assessment writes."""
    step = next(step for step in story if getattr(step.event.fact, "scale", "") == scale)
    return intents_for(step.event, step.before, step.after, protocol, plan)


def _code(observation: Any) -> str:
    return str(observation["code"]["coding"][0]["code"])


def test_total_and_item_9_are_observations_of_their_own(story, protocol) -> None:
    """A search by 44261-6 finds the total and one by 44260-8 the item, each once."""
    total, item, panel = _written(story, protocol, "phq9")
    assert (_code(total.body), total.body["valueQuantity"]["value"]) == ("44261-6", 11)
    assert (_code(item.body), item.body["valueQuantity"]["value"]) == ("44260-8", 0)
    assert _code(panel.body) == "44249-1"
    components = [_code(component) for component in panel.body["component"]]
    assert len(components) == 8
    assert not {"44261-6", "44260-8"} & set(components)


def test_the_panel_comes_last_and_has_its_members(story, protocol) -> None:
    """Total and item wait for nothing; the panel refers to both, so its loss costs neither."""
    total, item, panel = _written(story, protocol, "phq9")
    assert (total.needs, item.needs) == ((), ())
    assert panel.needs == (item.artefact, total.artefact)
    assert [member["reference"] for member in panel.body["hasMember"]] == [
        ARTEFACT + item.artefact,
        ARTEFACT + total.artefact,
    ]
    for intent in (total, item, panel):
        assert intent.body["identifier"] == [identifiers.identifier(intent.artefact)]


def test_madrs_is_a_total_a_risk_item_and_a_panel(story, protocol) -> None:
    """MADRS has local codes, its total and item 10 by themselves and the others in the panel."""
    total, item, panel = _written(story, protocol, "madrs")
    assert item.body["code"]["text"].startswith("Suicidal thoughts")
    assert total.body["valueQuantity"]["value"] == 30
    assert "loinc" not in total.body["code"]["coding"][0]["system"]
    assert len(panel.body["component"]) == 9
    assert panel.needs == (item.artefact, total.artefact)


@pytest.mark.parametrize(
    "types", [("QuestionnaireResponse",), ("DocumentReference",), ("Patient",)]
)
def test_where_observation_is_refused_a_scale_is_one_thing(types, story, protocol) -> None:
    """What stands in says items and total at once; a person enters one scale, not three."""
    (intent,) = _written(story, protocol, "phq9", plan_for(statement(types), GENERIC))
    if types == ("Patient",):
        assert len(intent.body["component"]) == 10
