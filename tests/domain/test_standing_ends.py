"""What ends a standing decision, what does not, and what is seen whatever was decided."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.language.clocks import day_begins, local_day
from domain.language.corrections import CorrectEntry
from domain.language.names import Author, PhaseDecision
from domain.language.observations import RecordReadings
from domain.language.overrides import OverrideGate
from domain.language.phases import Decide
from domain.language.standing import DecideAhead, EndDecision
from domain.rules.corrected import refold
from domain.rules.standing import held_for, holds
from domain.rules.steps import Ask
from tests.domain.scenes import ONE, a_course, dose, minutes, ready, rules
from tests.domain.simulation import INDUCTION, readings
from tests.domain.standing import (
    MORE,
    NURSE,
    PASSIVE,
    PRESCRIBER,
    PRESSURE,
    RISK,
    WORDS,
    ahead,
    alerts,
    ended_by,
    gate,
    known,
)


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
