"""A standing decision covers what its protocol allows, for its days, and nothing beyond."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.chapters.treatment import rests_on
from domain.language.clocks import day_begins, local_day
from domain.language.corrections import CorrectEntry
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.names import Author, EventId, PhaseDecision, Role, RuleId
from domain.language.observations import RecordReadings
from domain.language.overrides import OverrideGate
from domain.language.phases import Decide
from domain.language.protocol import Gate, StandingRule
from domain.language.requirements import Requirement
from domain.language.requirements import Test as Compare
from domain.language.standing import DecideAhead, DecidedAhead, EndDecision
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import DoseGiven
from domain.rules.corrected import refold
from domain.rules.standing import held_for, holds, wider
from domain.rules.steps import Ask, AskPerson
from tests.course import Course
from tests.domain.scenes import ONE, a_course, checked_in, dose, minutes, ready, rules
from tests.domain.simulation import DTMS, INDUCTION, readings

PRESCRIBER = Author("a-prescriber", Role.PRESCRIBER)
NURSE = Author("a-nurse", Role.NURSE)
RISK, PRESSURE = RuleId("suicide-risk"), RuleId("blood-pressure-before")
WORDS = "Passive thoughts for years, no plan; safety plan of 20 November, seen weekly."
PASSIVE, MORE, NONE = ((1,) * 8 + (item9,) for item9 in (1, 2, 0))


def gate(course: Course, rule: RuleId) -> Gate:
    """A gate of the present phase."""
    gates = course.protocol.phase(course.pathway.phase).gates
    return next(each for each in gates if each.id == rule)


def ahead(course: Course, rule: RuleId = RISK, days: int = 14) -> EventId:
    """Decide ahead for so many days; the decision's id."""
    last = local_day(course.now, course.zone) + timedelta(days=days)
    (event,) = course.do(DecideAhead(rule, last, WORDS), PRESCRIBER)
    return event.id


def known() -> Course:
    """Here for the first dose, with thoughts of death that a prescriber has decided on."""
    course = ready()
    ahead(course)
    course.wait(minutes(1))
    course.assess("phq9", *PASSIVE)
    return course


def ended_by(course: Course) -> list[EventId]:
    """The readings by which decisions were over."""
    return [event for each in course.pathway.standing.values() for event in each.beyond]


def alerts(course: Course) -> list[str]:
    """Readings at risk that somebody is asked to look at."""
    tasks = course.pathway.tasks.items()
    return [key for key, task in tasks if key.startswith(Ask.REVIEW_RISK) and not task.closed]


def test_without_a_decision_passive_thoughts_hold_and_ask():
    """As before: the gate holds, and a prescriber is asked to see the patient."""
    course = ready()
    course.wait(minutes(1))
    course.assess("phq9", *PASSIVE)
    assert set(rules(dose(course))) == {"suicide-risk", "review-first"}
    assert len(alerts(course)) == 1


def test_what_is_known_and_decided_costs_no_click():
    """Under the decision nobody is asked anew; the dose is granted and says what it rests on."""
    course = known()
    assert alerts(course) == []
    (says,) = rests_on(course.protocol, course.pathway, ONE, course.now)
    assert WORDS in says
    assert "a-prescriber" in says
    assert dose(course) is None
    (fact,) = course.facts(DoseGiven)
    assert fact.under == (says,)
    assert fact.findings == ()


@pytest.mark.long
def test_a_whole_induction_of_known_thoughts_needs_two_decisions():
    """Eight visits with item 9 at one: two decisions of 14 days, no override, no click."""
    course = checked_in()
    decided = 0
    for _ in range(200):
        step = course.next()
        about = getattr(step, "ask", None)
        if about in (Ask.DECIDE, Ask.REVIEW) or course.pathway.phase != INDUCTION:
            break
        here = [v for v in course.pathway.visits.values() if v.status == "checked-in"]
        if here and held_for(course.pathway, gate(course, RISK), course.now) is None:
            ahead(course)
            decided += 1
        if (
            isinstance(step, AskPerson)
            and about is Ask.RECORD
            and any(b.rule == "suicide-risk" for b in step.blocked_by)
        ):
            course.wait(minutes(1))
            course.assess("phq9", *PASSIVE)
        course.follow_next()
    assert len(course.facts(DoseGiven)) == 8
    assert decided == 2
    assert alerts(course) == []
    assert not course.pathway.overrides


def test_more_than_was_decided_ends_it_at_once():
    """Item 9 at two under a decision for one: it is over, the gate holds, a prescriber is asked."""
    course = known()
    course.wait(minutes(1))
    course.assess("phq9", *MORE)
    assert len(ended_by(course)) == 1
    assert {"suicide-risk", "review-first"} <= set(rules(dose(course)))
    assert len(alerts(course)) == 1
    course.wait(minutes(1))
    course.assess("phq9", *PASSIVE)  # lower again: the decision stays over
    assert "suicide-risk" in rules(dose(course))


def test_another_scale_may_end_it():
    """What the protocol names beside the gate's own reading ends it too: MADRS item 10 above 3."""
    course = known()
    course.wait(minutes(1))
    course.assess("madrs", *(3,) * 9, 4)
    assert len(ended_by(course)) == 1


def test_it_ends_with_its_last_day_on_the_clinics_calendar():
    """To the last minute of the last day in the clinic's zone, and not a minute longer."""
    course = ready()
    key = ahead(course, days=0)
    decision = course.pathway.standing[key]
    assert holds(course.pathway, decision, decision.until - timedelta(minutes=1))
    assert not holds(course.pathway, decision, decision.until)
    assert local_day(decision.until - timedelta(seconds=1), course.zone) == local_day(
        course.now, course.zone
    )
    course.wait(timedelta(days=1))
    course.assess("phq9", *PASSIVE)
    assert len(alerts(course)) == 1


@pytest.mark.parametrize(
    ("days", "refused"), [(-1, Malformed), (0, None), (14, None), (15, Refused), (400, Refused)]
)
def test_it_is_made_for_as_many_days_as_the_protocol_says(days: int, refused: type | None):
    """Not for the past, and not for longer than the clinic has signed."""
    course = ready()
    last = local_day(course.now, course.zone) + timedelta(days=days)
    refusal = course.attempt(DecideAhead(RISK, last, WORDS), PRESCRIBER)
    assert (type(refusal) if refusal else None) == refused


@pytest.mark.parametrize(
    "rule", ["ride-home", "contraindications", "rems-enrolled", "fit-to-leave"]
)
def test_what_the_protocol_does_not_name_is_decided_each_time(rule: str):
    """A stop, and a gate without a line for it, cannot be decided ahead; the words say so."""
    course = ready()
    refusal = course.attempt(DecideAhead(RuleId(rule), date(2026, 12, 1), WORDS), PRESCRIBER)
    assert rules(refusal) == ["decided-each-time"]


def test_there_must_be_such_a_gate_and_words():
    """An unknown gate names the known ones; dots are no words."""
    course = ready()
    today = local_day(course.now, course.zone)
    refusal = course.attempt(DecideAhead(RuleId("moon"), today, WORDS), PRESCRIBER)
    assert isinstance(refusal, Malformed)
    assert "suicide-risk" in str(refusal)
    assert isinstance(course.attempt(DecideAhead(RISK, today, " . "), PRESCRIBER), Malformed)


@pytest.mark.parametrize("role", [r for r in Role if r is not Role.PRESCRIBER])
def test_only_a_prescriber_decides_ahead(role: Role):
    """Nobody else makes or ends one."""
    course = ready()
    key = ahead(course)
    today = local_day(course.now, course.zone)
    somebody = Author("somebody", role)
    assert rules(course.attempt(DecideAhead(RISK, today, WORDS), somebody)) == ["may-wish"]
    assert rules(course.attempt(EndDecision(key, "no"), somebody)) == ["may-wish"]


def test_a_prescriber_ends_it_with_a_reason():
    """Afterwards the gate holds again, and to end it twice is a conflict."""
    course = known()
    (key,) = course.pathway.standing
    assert isinstance(course.attempt(EndDecision(key, "..."), PRESCRIBER), Malformed)
    course.do(EndDecision(key, "A new plan is needed."), PRESCRIBER)
    assert "suicide-risk" in rules(dose(course))
    assert isinstance(course.attempt(EndDecision(key, "again"), PRESCRIBER), Conflict)
    assert isinstance(course.attempt(EndDecision(EventId("x"), "no"), PRESCRIBER), Malformed)


def test_white_coat_pressure_passes_within_what_was_decided():
    """150/94 passes under a decision to 155/95; 158/94 holds, and ends it."""
    course = ready()
    ahead(course, PRESSURE, 28)
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=150, diastolic_bp=94)
    assert dose(course) is None
    later = ready()
    ahead(later, PRESSURE, 28)
    later.wait(minutes(1))
    later.measure(ONE, systolic_bp=158, diastolic_bp=94)
    assert "blood-pressure-before" in rules(dose(later))
    assert len(ended_by(later)) == 1


def test_a_reading_of_before_is_covered_by_what_is_decided_after_it():
    """The prescriber looks at 150/94 and decides: this reading passes from then on."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=150, diastolic_bp=94)
    assert "blood-pressure-before" in rules(dose(course))
    course.wait(minutes(1))
    ahead(course, PRESSURE)
    assert dose(course) is None


def test_an_alert_of_before_is_still_answered():
    """What was at risk before the decision has its own task: a decision is no acknowledgement."""
    course = ready()
    course.wait(minutes(1))
    course.assess("phq9", *PASSIVE)
    course.wait(minutes(1))
    ahead(course)
    assert rules(dose(course)) == ["review-first"]


def test_a_reading_beyond_it_that_was_an_error_never_ended_it():
    """Typed 2 for 1 and put right: the decision holds as if the slip had never been."""
    course = known()
    course.wait(minutes(1))
    course.assess("phq9", *MORE)
    wrong = [event for event in course.events if event.fact.kind == "scale-assessed"][-1]
    course.do(CorrectEntry(wrong.id, "typed 2 for 1"), PRESCRIBER)
    (key,) = course.pathway.standing
    assert holds(course.pathway, course.pathway.standing[key], course.now)
    assert dose(course) is None


def test_a_decision_made_in_error_questions_the_dose_that_rested_on_it():
    """Voided, it never covered anything: the dose given under it is looked at again."""
    course = known()
    assert dose(course) is None
    (key,) = course.pathway.standing
    course.do(CorrectEntry(key, "meant for another patient"), PRESCRIBER)
    assert not course.pathway.standing
    assert any("item 9" in f for q in course.pathway.questioned.values() for f in q.findings)


@pytest.mark.long
def test_it_ends_with_the_phase_in_which_it_was_made():
    """In the next phase the same gate is decided anew."""
    course = ready()
    key = ahead(course)
    decision = course.pathway.standing[key]
    course.run("decide")
    made = replace(decision, made=course.now, until=course.now + timedelta(days=9))
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "sooner"), PRESCRIBER)
    assert course.pathway.phase == DTMS
    assert not holds(course.pathway, made, course.now + minutes(1))


def test_its_facts_say_what_it_lets_pass():
    """In words that a nurse reads, with the protocol's figures."""
    course = ready()
    ahead(course, PRESSURE)
    (fact,) = course.facts(DecidedAhead)
    assert fact.allows == (
        "systolic blood pressure at most 155 mmHg",
        "diastolic blood pressure at most 95 mmHg",
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 60)), min_size=1, max_size=6),
    st.integers(0, 20),
)
def test_no_course_of_scores_passes_what_was_not_decided(
    scores: list[tuple[int, int]], decided_after: int
):
    """Whatever is scored, in whatever order: a dose is granted only at or below what was decided.

    Above zero it needs a decision that holds, and no score since it was made is above one.
    """
    course = ready()
    course.wait(minutes(decided_after))
    ahead(course)
    worst = last = 0
    for item9, later in scores:
        course.wait(minutes(later % 5 + 1))
        course.assess("phq9", *(1,) * 8, item9)
        worst, last = max(worst, item9), item9
    for task in alerts(course):
        course.do(AcknowledgeTask(task, WORDS), PRESCRIBER)  # type: ignore[arg-type]
    refusal = course.attempt(
        RecordReadings(
            course.now, readings(systolic_bp=120, diastolic_bp=78, ride_home="arranged"), ONE
        )
    )
    assert refusal is None
    refusal = dose(course)
    assert (refusal is not None) == (last > 0 and worst > 1)
    assert refusal is None or "suicide-risk" in rules(refusal)


def test_a_rule_that_allows_no_more_than_its_gate_is_none():
    """Wider means the same words with a number that lets more pass."""
    at_most = Requirement(gate(ready(), PRESSURE).require[0].observation, Compare.AT_MOST)
    need = replace(at_most, value=140)  # type: ignore[arg-type]
    assert wider(need, replace(need, value=141))  # type: ignore[arg-type]
    assert not wider(need, need)
    assert not wider(need, replace(need, value=139))  # type: ignore[arg-type]
    assert not wider(need, replace(need, test=Compare.AT_LEAST, value=150))  # type: ignore[arg-type]
    least = replace(need, test=Compare.AT_LEAST)
    assert wider(least, replace(least, value=130))  # type: ignore[arg-type]
    assert isinstance(gate(ready(), RISK).standing, StandingRule)


# What an attack found: each was possible once.


def test_a_reading_counts_from_when_it_was_taken():
    """170/100 of 09:30 and 150/94 of 09:35, both entered later: no dose of 09:39 rests on it."""
    course = ready()
    ahead(course, PRESSURE)
    course.wait(minutes(20))
    for value, ago in (((170, 100), 10), ((150, 94), 5)):
        taken = readings(systolic_bp=value[0], diastolic_bp=value[1])
        course.do(RecordReadings(course.now - minutes(ago), taken, ONE), NURSE)
    assert "blood-pressure-before" in rules(dose(course, ago=1))
    assert "blood-pressure-before" in rules(dose(course))


def test_a_dose_is_questioned_by_a_reading_beyond_that_comes_late():
    """Given under a decision at 150/94; then 170/100 from before it is entered: looked at again."""
    course = ready()
    ahead(course, PRESSURE)
    course.wait(minutes(10))
    course.measure(ONE, systolic_bp=150, diastolic_bp=94)
    assert dose(course) is None
    course.wait(minutes(5))
    late = readings(systolic_bp=170, diastolic_bp=100)
    course.do(RecordReadings(course.now - minutes(10), late, ONE), NURSE)
    assert any("150" in f for q in course.pathway.questioned.values() for f in q.findings)


def test_the_drugs_own_peak_ends_nothing():
    """165/98 at 40 minutes is what the drug does: the decision about the pressure before holds."""
    course = ready()
    key = ahead(course, PRESSURE)
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=150, diastolic_bp=94)
    assert dose(course) is None
    course.wait(minutes(40))
    course.measure(ONE, systolic_bp=165, diastolic_bp=98)
    assert holds(course.pathway, course.pathway.standing[key], course.now)


def test_a_score_after_the_dose_does_end_it():
    """Item 9 at two after the dose is no peak of anything."""
    course = known()
    assert dose(course) is None
    course.wait(minutes(30))
    course.assess("phq9", *MORE)
    assert len(ended_by(course)) == 1
    assert len(alerts(course)) == 1


def test_a_crisis_is_seen_whatever_was_decided_about_the_dose():
    """Even where a protocol lets 185 pass before the dose, 184 after it is a prescriber's."""
    course = ready()
    phases = []
    for phase in course.protocol.phases:
        found = []
        for each in phase.gates:
            if each.id == PRESSURE and each.standing is not None:
                wide = tuple(replace(a, value=Decimal(185)) for a in each.standing.allows)
                found.append(replace(each, standing=replace(each.standing, allows=wide)))
            else:
                found.append(each)
        phases.append(replace(phase, gates=tuple(found)))
    course.protocol = replace(course.protocol, phases=tuple(phases))
    ahead(course, PRESSURE)
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=150, diastolic_bp=94)
    assert dose(course) is None
    course.wait(minutes(40))
    course.measure(ONE, systolic_bp=184, diastolic_bp=98)
    assert len(alerts(course)) == 1


def test_it_ends_when_the_pathway_is_stopped():
    """The end of a pathway is not the end of a risk: what is said afterwards is asked about."""
    course = a_course()
    course.run(Ask.CHECK_IN)
    ahead(course)
    course.do(Decide(INDUCTION, PhaseDecision.STOP, "moves away"), PRESCRIBER)
    course.wait(timedelta(days=3))
    course.assess("phq9", *PASSIVE)
    assert len(alerts(course)) == 1


def test_nothing_is_decided_ahead_over_a_reading_beyond_it():
    """While the last item 9 is two, or MADRS item 10 is five, nobody decides that one passes."""
    course = ready()
    course.wait(minutes(1))
    course.assess("phq9", *MORE)
    today = local_day(course.now, course.zone)
    refusal = course.attempt(DecideAhead(RISK, today, WORDS), PRESCRIBER)
    assert rules(refusal) == ["beyond-what-may-be-decided"]
    other = ready()
    other.wait(minutes(1))
    other.assess("madrs", *(3,) * 9, 5)
    assert "item 10" in str(other.attempt(DecideAhead(RISK, today, WORDS), PRESCRIBER))


def test_a_reading_of_the_same_instant_ends_it():
    """A decision and a pressure beyond it at one instant: the dose waits."""
    course = ready()
    ahead(course, PRESSURE)
    course.measure(ONE, systolic_bp=170, diastolic_bp=100)
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=150, diastolic_bp=94)
    assert "blood-pressure-before" in rules(dose(course))


def test_a_late_reading_beyond_it_is_never_forgotten():
    """However many readings came since: 172/104 of two days ago ends it from then on."""
    course = ready()
    key = ahead(course, PRESSURE)
    course.wait(timedelta(days=3))
    for _ in range(13):
        course.wait(minutes(1))
        course.measure(None, systolic_bp=150, diastolic_bp=94)
    late = readings(systolic_bp=172, diastolic_bp=104)
    course.do(RecordReadings(course.now - timedelta(days=2), late), NURSE)
    assert not holds(course.pathway, course.pathway.standing[key], course.now)


def test_a_new_decision_takes_the_place_of_the_old_one():
    """Ended, the older one does not come back with its words."""
    course = ready()
    ahead(course)
    course.wait(minutes(1))
    second = ahead(course)
    course.wait(minutes(1))
    course.do(EndDecision(second, "a new plan is needed"), PRESCRIBER)
    course.assess("phq9", *PASSIVE)
    assert held_for(course.pathway, gate(course, RISK), course.now) is None


def test_a_dose_typed_before_its_decision_was_ended_gets_no_more():
    """Ended by telephone last night; a dose typed six minutes back does not rest on it."""
    course = ready()
    key = ahead(course, PRESSURE)
    course.wait(minutes(10))
    course.measure(ONE, systolic_bp=150, diastolic_bp=94)
    course.wait(minutes(5))
    course.do(EndDecision(key, "called: a new plan"), PRESCRIBER)
    course.wait(minutes(2))
    assert rules(dose(course, ago=4)) == ["decision-ended"]


@pytest.mark.parametrize("who", [NURSE])
def test_only_a_prescriber_takes_back_a_reading_that_ended_one(who: Author):
    """Else a decision would hold again and nobody would know."""
    course = ready()
    ahead(course, PRESSURE)
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=158, diastolic_bp=94)
    wrong = ended_by(course)[0]
    assert rules(course.attempt(CorrectEntry(wrong, "typed wrong"), who)) == ["may-correct"]
    course.do(CorrectEntry(wrong, "typed wrong"), PRESCRIBER)
    assert ended_by(course) == []


def test_voids_and_voids_of_voids_leave_one_state():
    """R1 ends it, is voided; R2 ends it; R1 stands again; R2 is voided: the fold is the state."""
    course = known()
    for _ in range(2):
        course.wait(minutes(1))
        course.assess("phq9", *MORE)
        scores = [e for e in course.events if e.fact.kind == "scale-assessed"]
        course.do(CorrectEntry(scores[-1].id, "typed 2 for 1"), PRESCRIBER)
    voids = [e for e in course.events if e.fact.kind == "entry-voided"]
    course.do(CorrectEntry(voids[0].id, "it was 2 after all"), PRESCRIBER)
    assert len(ended_by(course)) == 1
    assert refold(course.pathway.id, course.events, course.protocol.vocabulary) == course.pathway
    ids = [event.id for event in course.events]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("zone", ["America/Havana", "Africa/Cairo", "America/Santiago"])
def test_a_last_day_is_a_day_also_where_the_clocks_change_at_midnight(zone: str):
    """Each day of a year begins somewhere, and the day before it ends there."""
    for number in range(366):
        day = date(2027, 1, 1) + timedelta(days=number)
        begins = day_begins(day, zone)
        assert local_day(begins, zone) == day
        assert local_day(begins - timedelta(microseconds=1), zone) == day - timedelta(days=1)


def test_the_worse_of_two_readings_of_one_instant_is_not_passed_by_an_override_of_the_other():
    """150/94 overridden, then 178/108 of the same minute: the dose waits."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=150, diastolic_bp=94)
    course.do(OverrideGate(ONE, PRESSURE, "benefit outweighs the risk"), PRESCRIBER)
    course.measure(ONE, systolic_bp=178, diastolic_bp=108)
    assert "blood-pressure-before" in rules(dose(course))
