"""What must never slip through: risk between visits, two hours, walking out, equal minutes."""

from datetime import timedelta

import pytest

from domain.decide import decide
from domain.language.commands import Command
from domain.language.errors import Malformed, Refused
from domain.language.names import Author, RequestId, Role, RuleId, TaskId, VisitStatus
from domain.language.observations import RecordReadings
from domain.language.overrides import OverrideGate
from domain.language.release import Disposition, ReleaseVisit
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import RecordDose
from domain.rules.steps import Ask
from tests.course import Course
from tests.domain.scenes import ONE, a_course, dosed, minutes, ready, rules
from tests.domain.simulation import COMBINED, readings

THOUGHTS_OF_DEATH = (0, 0, 0, 0, 0, 0, 0, 0, 2)


def _open_tasks(course: Course, ask: Ask) -> list[TaskId]:
    return [k for k, t in course.pathway.tasks.items() if k.startswith(ask) and not t.closed]


def test_item_nine_between_visits_becomes_a_prescribers_task():
    """PHQ-9 item 9 above zero opens a task at once, which only a prescriber's seeing it closes."""
    course = a_course()
    course.assess("phq9", *THOUGHTS_OF_DEATH)
    course.run_rules()
    (task,) = _open_tasks(course, Ask.REVIEW_RISK)
    assert course.pathway.tasks[task].roles == (Role.PRESCRIBER,)
    nurse = Command(RequestId("n"), Author("n", Role.NURSE), AcknowledgeTask(task))
    with pytest.raises(Refused, match="prescriber"):
        decide(COMBINED, course.pathway, nurse, course.now)
    course.wait(timedelta(days=40))
    assert _open_tasks(course, Ask.REVIEW_RISK) == [task]
    prescriber = Command(
        RequestId("p"), Author("p", Role.PRESCRIBER), AcknowledgeTask(task, "Seen: no plan.")
    )
    course.record(decide(COMBINED, course.pathway, prescriber, course.now))
    course.run_rules()
    assert _open_tasks(course, Ask.REVIEW_RISK) == []


def test_a_second_positive_answer_is_a_second_task():
    """Each positive item 9 is looked at by itself, also after an earlier one was."""
    course = a_course()
    for _ in range(2):
        course.assess("phq9", *THOUGHTS_OF_DEATH)
        course.run_rules()
        course.wait(minutes(60))
    assert len(_open_tasks(course, Ask.REVIEW_RISK)) == 2


def test_no_override_shortens_the_two_hours():
    """A prescriber may override what was found on leaving, but never the observation time."""
    course = dosed()
    course.wait(minutes(41))
    course.measure(
        ONE,
        sedation_moaas=5,
        dissociation_cadss=20,
        spo2=97,
        systolic_bp=130,
        diastolic_bp=82,
        respiratory_depression="absent",
        clinically_stable="confirmed",
        ride_home="arranged",
    )
    refusal = course.attempt(OverrideGate(ONE, RuleId("fit-to-leave"), "wants to go home"))
    assert rules(refusal) == ["fit-to-leave"]


def test_a_patient_who_walks_out_can_be_recorded():
    """Leaving against advice is recorded with its reason, without any check being met."""
    course = dosed()
    course.wait(minutes(30))
    course.do(ReleaseVisit(ONE, Disposition.AGAINST_ADVICE, "left without a word"))
    assert course.pathway.visits[ONE].status is VisitStatus.RELEASED


@pytest.mark.parametrize("order", [(152, 128), (128, 152)])
def test_of_two_readings_at_one_minute_the_worse_counts(order):
    """Two blood pressures at the same instant hold the dose if either of them would."""
    course = ready()
    at = course.now
    for systolic in order:
        course.do(RecordReadings(at, readings(systolic_bp=systolic, diastolic_bp=80), ONE))
    refusal = course.attempt(RecordDose(ONE, course.now, 56, "lot"))
    assert rules(refusal) == ["blood-pressure-before"]


def test_an_override_does_not_reach_back():
    """A dose dated before the override that would allow it is refused."""
    course = ready()
    course.measure(ONE, systolic_bp=180, diastolic_bp=110)
    course.wait(minutes(10))
    course.do(OverrideGate(ONE, RuleId("blood-pressure-before"), "benefit outweighs risk"))
    course.wait(minutes(1))
    early = course.attempt(RecordDose(ONE, course.now - minutes(5), 56, "lot"))
    assert set(rules(early)) == {"blood-pressure-before"}
    assert course.attempt(RecordDose(ONE, course.now, 56, "lot")) is None


def test_a_check_in_is_for_its_day():
    """A dose on the day after the patient was checked in is refused."""
    course = ready()
    course.wait(timedelta(days=1))
    assert "checked-in" in rules(course.attempt(RecordDose(ONE, course.now, 56, "lot")))


def test_a_reading_of_last_year_is_refused():
    """What is said to have been measured months ago is a slip of the pen."""
    course = a_course()
    long_ago = course.now - timedelta(days=400)
    refusal = course.attempt(RecordReadings(long_ago, readings(spo2=97)))
    assert isinstance(refusal, Malformed)
