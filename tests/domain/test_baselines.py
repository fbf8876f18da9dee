"""Which score a fall is judged against: which may be named, how old it is, and what if it goes."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.chapters.baselines import decide
from domain.language.baselines import BaselineNamed, NameBaseline
from domain.language.corrections import ActQuestioned, CorrectEntry
from domain.language.errors import Conflict, Malformed
from domain.language.events import Event
from domain.language.names import EventId, ObservationName, PhaseDecision, RuleId
from domain.language.observations import RecordAssessment, ScaleAssessed
from domain.language.phases import Decide, DecisionMade
from domain.language.protocol import Anchor
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import DoseGiven, RecordDose, ReportDose
from domain.rules.baselines import NoBaseline, baseline_of
from domain.rules.baselines import renamed as renamed_as
from domain.rules.course import said_now
from domain.rules.reviews import late_scores
from domain.rules.steps import Ask
from tests.course import BASELINE, PRESCRIBER, WELL, Course
from tests.domain.scenes import FIRST, ONE, dosed, minutes
from tests.domain.simulation import COMBINED, DTMS, INDUCTION

MADRS, RESPONSE = ObservationName("madrs_total"), RuleId("response")
WHY = "typed from another patient's sheet"


def scores(course: Course) -> list[Event]:
    """The MADRS scores that were recorded, in order."""
    found = [event for event in course.events if isinstance(event.fact, ScaleAssessed)]
    return [event for event in found if getattr(event.fact, "scale", "") == "madrs"]


def judged_from(course: Course) -> NoBaseline | float:
    """The score from which a fall is judged in the induction, or why there is none."""
    base = baseline_of(course.protocol, course.pathway, INDUCTION, MADRS)
    return base if isinstance(base, NoBaseline) else float(base.value or 0)


def test_a_baseline_is_of_a_phase_that_was_entered():
    """A baseline named for a phase still to come is malformed, and says which were entered."""
    course = dosed()
    wish = NameBaseline(DTMS, MADRS, scores(course)[-1].id, "why")
    refusal = course.attempt(wish, PRESCRIBER)
    assert isinstance(refusal, Malformed)
    assert refusal.unknown == "phase"
    assert str(refusal) == f"that phase was not entered; so far only {INDUCTION}"


def test_a_later_phase_keeps_the_baseline_of_the_first_treatment():
    """Where the fall is judged from before the pathway, a later phase names no other baseline."""
    course = Course(FIRST)
    course.run(DTMS)
    course.run(Ask.GIVE)
    while not course.pathway.sessions_in(DTMS):
        course.follow_next()
    wish = NameBaseline(DTMS, MADRS, scores(course)[0].id, "why")
    refusal = course.attempt(wish, PRESCRIBER)
    assert isinstance(refusal, Conflict)
    assert "judged against the baseline of esketamine induction" in str(refusal)


def test_no_entry_of_another_kind_is_a_baseline():
    """An event that brought no score of this scale is malformed as a baseline."""
    course = dosed()
    wish = NameBaseline(INDUCTION, MADRS, EventId("nothing"), "why")
    refusal = course.attempt(wish, PRESCRIBER)
    assert isinstance(refusal, Malformed)
    assert "no such score" in str(refusal)


@pytest.mark.parametrize(("late", "taken"), [(0, True), (1, False)])
def test_a_baseline_is_from_before_the_first_treatment(late: int, *, taken: bool):
    """A score of the very minute of the first dose may be named; of a minute later it may not."""
    course = dosed()
    at = course.now + minutes(late)
    course.wait(minutes(5))
    course.do(RecordAssessment("madrs", at, BASELINE))
    wish = NameBaseline(INDUCTION, MADRS, scores(course)[-1].id, "rated in the room")
    assert isinstance(course.attempt(wish, PRESCRIBER), Malformed) is not taken


def renamed() -> Course:
    """The baseline's score was entered in error, so that an earlier one is the baseline now."""
    course = Course(FIRST)
    course.assess("madrs", *(2,) * 10)
    course.wait(timedelta(hours=1))
    course.assess("madrs", *BASELINE)
    course.run(Ask.GIVE)
    course.do(course.treatment(ONE, course.now))
    course.do(CorrectEntry(scores(course)[-1].id, WHY), PRESCRIBER)
    return course


def test_no_benefit_is_judged_from_a_new_baseline_before_a_prescriber_has_looked():
    """Named anew by Kairos after a correction it counts only once somebody has acknowledged it."""
    course = renamed()
    base = judged_from(course)
    assert isinstance(base, NoBaseline)
    assert "a correction changed the baseline" in base.says
    (key,) = [key for key in course.pathway.tasks if f"{MADRS}/renamed" in key]
    course.do(AcknowledgeTask(key, "The earlier one is the right one."), PRESCRIBER)
    assert judged_from(course) == 20


def test_a_baseline_that_a_prescriber_names_after_a_correction_counts_at_once():
    """Whoever names one has looked at it."""
    course = renamed()
    course.do(NameBaseline(INDUCTION, MADRS, scores(course)[0].id, "rated at referral"), PRESCRIBER)
    assert judged_from(course) == 20
    open_tasks = [key for key, task in course.pathway.tasks.items() if not task.closed]
    assert not [key for key in open_tasks if f"{MADRS}/renamed" in key]


def test_one_baseline_that_a_person_named_leaves_the_others_to_be_looked_at():
    """Each score's baseline is asked about by itself, in whatever order they stand."""
    course = renamed()
    key = f"{INDUCTION}/{MADRS}"
    mine = replace(course.pathway.baselines[key], by_person=True)
    for other in ("a_total", "phq9_total"):
        known = {f"{INDUCTION}/{other}": mine, key: course.pathway.baselines[key]}
        pathway = replace(course.pathway, baselines=dict(sorted(known.items())))
        asked = [ask for ask in late_scores(course.protocol, pathway) if "changed" in ask.says]
        assert [ask.about for ask in asked] == [renamed_as(key, pathway.baselines[key])]


def test_the_first_that_is_named_where_none_was_has_the_first_number():
    """Nobody had scored before the first dose; an older score that comes in late is named."""
    course = dosed()
    pathway = replace(course.pathway, baselines={})
    wish = NameBaseline(INDUCTION, MADRS, scores(course)[0].id, "rated at referral")
    (named,) = decide(course.protocol, pathway, wish)
    assert named.number == 1


def test_a_later_phase_with_a_baseline_of_its_own_may_name_it():
    """Only where falls are judged from before the pathway is the first phase's baseline the one."""
    course = Course(FIRST)
    course.run(DTMS)
    course.run(Ask.GIVE)
    while not course.pathway.sessions_in(DTMS):
        course.follow_next()
    wish = NameBaseline(DTMS, MADRS, scores(course)[0].id, "rated at referral")
    with pytest.raises(Conflict):
        decide(course.protocol, course.pathway, wish)
    phase = COMBINED.phase(DTMS)
    own = {MADRS: replace(phase.benefit[MADRS], anchor=Anchor.PHASE)}
    phases = tuple(
        replace(each, benefit=own) if each.id == DTMS else each for each in COMBINED.phases
    )
    (named,) = decide(replace(COMBINED, phases=phases), course.pathway, wish)
    assert (named.phase, named.event) == (DTMS, scores(course)[0].id)


@pytest.mark.parametrize(("earlier", "stands"), [(5, False), (0, True)])
def test_a_baseline_that_proves_to_be_of_after_the_first_dose_is_none(
    earlier: int, *, stands: bool
):
    """Named by a prescriber at ten past; the dose was at five past, or at ten past as well."""
    course = Course(FIRST)
    course.run(Ask.GIVE)
    course.wait(minutes(10))
    course.assess("madrs", *(4,) * 9, 0)
    named = scores(course)[-1]
    course.do(course.treatment(ONE, course.now))
    course.do(NameBaseline(INDUCTION, MADRS, named.id, "rated by the same person"), PRESCRIBER)
    (dose,) = [event for event in course.events if isinstance(event.fact, DoseGiven)]
    right = RecordDose(ONE, dose.at - minutes(earlier), 56, "another-lot")
    course.do(CorrectEntry(dose.id, WHY, right), PRESCRIBER)
    known = course.pathway.baselines[f"{INDUCTION}/{MADRS}"]
    assert (known.event == named.id) is stands
    assert known.by_person is stands


def test_each_naming_has_its_number_and_its_reason():
    """The later of two stands in whatever order they are read; the reason is kept as written."""
    course = renamed()
    before = course.pathway.baselines[f"{INDUCTION}/{MADRS}"]
    first = scores(course)[0].id
    course.do(NameBaseline(INDUCTION, MADRS, first, "  rated at referral "), PRESCRIBER)
    named = course.facts(BaselineNamed)[-1]
    assert (named.number, named.reason) == (before.times + 1, "rated at referral")
    (dose,) = course.pathway.sessions_at(ONE)
    assert named.since == dose.started


@pytest.mark.parametrize(("days", "counts"), [(14, True), (15, False)])
def test_an_old_score_is_a_baseline_only_if_a_prescriber_names_it(days: int, *, counts: bool):
    """A score of 14 days before the first dose counts by itself; of 15 days it must be named."""
    course = Course(FIRST)
    course.run(Ask.GIVE)
    for wrong in scores(course):
        course.do(CorrectEntry(wrong.id, WHY), PRESCRIBER)
    course.do(RecordAssessment("madrs", course.now - timedelta(days=days), BASELINE))
    if counts:
        course.do(course.treatment(ONE, course.now))
        assert judged_from(course) == 28
        return
    course.do(ReportDose(ONE, course.now, 56, "lot-1", "It was given all the same."), PRESCRIBER)
    base = judged_from(course)
    assert isinstance(base, NoBaseline)
    assert "from at most 14 days before the first treatment" in base.says
    assert f"from 2026-11-15, was {days} days before it: a prescriber can name one" in base.says
    course.do(NameBaseline(INDUCTION, MADRS, scores(course)[-1].id, "no newer one"), PRESCRIBER)
    assert judged_from(course) == 28


def test_a_decision_that_rested_on_a_baseline_in_error_is_questioned():
    """Once the score before treatment never was, no fall could have been judged from it."""
    course = Course(FIRST)
    course.run(Ask.DECIDE)
    course.assess("madrs", *WELL)
    course.do(Decide(INDUCTION, PhaseDecision.CONTINUE, "half of what it was"), PRESCRIBER)
    assert course.facts(DecisionMade)[-1].findings == ()
    course.do(CorrectEntry(scores(course)[0].id, WHY), PRESCRIBER)
    asked = {fact.about: fact.findings for fact in course.facts(ActQuestioned)}
    (finding,) = asked["decision to continue (esketamine induction)"]
    assert finding == (
        "missing: a MADRS total from before the first treatment; a prescriber can name one"
    )


def test_what_cannot_be_judged_is_said_to_be_unknown():
    """A rule about a fall says of a score without a baseline that nothing is known, and why."""
    course = Course(FIRST)
    course.assess("madrs", *WELL)
    said = {judged.rule: judged for judged in said_now(course.protocol, course.pathway)}
    assert said[RESPONSE].met is None
    assert said[RESPONSE].says.startswith("not judged: a MADRS total from before")
    assert said[RuleId("remission")].met is True


def test_nothing_falls_from_nothing():
    """From a baseline of zero no percentage is taken, also where a protocol sets no least value."""
    phases = tuple(replace(phase, benefit={}) for phase in COMBINED.phases)
    course = Course(FIRST, replace(COMBINED, phases=phases), madrs=(0,) * 10)
    course.assess("madrs", *(0,) * 10)
    course.run(Ask.GIVE)
    course.do(course.treatment(ONE, course.now))
    course.wait(timedelta(days=1))
    course.assess("madrs", *(1,) * 10)
    said = {judged.rule: judged for judged in said_now(course.protocol, course.pathway)}
    assert said[RESPONSE].met is None
    assert said[RESPONSE].says == "not judged: no reduction from a score of 0"
