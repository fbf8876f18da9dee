"""What is taken back and counts again never stands beside what was recorded in its place."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.language.corrections import CorrectEntry, EntryVoided
from domain.language.errors import Refused
from domain.language.events import Event
from domain.language.holds import HoldLifted, LiftHold, PlaceHold
from domain.language.names import CARE, KAIROS, Author, EventId, HoldReason, Role, VisitId
from domain.language.release import Disposition, NotTreated, ReleaseVisit, VisitReleased
from domain.language.treatment import (
    DoseGiven,
    RecordDose,
    ReportDose,
    ReportStimulation,
    StimulationGiven,
)
from domain.language.visits import (
    CheckIn,
    MissVisit,
    VisitCheckedIn,
    VisitMissed,
    VisitProposed,
)
from domain.rules.corrected import refold
from domain.rules.steps import Ask
from tests.course import PRESCRIBER, SESSION, Course
from tests.domain.scenes import ONE, TWO, dosed, minutes, ready, rules
from tests.domain.simulation import DTMS, INDUCTION, MAINTENANCE, Refusal

NURSE = Author("a-nurse", Role.NURSE)
WHY = "It was meant for another patient."


def entry(course: Course, kind: type) -> Event:
    """The last entry of this kind."""
    return [event for event in course.events if isinstance(event.fact, kind)][-1]


def proposed_too(course: Course, **changed: object) -> VisitId:
    """Propose one more visit of the induction, like its first, as of now."""
    first = next(e.fact for e in course.events if isinstance(e.fact, VisitProposed))
    fact = replace(first, visit=VisitId("one-more"), **changed)  # type: ignore[arg-type]
    course.record([Event(EventId("one-more"), course.now, KAIROS, fact)])
    return VisitId("one-more")


def back(course: Course, event: Event) -> Refusal | None:
    """Have a prescriber take an entry back."""
    return course.attempt(CorrectEntry(event.id, WHY), PRESCRIBER)


def test_a_dose_that_was_entered_again_is_not_restored_beside_it():
    """Taken back and entered anew: the first is the same dose, and stands only once that goes."""
    course = ready()
    course.do(RecordDose(ONE, course.now, 56, "lot-1"), NURSE)
    course.wait(minutes(1))
    assert back(course, entry(course, DoseGiven)) is None
    void = entry(course, EntryVoided)
    course.do(RecordDose(ONE, course.now, 56, "lot-1"), NURSE)
    again = entry(course, DoseGiven)
    refusal = back(course, void)
    assert rules(refusal) == ["corrected-since"]
    assert back(course, again) is None
    assert back(course, void) is None
    assert [session.event for session in course.pathway.sessions.values()] != [again.id]


def test_a_dose_of_another_number_in_its_place_is_named():
    """Entered again under a higher number, it is the same dose all the same, and is named."""
    course = dosed()
    course.do(ReportDose(ONE, course.now + minutes(0), 56, "lot-2", "A second one, in error."))
    first = next(event for event in course.events if isinstance(event.fact, DoseGiven))
    assert back(course, first) is None
    void = entry(course, EntryVoided)
    told = ReportDose(ONE, course.now, 56, "lot-1", "Entered anew.")
    course.do(told, NURSE)
    refusal = back(course, void)
    assert isinstance(refusal, Refused)
    assert "session 3 is recorded in its place: undo that first" in str(refusal)


def test_two_doses_that_were_both_given_both_stand_again():
    """The second was there before the first was taken back: it is not in its place."""
    course = dosed()
    course.do(ReportDose(ONE, course.now, 56, "lot-2", "A second one, in error."))
    first = next(event for event in course.events if isinstance(event.fact, DoseGiven))
    assert back(course, first) is None
    assert back(course, entry(course, EntryVoided)) is None
    assert len(course.pathway.sessions_at(ONE)) == 2


@pytest.mark.parametrize(
    ("late", "there"),
    [
        (-SESSION, False),
        (-SESSION + minutes(1), True),
        (minutes(0), True),
        (SESSION - minutes(1), True),
        (SESSION, False),
    ],
)
def test_a_stimulation_is_not_restored_over_another(late: timedelta, *, there: bool):
    """Two cannot have been at once; one that ended when it began, or began then, is no matter."""
    course = Course(ready().first_visit)
    visit = VisitId(f"{DTMS}-visit-1")
    course.run(visit)
    for _ in range(2):
        course.run(Ask.GIVE)
        course.follow_next()
    first, _ = [event for event in course.events if isinstance(event.fact, StimulationGiven)]
    assert isinstance(first.fact, StimulationGiven)
    assert back(course, first) is None
    void = entry(course, EntryVoided)
    begun, as_it_was = first.at + late, first.fact
    told = ReportStimulation(
        visit,
        begun,
        begun + SESSION,
        as_it_was.pulses,
        as_it_was.intensity_percent_mt,
        as_it_was.output_percent,
        "Entered anew.",
    )
    course.do(told, PRESCRIBER)
    refusal = back(course, void)
    assert (refusal is not None) is there
    if there:
        assert "session 3 is recorded in its place" in str(refusal)
    assert len(course.pathway.sessions_at(visit)) == (2 if there else 3)


def test_a_miss_is_not_restored_once_the_patient_has_come():
    """Missed by mistake, taken back, and then they came: they were not missing."""
    course = dosed()
    course.run(TWO)
    while course.pathway.visits[TWO].status != "booked":
        course.follow_next()
    course.wait(timedelta(days=3))
    course.do(MissVisit(TWO))
    missed = entry(course, VisitMissed)
    assert back(course, missed) is None
    assert back(course, entry(course, EntryVoided)) is None
    assert course.pathway.visits[TWO].status == "missed"
    course = dosed()
    course.run(TWO)
    while course.pathway.visits[TWO].status != "booked":
        course.follow_next()
    course.wait(timedelta(days=3))
    course.do(MissVisit(TWO))
    assert back(course, entry(course, VisitMissed)) is None
    void = entry(course, EntryVoided)
    course.do(CheckIn(TWO))
    refusal = back(course, void)
    assert "the patient has since come to esketamine induction visit 2" in str(refusal)


def test_a_release_is_not_restored_beside_another():
    """Released, taken back and released anew: the first stands only once the second is gone."""
    course = ready()
    course.do(ReleaseVisit(ONE, not_treated=NotTreated.DECLINED), NURSE)
    assert back(course, entry(course, VisitReleased)) is None
    void = entry(course, EntryVoided)
    course.do(ReleaseVisit(ONE, not_treated=NotTreated.OTHER), NURSE)
    second = entry(course, VisitReleased)
    refusal = back(course, void)
    assert "another discharge from esketamine induction visit 1 was recorded later" in str(refusal)
    assert back(course, second) is None
    assert back(course, void) is None


def test_an_amended_release_is_restored_in_place_of_what_stood_for_it():
    """What was so instead goes with the correction that said so."""
    course = ready()
    course.wait(minutes(5))
    course.do(ReleaseVisit(ONE, not_treated=NotTreated.DECLINED), NURSE)
    first = entry(course, VisitReleased)
    right = ReleaseVisit(ONE, not_treated=NotTreated.OTHER, left_at=course.now)
    course.do(CorrectEntry(first.id, WHY, right), PRESCRIBER)
    assert back(course, entry(course, EntryVoided)) is None
    assert course.pathway.visits[ONE].left_by == first.id


def test_nobody_is_at_two_visits_because_a_release_was_taken_back():
    """At the second visit now: the release from the first stays until they are released there."""
    course = dosed()
    course.run(TWO)
    released = entry(course, VisitReleased)
    while course.pathway.visits[TWO].checked_in is None:
        course.follow_next()
    refusal = back(course, released)
    assert rules(refusal) == ["released-first"]
    assert "the patient is now at esketamine induction visit 2" in str(refusal)
    assert isinstance(refusal, Refused)
    assert refusal.blocked_by[0].who == CARE
    right = ReleaseVisit(ONE, left_at=released.at)
    assert course.attempt(CorrectEntry(released.id, WHY, right), PRESCRIBER) is None


def test_a_check_in_is_not_restored_beside_another():
    """Checked in, taken back and checked in anew."""
    course = dosed()
    course.run(TWO)
    while course.pathway.visits[TWO].checked_in is None:
        course.follow_next()
    assert back(course, entry(course, VisitCheckedIn)) is None
    void = entry(course, EntryVoided)
    course.do(CheckIn(TWO))
    assert "was checked in again for esketamine induction visit 2" in str(back(course, void))


def test_the_lifting_of_a_hold_is_not_restored_beside_another():
    """Lifted, taken back and lifted anew: one lifting stands."""
    course = ready()
    course.do(PlaceHold(HoldReason.OTHER, "waiting for a call"))
    (hold,) = course.pathway.open_holds()
    course.do(LiftHold(hold, "They called."))
    assert back(course, entry(course, HoldLifted)) is None
    assert back(course, entry(course, EntryVoided)) is None
    assert course.pathway.open_holds() == ()
    course.do(PlaceHold(HoldReason.OTHER, "waiting for another call"))
    (hold,) = course.pathway.open_holds()
    course.do(LiftHold(hold, "They called."))
    assert back(course, entry(course, HoldLifted)) is None
    void = entry(course, EntryVoided)
    course.do(LiftHold(hold, "They called after all."))
    assert "the hold was lifted again later: undo that first" in str(back(course, void))


def test_a_number_is_not_taken_twice_by_way_of_another_phase():
    """A dose amended onto another phase's visit frees its number; it does not come back to it."""
    course = Course(ready().first_visit)
    course.run(f"{MAINTENANCE}-visit-1")
    course.run(Ask.GIVE)
    here = VisitId(f"{MAINTENANCE}-visit-1")
    course.do(course.treatment(here, course.now))
    given = entry(course, DoseGiven)
    other = proposed_too(course, at=course.pathway.visits[here].at)
    moved = RecordDose(other, given.at, 56, "lot-1")
    assert course.attempt(CorrectEntry(given.id, WHY, moved), PRESCRIBER) is None
    numbers = [s.number for s in course.pathway.sessions_in(INDUCTION)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert course.pathway.sessions_at(other)[0].number == len(numbers)
    void = entry(course, EntryVoided)
    course.wait(minutes(1))
    told = ReportDose(here, course.now, 56, "lot-3", "The one of today.")
    course.do(told, PRESCRIBER)
    assert "session 1 was given later: report this one as a new session" in str(back(course, void))


def test_what_stands_in_its_place_is_folded_after_its_visit_was_proposed():
    """A dose amended onto a visit that was proposed later: the history still folds as it stands."""
    course = dosed()
    given = entry(course, DoseGiven)
    course.run(TWO)
    later = proposed_too(course)
    moved = RecordDose(later, given.at, 56, "lot-1")
    assert course.attempt(CorrectEntry(given.id, WHY, moved), PRESCRIBER) is None
    assert [session.visit for session in course.pathway.sessions.values()] == [later]
    again = refold(course.pathway.id, course.events, course.protocol.vocabulary)
    assert again == course.pathway


def test_who_left_otherwise_is_not_touched_by_a_restored_visit():
    """A release with its disposition, taken back and restored, is as it was."""
    course = dosed()
    course.do(ReleaseVisit(ONE, Disposition.ADMITTED, "Admitted to the ward."), PRESCRIBER)
    before = course.pathway.visits[ONE]
    assert back(course, entry(course, VisitReleased)) is None
    assert back(course, entry(course, EntryVoided)) is None
    assert course.pathway.visits[ONE] == before
