"""Whoever is treated is here: after they had left, and at a visit to which nobody else came."""

import pytest

from domain.language.corrections import ActQuestioned, CorrectEntry, WrongPatient
from domain.language.errors import Refused
from domain.language.events import Event
from domain.language.names import Author, Role, RuleId, VisitStatus
from domain.language.overrides import OverrideGate
from domain.language.release import NotTreated, ReleaseVisit, VisitReleased
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import DoseGiven, RecordDose, ReportDose
from domain.language.visits import CancelVisit, CheckIn, MissVisit, VisitCheckedIn
from domain.rules.corrected import refold
from domain.rules.fold import apply
from domain.rules.steps import Ask
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import FIT_TO_LEAVE, ONE, TWO, dosed, minutes, ready, rules
from tests.domain.simulation import INDUCTION

NURSE = Author("a-nurse", Role.NURSE)
WHY = "It was another patient's dose."


def entry(course: Course, kind: type) -> Event:
    """The last entry of this kind."""
    return [event for event in course.events if isinstance(event.fact, kind)][-1]


def went_untreated() -> Course:
    """A patient who was let go without a dose, an hour ago."""
    course = ready()
    course.do(ReleaseVisit(ONE, not_treated=NotTreated.OTHER), NURSE)
    course.wait(minutes(60))
    return course


def expected() -> Course:
    """A patient who is due at the second visit, and has not come to it yet."""
    course = dosed()
    course.run(Ask.RELEASE)
    course.follow_next()
    course.run(Ask.CHECK_IN)
    return course


def hurried(course: Course) -> Event:
    """A dose is reported at the second visit, before anything else was; its entry."""
    course.do(ReportDose(TWO, course.now, 56, "lot-1", "Given in a hurry."), NURSE)
    return entry(course, DoseGiven)


def came_back() -> Course:
    """That patient came back, and was given a dose all the same."""
    course = went_untreated()
    course.do(ReportDose(ONE, course.now, 56, "lot-1", "Came back and was given it."), NURSE)
    return course


def test_a_dose_after_they_had_left_is_observed():
    """They are here again from that dose on: for two hours, with its readings, then let go."""
    course = came_back()
    visit = course.pathway.visits[ONE]
    assert (visit.status, visit.checked_in) == (VisitStatus.CHECKED_IN, course.now)
    assert (visit.left_at, visit.went) == (None, None)
    assert isinstance(course.attempt(ReleaseVisit(ONE), NURSE), Refused)
    course.wait(minutes(40))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.wait(minutes(80))
    course.measure(ONE, **FIT_TO_LEAVE)
    for key, task in list(course.pathway.tasks.items()):
        if not task.closed and Role.PRESCRIBER in task.roles:
            course.do(AcknowledgeTask(key, "Seen: no harm was done."), PRESCRIBER)
    course.do(ReleaseVisit(ONE), NURSE)
    assert course.pathway.visits[ONE].left_at == course.now


def test_coming_back_is_the_same_however_often_it_is_told():
    """Each event applied again, in any place after its own, changes nothing; nor does a replay."""
    course = came_back()
    course.wait(minutes(121))
    vocabulary = course.protocol.vocabulary
    assert refold(course.pathway.id, course.events, vocabulary) == course.pathway
    for event in course.events:
        if isinstance(event.fact, VisitCheckedIn | VisitReleased | DoseGiven):
            assert apply(course.pathway, event, vocabulary) == course.pathway


def test_a_dose_of_before_they_left_reopens_no_visit_but_the_release():
    """Forgotten and entered afterwards: the release said that none was given, and is questioned."""
    course = ready()
    given = course.now
    course.wait(minutes(40))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.wait(minutes(82))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.do(ReleaseVisit(ONE, not_treated=NotTreated.OTHER), NURSE)
    left = entry(course, VisitReleased)
    course.wait(minutes(30))
    course.do(ReportDose(ONE, given, 56, "lot-1", "Was not written down."), NURSE)
    assert course.pathway.visits[ONE].status is VisitStatus.RELEASED
    (told,) = [fact for fact in course.facts(ActQuestioned) if fact.event == left.id]
    assert told.findings == (
        "the discharge says that no treatment was given here, but one is recorded",
    )


@pytest.mark.parametrize("before", ["booked", "missed", "canceled"])
def test_nobody_came_to_a_visit_by_a_dose_that_never_was(before: str):
    """The visit is as it was before the dose was reported there, and nobody waits for anybody."""
    course = expected()
    if before != "booked":
        course.do(MissVisit(TWO) if before == "missed" else CancelVisit(TWO, "Ill at home."))
    status = course.pathway.visits[TWO].status
    course.wait(minutes(20))
    course.do(ReportDose(TWO, course.now, 56, "lot-1", "Given in a hurry."), NURSE)
    assert course.pathway.visits[TWO].status is VisitStatus.CHECKED_IN
    wrong = entry(course, DoseGiven)
    course.do(CorrectEntry(wrong.id, WHY, wrong_patient=WrongPatient(None)), PRESCRIBER)
    visit = course.pathway.visits[TWO]
    assert (visit.status, visit.checked_in) == (status, None)


def test_who_was_checked_in_by_a_person_had_come():
    """The dose was another's; this patient is here, as somebody at the desk said."""
    course = expected()
    course.do(CheckIn(TWO), NURSE)
    wrong = hurried(course)
    course.do(CorrectEntry(wrong.id, WHY, wrong_patient=WrongPatient(None)), PRESCRIBER)
    assert course.pathway.visits[TWO].status is VisitStatus.CHECKED_IN


def test_a_dose_put_right_at_its_visit_leaves_them_there():
    """Another lot: the check-in that the dose brought stands as it did."""
    course = expected()
    wrong = hurried(course)
    course.do(CorrectEntry(wrong.id, WHY, RecordDose(TWO, wrong.at, 56, "lot-2")), PRESCRIBER)
    assert course.pathway.visits[TWO].status is VisitStatus.CHECKED_IN


def test_a_dose_of_the_instant_at_which_they_left_was_before_it():
    """They left at ten and the dose was at ten: nobody came back, and the release is questioned."""
    course = ready()
    course.wait(minutes(5))
    course.do(ReleaseVisit(ONE, not_treated=NotTreated.OTHER), NURSE)
    left = course.now
    course.wait(minutes(5))
    course.do(ReportDose(ONE, left, 56, "lot-1", "Was not written down."), NURSE)
    assert course.pathway.visits[ONE].status is VisitStatus.RELEASED


def test_who_was_measured_there_had_come_all_the_same():
    """A reading of that visit stands: the check-in that the dose brought stays."""
    course = expected()
    wrong = hurried(course)
    course.wait(minutes(2))
    course.measure(TWO, spo2=97)
    course.do(CorrectEntry(wrong.id, WHY), PRESCRIBER)
    assert course.pathway.visits[TWO].status is VisitStatus.CHECKED_IN


def test_a_dose_that_was_another_visits_leaves_nobody_at_this_one():
    """Reported at the second visit of the day after; it was the first one's, of the day before."""
    course = ready()
    given = course.now
    course.wait(minutes(5))
    course.do(ReleaseVisit(ONE, not_treated=NotTreated.OTHER), NURSE)
    course.run(Ask.CHECK_IN)
    wrong = hurried(course)
    course.do(CorrectEntry(wrong.id, "Wrong day.", RecordDose(ONE, given, 56, "l")), PRESCRIBER)
    assert course.pathway.visits[TWO].checked_in is None
    (session,) = course.pathway.sessions_in(INDUCTION)
    assert session.visit == ONE


def test_an_override_of_readings_not_taken_is_of_one_dose():
    """The monitor was down at the first; the readings of a second dose are due all the same."""
    course = dosed()
    course.wait(minutes(70))
    check = RuleId("readings-at-40-minutes")
    course.do(OverrideGate(ONE, check, "The monitor was down; watched throughout."), PRESCRIBER)
    course.do(ReportDose(ONE, course.now, 84, "lot-2", "Given twice in error."), NURSE)
    for key, task in list(course.pathway.tasks.items()):
        if not task.closed and Role.PRESCRIBER in task.roles:
            course.do(AcknowledgeTask(key, "Seen: no harm was done."), PRESCRIBER)
    course.wait(minutes(121))
    course.measure(ONE, **FIT_TO_LEAVE)
    refusal = course.attempt(ReleaseVisit(ONE), NURSE)
    assert check in rules(refusal)
