"""What may be taken back, by whom, what was so instead, and which acts are looked at again."""

from datetime import timedelta

import pytest

from domain.language.corrections import ActQuestioned, CorrectEntry, EntryVoided, Instead
from domain.language.errors import Malformed, Refused
from domain.language.events import Event
from domain.language.holds import HoldPlaced, PlaceHold
from domain.language.names import (
    Author,
    EventId,
    HoldReason,
    ObservationName,
    PhaseDecision,
    Role,
    RuleId,
    VisitId,
    VisitStatus,
    spoken,
)
from domain.language.observations import ReadingsTaken, RecordReadings, ScaleAssessed
from domain.language.phases import Decide
from domain.language.release import Disposition, NotTreated, ReleaseVisit, VisitReleased
from domain.language.standing import DecideAhead
from domain.language.tasks import AcknowledgeTask, TaskAcknowledged
from domain.language.treatment import (
    DoseGiven,
    RecordDose,
    RecordStimulation,
    ReportDose,
    StimulationGiven,
)
from domain.language.visits import VisitBooked, VisitCheckedIn
from domain.rules.steps import Ask
from tests.course import PRESCRIBER, SESSION, UNCHANGED, WELL, Course
from tests.domain.scenes import (
    FIRST,
    FIT_TO_LEAVE,
    ONE,
    TWO,
    checked_in,
    dosed,
    minutes,
    ready,
    rules,
)
from tests.domain.simulation import DTMS, INDUCTION, readings

NURSE = Author("a-nurse", Role.NURSE)
MANAGER = Author("a-care-manager", Role.CARE_MANAGER)
OPERATOR = Author("a-tms-operator", Role.TMS_OPERATOR)
TMS = VisitId(f"{DTMS}-visit-1")
WHY = "typed from another patient's slip"


def entry(course: Course, fact: type, place: int = -1) -> Event:
    """The entry of a kind at a place."""
    return [event for event in course.events if isinstance(event.fact, fact)][place]


def void(course: Course, fact: type, by: Author, instead: Instead | None = None) -> object:
    """Try to take back the last entry of a kind."""
    return course.attempt(CorrectEntry(entry(course, fact).id, WHY, instead), by)


def test_a_number_that_forbids_nothing_is_its_authors_to_take_back():
    """An age of 44 is a nurse's to put right; one of 17, which nobody may override, is not."""
    for age, taken in ((44, True), (17, False)):
        course = checked_in()
        course.measure(age=age)
        assert isinstance(void(course, ReadingsTaken, NURSE), Refused) is not taken


@pytest.mark.parametrize("answer", ["moderate", "low"])
def test_what_a_prescriber_is_to_look_at_is_taken_back_by_one_only(answer: str):
    """A level of risk of the protocol's, no alert of the vocabulary's: the same holds of both."""
    course = ready()
    course.do(RecordReadings(course.now, readings(suicide_risk=answer), ONE), PRESCRIBER)
    course.run_rules()
    asked = [key for key in course.pathway.tasks if key.startswith(Ask.REVIEW_RISK)]
    milder = RecordReadings(course.now, readings(suicide_risk="none found"), ONE)
    for instead in (None, milder):
        refused = isinstance(void(course.copied(), ReadingsTaken, NURSE, instead), Refused)
        assert refused is bool(asked)
    assert void(course, ReadingsTaken, PRESCRIBER) is None


def test_a_score_by_which_the_course_worsened_is_taken_back_by_a_prescriber():
    """Asked of them, and answered: a nurse takes it back in neither case."""
    course = dosed()
    course.run(TWO)
    course.assess("madrs", *(5,) * 10)
    course.run_rules()
    assert [key for key in course.pathway.tasks if key.startswith(Ask.REVIEW_COURSE)]
    assert isinstance(void(course, ScaleAssessed, NURSE), Refused)
    for key, task in list(course.pathway.tasks.items()):
        if not task.closed:
            course.attempt(AcknowledgeTask(key, "Seen the patient; we go on."), PRESCRIBER)
    assert isinstance(void(course, ScaleAssessed, NURSE), Refused)
    assert void(course, ScaleAssessed, PRESCRIBER) is None


def test_an_amended_time_passes_no_stop_that_its_author_may_not_say_otherwise():
    """A nurse's 44 of before the prescriber's 17 is put right, and not moved behind it."""
    course = ready()
    course.do(RecordReadings(course.now, readings(age=44)), NURSE)
    first = entry(course, ReadingsTaken)
    course.wait(minutes(1))
    course.do(RecordReadings(course.now, readings(age=17)), PRESCRIBER)
    course.wait(minutes(1))
    seventeen = entry(course, ReadingsTaken).at
    for at, refused in ((course.now, True), (seventeen, True), (first.at, False)):
        later = course.copied()
        instead = RecordReadings(at, readings(age=44))
        refusal = later.attempt(CorrectEntry(first.id, WHY, instead), NURSE)
        assert isinstance(refusal, Refused) is refused
        if refused:
            assert str(refusal).startswith("may not record: age 17 years is recorded")
            assert later.attempt(CorrectEntry(first.id, WHY, instead), PRESCRIBER) is None


def test_a_reading_may_have_been_of_another_kind():
    """An oxygen saturation was an age: nothing of that kind was known, and it is taken."""
    course = checked_in()
    course.measure(ONE, spo2=54)
    instead = RecordReadings(course.now, readings(age=54))
    assert void(course, ReadingsTaken, PRESCRIBER, instead) is None
    assert course.pathway.readings[ObservationName("age")][-1].value == 54


def test_a_score_that_is_known_and_decided_about_is_a_prescribers_to_take_back():
    """Passive ideation under a standing decision opens no task, and is no nurse's to take away."""
    course = checked_in()
    until = course.now.date() + timedelta(days=10)
    words = "Passive ideation, known for years; looked at each week."
    course.do(DecideAhead(RuleId("suicide-risk"), until, words), PRESCRIBER)
    course.wait(minutes(1))
    course.assess("phq9", 1, 1, 1, 1, 1, 1, 1, 1, 1)
    assert not [key for key in course.pathway.tasks if key.startswith(Ask.REVIEW_RISK)]
    assert isinstance(void(course, ScaleAssessed, NURSE), Refused)


def released() -> Course:
    """A patient who was dosed, observed for two hours and let go."""
    course = dosed()
    course.wait(minutes(40))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.wait(minutes(80))
    course.measure(ONE, **FIT_TO_LEAVE)
    course.do(ReleaseVisit(ONE))
    return course


def stimulated() -> Course:
    """A patient right after the first stimulation, which the operator has entered."""
    course = ready(TMS)
    wish = course.treatment(TMS, course.now)
    course.wait(SESSION)
    course.do(wish, OPERATOR)
    return course


def test_a_booking_is_not_taken_back_by_a_correction():
    """Appointments are moved or called off: the refusal names the kind."""
    course = dosed()
    refusal = void(course, VisitBooked, PRESCRIBER)
    assert isinstance(refusal, Malformed)
    assert "(visit booked) cannot be corrected" in str(refusal)


def test_what_is_not_on_the_pathway_is_not_taken_back():
    """An unknown entry is malformed, and says that it is the entry that is not known."""
    refusal = dosed().attempt(CorrectEntry(EventId("nothing"), WHY), PRESCRIBER)
    assert isinstance(refusal, Malformed)
    assert refusal.unknown == "event"


def test_an_acknowledgement_is_taken_back_by_those_whose_task_it_was():
    """A nurse does not take back what a prescriber said they had seen."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=200, diastolic_bp=120)
    (key,) = [key for key, task in course.pathway.tasks.items() if "systolic_bp" in key]
    course.do(AcknowledgeTask(key, "Seen; measured again at once."), PRESCRIBER)
    assert rules(void(course, TaskAcknowledged, NURSE)) == ["may-correct"]  # type: ignore[arg-type]
    assert void(course, TaskAcknowledged, PRESCRIBER) is None
    assert not course.pathway.tasks[key].acknowledged


@pytest.mark.parametrize(("by", "taken"), [(NURSE, False), (PRESCRIBER, True)])
def test_the_baseline_is_taken_back_by_a_prescriber_only(by: Author, *, taken: bool):
    """A score against which benefit is judged does not go because somebody who records says so."""
    course = dosed()
    scored = [e for e in course.events if isinstance(e.fact, ScaleAssessed)]
    (baseline,) = [e for e in scored if getattr(e.fact, "scale", "") == "madrs"]
    refusal = course.attempt(CorrectEntry(baseline.id, WHY), by)
    assert (refusal is None) is taken


@pytest.mark.parametrize("went", [Disposition.AGAINST_ADVICE, Disposition.EMERGENCY])
def test_where_they_went_is_taken_back_by_a_prescriber_unless_they_were_let_go(went: Disposition):
    """Who left against advice, or for an emergency department, is not sent home by a nurse."""
    course = dosed()
    course.do(ReleaseVisit(ONE, went, "Left with a relative."), NURSE)
    assert rules(void(course, VisitReleased, NURSE)) == ["may-correct"]  # type: ignore[arg-type]
    assert void(course, VisitReleased, PRESCRIBER) is None
    assert course.pathway.visits[ONE].status is VisitStatus.CHECKED_IN
    course = released()
    assert void(course, VisitReleased, NURSE) is None


def test_where_they_went_in_truth_stands_in_place_of_the_entry():
    """A release at the wrong time is put right; what it went against then, a prescriber sees."""
    course = released()
    left = course.now
    early = left - minutes(1)
    refusal = void(course, VisitReleased, NURSE, ReleaseVisit(ONE, left_at=left - minutes(2)))
    assert str(refusal) == "left_at must be later than the last reading here, at 11:00"
    assert void(course, VisitReleased, NURSE, ReleaseVisit(ONE, left_at=early)) is None
    assert course.pathway.visits[ONE].left_at == early
    assert "the first device 119 min" in course.facts(VisitReleased)[-1].findings[0]
    assert any(key.startswith(Ask.REVIEW_DEVIATION) for key in course.pathway.tasks)
    course.wait(minutes(10))
    again = ReleaseVisit(ONE, left_at=left)
    assert isinstance(void(course, VisitReleased, NURSE, again), Refused)
    assert void(course, VisitReleased, PRESCRIBER, again) is None
    assert course.pathway.visits[ONE].left_at == left
    assert course.facts(EntryVoided)[-1].instead == course.pathway.visits[ONE].left_by


def test_a_time_of_leaving_that_is_still_to_come_was_not_so_instead():
    """What was so instead has happened: a later time of leaving is malformed."""
    course = released()
    later = ReleaseVisit(ONE, left_at=course.now + timedelta(hours=1))
    assert isinstance(void(course, VisitReleased, NURSE, later), Malformed)


def test_what_was_so_instead_is_of_the_same_kind():
    """A dose is not put right by a reading, nor an entry that is only taken back by anything."""
    course = dosed()
    reading = RecordReadings(course.now, readings(spo2=97), ONE)
    refusal = void(course, DoseGiven, NURSE, reading)
    assert isinstance(refusal, Malformed)
    assert "of the same kind as this one: dose given" in str(refusal)
    course.do(PlaceHold(HoldReason.OTHER, "a slip"), NURSE)
    assert isinstance(void(course, HoldPlaced, PRESCRIBER, reading), Malformed)


def test_a_stimulation_put_right_against_a_rule_is_kept_as_that():
    """Stronger than ordered in truth: kept with its figures, its finding, and not authorized."""
    course = stimulated()
    given = entry(course, StimulationGiven)
    end = given.at + SESSION
    right = RecordStimulation(TMS, given.at, end, 1980, 121, 66)
    assert void(course, StimulationGiven, OPERATOR, right) is None
    fact = course.facts(StimulationGiven)[-1]
    as_given = (fact.intensity_percent_mt, fact.pulses, fact.output_percent, fact.ended)
    assert as_given == (121, 1980, 66, end)
    assert fact.findings == ("at most 120 % of motor threshold, not 121 %",)
    assert (fact.authorized, fact.deviation) == (False, WHY)


def test_a_check_in_that_never_was_questions_the_release():
    """Nobody leaves a visit to which they never came: whoever released them is asked."""
    course = checked_in()
    course.do(ReleaseVisit(ONE, not_treated=NotTreated.DECLINED))
    assert void(course, VisitCheckedIn, MANAGER) is None
    (question,) = course.facts(ActQuestioned)
    assert question.about == "discharge from esketamine induction visit 1"
    assert question.findings == ("esketamine induction visit 1 is booked, not checked in",)


def test_a_stimulation_that_ended_after_the_release_questions_it():
    """The end is put right to after the patient left: a release during a session is asked about."""
    course = stimulated()
    course.do(ReleaseVisit(TMS, Disposition.AGAINST_ADVICE, "Went for a call."), PRESCRIBER)
    left = course.now
    course.wait(minutes(20))
    given = entry(course, StimulationGiven)
    right = RecordStimulation(TMS, given.at, left + minutes(5), 1980, 120, 66)
    assert void(course, StimulationGiven, OPERATOR, right) is None
    asked = {fact.about: fact.findings for fact in course.facts(ActQuestioned)}
    assert "the last session has not ended" in asked[f"discharge from {spoken(TMS)}"]


def test_a_stimulation_is_questioned_by_what_comes_late():
    """A check that was not clear when it began, entered after it, asks about it."""
    course = stimulated()
    given = entry(course, StimulationGiven)
    course.wait(minutes(1))
    late = RecordReadings(given.at, readings(tms_day_check="not clear"), TMS)
    course.do(late, OPERATOR)
    (question,) = course.facts(ActQuestioned)
    assert question.event == given.id
    assert question.about == "stimulation 1 of accelerated deep TMS"
    assert "required clear" in question.findings[0]


@pytest.mark.long
@pytest.mark.parametrize(
    ("decision", "asked"), [(PhaseDecision.CONTINUE, True), (PhaseDecision.MOVE_ON, False)]
)
def test_a_decision_is_questioned_unless_it_is_possible_whatever_is_known(
    decision: PhaseDecision, *, asked: bool
):
    """The response that was typed never was: to go on is asked about, to move on is not."""
    course = Course(FIRST, madrs=UNCHANGED)
    course.run(Ask.DECIDE)
    course.wait(minutes(1))
    course.assess("madrs", *WELL)
    course.do(Decide(INDUCTION, decision, "as discussed"), PRESCRIBER)
    assert void(course, ScaleAssessed, PRESCRIBER) is None
    about = [fact.about for fact in course.facts(ActQuestioned)]
    assert (f"decision to {spoken(decision)} (esketamine induction)" in about) is asked


def test_a_second_look_asks_once_about_the_same():
    """What was asked of an act is not asked again by the next late entry."""
    course = released()
    at = entry(course, DoseGiven).at
    for late in (readings(systolic_bp=152, diastolic_bp=85), readings(spo2=97)):
        course.wait(minutes(1))
        course.do(RecordReadings(at, late), NURSE)
    (question,) = course.facts(ActQuestioned)
    assert question.about == "dose 1 of esketamine induction"
    assert len(question.findings) == 1


def test_a_dose_moved_to_another_visit_brings_that_check_in_with_it():
    """Given on the second visit's day, entered at the first, which nobody had ended."""
    course = checked_in()
    two = VisitId(f"{INDUCTION}-visit-2")
    course.wait(timedelta(days=3))
    course.do(ReportDose(ONE, course.now, 56, "lot-1", "The wrong visit was open."), PRESCRIBER)
    given = entry(course, DoseGiven)
    moved = RecordDose(two, given.at, 56, "lot-1")
    assert void(course, DoseGiven, PRESCRIBER, moved) is None
    assert course.pathway.visits[two].checked_in == given.at
    assert [session.visit for session in course.pathway.sessions.values()] == [two]


def test_a_treatment_is_at_the_visit_at_which_the_patient_was():
    """Reported at a visit of another day, or moved to one, it would be observed by nobody here."""
    course = dosed()
    two = VisitId(f"{INDUCTION}-visit-2")
    told = "the patient was at esketamine induction visit 1 at that time: record it there"
    given = entry(course, DoseGiven)
    refusal = void(course, DoseGiven, PRESCRIBER, RecordDose(two, given.at, 56, "lot-1"))
    assert told in str(refusal)
    course.wait(minutes(5))
    reported = ReportDose(two, course.now, 56, "lot-1", "Typed at the wrong visit.")
    assert told in str(course.attempt(reported, NURSE))
    later = released()
    after = ReportDose(two, later.now + minutes(1), 56, "lot-1", "Came back for it.")
    later.wait(minutes(5))
    assert later.attempt(after, NURSE) is None
