"""What a prescriber is asked, in full: about what, in which words, by when, and who is next."""

from typing import Any

import pytest

from domain.language.corrections import CorrectEntry, WrongPatient
from domain.language.names import Author, ObservationName, PathwayId, Role
from domain.language.release import Disposition, ReleaseVisit
from domain.language.safety import SafetyTask
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import DoseGiven, ReportDose
from domain.planner import steps
from domain.rules import reviews
from domain.rules.refusing import found
from domain.rules.steps import Ask, AskPerson
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import ONE, checked_in, dosed, minutes, ready
from tests.domain.simulation import COMBINED, INDUCTION

NURSE = Author("a-nurse", Role.NURSE)
WHY = "It was given all the same."
PHASE = COMBINED.phase(INDUCTION)
SEES = (Role.PRESCRIBER,)


def asked(course: Course, ask: Ask) -> list[AskPerson]:
    """What is asked of people in this way now."""
    found_ = steps(course.protocol, course.pathway, course.now)
    return [step for step in found_ if isinstance(step, AskPerson) and step.ask is ask]


def answered(course: Course, ask: Ask) -> None:
    """A prescriber answers the open task of this kind, in words."""
    (key,) = [
        k for k, t in course.pathway.tasks.items() if k.startswith(f"{ask}/") and not t.closed
    ]
    course.do(AcknowledgeTask(key, "Seen the patient; no change of plan."), PRESCRIBER)


def by(task: SafetyTask, course: Course) -> dict[str, Any]:
    """By when somebody must have looked at what happens now, and whose it is after that."""
    return {"due": PHASE.look_by(task, course.now), "rises": PHASE.rises(task)}


def test_a_reading_that_a_prescriber_must_see():
    """200 mmHg names the value and its entry, and is due within the protocol's hour."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=200, diastolic_bp=85)
    evidence = course.pathway.readings[ObservationName("systolic_bp")][-1].evidence
    assert asked(course, Ask.REVIEW_RISK) == [
        AskPerson(
            Ask.REVIEW_RISK,
            f"{evidence}/systolic_bp",
            SEES,
            "systolic blood pressure is 200 mmHg: see the patient, then say what you found and"
            " decided.",
            "prescriber-sees",
            **by(SafetyTask.RISK, course),
        )
    ]
    (block,) = reviews.in_the_way(course.protocol, course.pathway)
    says = f"a prescriber must review first: {asked(course, Ask.REVIEW_RISK)[0].says}"
    assert block == found("review-first", says, SEES, stops=True)
    answered(course, Ask.REVIEW_RISK)
    assert asked(course, Ask.REVIEW_RISK) == []
    assert list(reviews.in_the_way(course.protocol, course.pathway)) == []


def test_an_answer_that_a_prescriber_must_see_is_named():
    """An answer at risk is said as it was given."""
    course = dosed()
    course.measure(ONE, respiratory_depression="present")
    (step,) = asked(course, Ask.REVIEW_RISK)
    assert step.says == (
        "respiratory depression is present: see the patient, then say what you found and decided."
    )


def test_a_dose_against_a_rule_and_one_against_a_stop():
    """The first is looked at within a day; the second at once, in words, and nothing before it."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=152, diastolic_bp=85)
    course.do(ReportDose(ONE, course.now, 56, "lot-1", WHY), NURSE)
    (session,) = course.pathway.sessions.values()
    what = f"Dose 1 of {PHASE.title}"
    assert asked(course, Ask.REVIEW_DEVIATION) == [
        AskPerson(
            Ask.REVIEW_DEVIATION,
            str(session.event),
            SEES,
            f"{what} was given against a rule: review it, then say what you found.",
            "deviation",
            **by(SafetyTask.DEVIATION, course),
        )
    ]
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, intracerebral_hemorrhage="present")
    course.do(ReportDose(ONE, course.now, 56, "lot-1", WHY), NURSE)
    (session,) = course.pathway.sessions.values()
    assert asked(course, Ask.REVIEW_DEVIATION) == []
    assert asked(course, Ask.REVIEW_UNAUTHORIZED) == [
        AskPerson(
            Ask.REVIEW_UNAUTHORIZED,
            str(session.event),
            SEES,
            f"{what} was given although a rule did not allow it: see the patient, then say what "
            "you found and decided. No further treatment is allowed until then.",
            "not-authorized",
            **by(SafetyTask.UNAUTHORIZED, course),
        )
    ]


@pytest.mark.parametrize(
    ("went", "says"),
    [
        (
            Disposition.AGAINST_ADVICE,
            (
                "The patient left esketamine induction visit 1 before every check was met: "
                "follow up, then say what you found and decided."
            ),
        ),
        (
            Disposition.EMERGENCY,
            (
                "After esketamine induction visit 1: emergency department. "
                "Follow up, then say what you found and decided."
            ),
        ),
    ],
)
def test_a_patient_who_left_is_followed_up(went: Disposition, says: str):
    """Where they went is said; who goes home when every check is met is nobody's to follow."""
    course = dosed()
    course.do(ReleaseVisit(ONE, went, "Felt worse."), NURSE)
    about = str(course.pathway.visits[ONE].left_by)
    assert asked(course, Ask.REVIEW_DEVIATION) == [
        AskPerson(
            Ask.REVIEW_DEVIATION,
            about,
            SEES,
            says,
            "left-early",
            **by(SafetyTask.LEFT_EARLY, course),
        )
    ]


def test_admitted_from_a_visit_without_a_dose_is_followed_up_too():
    """Every check was met, as nothing was given: where they went is asked about all the same."""
    course = checked_in()
    course.do(ReleaseVisit(ONE, Disposition.ADMITTED, "To the ward."), NURSE)
    assert not course.pathway.visits[ONE].left_early
    assert [step.rule for step in asked(course, Ask.REVIEW_DEVIATION)] == ["left-early"]


@pytest.mark.parametrize(
    ("there", "says"),
    [
        (
            PathwayId("p2"),
            "It was sent to the right patient's record; check there too.",
        ),
        (
            None,
            "That patient has no pathway here: make sure it is recorded where they are treated.",
        ),
    ],
)
def test_what_was_another_patients(there: PathwayId | None, says: str):
    """What this patient got and what rested on it is asked, as of an unauthorized treatment."""
    course = dosed()
    (wrong,) = [event for event in course.events if isinstance(event.fact, DoseGiven)]
    whose = WrongPatient(there, ONE if there else None)
    course.do(CorrectEntry(wrong.id, "two charts", wrong_patient=whose), NURSE)
    assert asked(course, Ask.REVIEW_DEVIATION) == [
        AskPerson(
            Ask.REVIEW_DEVIATION,
            f"{wrong.id}/moved",
            SEES,
            f"Dose 1 (56 mg) was entered here but belongs to another patient. {says} Check what "
            "this patient was given and what was decided because of the entry, then say what you "
            "found.",
            "wrong-patient",
            **by(SafetyTask.UNAUTHORIZED, course),
        )
    ]
