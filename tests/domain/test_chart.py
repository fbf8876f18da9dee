"""What the EHR's chart says by itself: it can answer yes, and never no."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.enrolment import Enrolment, begin
from domain.language.chart import (
    ChartEntry,
    ChartRead,
    ChartReading,
    ChartSign,
    ChartType,
    ReadChart,
)
from domain.language.clocks import LocalTime
from domain.language.findings import Held
from domain.language.names import Author, ObservationName, RequestId, Role
from domain.language.observations import Reading, RecordReadings
from domain.language.phases import PathwayStarted
from domain.language.visits import CheckIn
from domain.rules.chart import check_may_contradict
from domain.rules.fold import apply
from domain.rules.start import State, checklist
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import FIRST, ONE, TWO, a_course, checked_in, dose, dosed, rules
from tests.domain.simulation import COMBINED, INDUCTION, readings

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
BLEEDING = ObservationName("intracerebral_hemorrhage")
DIAGNOSIS = ObservationName("depression_diagnosis")
BLED = ChartEntry(BLEEDING, "present", "Condition/17", "I61.9")
DEPRESSED = ChartEntry(DIAGNOSIS, "F33.2", "Condition/3", "F33.2")
NURSE = Author("a-nurse", Role.NURSE)


def read(course: Course, *entries: ChartEntry, unread: tuple[ChartType, ...] = ()) -> None:
    """Read the chart, in which this stands."""
    course.do(ReadChart(ChartReading(entries, unread)))


def state(course: Course, name: ObservationName) -> State:
    """How a row of the start checklist stands."""
    rows = checklist(course.protocol, course.pathway, course.now)
    return next(r.state for r in rows if r.observation == name and r.phase == INDUCTION)


def test_a_chart_answers_yes_and_says_where():
    """A coded diagnosis meets its row, and the row names the entry of the chart."""
    course = a_course()
    assert state(course, DIAGNOSIS) is State.UNKNOWN
    read(course, DEPRESSED)
    assert state(course, DIAGNOSIS) is State.MET
    rows = checklist(course.protocol, course.pathway, course.now)
    assert next(r.chart for r in rows if r.observation == DIAGNOSIS) == ("Condition/3, F33.2",)


def test_a_chart_never_answers_no():
    """Nothing in it leaves every row unknown: none is met, and none becomes not met."""
    course = a_course()
    before = [r.state for r in checklist(course.protocol, course.pathway, course.now)]
    read(course)
    assert [r.state for r in checklist(course.protocol, course.pathway, course.now)] == before
    assert state(course, BLEEDING) is State.UNKNOWN


def test_a_new_contraindication_stops_the_next_dose_of_a_course_under_way():
    """Found at a check-in after doses were given: nobody passes it, and the reason names it."""
    course = dosed()
    course.run(TWO)
    while course.pathway.visits[TWO].status != "booked":
        course.follow_next()
    course.wait(timedelta(hours=1))
    at = course.pathway.visits[TWO].at
    while course.now.date() < at.day:
        course.wait(timedelta(hours=6))
    course.do(CheckIn(TWO, ChartReading((BLED,))))
    refusal = course.attempt(course.treatment(TWO, course.now))
    assert "contraindications" in rules(refusal)
    told = [b for b in refusal.blocked_by if b.rule == "contraindications"]  # type: ignore[union-attr]
    assert "history of intracerebral hemorrhage present" in told[0].sentence()


def test_what_a_prescriber_said_of_an_entry_holds_until_there_is_a_new_one():
    """The same entry read again stops nothing anew; another of the same kind does."""
    course = a_course()
    read(course, BLED)
    assert state(course, BLEEDING) is State.NOT_MET
    course.wait(timedelta(minutes=1))
    course.do(RecordReadings(course.now, readings(intracerebral_hemorrhage="absent")), PRESCRIBER)
    course.wait(timedelta(minutes=1))
    read(course, BLED)
    assert state(course, BLEEDING) is State.MET
    read(course, BLED, ChartEntry(BLEEDING, "present", "Condition/18", "I69.1"))
    assert state(course, BLEEDING) is State.NOT_MET


def test_an_entry_that_went_and_came_back_is_new():
    """Taken off the chart and put there again, it stops again."""
    course = a_course()
    read(course, BLED)
    course.wait(timedelta(minutes=1))
    course.do(RecordReadings(course.now, readings(intracerebral_hemorrhage="absent")), PRESCRIBER)
    read(course)
    course.wait(timedelta(minutes=1))
    read(course, BLED)
    assert state(course, BLEEDING) is State.NOT_MET


def test_a_yes_that_helps_does_not_outvote_a_person():
    """A prescriber who found another diagnosis is not overruled by the list of problems."""
    course = a_course()
    course.do(RecordReadings(course.now, readings(depression_diagnosis="another or none")))
    course.wait(timedelta(minutes=1))
    read(course, DEPRESSED)
    assert state(course, DIAGNOSIS) is State.NOT_MET


def test_the_chart_says_it_again_for_as_long_as_it_is_there():
    """A diagnosis read anew does not grow too old for its gate."""
    course = a_course()
    read(course, DEPRESSED)
    course.wait(timedelta(days=400))
    read(course, DEPRESSED)
    assert state(course, DIAGNOSIS) is State.MET


def test_what_could_not_be_read_stays_as_it_was():
    """An EHR that is away takes nothing off the chart and is named; nobody takes it for a no."""
    course = a_course()
    read(course, BLED, DEPRESSED)
    read(course, unread=(ChartType.CONDITION,))
    chart = course.pathway.chart
    assert chart is not None
    assert set(chart.entries) == {BLED, DEPRESSED}
    assert chart.unread == (ChartType.CONDITION,)
    read(course)
    assert course.pathway.chart is not None
    assert course.pathway.chart.entries == ()


def test_a_check_in_needs_no_chart():
    """An EHR that is away keeps nobody from care: the patient is checked in without a reading."""
    course = checked_in()
    assert course.pathway.visits[ONE].checked_in is not None
    assert course.pathway.chart is None


@pytest.mark.parametrize("name", ["insurance", "rems_enrolment"])
def test_who_may_record_a_thing_alone_may_say_otherwise(name: str):
    """Where no prescriber records it alone, a nurse is told that the chart says otherwise."""
    course = a_course()
    kind = COMBINED.vocabulary.kind(ObservationName(name))
    read(course, ChartEntry(kind.name, kind.answers[0], "Coverage/1"))
    wish = RecordReadings(course.now, readings(**{name: kind.answers[-1]}))
    refusal = course.attempt(wish, NURSE)
    assert rules(refusal) == ["chart"]
    assert "Coverage/1" in str(refusal.blocked_by[0].finding)  # type: ignore[union-attr]
    assert course.attempt(wish, PRESCRIBER) is None


def test_the_start_reads_the_chart_and_begins_all_the_same():
    """A contraindication in it is on the checklist as not met; the start itself is not refused."""
    (started,) = a_course().facts(PathwayStarted)
    who = Author("a-care-manager", Role.CARE_MANAGER)
    reading = ChartReading((BLED,))
    course = a_course()
    wish = Enrolment(
        RequestId("start-2"), who, started, LocalTime(FIRST.day, FIRST.hour), 44, reading
    )
    events = begin(COMBINED, wish, course.now)
    (fact,) = [e.fact for e in events if isinstance(e.fact, ChartRead)]
    assert fact.counted == (BLED.key,)
    course.record(events[-1:])
    assert state(course, BLEEDING) is State.NOT_MET
    assert dose(course) is not None


@pytest.mark.parametrize(
    ("codes", "code", "named"),
    [
        (("I61",), "I61", True),
        (("I61",), "I61.9", True),
        (("I61",), "I619", True),
        (("I61",), "I60.9", False),
        (("I61",), "I6", False),
        (("I67.1",), "I67.1", True),
        (("I67.1",), "I67", False),
        (("I67.1",), "I67.10", True),
        (("Q27.3",), "Q27.31", True),
    ],
)
def test_a_category_stands_for_all_below_it(codes, code, named):
    """ICD-10-CM: what is below is meant too, and what only looks alike is not."""
    sign = ChartSign(BLEEDING, "present", ChartType.CONDITION, ICD, codes)
    assert sign.names(ICD, code) is named
    assert not sign.names("http://snomed.info/sct", code)


@pytest.mark.parametrize(("code", "named"), [("274100004", True), ("2741000041", False)])
def test_a_code_of_another_system_stands_for_itself_alone(code, named):
    """SNOMED CT and RxNorm have no categories by their digits."""
    snomed = "http://snomed.info/sct"
    sign = ChartSign(BLEEDING, "present", ChartType.CONDITION, snomed, ("274100004",))
    assert sign.names(snomed, code) is named


def test_who_says_the_same_as_the_chart_contradicts_nobody():
    """A nurse who confirms what stands there is not sent to a prescriber."""
    course = a_course()
    read(course, ChartEntry(ObservationName("insurance"), "on file", "Coverage/1"))
    wish = RecordReadings(course.now, readings(insurance="on file"))
    assert course.attempt(wish, NURSE) is None


def test_a_reading_of_the_chart_that_comes_late_changes_no_newer_one():
    """Applied after a newer reading, an older one leaves the chart as the newer has it."""
    course = a_course()
    read(course, BLED)
    older = course.events[-1]
    course.wait(timedelta(minutes=1))
    read(course, DEPRESSED)
    again = apply(course.pathway, older, course.protocol.vocabulary)
    assert again.chart == course.pathway.chart


def test_only_what_a_prescriber_records_is_asked_of_one():
    """Where a nurse alone records a thing she says otherwise herself; the next answer is asked."""
    course = a_course()
    insurance = ObservationName("insurance")
    read(course, ChartEntry(insurance, "on file", "Coverage/1"), BLED)
    words = course.protocol.vocabulary
    alone = replace(words.kind(insurance), recorded_by=(Role.NURSE,))
    known = {**words.observations, insurance: alone}
    other = replace(course.protocol, vocabulary=replace(words, observations=known))
    said = [Reading(insurance, None, "none"), Reading(BLEEDING, None, "absent")]
    told = check_may_contradict(other, course.pathway, said, Role.NURSE)
    assert isinstance(told, Held)
    (block,) = told.findings
    assert (block.rule, block.who) == ("chart", (Role.PRESCRIBER,))
    assert "Condition/17" in str(block.finding)
    assert "only a prescriber may record otherwise" in str(block.finding)
