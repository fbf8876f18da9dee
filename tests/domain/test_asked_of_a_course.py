"""What is asked of an act, a score or a course, in full, and what keeps a patient here."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from domain.language.names import Author, EventId, ObservationName, Role, TaskId
from domain.language.observations import RecordAssessment, RecordReadings
from domain.language.pathway import Questioned
from domain.language.protocol import CombinedProtocol
from domain.language.safety import Holds, SafetyTask
from domain.language.tasks import AcknowledgeTask
from domain.planner import steps
from domain.rules import reviews
from domain.rules.steps import Ask, AskPerson
from tests.course import BASELINE, PRESCRIBER, Course
from tests.domain.scenes import ONE, dosed, minutes, ready
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


def by(task: SafetyTask, course: Course) -> dict[str, Any]:
    """By when somebody must have looked at what happens now, and whose it is after that."""
    return {"due": PHASE.look_by(task, course.now), "rises": PHASE.rises(task)}


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
            "An entry was corrected or recorded late. By what is known now, there is a problem "
            "with the dose 1 of it: one; another. Review it, then say what you found.",
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
    course.do(RecordAssessment("madrs", before, (4,) * 10))
    (step,) = asked(course, Ask.REVIEW_BASELINE)
    evidence = course.pathway.readings[ObservationName("madrs_total")][-1].evidence
    assert step == AskPerson(
        Ask.REVIEW_BASELINE,
        f"{INDUCTION}/madrs_total/{evidence}",
        SEES,
        "MADRS total of 40 from 2026-11-30 was recorded after the baseline of esketamine induction "
        "was set and does not change it: name another baseline, or acknowledge to keep it.",
        "baseline",
    )


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
        f"{PHASE.title} should be finished within 42 days and is not: "
        "stop, move on, or acknowledge to continue."
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
    says = (
        "systolic blood pressure is 200 mmHg: see the patient, then say what you found and decided."
    )
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
