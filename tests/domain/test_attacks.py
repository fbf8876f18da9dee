"""What a psychiatrist would call dangerous or nonsense is refused, and the rule is named."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.chapters.treatment import Strength, check_may_stimulate
from domain.language.corrections import CorrectEntry
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.findings import blocks_of
from domain.language.holds import LiftHold, PlaceHold
from domain.language.names import (
    HoldReason,
    PathwayOutcome,
    PhaseDecision,
    Role,
    VisitId,
    VisitStatus,
)
from domain.language.observations import RecordReadings
from domain.language.phases import Decide, SignOrder
from domain.language.protocol import Otherwise
from domain.language.release import Disposition, ReleaseVisit
from domain.language.treatment import DoseGiven, RecordDose, RecordStimulation, ReportDose
from domain.language.visits import BookVisit, MoveVisit, VisitBooked
from domain.planner import steps, wanted_tasks
from domain.rules.fold import fold
from domain.rules.steps import Ask, AskPerson, Await
from tests.course import PRESCRIBER, SESSION, Course
from tests.domain.scenes import (
    FIRST,
    FIT_TO_LEAVE,
    ONE,
    TWO,
    a_course,
    checked_in,
    dose,
    dosed,
    minutes,
    missing,
    ready,
    rules,
)
from tests.domain.simulation import COMBINED, DTMS, INDUCTION, measure

TMS = VisitId(f"{DTMS}-visit-1")


def stimulated() -> Course:
    """Stop right after the first stimulation of the first day."""
    course = ready(TMS)
    wish = course.treatment(TMS, course.now)
    course.wait(SESSION)
    course.do(wish)
    return course


def test_a_dose_of_one_device_is_refused_by_the_dose_rule():
    """28 mg is no dose here: the refusal names the rule and what would be right."""
    course = ready()
    with pytest.raises(Refused, match="28 mg; the first dose of esketamine is 56 mg") as refusal:
        course.do(RecordDose(ONE, course.now, 28, "lot-1"))
    assert [block.rule for block in refusal.value.blocked_by] == ["dose"]


@pytest.mark.parametrize(("visit", "mg", "taken"), [(ONE, 84, False), (TWO, 84, True)])
def test_the_first_dose_is_the_first(visit, mg, taken):
    """84 mg is refused as the first dose of the induction and taken as the second."""
    course = ready(visit)
    refusal = dose(course, visit, mg)
    assert refusal is None if taken else rules(refusal) == ["dose"]


def test_a_double_click_is_one_dose():
    """The same dose said twice is recorded once; the second names the rule."""
    course = dosed()
    assert "sessions-a-visit" in rules(dose(course))
    assert len(course.pathway.sessions) == 1


@pytest.mark.parametrize("lot", ["", "   "])
def test_a_dose_without_a_lot_number_is_malformed(lot):
    """A dose is recorded with its lot or not at all."""
    course = ready()
    assert isinstance(course.attempt(RecordDose(ONE, course.now, 56, lot)), Malformed)


def test_no_dose_before_the_patient_is_here():
    """A dose at a booked visit, or back-dated before check-in, is refused."""
    course = a_course()
    course.run(ONE)
    assert "checked-in" in rules(dose(course))
    course = ready()
    assert "visit-open" in rules(dose(course, ago=2))


def test_no_dose_before_the_reading_that_would_justify_it():
    """A dose said to have begun before its blood pressure was measured misses that reading."""
    course = checked_in()
    course.wait(minutes(10))
    while course.run(Ask.RECORD, Ask.GIVE).ask is Ask.RECORD:  # type: ignore[union-attr]
        course.follow_next()
    assert "blood-pressure-before" in missing(dose(course, ago=5))
    assert dose(course) is None


def test_no_dose_while_held():
    """An open hold refuses the dose; once a prescriber lifts it the dose may be given."""
    course = ready()
    course.do(PlaceHold(HoldReason.ADVERSE_EVENT, "dizzy"))
    assert rules(dose(course)) == ["hold"]
    hold = course.pathway.open_holds()[0]
    assert isinstance(course.attempt(LiftHold(hold, " ")), Malformed)
    course.do(LiftHold(hold, "Looked at."))
    assert isinstance(course.attempt(LiftHold(hold, "Again.")), Conflict)
    assert dose(course) is None


def test_no_dose_is_dated_back_into_a_hold():
    """Lifting a hold does not allow a dose that is said to have been given while it was open."""
    course = ready()
    course.do(PlaceHold(HoldReason.ADVERSE_EVENT, "dizzy"))
    course.wait(minutes(10))
    course.do(LiftHold(course.pathway.open_holds()[0], "Looked at."))
    assert rules(dose(course, ago=5)) == ["hold"]
    assert dose(course) is None


def test_no_dose_without_a_signed_order():
    """Before the order there is no visit to give a dose at, whatever is said."""
    course = a_course()
    refusal = dose(course)
    assert isinstance(refusal, Malformed)
    assert refusal.unknown == "visit"
    signed = ready()
    phases = {k: replace(p, signed=None) for k, p in signed.pathway.phases.items()}
    signed.pathway = replace(signed.pathway, phases=phases)
    assert missing(dose(signed)) == ["order-signed"]


def test_no_dose_after_release_and_no_second_release():
    """A released visit takes neither a dose nor another release nor readings of afterwards."""
    course = dosed()
    while course.pathway.visits[ONE].status is VisitStatus.CHECKED_IN:
        course.follow_next()
    assert "visit-open" in rules(dose(course, ONE, 84))
    assert isinstance(course.attempt(ReleaseVisit(ONE)), Conflict)
    late = RecordReadings(course.now, (measure("spo2", 97),), ONE)
    course.wait(minutes(1))
    after = RecordReadings(course.now, (measure("spo2", 97),), ONE)
    assert "the patient left at 11:00; leave visit out" in str(course.attempt(after))
    assert course.attempt(late) is None


@pytest.mark.parametrize(("after", "allowed"), [(0, False), (49, False), (50, True)])
def test_no_stimulation_before_the_gap_is_over(after, allowed):
    """The gap runs from the end of one session to the start of the next: 49 minutes are refused."""
    course = stimulated()
    course.wait(minutes(after))
    course.measure(TMS, fit_to_stimulate="confirmed", hearing_protection="worn")
    wish = course.treatment(TMS, course.now)
    course.wait(SESSION)
    refusal = course.attempt(wish)
    assert refusal is None if allowed else rules(refusal) == ["gap-between-sessions"]


def test_no_stimulation_over_another_or_of_more_than_was_ordered():
    """A stimulation that overlaps, is too strong, has too many pulses or no length is refused."""
    course = stimulated()
    overlap = course.treatment(TMS, course.now - minutes(25))
    assert "overlap" in rules(course.attempt(overlap))
    course = ready(TMS)
    good = course.treatment(TMS, course.now)
    course.wait(SESSION)
    assert isinstance(good, RecordStimulation)
    strong = replace(good, intensity_percent_mt=121)
    assert rules(course.attempt(strong)) == ["stimulation-intensity"]
    assert rules(course.attempt(replace(good, pulses=1981))) == ["stimulation-pulses"]
    for wrong in (replace(good, ended_at=good.started_at), replace(good, output_percent=101)):
        assert isinstance(course.attempt(wrong), Malformed)
    assert rules(course.attempt(RecordDose(TMS, course.now, 56, "lot")))[0] == "treatment"


@pytest.mark.long
def test_no_stimulation_on_yesterdays_motor_threshold():
    """On the next treatment day the motor threshold of the day before is missing."""
    course = checked_in(VisitId(f"{DTMS}-visit-2"))
    step = course.run(Ask.RECORD)
    assert "motor-threshold-known" in {block.rule for block in step.blocked_by}  # type: ignore[union-attr]


@pytest.mark.parametrize("early", [0, 60, 119])
def test_nobody_leaves_before_two_hours(early):
    """Release before 120 minutes is refused, naming the finding."""
    course = dosed()
    course.wait(minutes(early))
    course.measure(ONE, **FIT_TO_LEAVE)
    assert "fit-to-leave" in rules(course.attempt(ReleaseVisit(ONE)))


def test_two_visits_are_never_put_on_one_day():
    """Neither booking nor moving puts two visits on one day or on consecutive ones."""
    course = a_course()
    course.run(Ask.BOOK_VISITS)
    for at in (FIRST, replace(FIRST, day=FIRST.day + timedelta(days=1))):
        assert "at-least-apart" in rules(course.attempt(MoveVisit(TWO, at)))
        assert "at-least-apart" in rules(course.attempt(BookVisit(TWO, at)))


def test_nobody_goes_on_while_visits_are_open():
    """A phase is not left before its visits are over, nor a pathway ended with a patient here."""
    course = dosed()
    course.assess("madrs", *(1,) * 10)
    on = Decide(INDUCTION, PhaseDecision.CONTINUE, "Response.")
    assert rules(course.attempt(on)) == ["phase-over"]
    stop = Decide(INDUCTION, PhaseDecision.STOP, "Patient's wish.")
    assert rules(course.attempt(stop)) == ["released-first"]
    complete = Decide(INDUCTION, PhaseDecision.COMPLETE, "Well.")
    assert isinstance(course.attempt(complete), Refused)
    assert isinstance(course.attempt(replace(on, phase=DTMS)), Malformed)


def test_a_gate_that_stops_at_the_end_of_a_phase_is_not_decided_over():
    """Where the protocol says stop, nobody goes on; where it says ask, a prescriber may."""
    induction = COMBINED.phase(INDUCTION)
    gates = tuple(replace(g, otherwise=Otherwise.STOP) for g in induction.gates)
    strict = replace(COMBINED, phases=(replace(induction, gates=gates), *COMBINED.phases[1:]))
    for protocol, allowed in ((COMBINED, True), (strict, False)):
        course = a_course(protocol=protocol)
        course.run(Ask.DECIDE)
        course.assess("madrs", *(3,) * 10)
        refusal = course.attempt(Decide(INDUCTION, PhaseDecision.CONTINUE, "Hopes."))
        assert refusal is None if allowed else rules(refusal) == ["benefit-at-four-weeks"]


def test_after_the_end_nothing_more_is_arranged():
    """A stopped pathway takes no order, dose, visit, hold or decision any more."""
    course = a_course()
    course.do(Decide(INDUCTION, PhaseDecision.STOP, "Patient's wish."))
    assert course.pathway.outcome is PathwayOutcome.STOPPED
    assert rules(course.attempt(SignOrder(INDUCTION))) == ["pathway-open"]
    assert rules(dose(course)) == ["pathway-open"]
    assert rules(course.attempt(PlaceHold(HoldReason.OTHER, "late"))) == ["pathway-open"]
    assert all(task.closed for task in course.pathway.tasks.values())


def test_what_happened_is_recorded_after_the_end_too():
    """A late form, a late dose and a correction go in, and a prescriber sees what they must."""
    course = dosed()
    course.wait(minutes(30))
    course.do(ReleaseVisit(ONE, Disposition.EMERGENCY, "Chest pain; ambulance."))
    course.follow_next()
    course.do(Decide(INDUCTION, PhaseDecision.STOP, "Patient's wish."))
    course.wait(timedelta(days=1))
    course.assess("phq9", 0, 0, 0, 0, 0, 0, 0, 0, 2)
    course.do(ReportDose(ONE, course.now - timedelta(days=1), 28, "lot-2", "Found in the log."))
    late = course.facts(DoseGiven)[-1]
    assert not late.authorized
    course.run_rules()
    asked = {key.partition("/")[0] for key, t in course.pathway.tasks.items() if not t.closed}
    assert {Ask.REVIEW_RISK, Ask.REVIEW_UNAUTHORIZED} <= asked
    given = [event for event in course.events if isinstance(event.fact, DoseGiven)][-1]
    course.do(CorrectEntry(given.id, "It was another patient's."), PRESCRIBER)
    assert len(course.pathway.sessions_at(ONE)) == 1
    assert course.pathway.outcome is PathwayOutcome.STOPPED


def test_an_earlier_word_that_comes_again_does_not_move_a_visit_back():
    """A booking that is delivered again after a move leaves the visit where it was moved to."""
    course = a_course()
    course.run(TWO)
    course.do(MoveVisit(TWO, replace(FIRST, day=FIRST.day + timedelta(days=3))))
    booked = [x for x in course.events if isinstance(x.fact, VisitBooked)]
    again = fold(course.pathway, booked, COMBINED.vocabulary)
    assert again == course.pathway
    assert again.visits[TWO].status is VisitStatus.BOOKED


def test_a_stimulation_entered_late_is_held_against_both_its_neighbours():
    """Entered after the one that followed it: both gaps count, and so does its whole length."""
    course = stimulated()
    course.wait(minutes(150))
    course.measure(TMS, fit_to_stimulate="confirmed", hearing_protection="worn")
    third = course.treatment(TMS, course.now)
    assert isinstance(third, RecordStimulation)
    course.wait(SESSION)
    course.do(third)

    def between(minutes_before_the_third: float) -> set[str]:
        start = third.started_at - minutes(minutes_before_the_third)
        second = replace(third, started_at=start, ended_at=start + SESSION)
        return set(rules(course.attempt(second))) & {"gap-between-sessions", "overlap"}

    long = SESSION / minutes(1)
    assert between(long + 51) == set()
    assert between(long + 49) == {"gap-between-sessions"}
    assert between(long - 1) == {"overlap"}
    assert between(150 - 20) == {"gap-between-sessions"}


def test_output_is_at_most_what_the_intensity_comes_to():
    """120 % of a threshold of 52 % is 62.4 %: 62 may be given, 63 is above what was ordered."""
    course = ready(TMS)
    course.wait(minutes(2))
    course.measure(TMS, motor_threshold=52)
    given = Strength(120, 1980, 62)
    for output, refused in ((62, False), (63, True)):
        as_given = replace(given, output_percent=output)
        look = check_may_stimulate(course.protocol, course.pathway, TMS, course.now, as_given)
        assert ("stimulation-output" in {block.rule for block in blocks_of(look)}) is refused


def test_of_two_thresholds_of_one_instant_the_lower_limits_the_output():
    """Nobody can say which was measured last: what is safe by both may be given."""
    course = ready(TMS)
    course.wait(minutes(2))
    course.measure(TMS, motor_threshold=55)
    course.measure(TMS, motor_threshold=50)
    for output, refused in ((60, False), (61, True)):
        given = Strength(120, 1980, output)
        look = check_may_stimulate(course.protocol, course.pathway, TMS, course.now, given)
        assert ("stimulation-output" in {block.rule for block in blocks_of(look)}) is refused


def test_an_order_is_signed_for_the_phase_that_the_pathway_is_in():
    """A phase that was left is not ordered any more: nothing would end such an order in the EHR."""
    course = a_course()
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "The patient wants no esketamine."))
    refusal = course.attempt(SignOrder(INDUCTION))
    assert isinstance(refusal, Conflict)
    assert "is now in accelerated deep TMS" in str(refusal)


def test_the_second_click_of_a_dose_is_told_what_is_recorded():
    """It is refused, and no way round the rule is named."""
    course = ready()
    wish = course.treatment(ONE, course.now)
    course.do(wish)
    refusal = course.attempt(wish)
    assert "sessions-a-visit" in rules(refusal)
    assert "report" not in str(refusal)


def test_whoever_watches_is_told_when_the_patient_may_leave_at_the_earliest():
    """After a dose: until the readings at forty minutes, and two hours, each at its own time."""
    course = dosed()
    given = course.pathway.sessions_at(ONE)[0].started
    waits = [s for s in steps(course.protocol, course.pathway, course.now) if isinstance(s, Await)]
    observed = {s.until - given: s.says for s in waits if s.rule == "observation"}
    assert set(observed) == {minutes(35), minutes(120)}
    assert "no discharge before" in observed[minutes(120)]
    asked = [
        s for s in steps(course.protocol, course.pathway, course.now) if isinstance(s, AskPerson)
    ]
    assert not [s for s in asked if s.ask is Ask.RECORD]


def test_one_gate_is_one_task_with_all_that_was_found():
    """152/94 is asked about once, and the sentence has both numbers."""
    course = checked_in()
    course.measure(ONE, systolic_bp=152, diastolic_bp=94)
    asked = wanted_tasks(course.pathway, steps(course.protocol, course.pathway, course.now))
    (says,) = [s.says for s in asked.values() if s.rule == "blood-pressure-before"]
    assert "152 mmHg" in says
    assert "94 mmHg" in says


@pytest.mark.long
def test_whoever_can_score_is_asked_for_what_the_decision_needs():
    """At a phase's end without a fresh MADRS the nurse is asked for it, beside the prescriber."""
    course = a_course()
    course.run(Ask.DECIDE)
    course.wait(timedelta(days=30))
    now = steps(course.protocol, course.pathway, course.now)
    asked = {step.ask: step for step in now if isinstance(step, AskPerson)}
    assert asked[Ask.DECIDE].roles == (Role.PRESCRIBER,)
    assert Role.NURSE in asked[Ask.RECORD].roles
    assert "MADRS total" in asked[Ask.RECORD].says
