"""What each event writes: complete, well-formed, deterministic, and only what the plan allows."""

import json
from collections import Counter
from dataclasses import replace
from typing import get_args

import pytest

from domain.delivery.words import Action, Intent
from domain.language.authorizations import AuthorizationRecorded
from domain.language.baselines import BaselineNamed
from domain.language.chart import ChartRead
from domain.language.corrections import ActQuestioned, EntryVoided
from domain.language.events import Fact
from domain.language.names import PathwayOutcome, Role
from domain.language.phases import FirstVisitHastened
from domain.language.protocol import CombinedProtocol
from fhir_adapters.content import identifiers
from fhir_adapters.content.intents import intents_for
from fhir_adapters.content.references import artefacts_in, resolve
from fhir_adapters.content.shape import check_shape
from fhir_adapters.profile.generic import GENERIC
from fhir_adapters.profile.plan import EhrPlan, plan_for
from tests.fhir_adapters.fhir_story import StoryStep, statement, whole_story, written

EVERYTHING = plan_for(statement(), GENERIC)
FULL_COUNTS = {
    "pathway-started": ["EpisodeOfCare", "CarePlan"],
    "order-signed": ["MedicationRequest", "Provenance"],
    "visit-proposed": ["Appointment"],
    "visit-booked": ["Appointment"],
    "visit-moved": ["Appointment"],
    "visit-checked-in": ["Appointment"],
    "visit-missed": ["Appointment"],
    "visit-cancelled": ["Appointment"],
    "visit-released": ["Appointment"],
    "scale-assessed": ["Observation", "Observation", "Observation"],
    "dose-given": ["MedicationAdministration", "Provenance"],
    "stimulation-given": ["Procedure", "Provenance"],
    "hold-placed": ["Flag"],
    "hold-lifted": ["Flag", "Provenance"],
    "gate-overridden": ["Provenance"],
    "decision-made": ["Provenance"],
    "protocol-changed": ["CarePlan", "Provenance"],
    "trial-recorded": [],
    "decided-ahead": ["Provenance"],
    "decision-ended": ["Provenance"],
    "task-opened": ["Task"],
    "task-raised": ["Task"],
    "task-acknowledged": ["Task"],
    "task-closed": ["Task"],
}


@pytest.fixture(scope="session")
def story(protocol: CombinedProtocol) -> tuple[StoryStep, ...]:
    """Every kind of fact."""
    return whole_story(protocol)


def _of(story, protocol: CombinedProtocol, kind: str, plan: EhrPlan = EVERYTHING) -> list[Intent]:
    step = next(step for step in story if step.event.fact.kind == kind)
    return list(intents_for(step.event, step.before, step.after, protocol, plan))


def _creates(intents: list[Intent]) -> list[Intent]:
    return [intent for intent in intents if intent.action is Action.CREATE]


def _known(intents: list[Intent]) -> dict[str, str]:
    return {i.artefact: f"{i.resource_type}/id-{n}" for n, i in enumerate(_creates(intents))}


def test_the_story_tells_every_kind_of_fact(story) -> None:
    """No kind of fact is forgotten by these tests, but those that are told elsewhere."""
    silent = {EntryVoided, ActQuestioned, BaselineNamed, FirstVisitHastened, ChartRead}
    silent.add(AuthorizationRecorded)
    assert {type(step.event.fact) for step in story} == set(get_args(Fact)) - silent


@pytest.mark.parametrize(("kind", "types"), FULL_COUNTS.items())
def test_each_fact_writes_these_resources(kind: str, types: list[str], story, protocol) -> None:
    """On an EHR that takes everything, each kind of fact writes exactly these types."""
    assert [intent.resource_type for intent in _of(story, protocol, kind)] == types


def test_moving_on_ends_the_order_before(story, protocol) -> None:
    """Entering the next phase ends the last one's order and shows the phase in the CarePlan."""
    step = [s for s in story if s.event.fact.kind == "phase-entered"][1]
    order, plan = intents_for(step.event, step.before, step.after, protocol, EVERYTHING)
    assert (order.resource_type, order.body["status"]) == ("MedicationRequest", "stopped")
    states = [activity["detail"]["status"] for activity in plan.body["activity"]]
    assert states == ["stopped", "in-progress", "not-started"]


def test_a_stopped_pathway_leaves_nothing_active(story, protocol) -> None:
    """The end of a pathway ends its order, CarePlan and EpisodeOfCare."""
    intents = _of(story, protocol, "pathway-finished")
    status = {intent.resource_type: intent.body["status"] for intent in intents}
    assert status == {
        "ServiceRequest": "revoked",
        "CarePlan": "revoked",
        "EpisodeOfCare": "finished",
    }


@pytest.mark.parametrize(
    "types",
    [
        None,
        ("Procedure", "DocumentReference"),
        ("Communication",),
        ("QuestionnaireResponse", "Procedure", "Communication"),
    ],
)
def test_every_resource_has_the_shape_of_r4(types, story, protocol) -> None:
    """Every resource that is created, native or standing in, passes the shape check."""
    plan = plan_for(statement() if types is None else statement(types), GENERIC)
    intents = written(story, protocol, plan)
    known = _known(intents)
    for intent in _creates(intents):
        check_shape(resolve(intent.body, known))
        assert intent.resource_type == intent.body["resourceType"]


def test_the_same_event_gives_the_same_bytes(story, protocol) -> None:
    """Intents are deterministic to the byte, and plain JSON."""
    first, second = (
        [json.dumps(intent.body) for intent in written(whole_story(protocol), protocol, EVERYTHING)]
        for _ in range(2)
    )
    assert first == second


def test_no_artefact_is_created_twice(story, protocol) -> None:
    """Each create has an artefact id of its own, also where text stands in for changes."""
    for plan in (EVERYTHING, plan_for(statement(("Communication",)), GENERIC)):
        ids = Counter(intent.artefact for intent in _creates(written(story, protocol, plan)))
        assert set(ids.values()) == {1}


def test_what_is_needed_is_created_before(story, protocol) -> None:
    """References and changes only name artefacts that earlier intents create."""
    there: set[str] = set()
    for intent in written(story, protocol, EVERYTHING):
        assert intent.needs == artefacts_in(intent.body)
        assert set(intent.needs) <= there
        if intent.action is Action.CREATE:
            there.add(intent.artefact)
        else:
            assert intent.artefact in there


def test_each_resource_carries_its_artefact_id(story, protocol) -> None:
    """A create carries our identifier once; Provenance carries it in its entity."""
    for intent in _creates(written(story, protocol, EVERYTHING)):
        wanted = identifiers.identifier(intent.artefact)
        if intent.resource_type == "Provenance":
            assert intent.body["entity"][0]["what"]["identifier"] == wanted
        else:
            assert intent.body["identifier"] == [wanted]


def test_a_lone_systolic_says_that_the_diastolic_is_unknown(story, protocol) -> None:
    """A blood pressure with one of its two readings stays one panel and invents nothing."""
    step = [s for s in story if s.event.fact.kind == "readings-taken"][1]
    (panel,) = intents_for(step.event, step.before, step.after, protocol, EVERYTHING)
    systolic, diastolic = panel.body["component"]
    assert systolic["valueQuantity"] == {
        "value": 128, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]",
    }  # fmt: skip
    assert "valueQuantity" not in diastolic
    assert diastolic["dataAbsentReason"]["coding"][0]["code"] == "unknown"


def test_cpt_90868_is_only_for_a_subsequent_session(story, protocol) -> None:
    """The first session of a course has words and no billing code; the second has 90868."""
    sessions = [s for s in story if s.event.fact.kind == "stimulation-given"]
    codes = [
        intents_for(s.event, s.before, s.after, protocol, EVERYTHING)[0].body["code"]
        for s in sessions
    ]
    assert "coding" not in codes[0]
    assert codes[1]["coding"][0]["code"] == "90868"


def test_times_are_stable(story, protocol) -> None:
    """Instants are UTC to the second; appointments carry the clinic's own offset."""
    dose, _ = _of(story, protocol, "dose-given")
    assert dose.body["effectiveDateTime"] == "2026-12-01T09:00:00Z"
    (visit,) = _of(story, protocol, "visit-moved")
    assert (visit.body["start"], visit.body["end"]) == (
        "2026-12-01T10:00:00-05:00",
        "2026-12-01T13:00:00-05:00",
    )


def test_a_booked_patient_has_accepted(story, protocol) -> None:
    """An Appointment agrees with itself: the patient is to be asked, and accepts by the booking."""
    for kind, status in (("visit-proposed", "needs-action"), ("visit-booked", "accepted")):
        (visit,) = _of(story, protocol, kind)
        patient, place = visit.body["participant"]
        assert patient == {"actor": {"reference": "Patient/pat-1"}, "status": status}
        assert (place["actor"]["type"], place["status"]) == ("Location", "accepted")
    for kind in ("visit-missed", "visit-cancelled"):  # they say nothing of what was agreed
        assert "participant" not in _of(story, protocol, kind)[0].body


@pytest.mark.parametrize(
    ("outcome", "reason"),
    [(PathwayOutcome.STOPPED, "the care pathway ended"), (None, "its phase of the pathway ended")],
)
def test_a_cancelled_visit_says_why(
    outcome: PathwayOutcome | None, reason: str, story, protocol
) -> None:
    """The pathway's end is the reason only of a visit that is cancelled after it."""
    step = next(step for step in story if step.event.fact.kind == "visit-cancelled")
    after = replace(step.after, outcome=outcome)
    (visit,) = intents_for(step.event, step.before, after, protocol, EVERYTHING)
    assert visit.body == {"status": "cancelled", "cancelationReason": {"text": reason}}


def test_a_visit_that_was_called_off_says_the_persons_reason(story, protocol) -> None:
    """Who calls a visit off says why, and the Appointment has their words."""
    step = next(step for step in story if step.event.fact.kind == "visit-cancelled")
    event = replace(step.event, fact=replace(step.event.fact, reason="a cold"))
    (visit,) = intents_for(event, step.before, step.after, protocol, EVERYTHING)
    assert visit.body["cancelationReason"] == {"text": "a cold"}


@pytest.mark.parametrize("kind", ["dose-given", "stimulation-given"])
@pytest.mark.parametrize(
    ("authorized", "how"),
    [(True, "given against a rule"), (False, "NOT AUTHORIZED, given although a rule said stop")],
)
def test_what_was_given_against_a_rule_says_so(
    kind: str, how: str, story, protocol, *, authorized: bool
) -> None:
    """In the note of what was given stand the rules it broke, and whether it was authorized."""
    step = next(step for step in story if step.event.fact.kind == kind)
    off = {"deviation": "given before the reading", "findings": ("missing: a reading",)}
    fact = replace(step.event.fact, authorized=authorized, **off)
    event = replace(step.event, fact=fact)
    given = intents_for(event, step.before, step.after, protocol, EVERYTHING)[0]
    (note,) = given.body["note"]
    assert f"; {how}: given before the reading (missing: a reading)" in note["text"]


def test_a_stimulation_cut_short_was_stopped(story, protocol) -> None:
    """A Procedure of fewer pulses than ordered is `stopped`, not `completed`."""
    step = next(step for step in story if step.event.fact.kind == "stimulation-given")
    event = replace(step.event, fact=replace(step.event.fact, pulses=400, deviation="pain"))
    given = intents_for(event, step.before, step.after, protocol, EVERYTHING)[0]
    assert given.body["status"] == "stopped"


def test_a_late_event_does_not_take_a_visit_back(story, protocol) -> None:
    """Booking told again after check-in writes where the visit stands: arrived."""
    booked = next(s for s in story if s.event.fact.kind == "visit-booked")
    now = next(s for s in story if s.event.fact.kind == "visit-checked-in").after
    (intent,) = intents_for(booked.event, now, now, protocol, EVERYTHING)
    assert intent.body["status"] == "arrived"


def test_an_author_is_named_by_subject_and_role_only(story, protocol) -> None:
    """Provenance has the person as author with their role, and Kairos as assembler."""
    _, provenance = _of(story, protocol, "order-signed")
    author, assembler = provenance.body["agent"]
    assert author["who"]["identifier"] == {"system": identifiers.PERSON, "value": "user-7"}
    assert author["role"] == [{"text": Role.PRESCRIBER}]
    assert assembler["who"]["identifier"]["value"] == "kairos"


def test_a_provenance_comes_from_an_event(story, protocol) -> None:
    """The source of a Provenance is the event that it tells of, under the id that finds it."""
    step = next(step for step in story if step.event.fact.kind == "order-signed")
    _, provenance = intents_for(step.event, step.before, step.after, protocol, EVERYTHING)
    (entity,) = provenance.body["entity"]
    assert provenance.artefact == f"pw-1/event/{step.event.id}"
    assert (entity["role"], entity["what"]["display"]) == ("source", "Kairos event")
    assert entity["what"]["identifier"]["value"] == provenance.artefact


def test_a_scale_becomes_a_questionnaire_response_where_observation_is_refused(
    story, protocol
) -> None:
    """The stand-in for a scale has every item and the total, by their codes."""
    plan = plan_for(statement(("QuestionnaireResponse",)), GENERIC)
    (intent,) = _of(story, protocol, "scale-assessed", plan)
    items = intent.body["item"][0]["item"]
    assert [item["answer"][0]["valueInteger"] for item in items] == [2, 3, 1, 2, 0, 1, 2, 0, 0, 11]
    assert items[8]["linkId"] == "44260-8"


def test_without_update_a_change_is_a_persons(story, protocol) -> None:
    """An EHR that takes an Appointment but no update gets its changes by hand."""
    plan = plan_for(statement(interactions=("read", "create", "search-type")), GENERIC)
    (intent,) = _of(story, protocol, "visit-booked", plan)
    assert intent.action is Action.PERSON


def test_text_says_the_values(story, protocol) -> None:
    """Where only text is taken it states dose, time, devices and lot."""
    (intent,) = _of(story, protocol, "dose-given", plan_for(statement(("Communication",)), GENERIC))
    says = intent.body["payload"][0]["contentString"]
    assert all(word in says for word in ("56 mg", "2026-12-01 04:00 EST", "2 devices", "LOT-1"))


def test_readings_taken_together_are_one_message(story, protocol) -> None:
    """Where readings are only text, staff get one message with all of them, not one for each."""
    (intent,) = _of(
        story, protocol, "readings-taken", plan_for(statement(("Communication",)), GENERIC)
    )
    says = intent.body["payload"][0]["contentString"].splitlines()
    assert len(says) == len(_of(story, protocol, "readings-taken"))
    assert "systolic blood pressure 41 mmHg" in says[0]
