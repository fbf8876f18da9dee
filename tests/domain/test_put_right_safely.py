"""No stop is passed by a correction, a time that lies back, or a report in another place."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.language.corrections import CorrectEntry, EntryVoided, Instead
from domain.language.events import Event
from domain.language.holds import HoldLifted, HoldPlaced, LiftHold, PlaceHold
from domain.language.names import Author, HoldReason, Role, VisitId
from domain.language.observations import ReadingsTaken, RecordReadings, ScaleAssessed
from domain.language.release import Disposition, NotTreated, ReleaseVisit, VisitReleased
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import DoseGiven, RecordDose, ReportDose
from domain.language.visits import CheckIn, VisitCheckedIn
from domain.rules.corrected import refold
from domain.rules.steps import Ask
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import FIRST, ONE, dosed, minutes, ready, rules
from tests.domain.simulation import INDUCTION, REFUSALS, readings

NURSE = Author("a-nurse", Role.NURSE)
OTHERS = [Author(f"a-{role}", role) for role in (Role.NURSE, Role.CARE_MANAGER, Role.TMS_OPERATOR)]
WHY = "typed for another patient"


def entry(course: Course, fact: type, place: int = -1) -> Event:
    """The entry of a kind at a place."""
    return [event for event in course.events if isinstance(event.fact, fact)][place]


def correct(course: Course, event: Event, by: Author, instead: Instead | None = None) -> object:
    """Try to correct an entry."""
    return course.attempt(CorrectEntry(event.id, WHY, instead), by)


def contraindicated() -> Course:
    """Somebody of whom a contraindication was found after a screen that found none."""
    course = ready()
    course.wait(minutes(3))
    course.measure(ONE, intracerebral_hemorrhage="present")
    return course


@pytest.mark.parametrize("who", OTHERS)
def test_what_says_stop_is_taken_back_by_a_prescriber_only(who: Author):
    """A contraindication stands whoever else calls it an error; and so does a void of theirs."""
    course = contraindicated()
    found = entry(course, ReadingsTaken)
    assert rules(correct(course, found, who)) == ["may-correct"]  # type: ignore[arg-type]
    assert correct(course, found, PRESCRIBER) is None
    void = entry(course, EntryVoided)
    assert rules(correct(course, void, who)) == ["may-correct"]  # type: ignore[arg-type]


def test_a_reported_dose_is_taken_back_by_a_prescriber_only():
    """A nurse does not make their own unauthorized dose vanish, nor turn it into another."""
    course = contraindicated()
    course.do(ReportDose(ONE, course.now, 56, "l", WHY), NURSE)
    given_ = entry(course, DoseGiven)
    earlier = RecordDose(ONE, course.now - minutes(5), 56, "l")
    for instead in (None, earlier):
        assert rules(correct(course, given_, NURSE, instead)) == ["may-correct"]  # type: ignore[arg-type]
    assert correct(course, given_, PRESCRIBER, RecordDose(ONE, course.now, 56, "lot-9")) is None
    again = course.facts(DoseGiven)[-1]
    assert (again.lot, again.authorized, again.deviation) == ("lot-9", False, WHY)


def test_a_time_that_lies_before_the_finding_gets_no_more_than_now():
    """Typed a minute before the contraindication was found, a dose is reported and looked at."""
    course = contraindicated()
    course.wait(minutes(2))
    at = course.now - minutes(3)
    assert rules(course.attempt(RecordDose(ONE, at, 56, "l"), NURSE)) == ["contraindications"]
    course.do(ReportDose(ONE, at, 56, "l", WHY), NURSE)
    assert not course.facts(DoseGiven)[-1].authorized


def test_a_dose_is_not_amended_past_a_hold():
    """A dose moved to a time at which a hold stood goes against it, and says so."""
    course = dosed()
    course.wait(minutes(5))
    course.do(PlaceHold(HoldReason.ADVERSE_EVENT, "dizzy"))
    course.wait(minutes(10))
    later = RecordDose(ONE, course.now - minutes(5), 56, "lot-1")
    assert correct(course, entry(course, DoseGiven), NURSE, later) is None
    assert not course.facts(DoseGiven)[-1].authorized


def test_an_acknowledgement_is_of_one_dose():
    """A second unauthorized dose with the number of one that was voided is asked about anew."""
    course = contraindicated()
    for _ in range(2):
        course.do(ReportDose(ONE, course.now, 56, "l", WHY), NURSE)
        course.run_rules()
        (task,) = [
            key
            for key, known in course.pathway.tasks.items()
            if key.startswith(Ask.REVIEW_UNAUTHORIZED) and not known.closed
        ]
        course.do(AcknowledgeTask(task, "Seen; no harm."), PRESCRIBER)
        assert correct(course, entry(course, DoseGiven), PRESCRIBER) is None
        course.wait(minutes(1))


def test_a_dose_reported_after_the_release_is_looked_at():
    """Whoever was let go untreated and was then dosed is a prescriber's at once."""
    course = ready()
    course.do(ReleaseVisit(ONE, not_treated=NotTreated.DECLINED))
    course.wait(minutes(5))
    course.do(ReportDose(ONE, course.now, 56, "l", WHY), NURSE)
    assert not course.facts(DoseGiven)[-1].authorized


def test_a_late_entry_after_an_amendment_is_recorded():
    """200/120 measured before the dose and entered late is kept, and questions the dose."""
    course = ready()
    course.wait(minutes(1))
    at = course.now
    course.measure(ONE, systolic_bp=152, diastolic_bp=94)
    right = RecordReadings(at, readings(systolic_bp=125, diastolic_bp=79), ONE)
    assert correct(course, entry(course, ReadingsTaken), NURSE, right) is None
    course.wait(minutes(2))
    course.do(RecordDose(ONE, course.now, 56, "l"), NURSE)
    course.wait(minutes(5))
    late = readings(systolic_bp=200, diastolic_bp=120)
    course.do(RecordReadings(at + minutes(1), late, ONE), NURSE)
    course.run_rules()
    open_asks = {k.partition("/")[0] for k, t in course.pathway.tasks.items() if not t.closed}
    assert {Ask.REVIEW_RISK, Ask.REVIEW_QUESTIONED} <= open_asks


def test_a_dose_at_a_visit_proposed_since_is_recorded():
    """The visit at which it is reported was proposed only afterwards: kept all the same."""
    course = ready()
    course.do(ReleaseVisit(ONE, not_treated=NotTreated.DECLINED))
    course.run_rules()
    newest = max(course.pathway.visits.values(), key=lambda v: (v.proposed.day, v.id)).id
    course.wait(minutes(5))
    course.do(ReportDose(newest, course.now - minutes(10), 56, "l", WHY), NURSE)
    assert course.pathway.sessions_at(newest)


def test_a_lifted_hold_may_have_been_placed_in_error():
    """Taking back a hold that was lifted since leaves neither."""
    course = ready()
    course.do(PlaceHold(HoldReason.OTHER, "mistake"))
    (hold,) = course.pathway.open_holds()
    course.do(LiftHold(hold, "a mistake"))
    assert correct(course, entry(course, HoldPlaced), PRESCRIBER) is None
    assert course.facts(HoldLifted)
    assert not course.pathway.holds


def test_a_void_of_an_amendment_leaves_the_first_entry_alone():
    """The amendment was the error: its stand-in counts no more, and the first entry does again."""
    course = dosed()
    first = entry(course, DoseGiven)
    other = RecordDose(ONE, course.now, 56, "lot-b")
    assert correct(course, first, NURSE, other) is None
    assert correct(course, entry(course, EntryVoided), NURSE) is None
    (session,) = course.pathway.sessions_at(ONE)
    assert session.event == first.id


def test_corrections_of_corrections_are_taken_back_from_the_last():
    """One dose amended twice stays one dose: the first amendment is undone after the second."""
    course = dosed()
    first = entry(course, DoseGiven)
    for lot in ("lot-b", "lot-c"):
        other = RecordDose(ONE, course.now, 56, lot)
        assert correct(course, entry(course, DoseGiven), NURSE, other) is None
    early, late = entry(course, EntryVoided, 0), entry(course, EntryVoided, 1)
    assert rules(correct(course, early, NURSE)) == ["corrected-since"]  # type: ignore[arg-type]
    for void, lot in ((late, "lot-b"), (early, "lot-1")):
        assert correct(course, void, NURSE) is None
        (session,) = course.pathway.sessions_at(ONE)
        given_ = next(e.fact for e in course.events if e.id == session.event)
        assert isinstance(given_, DoseGiven)
        assert given_.lot == lot
    assert course.pathway.sessions_at(ONE)[0].event == first.id


def test_nobody_who_died_is_checked_in():
    """After a death a visit takes nobody, and a prescriber is asked to follow up."""
    course = dosed()
    course.do(ReleaseVisit(ONE, Disposition.DIED, "Found without pulse; CPR; declared at 10:20."))
    course.wait(timedelta(days=3))
    booked = [v.id for v in course.pathway.visits_in(INDUCTION) if v.status == "booked"]
    assert all(course.attempt(CheckIn(VisitId(visit))) is not None for visit in booked)
    assert course.facts(VisitReleased)


@settings(deadline=None, max_examples=40)
@given(
    choices=st.lists(st.integers(0, 12), max_size=30),
    errors=st.lists(st.tuples(st.integers(5, 40), st.integers(0, 99)), min_size=1, max_size=5),
)
def test_whatever_is_corrected_the_record_holds(choices: list[int], errors: list[tuple[int, int]]):
    """Voids and undone voids at any moment: no crash, no id twice, no number twice, one fold."""
    course = Course(FIRST, choices=choices)
    kinds = (ReadingsTaken, ScaleAssessed, DoseGiven, VisitReleased, VisitCheckedIn, EntryVoided)
    for steps, which in errors:
        try:
            for _ in range(steps):
                if course.pathway.outcome is None:
                    course.follow_next()
        except REFUSALS:
            pass  # staff who follow a script may want what is not possible any more
        entries = [event for event in course.events if isinstance(event.fact, kinds)]
        if entries:
            correct(course, entries[which % len(entries)], PRESCRIBER)
            course.run_rules()
    ids = [event.id for event in course.events]
    assert len(set(ids)) == len(ids)
    numbers = [(s.phase, s.number) for s in course.pathway.sessions.values()]
    assert len(set(numbers)) == len(numbers)
    anew = refold(course.pathway.id, course.events, course.protocol.vocabulary)
    assert course.pathway == anew
