"""Recording what happened is not permission to do it: stops hold, and what was done is kept."""

from datetime import timedelta

import pytest

from domain.chapters.treatment import Strength, check_may_give_dose, check_may_stimulate
from domain.language.errors import Malformed, Refused
from domain.language.findings import CheckResult, Passed, blocks_of
from domain.language.holds import PlaceHold
from domain.language.names import Author, HoldReason, Role, TaskId, VisitId, VisitStatus
from domain.language.release import ReleaseVisit
from domain.language.safety import SafetyTask
from domain.language.tasks import AcknowledgeTask, TaskAcknowledged
from domain.language.treatment import (
    DoseGiven,
    RecordDose,
    ReportDose,
    ReportStimulation,
    StimulationGiven,
)
from domain.language.visits import MissVisit, VisitCheckedIn
from domain.rules.leaving import check_may_release
from domain.rules.steps import Ask
from tests.course import PRESCRIBER, Course
from tests.domain.scenes import (
    ONE,
    TWO,
    a_course,
    checked_in,
    dosed,
    minutes,
    ready,
    rules,
)
from tests.domain.simulation import DTMS, INDUCTION

NURSE = Author("a-nurse", Role.NURSE)
WORDS = "It was in her hand when the call came; Dr. P. was told at once."
TMS = VisitId(f"{DTMS}-visit-1")


def report(course: Course, visit: VisitId = ONE, mg: int = 56) -> ReportDose:
    """Report a dose of this moment."""
    return ReportDose(visit, course.now, mg, "lot-1", WORDS)


def contraindicated() -> Course:
    """Somebody with a contraindication, in the chair."""
    course = ready()
    course.measure(ONE, intracerebral_hemorrhage="present")
    return course


def not_enrolled() -> Course:
    """Somebody whom REMS does not know."""
    course = ready()
    course.measure(ONE, rems_enrolment="not confirmed")
    return course


def held() -> Course:
    """Somebody under a hold."""
    course = ready()
    course.do(PlaceHold(HoldReason.SUICIDE_RISK, "a plan"))
    return course


def beyond_the_alert_limit() -> Course:
    """Somebody at 200/120, which the vocabulary wants a prescriber to see."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=200, diastolic_bp=120)
    return course


def unscreened() -> Course:
    """Somebody of whom nothing is known but that they came."""
    return checked_in()


STOPS = {
    "contraindications": contraindicated,
    "rems-enrolled": not_enrolled,
    "hold": held,
    "review-first": beyond_the_alert_limit,
    "suicide-risk": unscreened,
}


@pytest.mark.parametrize("rule", STOPS)
def test_no_stop_passes_with_a_word(rule: str):
    """A dose is refused before it is given, by the rule, and the refusal names no way round it."""
    course = STOPS[rule]()
    refusal = course.attempt(RecordDose(ONE, course.now, 56, "lot-1"), NURSE)
    assert rule in rules(refusal)
    assert "given all the same" not in str(refusal)
    assert "report" not in str(refusal)


@pytest.mark.parametrize("rule", STOPS)
def test_a_nurses_report_against_a_stop_is_kept_as_not_authorized(rule: str):
    """The dose stands with its findings, observation runs, and a prescriber is told by a time."""
    course = STOPS[rule]()
    course.do(report(course), NURSE)
    (fact,) = course.facts(DoseGiven)
    assert not fact.authorized
    assert fact.findings
    (session,) = course.pathway.sessions_at(ONE)
    assert "fit-to-leave" in rules(course.attempt(ReleaseVisit(ONE), NURSE))
    (task,) = [t for k, t in course.pathway.tasks.items() if k.startswith(Ask.REVIEW_UNAUTHORIZED)]
    within = course.protocol.phase(INDUCTION).safety_tasks[SafetyTask.UNAUTHORIZED].within
    assert (task.roles, task.due) == ((Role.PRESCRIBER,), session.started + within)


@pytest.mark.parametrize("rule", STOPS)
def test_a_prescriber_answers_for_what_they_report(rule: str):
    """Their token decides what it counts as, not whether it is kept."""
    course = STOPS[rule]()
    course.do(report(course), PRESCRIBER)
    (fact,) = course.facts(DoseGiven)
    assert fact.authorized
    assert fact.findings


def test_what_a_prescriber_may_override_is_no_stop():
    """At 152/94 a nurse's report is kept as against a rule, and looked at by the next day."""
    course = ready()
    course.wait(minutes(1))
    course.measure(ONE, systolic_bp=152, diastolic_bp=94)
    course.do(report(course), NURSE)
    (fact,) = course.facts(DoseGiven)
    assert (fact.authorized, len(fact.findings)) == (True, 2)
    (task,) = [t for k, t in course.pathway.tasks.items() if k.startswith(Ask.REVIEW_DEVIATION)]
    assert task.due == course.now + timedelta(hours=24)


def test_nothing_is_given_before_a_prescriber_has_signed_in_words():
    """No click and no dash clears it; words do, and they stand in the record."""
    course = contraindicated()
    course.do(report(course), NURSE)
    (key,) = [k for k in course.pathway.tasks if k.startswith(Ask.REVIEW_UNAUTHORIZED)]
    for nothing in ("", "  ", "-"):
        assert isinstance(course.attempt(AcknowledgeTask(key, nothing), PRESCRIBER), Malformed)
    assert isinstance(course.attempt(AcknowledgeTask(key, "Seen."), NURSE), Refused)
    look = check_may_give_dose(course.protocol, course.pathway, TWO, 56, course.now)
    assert "review-first" in {block.rule for block in blocks_of(look)}
    course.do(AcknowledgeTask(key, "Seen at once: no harm. The history was wrong."), PRESCRIBER)
    assert course.facts(TaskAcknowledged)[-1].words.startswith("Seen at once")
    look = check_may_give_dose(course.protocol, course.pathway, TWO, 56, course.now)
    assert "review-first" not in {block.rule for block in blocks_of(look)}


def test_an_ordinary_task_needs_no_words():
    """Who has seen that an order waits for a signature says so with a click."""
    course = a_course()
    course.run_rules()
    (key,) = [k for k in course.pathway.tasks if k.startswith(Ask.SIGN_ORDER)]
    course.do(AcknowledgeTask(TaskId(key)), PRESCRIBER)


def test_a_second_dose_at_one_visit_is_kept_and_watched_from_the_second_on():
    """A double dose is the last thing to be turned away; two hours count from it."""
    course = dosed()
    course.wait(minutes(30))
    assert "sessions-a-visit" in rules(course.attempt(RecordDose(ONE, course.now, 56, "l"), NURSE))
    course.do(report(course), NURSE)
    first, second = course.facts(DoseGiven)
    assert (first.authorized, second.authorized) == (True, False)
    course.wait(minutes(91))
    waits = [b for b in blocks_of(_may_leave(course)) if b.until is not None]
    assert max(block.until for block in waits if block.until) == course.now + minutes(29)


def _may_leave(course: Course) -> CheckResult:
    return check_may_release(course.protocol, course.pathway, ONE, course.now)


@pytest.mark.parametrize("missed", [False, True])
def test_whoever_was_treated_had_come(*, missed: bool):
    """A dose at a visit that nobody checked in, or called missed, checks the patient in."""
    course = a_course()
    course.run(Ask.CHECK_IN)
    if missed:
        course.wait(minutes(60))
        course.do(MissVisit(ONE))
    assert "checked-in" in rules(course.attempt(RecordDose(ONE, course.now, 56, "lot"), NURSE))
    course.do(report(course), NURSE)
    assert course.facts(VisitCheckedIn)
    assert course.pathway.visits[ONE].status is VisitStatus.CHECKED_IN
    assert rules(course.attempt(ReleaseVisit(ONE), NURSE))


@pytest.mark.parametrize(("mg", "authorized"), [(28, True), (84, False), (112, False)])
def test_more_than_ordered_is_not_authorized_and_less_is_against_a_rule(
    mg: int, *, authorized: bool
):
    """The first dose is 56 mg: one spray that was lost is told apart from one too many."""
    course = ready()
    course.do(report(course, mg=mg), NURSE)
    (fact,) = course.facts(DoseGiven)
    assert fact.authorized is authorized


def test_a_time_that_lies_back_gets_no_more_than_now():
    """A dose typed with the time before the hold was placed is kept; one after it is refused."""
    course = ready()
    course.wait(minutes(10))
    course.do(PlaceHold(HoldReason.ADVERSE_EVENT, "dizzy"))
    course.wait(minutes(10))
    for ago in (0, 5, 9):
        assert "hold" in rules(course.attempt(RecordDose(ONE, course.now - minutes(ago), 56, "l")))


@pytest.mark.parametrize(
    ("strength", "rule"),
    [
        (Strength(120, 1980, 66), None),
        (Strength(120, 1980, 70), "stimulation-output"),
        (Strength(121, 1980, 66), "stimulation-intensity"),
        (Strength(120, 90, 66), "stimulation-pulses"),
    ],
)
def test_may_i_give_this_answers_for_the_strength_too(strength: Strength, rule: str | None):
    """The question takes what will be given, records nothing, and names each rule."""
    course = ready(TMS)
    before = len(course.events)
    look = check_may_stimulate(course.protocol, course.pathway, TMS, course.now, strength)
    assert len(course.events) == before
    if rule is None:
        assert isinstance(look, Passed)
    else:
        assert [block.rule for block in blocks_of(look)] == [rule]


def test_stimulation_beyond_the_threshold_is_not_authorized():
    """More output than the threshold allows, reported by an operator, waits for a prescriber."""
    course = ready(TMS)
    started = course.now
    course.wait(minutes(20))
    course.do(ReportStimulation(TMS, started, course.now, 1980, 140, 75, WORDS))
    (fact,) = course.facts(StimulationGiven)
    assert not fact.authorized
