"""Rules over scores and the moments at which scores are asked for, by constructed pathways."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from domain.language.names import (
    EventId,
    ObservationName,
    PathwayId,
    PhaseDecision,
    Role,
    RuleId,
    TaskId,
    VisitId,
    VisitStatus,
)
from domain.language.pathway import Baseline, Observed, Pathway, Phase, Session, Task, Visit
from domain.language.protocol import CombinedProtocol
from domain.language.requirements import Requirement
from domain.language.requirements import Test as Comparison
from domain.language.safety import AssessmentRule, At, Moment
from domain.rules import assessments, course, reviews
from domain.rules.steps import Ask, AskPerson
from tests.domain.scenes import FIRST
from tests.domain.simulation import COMBINED, INDUCTION, NEW_YORK

MADRS, PHQ9 = ObservationName("madrs_total"), ObservationName("phq9_total")
DOSE = datetime(2026, 11, 30, 14, tzinfo=UTC)
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)
PHASE = COMBINED.phase(INDUCTION)


def scored(name: str, total: int, days: float) -> Observed:
    """A score of so many days after the first dose."""
    return Observed(EventId(name), DOSE + days * DAY, Decimal(total), None, None)


def pathway(*scores: Observed, sessions: int = 1, baseline: bool = True) -> Pathway:
    """A baseline of 28, doses every second day, and these MADRS scores."""
    first = scored("base", 28, -1)
    given = {
        str(n): Session(VisitId(f"v{n}"), INDUCTION, n + 1, DOSE + 2 * n * DAY, None)
        for n in range(sessions)
    }
    named = {f"{INDUCTION}/{MADRS}": Baseline(EventId("base"), DOSE, by_person=False)}
    return Pathway(
        PathwayId("p"),
        zone=NEW_YORK,
        phases={INDUCTION: Phase(DOSE - DAY, FIRST, signed=DOSE - DAY)},
        sessions=given,
        readings={MADRS: (first, *scores)},
        baselines=named if baseline else {},
    )


def asked(known: Pathway) -> list[tuple[str, str]]:
    """Of which scores somebody is asked, and by which rule."""
    return [(judged.score.evidence, rule.id) for rule, judged in course.to_ask(COMBINED, known)]


def test_each_score_since_treatment_began_is_held_against_each_rule_that_asks():
    """Worse, better, ill again: not the score at the first dose's instant, nor one before it."""
    scores = (
        scored("at", 40, 0),
        scored("worse", 40, 1),
        scored("well", 8, 2),
        scored("ill", 24, 3),
    )
    assert asked(pathway(*scores)) == [("worse", "worsening"), ("ill", "relapse")]
    assert asked(pathway(*scores, sessions=0)) == []
    assert asked(pathway(*scores, baseline=False)) == [("ill", "relapse")]
    elsewhere = replace(pathway(*scores), readings={PHQ9: scores})
    assert asked(elsewhere) == []


def test_ill_again_needs_an_earlier_score_that_was_better():
    """One of the same instant is not an earlier one."""
    assert asked(pathway(scored("well", 8, 2), scored("ill", 24, 2))) == []
    assert asked(pathway(scored("ill", 24, 2), scored("well", 8, 3))) == []


def test_what_the_last_score_says_by_each_rule():
    """With its figures and without a baseline with the reason; nothing where there is no score."""
    said = {each.rule: each for each in course.said_now(COMBINED, pathway(scored("s", 10, 7)))}
    assert [(rule, each.met) for rule, each in said.items()] == [
        ("response", True),
        ("remission", True),
        ("worsening", False),
        ("relapse", False),
    ]
    assert said[RuleId("response")].says == "MADRS reduction 64.3 percent"
    assert said[RuleId("remission")].says == "MADRS total 10 points"
    assert {each.score.evidence for each in said.values()} == {"s"}
    assert course.sentence(said[RuleId("response")]) == (
        "response: met (MADRS reduction 64.3 percent)"
    )
    assert course.sentence(said[RuleId("relapse")]).startswith("relapse: not met (")
    without = course.said_now(COMBINED, pathway(scored("s", 10, 7), baseline=False))
    unknown = {each.rule: each for each in without if each.met is None}
    assert set(unknown) == {"response", "worsening"}
    for each in unknown.values():
        assert each.score.evidence == "s"
        assert course.sentence(each).startswith(
            f"{each.rule}: not known (not judged: a MADRS total from before the first treatment"
        )
    assert course.said_now(COMBINED, replace(pathway(), readings={})) == ()


def asking(*at: At, within: timedelta = 4 * DAY) -> CombinedProtocol:
    """The shipped pathway whose induction asks for MADRS at these moments."""
    rule = AssessmentRule(RuleId("madrs"), MADRS, at, within, "It is time.", "clinic")
    first, *others = COMBINED.phases
    return replace(COMBINED, phases=(replace(first, assessments=(rule,)), *others))


@pytest.mark.parametrize(
    ("at", "sessions", "when", "name"),
    [
        (At(Moment.WEEK, 2), 1, 2 * WEEK, "week-2"),
        (At(Moment.WEEK, 2), 0, None, "week-2"),
        (At(Moment.SESSION, 1), 1, timedelta(), "session-1"),
        (At(Moment.SESSION, 3), 3, 4 * DAY, "session-3"),
        (At(Moment.SESSION, 3), 2, None, "session-3"),
        (At(Moment.PHASE_END), 8, 14 * DAY, "end"),
        (At(Moment.PHASE_END), 7, None, "end"),
        (At(Moment.PHASE_END), 0, None, "end"),
        (At(Moment.REVIEW), 1, None, "review-1"),
    ],
)
def test_when_a_moment_is(at: At, sessions: int, when: timedelta | None, name: str):
    """Counted from the first session, at the session, or at the last once the phase is over."""
    known = pathway(sessions=sessions)
    known = replace(known, visits=_visits(known))
    (moment,) = assessments.moments(asking(at), known)
    assert (moment.at, moment.name) == (None if when is None else DOSE + when, name)
    assert moment.moment == at


def _visits(known: Pathway) -> dict[VisitId, Visit]:
    """A released visit for each session."""
    return {
        given.visit: Visit(given.visit, INDUCTION, 0, 1, FIRST, FIRST, VisitStatus.RELEASED)
        for given in known.sessions.values()
    }


@pytest.mark.parametrize(
    ("days", "answers"), [(9.9, False), (10, True), (14, True), (20, True), (13.9, True)]
)
def test_which_score_answers_a_moment(days: float, *, answers: bool):
    """The first from four days before it on; an older one does not."""
    protocol = asking(At(Moment.WEEK, 2))
    known = pathway(scored("s", 20, days), scored("later", 10, 30))
    (moment,) = assessments.moments(protocol, known)
    assert moment.score is not None
    assert moment.score.evidence == ("s" if answers else "later")
    said = assessments.says(protocol, known, moment)
    assert [each.rule for each in said] == ["response", "remission", "worsening", "relapse"]
    assert {each.score.evidence for each in said} == {moment.score.evidence}
    assert assessments.says(protocol, known, replace(moment, score=None)) == ()


def test_the_last_moment_that_has_come_is_asked():
    """In full, from its instant on; the next takes its place, and a score ends it."""
    protocol = asking(At(Moment.WEEK, 1), At(Moment.WEEK, 2), At(Moment.SESSION, 2))
    known = pathway()
    kind = COMBINED.vocabulary.kind(MADRS)

    def ask(days: float) -> list[AskPerson]:
        return list(assessments.to_ask(protocol, known, DOSE + days * DAY))

    assert ask(6.99) == []
    (step,) = ask(7)
    assert step == AskPerson(
        Ask.ASSESS,
        f"{INDUCTION}/madrs/week-1",
        kind.recorded_by,
        f"Record {kind.title} (week 1 of {PHASE.title}).",
        "madrs",
        "It is time.",
        "clinic",
        DOSE + WEEK,
    )
    assert [each.about for each in ask(14)] == [f"{INDUCTION}/madrs/week-2"]
    assert assessments.to_come(protocol, known) == [DOSE + WEEK, DOSE + 2 * WEEK]
    known = pathway(scored("s", 20, 8))
    assert ask(9) == []
    assert [each.about for each in ask(14)] == [f"{INDUCTION}/madrs/week-2"]
    known = pathway(scored("s", 20, 10))
    assert ask(14) == []


def test_a_review_is_asked_for_so_early_that_its_score_is_there():
    """Every thirty days from the entry, then from the last decision; asked four days before."""
    protocol = asking(At(Moment.REVIEW))
    first, *others = protocol.phases
    open_phase = replace(first, schedule=replace(first.schedule, review_every=30))
    protocol = replace(protocol, phases=(open_phase, *others))
    known = pathway()
    entered = DOSE - DAY
    assert assessments.review_due(open_phase, known) == entered + 30 * DAY
    assert assessments.to_come(protocol, known) == [entered + 26 * DAY]
    assert list(assessments.to_ask(protocol, known, entered + 25.9 * DAY)) == []
    (step,) = assessments.to_ask(protocol, known, entered + 26 * DAY)
    assert (step.about, step.due) == (f"{INDUCTION}/madrs/review-1", entered + 30 * DAY)
    decisions = {
        EventId("d1"): (entered + 30 * DAY, PhaseDecision.CONTINUE),
        EventId("d2"): (entered + 20 * DAY, PhaseDecision.CONTINUE),
    }
    decided = replace(
        known, phases={INDUCTION: replace(known.phases[INDUCTION], decisions=decisions)}
    )
    assert assessments.review_due(open_phase, decided) == entered + 60 * DAY
    (moment,) = assessments.moments(protocol, decided)
    assert moment.name == "review-3"
    assert assessments.review_due(PHASE, known) is None


def test_a_task_that_rose_is_shown_with_whose_it_is_by_now():
    """Before it rose the step's own roles and time stand; after that the task's."""
    step = AskPerson(Ask.REVIEW_RISK, "e/x", (Role.PRESCRIBER,), "look", "rule", due=DOSE)
    both = (Role.PRESCRIBER, Role.MEDICAL_DIRECTOR)
    task = Task(RuleId("rule"), both, "look", DOSE, DOSE + DAY)
    assert reviews.as_it_stands(step, None) == step
    assert reviews.as_it_stands(step, task) == step
    risen = reviews.as_it_stands(step, replace(task, raised=1))
    assert risen == replace(step, roles=both, due=DOSE + DAY)
    tasks = {TaskId("review-risk/e/x#1"): task, TaskId("hold/h#1"): replace(task, closed=True)}
    known = replace(pathway(), tasks=tasks)
    assert reviews.open_tasks(known) == {("review-risk", "e/x"): task}


def test_better_at_the_first_dose_s_own_instant_is_not_better_since():
    """Eight points measured at the instant of the first dose are from before it."""
    for days, since in ((0.0, None), (0.01, "ill")):
        known = pathway(scored("well", 8, days), scored("ill", 24, 3))
        assert [e for e, rule in asked(known) if rule == "relapse"] == ([since] if since else [])


def test_a_rule_after_one_of_a_scale_that_nobody_scored_is_not_met():
    """Ill again after better by another scale: without a score of that there was no better."""
    relapse = next(rule for rule in PHASE.course if rule.id == "relapse")
    better = replace(
        next(rule for rule in PHASE.course if rule.id in relapse.after),
        require=(Requirement(PHQ9, Comparison.AT_MOST, Decimal(4)),),
    )
    phase = replace(PHASE, course=(better, relapse))
    known = pathway(scored("ill", 24, 3))
    judged = course.judge(COMBINED, known, phase, relapse, known.readings[MADRS][-1])
    assert judged.met is False
