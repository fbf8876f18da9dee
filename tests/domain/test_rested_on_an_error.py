"""What people decided on an entry in error is marked, and a prescriber is asked about it."""

from datetime import timedelta

from domain.language.baselines import NameBaseline
from domain.language.corrections import ActQuestioned, CorrectEntry, EntryVoided
from domain.language.events import Event
from domain.language.names import Author, ObservationName, Role, RuleId
from domain.language.observations import (
    ReadingsTaken,
    RecordAssessment,
    RecordReadings,
    ScaleAssessed,
)
from domain.language.overrides import GateOverridden, OverrideGate
from domain.language.standing import DecideAhead, DecidedAhead
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import DoseGiven, RecordDose
from domain.rules.baselines import came_after
from domain.rules.corrected import refold
from domain.rules.course import said_now
from domain.rules.standing import holds
from domain.rules.steps import Ask
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import FIRST, ONE, TWO, checked_in, dosed, minutes, ready, rules
from tests.domain.simulation import INDUCTION, readings
from tests.domain.versions import move, newer

NURSE = Author("a-nurse", Role.NURSE)
WHY = "It was another patient's slip."
KNOWN = "Known for years; looked at each week."
RISK = RuleId("suicide-risk")


def entry(course: Course, kind: type) -> Event:
    """The last entry of this kind."""
    return [event for event in course.events if isinstance(event.fact, kind)][-1]


def answer_all(course: Course) -> None:
    """Have a prescriber answer all that is open to them."""
    course.run_rules()
    for key, task in list(course.pathway.tasks.items()):
        if not task.closed and not task.acknowledged and Role.PRESCRIBER in task.roles:
            course.attempt(AcknowledgeTask(key, "Seen; nothing stands against it."), PRESCRIBER)


def asked(course: Course) -> list[str]:
    """What prescribers are asked of acts that are questioned."""
    tasks = course.pathway.tasks.items()
    return [t.says for k, t in tasks if k.startswith(Ask.REVIEW_QUESTIONED) and not t.closed]


def test_an_override_of_a_pressure_that_never_was_is_marked():
    """152/94 was overridden and then amended: the override stays, and somebody looks at it."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=152, diastolic_bp=94)
    wrong = entry(course, ReadingsTaken)
    gate = RuleId("blood-pressure-before")
    course.do(OverrideGate(ONE, gate, "As always with her."), PRESCRIBER)
    override = entry(course, GateOverridden)
    right = RecordReadings(wrong.at, readings(systolic_bp=125, diastolic_bp=79), ONE)
    course.do(CorrectEntry(wrong.id, WHY, right), NURSE)
    (told,) = [q for q in course.facts(ActQuestioned) if q.event == override.id]
    assert told.about == "override of blood pressure before at esketamine induction visit 1"
    assert told.findings[0].startswith("the finding it overrode was entered in error: systolic")
    assert "there is a problem with the override of blood pressure before" in asked(course)[0]


def test_an_override_of_what_stands_is_not_marked():
    """Another entry was taken back: what the override let pass is as true as it was."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=152, diastolic_bp=94)
    course.do(OverrideGate(ONE, RuleId("blood-pressure-before"), "As always with her."), PRESCRIBER)
    course.measure(ONE, spo2=97)
    course.do(CorrectEntry(entry(course, ReadingsTaken).id, WHY), NURSE)
    assert course.facts(ActQuestioned) == []


def test_an_override_is_judged_by_the_version_that_it_was_given_under():
    """Moved to another version since, a reading in error marks it all the same."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=152, diastolic_bp=94)
    wrong = entry(course, ReadingsTaken)
    course.do(OverrideGate(ONE, RuleId("blood-pressure-before"), "As always with her."), PRESCRIBER)
    override = entry(course, GateOverridden)
    course.run(Ask.GIVE)
    course.do(course.treatment(ONE, course.now))
    course.run(TWO)
    assert move(course, newer()) is None
    course.do(CorrectEntry(wrong.id, WHY), PRESCRIBER)
    assert override.id in [told.event for told in course.facts(ActQuestioned)]


def test_a_decision_about_what_was_measured_in_the_same_minute_is_marked():
    """The reading and the decision bear one time; the decision rested on it."""
    course = checked_in()
    ideation(course, 1)
    scored = entry(course, ScaleAssessed)
    answer_all(course)
    course.do(DecideAhead(RISK, course.now.date() + timedelta(days=10), KNOWN), PRESCRIBER)
    assert entry(course, DecidedAhead).at == scored.at
    course.do(CorrectEntry(scored.id, WHY), PRESCRIBER)
    assert [told.about for told in course.facts(ActQuestioned)] == [
        "standing decision about suicide risk"
    ]


def test_a_decision_made_before_anything_was_measured_rests_on_nothing():
    """White-coat pressure is decided ahead before the first reading; another entry goes back."""
    course = checked_in()
    course.measure(ONE, spo2=97)
    wrong = entry(course, ReadingsTaken)
    gate = RuleId("blood-pressure-before")
    course.do(DecideAhead(gate, course.now.date() + timedelta(days=10), KNOWN), PRESCRIBER)
    course.do(CorrectEntry(wrong.id, WHY), NURSE)
    assert course.facts(ActQuestioned) == []


def ideation(course: Course, item9: int) -> None:
    """Score a PHQ-9 with this answer to its ninth item."""
    course.assess("phq9", 1, 1, 1, 1, 1, 1, 1, 1, item9)


def decided() -> tuple[Course, Event]:
    """A patient whose passive ideation a prescriber decided about for ten days."""
    course = checked_in()
    ideation(course, 1)
    scored = entry(course, ScaleAssessed)
    answer_all(course)
    course.wait(minutes(1))
    until = course.now.date() + timedelta(days=10)
    course.do(DecideAhead(RISK, until, "Passive ideation, known."), PRESCRIBER)
    return course, scored


def test_a_standing_decision_about_what_never_was_is_marked():
    """Item 9 was another patient's: the decision holds as it did, and a prescriber looks."""
    course, scored = decided()
    course.do(CorrectEntry(scored.id, WHY), PRESCRIBER)
    (told,) = course.facts(ActQuestioned)
    assert told.about == "standing decision about suicide risk"
    (says,) = told.findings
    assert says.startswith("the last PHQ-9 item 9 (thoughts of death or self-harm) known")
    course.run_rules()
    assert len(asked(course)) == 1
    course.do(CorrectEntry(entry(course, EntryVoided).id, "It was hers."), PRESCRIBER)
    assert course.facts(ActQuestioned)[-1].findings == ()


def test_a_standing_decision_about_a_later_score_is_not():
    """An older score that was taken back was not what the decision was about."""
    course = checked_in()
    ideation(course, 1)
    older = entry(course, ScaleAssessed)
    course.wait(minutes(1))
    ideation(course, 1)
    answer_all(course)
    course.wait(minutes(1))
    until = course.now.date() + timedelta(days=10)
    course.do(DecideAhead(RISK, until, "Passive ideation, known."), PRESCRIBER)
    course.do(CorrectEntry(older.id, WHY), PRESCRIBER)
    assert course.facts(ActQuestioned) == []


def test_what_an_amended_score_ended_stays_ended():
    """Amended to what ends the decision: over, as replayed, and after any other correction."""
    course, scored = decided()
    course.do(CorrectEntry(scored.id, WHY, _score(scored, 3)), PRESCRIBER)
    (decision,) = course.pathway.standing.values()
    assert not holds(course.pathway, decision, course.now)
    course.measure(ONE, spo2=96)
    course.do(CorrectEntry(entry(course, ReadingsTaken).id, WHY), NURSE)
    (decision,) = course.pathway.standing.values()
    assert not holds(course.pathway, decision, course.now)
    again = refold(course.pathway.id, course.events, course.protocol.vocabulary)
    assert again == course.pathway


def _score(scored: Event, item9: int) -> RecordAssessment:
    return RecordAssessment("phq9", scored.at, (1, 1, 1, 1, 1, 1, 1, 1, item9))


def test_a_pressure_of_after_the_dose_ends_nothing_whichever_was_entered_first():
    """White-coat pressure decided ahead; at forty minutes it is higher, and the dose comes late."""
    for dose_first in (True, False):
        course = ready()
        course.wait(minutes(1))
        until = course.now.date() + timedelta(days=10)
        gate = RuleId("blood-pressure-before")
        course.do(DecideAhead(gate, until, "High in the clinic only."), PRESCRIBER)
        given = course.now
        wish = RecordDose(ONE, given, 56, "lot-1")
        if dose_first:
            course.do(wish, NURSE)
        course.wait(minutes(40))
        course.measure(ONE, systolic_bp=172, diastolic_bp=92)
        if not dose_first:
            assert course.attempt(wish, NURSE) is None
        (decision,) = course.pathway.standing.values()
        assert holds(course.pathway, decision, course.now), dose_first


def test_the_same_score_from_another_first_dose_is_no_other_baseline():
    """The first dose was half an hour later: its baseline is the same, and nobody is asked."""
    course = dosed()
    course.run_rules()
    key = f"{INDUCTION}/madrs_total"
    before = course.pathway.baselines[key]
    given = entry(course, DoseGiven)
    course.wait(minutes(5))
    later = RecordDose(ONE, given.at + minutes(1), 56, "lot-1")
    course.do(CorrectEntry(given.id, WHY, later), PRESCRIBER)
    after = course.pathway.baselines[key]
    assert (after.event, after.since) == (before.event, before.since + minutes(1))
    assert (after.times, after.since_number) == (2, 1)
    assert not [k for k in course.pathway.tasks if k.startswith(Ask.REVIEW_BASELINE)]


def test_a_score_that_was_there_did_not_come_after_a_person_named_another():
    """An older score is named by a prescriber, with reason: the newer one was known to them."""
    course = checked_in()
    course.assess("madrs", *(4,) * 10)
    older = entry(course, ScaleAssessed)
    course.wait(minutes(1))
    course.run(Ask.GIVE)
    course.do(course.treatment(ONE, course.now))
    course.run_rules()
    score = ObservationName("madrs_total")
    course.do(NameBaseline(INDUCTION, score, older.id, "Before she was told."), PRESCRIBER)
    assert [each for _, each in came_after(course.pathway)] == []
    course.run_rules()
    assert not [k for k in course.pathway.tasks if k.startswith(Ask.REVIEW_BASELINE)]


def test_no_relapse_without_a_remission_since_treatment():
    """9 at referral was no remission: 23 after the first dose is not a relapse."""
    course = Course(FIRST)
    course.assess("madrs", *(1,) * 9, 0)
    course.wait(timedelta(hours=2))
    course.assess("madrs", *(2,) * 9, 0)
    course.run(Ask.GIVE)
    course.do(course.treatment(ONE, course.now))
    course.wait(minutes(30))
    course.assess("madrs", *(2,) * 8, 4, 3)
    said = {str(each.rule): each.met for each in said_now(course.protocol, course.pathway)}
    assert said["relapse"] is False
    assert said["worsening"] is True


def test_an_age_that_forbids_treatment_is_not_typed_over():
    """11 by one nurse is not 44 by the next: a prescriber records it, or takes it back."""
    course = checked_in()
    course.measure(age=11)
    course.wait(minutes(1))
    other = RecordReadings(course.now, readings(age=44))
    refusal = course.attempt(other, NURSE)
    assert rules(refusal) == ["said-otherwise"]
    assert "age 11 years is recorded, which stops treatment; only a prescriber may" in str(refusal)
    assert course.attempt(RecordReadings(course.now, readings(age=12)), NURSE) is None
    assert course.attempt(other, PRESCRIBER) is None
    assert course.attempt(RecordReadings(course.now, readings(age=45)), NURSE) is None


def test_a_score_is_put_right_by_one_of_its_own_scale():
    """A MADRS typed wrong is no PHQ-9: that one is taken back, and the other recorded."""
    course = checked_in()
    course.assess("madrs", *(3,) * 10)
    scored = entry(course, ScaleAssessed)
    other = RecordAssessment("phq9", scored.at, (1,) * 9)
    refusal = course.attempt(CorrectEntry(scored.id, WHY, other), PRESCRIBER)
    assert str(refusal) == (
        "the correct entry must be of the same kind as this one: a score of "
        + course.protocol.vocabulary.scales["madrs"].title
    )
    right = RecordAssessment("madrs", scored.at, (2,) * 10)
    assert course.attempt(CorrectEntry(scored.id, WHY, right), PRESCRIBER) is None
