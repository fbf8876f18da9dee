"""What a prescriber is asked, in full: about what, in which words, by when, and who is next."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.language.corrections import CorrectEntry, WrongPatient
from domain.language.names import Author, EventId, ObservationName, PathwayId, Role, TaskId
from domain.language.observations import RecordReadings
from domain.language.pathway import Questioned
from domain.language.protocol import CombinedProtocol
from domain.language.release import Disposition, ReleaseVisit
from domain.language.safety import Holds, SafetyTask
from domain.language.tasks import AcknowledgeTask
from domain.language.treatment import DoseGiven, ReportDose
from domain.planner import steps
from domain.rules import reviews
from domain.rules.refusing import found
from domain.rules.steps import Ask, AskPerson
from tests.course import BASELINE, PRESCRIBER, Course
from tests.domain.scenes import ONE, checked_in, dosed, minutes, ready
from tests.domain.simulation import COMBINED, INDUCTION, readings

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


def by(task: SafetyTask, course: Course) -> dict[str, object]:
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
            "systolic blood pressure is 200 mmHg: see the patient, then acknowledge this task.",
            "prescriber-sees",
            **by(SafetyTask.RISK, course),
        )
    ]
    (block,) = reviews.in_the_way(course.protocol, course.pathway)
    says = f"a prescriber has not acknowledged: {asked(course, Ask.REVIEW_RISK)[0].says}"
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
        "respiratory depression is present: see the patient, then acknowledge this task."
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
            f"{what} was not given as the rules ask: look at it, then acknowledge.",
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
            f"{what} was given although a rule said stop: see the patient, then say what you "
            "found and decided. No treatment is given before that.",
            "not-authorized",
            **by(SafetyTask.UNAUTHORIZED, course),
        )
    ]


@pytest.mark.parametrize(
    ("went", "says"),
    [
        (
            Disposition.AGAINST_ADVICE,
            f"They left {ONE} before every check was met: follow up, then acknowledge.",
        ),
        (
            Disposition.EMERGENCY,
            f"After {ONE}: emergency department. Follow up, then say what you found and decided.",
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
        (PathwayId("p2"), "It is recorded for the patient whose it was; look there too."),
        (None, "That patient has no pathway here: see that it is recorded where they are treated."),
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
            f"Dose 1 (56 mg) was entered here and was another patient's. {says} Look at what this "
            "patient was given and at what rested on it, then say what you found.",
            "wrong-patient",
            **by(SafetyTask.UNAUTHORIZED, course),
        )
    ]


def test_an_act_that_is_questioned():
    """What the act was and went against is said; taken back, or cleared, nothing is asked."""
    course = dosed()
    event = EventId("e1")
    question = Questioned("dose 1 of it", ("one", "another"), course.now)

    def with_question(question: Questioned, voided: dict[EventId, str]) -> list[AskPerson]:
        pathway = replace(course.pathway, questioned={event: question}, voided=voided)
        found_ = reviews.unseen(COMBINED, pathway)
        return [step for step in found_ if step.ask is Ask.REVIEW_QUESTIONED]

    assert with_question(question, {}) == [
        AskPerson(
            Ask.REVIEW_QUESTIONED,
            f"e1/{course.now:%Y%m%d%H%M%S}",
            SEES,
            "An entry was put right or came late. By what is known now, the dose 1 of it went "
            "against the rules: one; another. Look at it, then say what you found.",
            "questioned",
            **by(SafetyTask.DEVIATION, course),
        )
    ]
    assert with_question(question, {event: "a slip"}) == []
    assert with_question(replace(question, findings=()), {}) == []


def test_a_course_that_has_turned():
    """Worse than before treatment: the rule's reason and source, the score, and a day to look."""
    course = dosed()
    course.wait(timedelta(hours=4))
    course.assess("madrs", *(4,) * 9, 0)
    rule = next(rule for rule in PHASE.course if rule.id == "worsening")
    (score,) = [o for o in course.pathway.readings[ObservationName("madrs_total")] if o.value == 36]
    (step,) = asked(course, Ask.REVIEW_COURSE)
    assert step == AskPerson(
        Ask.REVIEW_COURSE,
        f"{score.evidence}/worsening",
        SEES,
        "Worsening: MADRS reduction -28.6 percent. See the patient, then say what you found and "
        "decided.",
        "worsening",
        rule.why,
        rule.source,
        **by(SafetyTask.COURSE, course),
    )
    answered(course, Ask.REVIEW_COURSE)
    assert asked(course, Ask.REVIEW_COURSE) == []


def test_a_score_of_before_treatment_that_came_late():
    """Its value, its day and the phase are named, and nothing is due by a time."""
    course = dosed()
    before = course.now - minutes(30)
    course.wait(minutes(1))
    course.do(_assessment(before))
    (step,) = asked(course, Ask.REVIEW_BASELINE)
    evidence = course.pathway.readings[ObservationName("madrs_total")][-1].evidence
    assert step == AskPerson(
        Ask.REVIEW_BASELINE,
        f"{INDUCTION}/madrs_total/{evidence}",
        SEES,
        f"MADRS total of 40 from 2026-11-30 came after the baseline of {INDUCTION} was "
        "named, and does not move it: name another baseline, or acknowledge and leave it.",
        "baseline",
    )


def _assessment(at: object) -> object:
    from domain.language.observations import RecordAssessment  # noqa: PLC0415

    return RecordAssessment("madrs", at, (4,) * 10)  # type: ignore[arg-type]


def late(course: Course, protocol: CombinedProtocol = COMBINED) -> list[AskPerson]:
    """What is asked of a course that takes too long."""
    return list(reviews.late(protocol, course.pathway, course.now))


def test_a_course_that_takes_too_long():
    """Six weeks and a day after the first dose: in words, once; before that nothing."""
    course = dosed()
    course.now += timedelta(days=42)
    assert late(course) == []
    course.now += timedelta(days=1)
    says = (
        f"{PHASE.title} should take at most 42 days and its sessions are not all given: "
        "stop, move on, or acknowledge to go on with it."
    )
    assert late(course) == [AskPerson(Ask.REVIEW_LATE, INDUCTION, SEES, says, "finish-within")]


def test_a_course_that_never_began_counts_from_its_order_or_first_visit():
    """Whichever is later: an order signed long before the first visit is not late with it."""
    course = ready()
    state = course.pathway.phases[INDUCTION]
    assert state.signed is not None
    for signed, days in ((state.signed, 0), (state.signed + timedelta(days=10), 9)):
        phase = replace(state, signed=signed)
        pathway = replace(course.pathway, phases={INDUCTION: phase})
        due = state.first_visit.day + timedelta(days=42 + days)
        for more, asks in ((0, False), (1, True)):
            now = course.now + (due + timedelta(days=more) - course.now.date())
            assert bool(list(reviews.late(COMBINED, pathway, now))) is asks
    unsigned = replace(course.pathway, phases={INDUCTION: replace(state, signed=None)})
    assert list(reviews.late(COMBINED, unsigned, course.now + timedelta(days=99))) == []


def test_what_holds_the_patient_here_is_a_risk_and_nothing_else():
    """A dose against a rule keeps nobody from leaving; a reading at risk does, where it says so."""
    course = dosed()
    (given,) = course.pathway.sessions.values()
    bad = {"1": replace(given, deviation=True)}
    pathway = replace(course.pathway, sessions=bad)
    assert list(reviews.in_the_way(COMBINED, pathway))
    assert list(reviews.in_the_way(COMBINED, pathway, Holds.LEAVING)) == []
    course.do(RecordReadings(course.now, readings(suicide_risk="high")), NURSE)
    assert list(reviews.in_the_way(COMBINED, course.pathway, Holds.LEAVING))


def test_what_was_not_seen_then():
    """Asked before a time and answered after it; at the very time of the answer it was seen."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=200, diastolic_bp=85)
    opened = course.now
    course.wait(minutes(10))
    answered(course, Ask.REVIEW_RISK)
    says = "systolic blood pressure is 200 mmHg: see the patient, then acknowledge this task."
    for at, found_ in ((-1, []), (0, [says]), (9, [says]), (10, []), (11, [])):
        assert list(reviews.unseen_then(course.pathway, opened + minutes(at))) == found_


def test_what_a_task_is_about():
    """Its key without the ask before it and the count behind it, whatever stands in between."""
    assert reviews.subject(TaskId("review-risk/e1/phq9_item9#2")) == "e1/phq9_item9"
    assert reviews.subject(TaskId("sign-order/a#b#1")) == "a#b"
    for ask in Ask:
        in_words = ask in reviews.REVIEWS or ask is Ask.LIFT_HOLD
        assert reviews.in_words(TaskId(f"{ask}/x#1")) is in_words


def test_a_later_visit_begins_without_a_word_about_an_earlier_one():
    """A course with nothing at risk asks nobody for anything before treatment."""
    course = dosed()
    course.assess("madrs", *BASELINE[:9], 0)
    assert reviews.unseen(COMBINED, course.pathway) == ()
