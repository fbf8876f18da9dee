"""Orders that a machine can read, and the links between order, visit, dose, plan and episode."""

from dataclasses import replace
from typing import Any

import pytest

from domain.delivery.words import ARTEFACT, Action, Intent
from domain.language.phases import OrderSigned
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


def _of(story, protocol: CombinedProtocol, kind: str, plan: EhrPlan = EVERYTHING) -> list[Intent]:
    step = next(step for step in story if step.event.fact.kind == kind)
    return list(intents_for(step.event, step.before, step.after, protocol, plan))


def _named(kind: str, artefact: str) -> dict[str, object]:
    """A reference by identifier, which waits for nothing."""
    return {"type": kind, "identifier": identifiers.identifier(artefact)}


def test_a_dose_names_its_visit_and_episode(story, protocol) -> None:
    """A dose waits for its order only: visit and episode are named by identifier."""
    dose, _ = _of(story, protocol, "dose-given")
    assert dose.body["context"] == _named("EpisodeOfCare", "pw-1/episode")
    assert dose.body["supportingInformation"] == [_named("Appointment", "pw-1/visit/visit-1")]
    assert dose.needs == (dose.body["request"]["reference"].removeprefix(ARTEFACT),)


def test_a_visit_leads_to_its_order(story, protocol) -> None:
    """A visit for esketamine has its order beside it, one for deep TMS is based on its own."""
    proposed = [s for s in story if s.event.fact.kind == "visit-proposed"]
    for step in proposed:
        (visit,) = intents_for(step.event, step.before, step.after, protocol, EVERYTHING)
        order = {"reference": f"{ARTEFACT}pw-1/order/{step.event.fact.phase}"}
        dose = protocol.phase(step.event.fact.phase).dose is not None
        assert visit.body["supportingInformation" if dose else "basedOn"] == [order]
        assert ("basedOn" in visit.body) is not dose


def test_an_order_is_based_on_the_care_plan(story, protocol) -> None:
    """Both kinds of order name the CarePlan, and wait for nothing."""
    for step in (s for s in story if s.event.fact.kind == "order-signed"):
        order, _ = intents_for(step.event, step.before, step.after, protocol, EVERYTHING)
        assert order.body["basedOn"] == [_named("CarePlan", "pw-1/care-plan")]
        assert order.needs == ()


def _orders(story, protocol) -> list[dict[str, Any]]:
    """The two orders of the story: esketamine, then deep TMS."""
    steps = [step for step in story if step.event.fact.kind == "order-signed"]
    told = [intents_for(s.event, s.before, s.after, protocol, EVERYTHING)[0] for s in steps]
    return [dict(order.body) for order in told]


def test_a_medication_order_can_be_read_by_a_machine(story, protocol) -> None:
    """Rate, number and exact dose stand in elements; a dose that is chosen each time in words."""
    order, _ = _orders(story, protocol)
    assert order["category"][0]["coding"][0]["code"] == "outpatient"
    assert order["reportedBoolean"] is False
    first, then = order["dosageInstruction"]
    assert (first["sequence"], first["timing"]) == (1, {"repeat": {"count": 1}})
    assert first["doseAndRate"][0]["doseQuantity"]["value"] == 56
    assert then["timing"] == {
        "repeat": {"count": 7, "frequency": 2, "period": 1, "periodUnit": "wk"}
    }
    assert "doseAndRate" not in then
    assert then["text"].startswith("56 mg or 84 mg; 7 sessions, 2 per week")
    assert {dose["route"]["text"] for dose in (first, then)} == {"nasal"}


def test_stages_of_different_rates_are_instructions_of_their_own(story, protocol) -> None:
    """Maintenance is weekly, then every two weeks without an end, in that sequence."""
    step = next(step for step in story if step.event.fact.kind == "order-signed")
    event = replace(step.event, fact=OrderSigned(protocol.phases[2].id))
    order, *_ = intents_for(event, step.before, step.after, protocol, EVERYTHING)
    doses = order.body["dosageInstruction"]
    assert [(dose["sequence"], dose["timing"]["repeat"]) for dose in doses] == [
        (1, {"count": 4, "frequency": 1, "period": 1, "periodUnit": "wk"}),
        (2, {"frequency": 1, "period": 2, "periodUnit": "wk"}),
    ]


def test_a_course_says_when_it_is_given(story, protocol) -> None:
    """Thirty stimulations, five on each weekday."""
    _, order = _orders(story, protocol)
    assert order["occurrenceTiming"]["repeat"] == {
        "count": 30,
        "frequency": 5,
        "period": 1,
        "periodUnit": "d",
        "dayOfWeek": ["mon", "tue", "wed", "thu", "fri"],
    }
    assert order["category"] == [{"text": "Therapeutic procedure"}]


def test_a_stopped_medication_order_says_why(story, protocol) -> None:
    """A pathway that is stopped stops its order and says that this is the reason."""
    step = next(step for step in story if step.event.fact.kind == "pathway-finished")
    first = protocol.phases[0].id
    phases = {first: step.after.phases[first]}
    order, *_ = intents_for(
        step.event, step.before, replace(step.after, phases=phases), protocol, EVERYTHING
    )
    assert order.body == {
        "status": "stopped",
        "statusReason": {"text": "the care pathway was stopped"},
    }


def test_what_the_ehr_does_not_hold_is_not_named(story, protocol) -> None:
    """Nothing refers to a plan, a visit or an episode that this EHR holds only as text."""
    plan = plan_for(
        statement(("MedicationRequest", "MedicationAdministration", "Communication")), GENERIC
    )
    order, *_ = _of(story, protocol, "order-signed", plan)
    dose, *_ = _of(story, protocol, "dose-given", plan)
    assert "basedOn" not in order.body
    assert not {"context", "supportingInformation"} & dose.body.keys()


def test_a_reading_waits_for_nothing(story, protocol) -> None:
    """A blood pressure is written whatever becomes of the dose, the visit and the plan."""
    intents = _of(story, protocol, "readings-taken")
    assert {intent.needs for intent in intents} == {()}


@pytest.mark.parametrize(
    "types", [("Communication", "DocumentReference"), ("Communication",), ("Patient",)]
)
def test_an_order_that_an_ehr_cannot_take_is_a_persons(types, story, protocol) -> None:
    """No text stands in for an order, which somebody has to enter, and later to end, by hand."""
    plan = plan_for(statement(types), GENERIC)
    for kind in ("order-signed", "pathway-finished"):
        orders = [
            intent
            for intent in _of(story, protocol, kind, plan)
            if intent.resource_type in ("MedicationRequest", "ServiceRequest")
        ]
        assert [intent.action for intent in orders] == [Action.PERSON]
