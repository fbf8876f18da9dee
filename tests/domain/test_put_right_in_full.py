"""What a correction says in full, who may say it, and by the rules of which time it is judged."""

from datetime import timedelta

import pytest

from domain.language.chart import ChartEntry, ChartReading, ReadChart
from domain.language.corrections import (
    ActQuestioned,
    Astray,
    CorrectEntry,
    EntryVoided,
    WrongPatient,
)
from domain.language.errors import Malformed, Refused
from domain.language.events import Event
from domain.language.holds import LiftHold, PlaceHold
from domain.language.names import (
    Author,
    HoldReason,
    ObservationName,
    PathwayId,
    PhaseDecision,
    Role,
)
from domain.language.observations import ReadingsTaken, RecordReadings, ScaleAssessed
from domain.language.phases import Decide, DecisionMade, OrderSigned, PhaseEntered
from domain.language.release import Disposition, NotTreated, ReleaseVisit, VisitReleased
from domain.language.treatment import DoseGiven, RecordDose, ReportDose
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import ONE, TWO, checked_in, dosed, minutes, ready, rules
from tests.domain.simulation import INDUCTION, readings
from tests.domain.versions import lower_limit, move, of_phase

NURSE = Author("a-nurse", Role.NURSE)
WHY = "It was another patient's."


def entry(course: Course, kind: type, place: int = -1) -> Event:
    """An entry of this kind, the last one unless said otherwise."""
    return [event for event in course.events if isinstance(event.fact, kind)][place]


def voids(course: Course) -> list[EntryVoided]:
    """What was said to have been entered in error."""
    return course.facts(EntryVoided)


@pytest.mark.parametrize("days", [61, 90])
def test_a_dose_and_a_release_of_long_ago_are_put_right(days: int):
    """Their own times are more than sixty days back: they are taken, for the entry is as old."""
    course = dosed()
    given = entry(course, DoseGiven)
    course.wait(minutes(5))
    course.do(ReleaseVisit(ONE, Disposition.ADMITTED, "To the ward."), PRESCRIBER)
    left = entry(course, VisitReleased)
    course.now += timedelta(days=days)
    dose = RecordDose(ONE, given.at + minutes(1), 56, "lot-2")
    assert course.attempt(CorrectEntry(given.id, WHY, dose), PRESCRIBER) is None
    release = ReleaseVisit(ONE, Disposition.EMERGENCY, "By ambulance.", left_at=left.at)
    assert course.attempt(CorrectEntry(left.id, WHY, release), PRESCRIBER) is None


def test_a_time_may_be_put_right_by_sixty_days_and_no_more():
    """Exactly sixty days from the entry is taken; a second more is a slip of the pen."""
    course = checked_in()
    course.do(RecordReadings(course.now, readings(spo2=97)), NURSE)
    wrong = entry(course, ReadingsTaken)
    course.now += timedelta(days=90)
    at = wrong.at + timedelta(days=60)
    over = RecordReadings(at + timedelta(seconds=1), readings(spo2=97))
    assert isinstance(course.attempt(CorrectEntry(wrong.id, WHY, over), NURSE), Malformed)
    right = RecordReadings(at, readings(spo2=97))
    assert course.attempt(CorrectEntry(wrong.id, WHY, right), NURSE) is None


def test_what_is_said_of_each_kind_of_entry_taken_back():
    """The entry, the reason, and what whoever reads on must know of it."""
    course = ready()
    order = entry(course, OrderSigned)
    course.do(CorrectEntry(order.id, WHY), PRESCRIBER)
    assert voids(course)[-1] == EntryVoided(order.id, WHY, order=INDUCTION)
    course = dosed()
    given = entry(course, DoseGiven)
    course.do(CorrectEntry(given.id, WHY), NURSE)
    never = EntryVoided(given.id, WHY, about="Dose 1 (56 mg)", what=Astray.NEVER)
    assert voids(course)[-1] == never
    course = dosed()
    given = entry(course, DoseGiven)
    there = PathwayId("there")
    course.do(CorrectEntry(given.id, WHY, wrong_patient=WrongPatient(there, ONE)), NURSE)
    void = entry(course, EntryVoided)
    course.do(CorrectEntry(void.id, "It was hers."), NURSE)
    back = EntryVoided(
        void.id, "It was hers.", about="Dose 1 (56 mg)", moved_to=there, what=Astray.BACK
    )
    assert voids(course)[-1] == back


def test_what_a_decision_brought_is_taken_back_for_the_same_reason():
    """The phase that it entered goes with it, in its words."""
    course = dosed()
    course.run(TWO)
    course.do(Decide(INDUCTION, PhaseDecision.MOVE_ON, "Enough."))
    made, brought = entry(course, DecisionMade), entry(course, PhaseEntered)
    course.do(CorrectEntry(made.id, WHY), PRESCRIBER)
    assert voids(course) == [EntryVoided(made.id, WHY), EntryVoided(brought.id, WHY)]


def test_an_answer_is_not_put_right_against_the_chart_by_a_nurse():
    """Corrected to what the chart denies, a prescriber says so; the refusal says what of."""
    course = checked_in()
    insurance = ObservationName("insurance")
    course.do(RecordReadings(course.now, readings(insurance="on file")), NURSE)
    wrong = entry(course, ReadingsTaken)
    course.do(ReadChart(ChartReading((ChartEntry(insurance, "on file", "Coverage/1"),))))
    other = RecordReadings(wrong.at, readings(insurance="none"))
    refusal = course.attempt(CorrectEntry(wrong.id, WHY, other), NURSE)
    assert rules(refusal) == ["chart"]
    assert str(refusal).startswith("may not record: ")
    assert course.attempt(CorrectEntry(wrong.id, WHY, other), PRESCRIBER) is None


def test_a_number_that_stops_is_taken_back_by_a_prescriber():
    """An age of eleven, like an answer that stops, is no nurse's to make vanish."""
    course = checked_in()
    course.measure(age=11)
    wrong = entry(course, ReadingsTaken)
    assert rules(course.attempt(CorrectEntry(wrong.id, WHY), NURSE)) == ["may-correct"]
    course.measure(age=12)
    course.do(CorrectEntry(wrong.id, WHY), PRESCRIBER)


def test_only_the_baseline_itself_is_a_prescribers_to_take_back():
    """Another score is a nurse's; the one that benefit is judged against is not."""
    course = checked_in()
    course.assess("madrs", *(2,) * 9, 0)
    older = entry(course, ScaleAssessed)
    course.wait(minutes(1))
    course.assess("madrs", *(3,) * 9, 0)
    course.run("give")
    course.do(course.treatment(ONE, course.now))
    course.run_rules()
    named = course.pathway.baselines[f"{INDUCTION}/madrs_total"].event
    assert named is not None
    assert named != older.id
    assert isinstance(course.attempt(CorrectEntry(named, WHY), NURSE), Refused)
    assert course.attempt(CorrectEntry(older.id, WHY), NURSE) is None


def test_a_dose_that_a_prescriber_answered_for_is_theirs_to_take_back():
    """Reported by a prescriber it is authorized, and still no nurse's to unsay."""
    course = ready()
    course.do(ReportDose(ONE, course.now, 84, "lot-1", "Weighs more than most."), PRESCRIBER)
    given = entry(course, DoseGiven)
    assert given.fact.authorized  # type: ignore[union-attr]
    assert rules(course.attempt(CorrectEntry(given.id, WHY), NURSE)) == ["may-correct"]


def test_a_dose_keeps_its_number_when_its_lot_is_put_right():
    """The second stays the second, though the first was taken back."""
    course = dosed()
    course.run(TWO)
    first = entry(course, DoseGiven)
    while len(course.facts(DoseGiven)) < 2:
        course.follow_next()
    course.do(CorrectEntry(first.id, WHY), PRESCRIBER)
    second = entry(course, DoseGiven)
    assert second.fact.session == 2  # type: ignore[union-attr]
    right = RecordDose(TWO, second.at, second.fact.mg, "lot-right")  # type: ignore[union-attr]
    course.do(CorrectEntry(second.id, WHY, right), PRESCRIBER)
    assert entry(course, DoseGiven).fact.session == 2  # type: ignore[union-attr]


@pytest.mark.parametrize(("after", "authorized"), [(30, True), (1, True), (0, False)])
def test_a_hold_counts_for_a_dose_that_is_put_right_if_it_was_there_then(
    after: float, *, authorized: bool
):
    """Placed half an hour after the dose it forbade nothing; at its very instant it did."""
    course = ready()
    given = course.now
    course.do(RecordDose(ONE, given, 56, "lot-wrong"), NURSE)
    wrong = entry(course, DoseGiven)
    course.wait(minutes(after))
    course.do(PlaceHold(HoldReason.MEDICAL_REVIEW, "dizzy"), NURSE)
    course.wait(minutes(5))
    right = RecordDose(ONE, given, 56, "lot-right")
    course.do(CorrectEntry(wrong.id, WHY, right), NURSE)
    fact = course.facts(DoseGiven)[-1]
    assert fact.authorized is authorized
    assert bool(fact.findings) is not authorized
    course.do(LiftHold(course.pathway.open_holds()[0], "Seen."), PRESCRIBER)


def test_a_dose_of_before_a_move_is_put_right_by_the_rules_of_then():
    """135 passed under the version of then: its lot is corrected, and it stays authorized."""
    course = ready()
    course.measure(ONE, systolic_bp=135, diastolic_bp=80)
    course.do(RecordDose(ONE, course.now, 56, "lot-wrong"), NURSE)
    given = entry(course, DoseGiven)
    course.run(TWO)
    assert move(course, of_phase(lower_limit)) is None
    right = RecordDose(ONE, given.at, 56, "lot-right")
    course.do(CorrectEntry(given.id, WHY, right), NURSE)
    assert course.facts(DoseGiven)[-1].findings == ()
    assert course.facts(ActQuestioned) == []


def test_a_dose_of_after_a_move_is_looked_at_again_by_the_rules_of_now():
    """135 found late speaks against the dose that was given under the lower limit alone."""
    course = dosed()
    course.run(TWO)
    assert move(course, of_phase(lower_limit)) is None
    while len(course.facts(DoseGiven)) < 2:
        course.follow_next()
    second = entry(course, DoseGiven)
    course.do(RecordReadings(second.at, readings(systolic_bp=135, diastolic_bp=80)), NURSE)
    (asked,) = course.facts(ActQuestioned)
    assert asked.event == second.id


def test_a_visit_without_treatment_is_put_right_as_one():
    """Released without a reason being wrong: the reason is corrected, by whoever may release."""
    course = ready()
    course.wait(minutes(1))
    course.do(ReleaseVisit(ONE, not_treated=NotTreated.OTHER), NURSE)
    left = entry(course, VisitReleased)
    right = ReleaseVisit(ONE, not_treated=NotTreated.DECLINED, left_at=left.at)
    course.do(CorrectEntry(left.id, WHY, right), NURSE)
    assert course.facts(VisitReleased)[-1].not_treated is NotTreated.DECLINED
