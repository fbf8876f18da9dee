"""Mistakes can be put right: what was in error counts no more, and who relied on it is told."""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.language.corrections import ActQuestioned, CorrectEntry, EntryVoided, Instead
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.events import Event
from domain.language.names import Author, EventId, Role, VisitStatus
from domain.language.observations import ReadingsTaken, RecordReadings, ScaleAssessed
from domain.language.pathway import Pathway
from domain.language.release import NotTreated, ReleaseVisit, VisitReleased
from domain.language.treatment import DoseGiven, RecordDose
from domain.language.visits import VisitCheckedIn
from domain.rules.corrected import refold
from domain.rules.steps import Ask
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import (
    FIRST,
    FIT_TO_LEAVE,
    ONE,
    TWO,
    dose,
    dosed,
    minutes,
    ready,
    rules,
)
from tests.domain.simulation import INDUCTION, readings
from tests.domain.wild import courses

NURSE = Author("a-nurse", Role.NURSE)
WHY = "typed from another patient's slip"


def entry(course: Course, fact: type, last: int = -1) -> Event:
    """The latest entry of a kind."""
    return [event for event in course.events if isinstance(event.fact, fact)][last]


def correct(
    course: Course, event: Event, instead: Instead | None = None, by: Author = NURSE
) -> None:
    """Mark an entry as made in error."""
    course.do(CorrectEntry(event.id, WHY, instead), by)


def pressure(course: Course, systolic: int, diastolic: int, at: datetime) -> RecordReadings:
    """A blood pressure of that time at the first visit."""
    return RecordReadings(at, readings(systolic_bp=systolic, diastolic_bp=diastolic), ONE)


def test_a_pressure_that_never_was_blocks_nobody():
    """152/94 typed for 125/79 is put right by the nurse, and the dose needs no override."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=152, diastolic_bp=94)
    wrong = entry(course, ReadingsTaken)
    assert "blood-pressure-before" in rules(dose(course))
    correct(course, wrong, pressure(course, 125, 79, wrong.at))
    assert dose(course) is None
    assert course.facts(DoseGiven)[-1].findings == ()
    assert course.pathway.voided == {wrong.id: WHY}


def test_what_a_prescriber_must_see_is_taken_back_by_a_prescriber():
    """A nurse cannot take back 200/120, nor a positive item 9, that nobody has seen."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=200, diastolic_bp=120)
    wrong = entry(course, ReadingsTaken)
    assert rules(course.attempt(CorrectEntry(wrong.id, WHY), NURSE)) == ["may-correct"]
    correct(course, wrong, pressure(course, 120, 80, wrong.at), PRESCRIBER)
    assert dose(course) is None
    course = ready()
    course.assess("phq9", 0, 0, 0, 0, 0, 0, 0, 0, 3)
    scored = entry(course, ScaleAssessed)
    assert isinstance(course.attempt(CorrectEntry(scored.id, WHY), NURSE), Refused)
    correct(course, scored, by=PRESCRIBER)
    open_tasks = [k for k, t in course.pathway.tasks.items() if not t.closed]
    course.run_rules()
    open_tasks = [k for k, t in course.pathway.tasks.items() if not t.closed]
    assert not [key for key in open_tasks if key.startswith(Ask.REVIEW_RISK)]


def released_too_early() -> tuple[Course, Event]:
    """A patient let go after two hours by a first-device time that was half an hour too early."""
    course = ready()
    course.wait(minutes(30))
    course.do(RecordDose(ONE, course.now - minutes(30), 56, "lot-1"))
    wrong = entry(course, DoseGiven)
    course.wait(minutes(15))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.wait(minutes(76))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.do(ReleaseVisit(ONE))
    return course, wrong


def test_a_first_device_time_that_was_wrong_reopens_the_release():
    """The release stays, and a prescriber is told that it came after 92 minutes, by name."""
    course, wrong = released_too_early()
    assert course.facts(VisitReleased)[-1].findings == ()
    right = replace_time(wrong, minutes(30))
    correct(course, wrong, right)
    (session,) = course.pathway.sessions_at(ONE)
    assert (session.number, session.started) == (1, wrong.at + minutes(30))
    assert course.pathway.visits[ONE].status is VisitStatus.RELEASED
    asked = {q.event: q for q in course.facts(ActQuestioned)}
    release = entry(course, VisitReleased)
    assert any("time observed" in says for says in asked[release.id].findings)
    course.run_rules()
    (task,) = [
        t
        for k, t in course.pathway.tasks.items()
        if k.startswith(Ask.REVIEW_QUESTIONED) and "discharge" in t.says
    ]
    assert task.roles == (Role.PRESCRIBER,)
    assert task.due is not None


def replace_time(wrong: Event, later: timedelta) -> RecordDose:
    """The same dose, given later."""
    assert isinstance(wrong.fact, DoseGiven)
    return RecordDose(wrong.fact.visit, wrong.at + later, wrong.fact.mg, wrong.fact.lot)


def test_a_correction_of_a_correction_takes_the_question_back():
    """The first time was right after all: nothing speaks against the release any more."""
    course, wrong = released_too_early()
    correct(course, wrong, replace_time(wrong, minutes(30)))
    moved = entry(course, DoseGiven)
    correct(course, moved, replace_time(wrong, minutes(0)))
    release = entry(course, VisitReleased)
    assert course.pathway.questioned[release.id].findings == ()
    course.run_rules()
    open_tasks = [k for k, t in course.pathway.tasks.items() if not t.closed]
    assert not [key for key in open_tasks if key.startswith(Ask.REVIEW_QUESTIONED)]


def test_a_dose_that_never_was_lets_the_patient_go():
    """A dose of another patient's is taken back: nobody is kept two hours for it."""
    course = dosed()
    correct(course, entry(course, DoseGiven))
    assert course.pathway.sessions_at(ONE) == ()
    course.do(ReleaseVisit(ONE, not_treated=NotTreated.DECLINED))


@pytest.mark.long
def test_numbers_never_collide():
    """With the third of five doses in error the next one is the sixth."""
    course = ready()
    course.run(VisitIdOf(6))
    third = [e for e in course.events if isinstance(e.fact, DoseGiven)][2]
    given = len(course.facts(DoseGiven))
    correct(course, third)
    course.run(Ask.GIVE)
    visit = next(v.id for v in course.pathway.visits_in(INDUCTION) if v.status is CHECKED_IN)
    course.do(course.treatment(visit, course.now))
    numbers = [session.number for session in course.pathway.sessions_in(INDUCTION)]
    assert numbers[-1] == given + 1
    assert len(set(numbers)) == len(numbers) == given


CHECKED_IN = VisitStatus.CHECKED_IN


def VisitIdOf(number: int) -> str:  # noqa: N802
    """A visit of the induction by its number."""
    return f"{INDUCTION}-visit-{number}"


def test_a_late_entry_is_looked_at_as_if_it_had_come_in_time():
    """152/94 measured before the dose and entered after it questions the dose."""
    course = ready()
    measured = course.now
    course.wait(minutes(2))
    course.do(RecordDose(ONE, course.now, 56, "lot-1"))
    course.wait(minutes(5))
    course.do(pressure(course, 152, 94, measured + minutes(1)), NURSE)
    (asked,) = course.facts(ActQuestioned)
    assert asked.event == entry(course, DoseGiven).id
    assert any("152 mmHg" in says for says in asked.findings)
    course.run_rules()
    assert any(key.startswith(Ask.REVIEW_QUESTIONED) for key in course.pathway.tasks)


def test_nobody_is_checked_out_of_a_treatment():
    """A check-in at which somebody was treated is not taken back before the treatment is."""
    course = dosed()
    came = entry(course, VisitCheckedIn)
    assert rules(course.attempt(CorrectEntry(came.id, WHY), NURSE)) == ["treated-here"]
    correct(course, entry(course, DoseGiven))
    correct(course, came)
    assert course.pathway.visits[ONE].status is VisitStatus.BOOKED


@pytest.mark.parametrize("reason", ["", " ", "..."])
def test_a_correction_says_why(reason: str):
    """Without words nothing is taken back."""
    course = dosed()
    wish = CorrectEntry(entry(course, DoseGiven).id, reason)
    assert isinstance(course.attempt(wish, NURSE), Malformed)


def test_what_is_not_there_or_in_error_already_is_said_to_be_so():
    """An unknown entry is malformed, one in error a conflict, an unfit stand-in malformed."""
    course = dosed()
    given = entry(course, DoseGiven)
    unfit = pressure(course, 120, 80, course.now)
    assert isinstance(course.attempt(CorrectEntry(EventId("nothing"), WHY), NURSE), Malformed)
    assert isinstance(course.attempt(CorrectEntry(given.id, WHY, unfit), NURSE), Malformed)
    correct(course, given)
    assert isinstance(course.attempt(CorrectEntry(given.id, WHY), NURSE), Conflict)


def test_a_void_that_was_in_error_is_taken_back():
    """The dose was the right one after all: it counts again, and observation with it."""
    course = dosed()
    correct(course, entry(course, DoseGiven))
    correct(course, entry(course, EntryVoided))
    assert len(course.pathway.sessions_at(ONE)) == 1
    assert course.pathway.voided.keys() == {entry(course, EntryVoided, 0).id}
    assert "fit-to-leave" in rules(course.attempt(ReleaseVisit(ONE), NURSE))


def clinical(pathway: Pathway) -> Pathway:
    """What is true of the patient: all but whom Kairos asked, and what it marked."""
    return replace(pathway, tasks={}, voided={}, questioned={})


@courses(30)
@given(
    choices=st.lists(st.integers(0, 12), max_size=30),
    length=st.integers(20, 120),
    which=st.integers(0, 1_000),
)
def test_after_a_correction_all_is_as_if_it_had_been_right_from_the_start(
    choices: list[int], length: int, which: int
):
    """The state equals that of the same course without the entry, and refolding changes nothing."""
    course = Course(FIRST, choices=choices)
    for _ in range(length):
        course.follow_next()
    kinds = (ReadingsTaken, ScaleAssessed, DoseGiven)
    entries = [event for event in course.events if isinstance(event.fact, kinds)]
    if not entries or course.pathway.outcome is not None:
        return
    wrong = entries[which % len(entries)]
    if course.attempt(CorrectEntry(wrong.id, WHY), PRESCRIBER) is not None:
        return
    with suppress(Refused):  # staff who follow a script may want what is not possible any more
        for _ in range(5):
            course.follow_next()
    without = [event for event in course.events if event.id != wrong.id]
    vocabulary = course.protocol.vocabulary
    assert clinical(course.pathway) == clinical(refold(course.pathway.id, without, vocabulary))
    assert course.pathway == refold(course.pathway.id, course.events, vocabulary)


def test_an_entry_of_long_ago_is_put_right_too():
    """A pressure of ninety days back is amended at its own time; one of another quarter is not."""
    course = ready()
    course.measure(ONE, systolic_bp=135, diastolic_bp=85)
    wrong = entry(course, ReadingsTaken)
    course.now += timedelta(days=90)
    values = readings(systolic_bp=125, diastolic_bp=79)
    other = RecordReadings(wrong.at + timedelta(days=80), values)
    refusal = course.attempt(CorrectEntry(wrong.id, WHY, other), PRESCRIBER)
    assert isinstance(refusal, Malformed)
    assert "over 60 days from the entry" in str(refusal)
    correct(course, wrong, pressure(course, 125, 79, wrong.at), PRESCRIBER)
    assert entry(course, ReadingsTaken).at == wrong.at


def test_a_visit_that_was_proposed_for_a_dose_in_error_is_called_off_when_it_was_none():
    """A dose taken back asks for one visit more; restored, that visit alone is off again."""
    course = dosed()
    course.run(TWO)
    before = {v.id for v in course.pathway.visits.values() if v.status in ("proposed", "booked")}
    correct(course, entry(course, DoseGiven), by=PRESCRIBER)
    course.run_rules()
    more = {v.id for v in course.pathway.visits.values() if v.status in ("proposed", "booked")}
    assert len(more - before) == 1
    course.do(CorrectEntry(entry(course, EntryVoided).id, "it was right"), PRESCRIBER)
    course.run_rules()
    after = {v.id for v in course.pathway.visits.values() if v.status in ("proposed", "booked")}
    assert after == before
