"""How things end in the EHR: orders, plans, visits; and what was overridden on the way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.delivery.words import Action, Intent
from domain.language.names import PathwayOutcome, spoken
from domain.language.pathway import Session
from domain.language.protocol import CombinedProtocol
from domain.language.release import Disposition, NotTreated, VisitReleased
from domain.language.treatment import DoseGiven, StimulationGiven
from domain.rules.fold import override_key
from fhir_adapters.content.intents import intents_for
from fhir_adapters.content.orders import how_ended
from fhir_adapters.profile.generic import GENERIC
from fhir_adapters.profile.plan import plan_for
from tests.fhir_adapters.fhir_story import StoryStep, statement, whole_story

EVERYTHING = plan_for(statement(), GENERIC)
ADVICE = "patient insisted on leaving after 50 minutes"
UNMET = "50 min since the first device, at least 120 required"


@pytest.fixture(scope="module")
def story(protocol: CombinedProtocol) -> tuple[StoryStep, ...]:
    """Every kind of fact."""
    return whole_story(protocol)


def step_of(story: tuple[StoryStep, ...], kind: str) -> StoryStep:
    """The first step of this kind."""
    return next(step for step in story if step.event.fact.kind == kind)


def left_early(story: tuple[StoryStep, ...]) -> StoryStep:
    """The first release, as one against advice."""
    step = step_of(story, "visit-released")
    assert isinstance(step.event.fact, VisitReleased)
    fact = replace(step.event.fact, against_advice=ADVICE, findings=(UNMET,))
    return step._replace(event=replace(step.event, fact=fact))


def written(step: StoryStep, protocol: CombinedProtocol, plan=EVERYTHING, **more) -> list[Intent]:
    """What a step writes."""
    return list(intents_for(step.event, step.before, step.after, protocol, plan, **more))


@pytest.mark.parametrize(
    ("phase", "given", "outcome", "ended"),
    [
        (0, 0, None, "cancelled"),
        (0, 1, None, "stopped"),
        (0, 8, None, "completed"),
        (0, 8, PathwayOutcome.STOPPED, "completed"),
        (0, 7, PathwayOutcome.STOPPED, "stopped"),
        (1, 30, PathwayOutcome.STOPPED, "completed"),
        (2, 0, PathwayOutcome.STOPPED, "cancelled"),
        (2, 3, PathwayOutcome.STOPPED, "stopped"),
        (2, 3, PathwayOutcome.COMPLETED, "completed"),
    ],
)
def test_an_order_ends_by_what_was_given_of_it(phase, given, outcome, ended, story, protocol):
    """Completed when all that was ordered was given, stopped when some, cancelled when none."""
    rules = protocol.phases[phase]
    at = story[0].event.at
    sessions = {
        f"{rules.id}/{n}": Session(next(iter(story[-1].after.visits)), rules.id, n, at, None, 56)
        for n in range(1, given + 1)
    }
    assert how_ended(rules, replace(story[0].after, sessions=sessions), outcome) == ended


def test_leaving_against_advice_says_so_with_its_reason(story, protocol):
    """The Appointment is fulfilled all the same; a Provenance says why, and what was not met."""
    left = left_early(story)
    visit, provenance = written(left, protocol)
    assert visit.body["status"] == "fulfilled"
    assert provenance.body["activity"] == {"text": "patient left against medical advice"}
    assert [each["text"] for each in provenance.body["reason"]] == [ADVICE, UNMET]
    assert provenance.body["target"][0]["reference"].endswith(visit.artefact)


@pytest.mark.parametrize("types", [("Communication",), ("DocumentReference",), ("Patient",)])
def test_no_ehr_is_left_without_a_word_of_who_left_early(types, story, protocol):
    """Where no Provenance can be written it is text, and where no text can, a person's to enter."""
    left = left_early(story)
    intents = written(left, protocol, plan_for(statement(types), GENERIC))
    (told_of,) = [i for i in intents if i.artefact == f"pw-1/event/{left.event.id}"]
    assert (told_of.action is Action.PERSON) == (types == ("Patient",))


def test_a_provenance_says_when_it_happened_and_when_it_was_recorded(story, protocol):
    """A session entered ten minutes later was recorded ten minutes after it began."""
    step = step_of(story, "stimulation-given")
    heard = step.event.at + timedelta(minutes=10, seconds=2)
    _, provenance = written(step, protocol, recorded=heard)
    assert provenance.body["occurredDateTime"] == f"{step.event.at:%Y-%m-%dT%H:%M:%SZ}"
    assert provenance.body["recorded"] == f"{heard:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("kind", ["dose-given", "stimulation-given"])
def test_what_was_given_under_an_override_names_it(kind, story, protocol):
    """A treatment's note names the gates that a prescriber let pass at its visit, and no others."""
    step = step_of(story, kind)
    assert isinstance(step.event.fact, DoseGiven | StimulationGiven)
    visit = step.event.fact.visit
    gate = protocol.phase(step.after.visits[visit].phase).gates[0].id
    passed = {override_key(visit, gate): {"evidence": step.event.at}}
    for overrides, word in (({}, False), (passed, True)):
        after = replace(step.after, overrides=overrides)
        (note,) = written(step._replace(after=after), protocol)[0].body["note"]
        assert (f"overridden by a prescriber: {spoken(gate)}" in note["text"]) is word


def test_the_text_of_a_care_plan_follows_its_activities(story, protocol):
    """Whoever reads only the text of a stopped plan does not read that its phases are to come."""
    step = step_of(story, "pathway-finished")
    (plan,) = [i for i in written(step, protocol) if i.resource_type == "CarePlan"]
    text = plan.body["text"]["div"]
    assert "(stopped)" in text
    for phase, activity in zip(protocol.phases, plan.body["activity"], strict=True):
        assert f"{phase.title}: {activity['detail']['status']}</li>" in text
    assert "not started" not in text


def test_a_code_without_its_systems_words_has_no_display(story, protocol):
    """CPT's words are not ours to repeat: the code stands with our own text beside it."""
    sessions = [s for s in story if isinstance(s.event.fact, StimulationGiven)]
    codes = [written(step, protocol)[0].body["code"] for step in sessions]
    cpt = [c for code in codes for c in code.get("coding", []) if "ama-assn" in c["system"]]
    assert all("display" not in coding for coding in cpt)
    assert all(code["text"] for code in codes)


@pytest.mark.parametrize(
    ("went", "activity"),
    [
        (Disposition.EMERGENCY, "patient sent to an emergency department"),
        (Disposition.ADMITTED, "patient admitted"),
        (Disposition.DIED, "patient died"),
    ],
)
def test_an_ambulance_is_not_against_advice(went: Disposition, activity: str, story, protocol):
    """Where a patient went stands in the EHR as what it was, with what happened."""
    step = step_of(story, "visit-released")
    assert isinstance(step.event.fact, VisitReleased)
    fact = VisitReleased(step.event.fact.visit, went=went, words="chest pain")
    event = replace(step.event, fact=fact)
    visit, provenance = intents_for(event, step.before, step.after, protocol, EVERYTHING)
    assert visit.body["status"] == "fulfilled"
    assert provenance.body["activity"] == {"text": activity}
    assert provenance.body["reason"][0] == {"text": "chest pain"}


@pytest.mark.parametrize(("phase", "kind"), [(0, "MedicationAdministration"), (1, "Procedure")])
def test_what_was_not_given_is_not_done_with_why(phase: int, kind: str, story, protocol):
    """A planned session that was not given is `not-done` in the EHR, with the reason."""
    step = step_of(story, "pathway-finished")
    rules = protocol.phases[phase]
    (known, *_) = step.after.visits.values()
    visits = {known.id: replace(known, phase=rules.id)}
    after = replace(step.after, visits=visits)
    fact = VisitReleased(known.id, not_treated=NotTreated.DECLINED)
    event = replace(step.event, fact=fact)
    _, skipped = intents_for(event, step.before, after, protocol, EVERYTHING)
    assert (skipped.resource_type, skipped.body["status"]) == (kind, "not-done")
    assert "patient declined" in str(skipped.body["statusReason"])
