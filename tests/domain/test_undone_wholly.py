"""A correction that is taken back leaves nothing of itself: what stood instead is in error too."""

from domain.language.corrections import CorrectEntry, EntryVoided
from domain.language.events import Event
from domain.language.names import ObservationName
from domain.language.observations import RecordAssessment, RecordReadings, ScaleAssessed
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import DoseGiven, RecordDose
from domain.rules.baselines import baseline_of
from domain.rules.corrected import refold
from domain.rules.steps import Ask
from tests.course import LOW_RISK, PRESCRIBER, Course
from tests.domain.scenes import ONE, dosed, minutes, ready
from tests.domain.simulation import INDUCTION, readings

MADRS = ObservationName("madrs_total")
WHY, BACK = "typed from another sheet", "it was hers after all"


def entry(course: Course, kind: type) -> Event:
    """The last entry of this kind."""
    return [event for event in course.events if isinstance(event.fact, kind)][-1]


def undo(course: Course) -> None:
    """Take the last correction back."""
    course.wait(minutes(1))
    course.do(CorrectEntry(entry(course, EntryVoided).id, BACK), PRESCRIBER)
    course.run_rules()


def asked(course: Course, *asks: Ask) -> list[str]:
    """The open tasks of these asks."""
    known = course.pathway.tasks.items()
    return [k for k, t in known if not t.closed and k.startswith(tuple(f"{a}/" for a in asks))]


def test_what_stood_instead_is_in_error_for_the_reason_of_the_correction():
    """The score and its stand-in: one stands, and of the other it is known why it does not."""
    course = ready()
    course.assess("phq9", *LOW_RISK)
    scored = entry(course, ScaleAssessed)
    course.do(CorrectEntry(scored.id, WHY, _phq9(scored, 3)), PRESCRIBER)
    stand_in = entry(course, ScaleAssessed)
    undo(course)
    assert scored.id not in course.pathway.voided or course.pathway.voided[scored.id] == WHY
    assert course.pathway.voided[stand_in.id] == BACK
    vocabulary = course.protocol.vocabulary
    assert refold(course.pathway.id, course.events, vocabulary) == course.pathway


def _phq9(scored: Event, item9: int) -> RecordAssessment:
    return RecordAssessment("phq9", scored.at, (1, 1, 1, 1, 1, 1, 1, 1, item9))


def test_a_risk_that_never_was_is_asked_about_no_more():
    """Item 9 was 0, was said to be 3, and was 0: nobody is asked, and the dose may be given."""
    course = ready()
    course.assess("phq9", *LOW_RISK)
    scored = entry(course, ScaleAssessed)
    course.do(CorrectEntry(scored.id, WHY, _phq9(scored, 3)), PRESCRIBER)
    course.run_rules()
    assert asked(course, Ask.REVIEW_RISK)
    undo(course)
    assert asked(course, Ask.REVIEW_RISK) == []
    assert course.attempt(course.treatment(ONE, course.now)) is None


def test_a_baseline_is_the_score_that_stands():
    """28, said to be 27, and 28 after all: a fall is judged from 28 once somebody has looked."""
    course = dosed()
    base = course.pathway.baselines[f"{INDUCTION}/{MADRS}"].event
    scored = next(event for event in course.events if event.id == base)
    course.wait(minutes(5))
    right = RecordAssessment("madrs", scored.at, (3,) * 9 + (0,))
    course.do(CorrectEntry(scored.id, WHY, right), PRESCRIBER)
    undo(course)
    (key,) = asked(course, Ask.REVIEW_BASELINE)
    assert "renamed" in key
    course.do(AcknowledgeTask(key, "28 it is, by the sheet."), PRESCRIBER)  # type: ignore[arg-type]
    found = baseline_of(course.protocol, course.pathway, INDUCTION, MADRS)
    assert getattr(found, "value", None) == 28


def test_a_question_about_a_dose_that_never_was_is_closed():
    """Put four minutes later, a pressure of before it spoke against it; it was not later."""
    course = dosed()
    given, at = entry(course, DoseGiven), course.now
    course.wait(minutes(6))
    later = RecordDose(ONE, at + minutes(4), 56, "lot-1")
    course.do(CorrectEntry(given.id, WHY, later), PRESCRIBER)
    values = readings(systolic_bp=165, diastolic_bp=100)
    course.do(RecordReadings(at + minutes(3), values, ONE), PRESCRIBER)
    course.run_rules()
    assert asked(course, Ask.REVIEW_QUESTIONED)
    undo(course)
    assert asked(course, Ask.REVIEW_QUESTIONED) == []
