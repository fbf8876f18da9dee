"""What stays asked and whose it becomes, by constructed pathways: each of several, none twice."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from domain.language.names import EventId, ObservationName, Role, RuleId, TaskId, VisitStatus
from domain.language.pathway import Baseline, Observed, Pathway, Questioned, Session, Task
from domain.language.safety import SafetyTask
from domain.rules import reviews
from domain.rules.steps import Ask, AskPerson
from tests.domain.scenes import ONE, TWO, minutes, ready
from tests.domain.simulation import COMBINED, DTMS, INDUCTION

NOW = ready().now
PHASE = COMBINED.phase(INDUCTION)
SYSTOLIC, RISK = ObservationName("systolic_bp"), ObservationName("suicide_risk")
MADRS = ObservationName("madrs_total")
BOTH = (Role.PRESCRIBER, Role.MEDICAL_DIRECTOR)
KEY = TaskId("review-risk/r/0/systolic_bp#1")
HIGH = Observed(EventId("r/0"), NOW, Decimal(200), None, ONE)


def plain() -> Pathway:
    """A patient who is ready for the first dose, of whom nothing is asked."""
    return ready().pathway


def unseen(pathway: Pathway) -> list[AskPerson]:
    """What nobody has acknowledged yet."""
    return list(reviews.unseen(COMBINED, pathway))


def task(**changed: object) -> Task:
    """An open task about a pressure of 200."""
    made = Task(
        RuleId("prescriber-sees"), (Role.PRESCRIBER,), "look", NOW, NOW + timedelta(hours=1)
    )
    return replace(made, **changed)  # type: ignore[arg-type]


def test_what_was_asked_stays_asked_without_its_reading():
    """The reading is not among those kept any more: the task still stands, with its words."""
    pathway = replace(plain(), tasks={KEY: task()})
    assert unseen(pathway) == [
        AskPerson(
            Ask.REVIEW_RISK,
            "r/0/systolic_bp",
            (Role.PRESCRIBER,),
            "look",
            "prescriber-sees",
            due=NOW + timedelta(hours=1),
            rises=PHASE.rises(SafetyTask.RISK),
        )
    ]
    for gone in (
        replace(pathway, voided={EventId("r/0"): "a slip"}),
        replace(pathway, tasks={KEY: task(closed=True)}),
        replace(pathway, tasks={KEY: task(acknowledged=True)}),
        replace(pathway, tasks={TaskId("resolve-visit/r/0/x#1"): task()}),
    ):
        assert unseen(gone) == []
    assert unseen(replace(pathway, voided={EventId("r"): "another"})) == unseen(pathway)


def test_a_task_of_a_level_keeps_the_times_and_holds_of_its_level():
    """Its rule names the level, which says who comes next and what is held."""
    level = PHASE.risk_levels[1]
    pathway = replace(plain(), tasks={KEY: task(rule=level.rule)})
    (step,) = unseen(pathway)
    assert (step.rule, step.rises, step.holds) == (level.rule, level.look.then, level.holds)
    assert step.due == NOW + timedelta(hours=1)


def test_once_it_rose_it_is_asked_of_both_and_both_are_named_in_the_way():
    """A reading whose task went on to the director is shown, and refused, with both roles."""
    risen = task(roles=BOTH, due=NOW + timedelta(hours=2), raised=1)
    known = {**plain().readings, SYSTOLIC: (HIGH,)}
    pathway = replace(plain(), readings=known, alerting={SYSTOLIC: (HIGH,)}, tasks={KEY: risen})
    (step,) = unseen(pathway)
    assert (step.roles, step.due) == (BOTH, NOW + timedelta(hours=2))
    (block,) = reviews.in_the_way(COMBINED, pathway)
    assert block.who == BOTH
    (fresh,) = unseen(replace(pathway, tasks={}))
    assert (fresh.roles, fresh.due) == ((Role.PRESCRIBER,), PHASE.look_by(SafetyTask.RISK, NOW))
    assert fresh.rises == PHASE.rises(SafetyTask.RISK)


@pytest.mark.parametrize(("before", "asked"), [(60, False), (1, False), (0, True), (-1, True)])
def test_a_level_counts_from_the_phase_that_states_it(before: int, *, asked: bool):
    """What was read in a phase without levels is not held against those of the next."""
    first, second, *rest = COMBINED.phases
    protocol = replace(COMBINED, phases=(replace(first, risk_levels=()), second, *rest))
    seen = Observed(EventId("r/0"), NOW - minutes(before), None, "moderate", None)
    pathway = replace(in_second(), readings={RISK: (seen,)})
    assert bool(list(reviews.unseen(protocol, pathway))) is asked
    assert unseen(pathway)


def in_second() -> Pathway:
    """A patient who has just entered the second phase, an hour and more after the first."""
    pathway = plain()
    first = replace(pathway.phases[INDUCTION], entered=NOW - timedelta(hours=2))
    second = replace(first, number=2, entered=NOW)
    return replace(pathway, phases={INDUCTION: first, DTMS: second})


def test_what_was_read_before_anything_was_entered_is_of_the_first_phase():
    """A level of risk from the referral is asked about in whichever phase it comes in."""
    seen = Observed(EventId("r/0"), NOW - timedelta(days=1), None, "moderate", None)
    assert unseen(replace(in_second(), readings={RISK: (seen,)}))


def test_each_of_several_sessions_visits_and_acts_is_asked_about():
    """The first was as the rules ask, or is cleared: the second is asked about all the same."""
    given = Session(ONE, INDUCTION, 1, NOW, None, event=EventId("s1"))
    against = replace(given, number=2, deviation=True, event=EventId("s2"))
    pathway = replace(plain(), sessions={"1": given, "2": against})
    assert [step.about for step in unseen(pathway)] == ["s2"]
    nameless = replace(against, event=None)
    assert [s.about for s in unseen(replace(plain(), sessions={"2": nameless}))] == [
        f"{INDUCTION}/2"
    ]
    questions = {
        EventId("a"): Questioned("dose 1", (), NOW),
        EventId("b"): Questioned("dose 2", ("why",), NOW),
    }
    assert len(unseen(replace(plain(), questioned=questions))) == 1


def test_whoever_was_let_go_is_not_followed_up():
    """Released with every check met: nobody is asked; early, by its entry or else by its visit."""
    pathway = plain()
    left = replace(pathway.visits[ONE], status=VisitStatus.RELEASED, left_at=NOW)
    early = replace(left, id=TWO, left_early=True)
    for visits, about in (
        ({ONE: left}, []),
        ({ONE: left, TWO: early}, [TWO]),
        ({TWO: replace(early, left_by=EventId("e"))}, ["e"]),
        ({TWO: replace(early, left_at=None)}, []),
    ):
        assert [step.about for step in unseen(replace(pathway, visits=visits))] == about


def test_a_course_is_late_by_its_first_session():
    """Begun ten days after it was signed it has ten days more; at its last day it is not late."""
    pathway = plain()
    begun = NOW + timedelta(days=10)
    given = {"1": Session(ONE, INDUCTION, 1, begun, None)}
    pathway = replace(pathway, sessions=given)
    for days, late in ((42, False), (43, True)):
        asked = list(reviews.late(COMBINED, pathway, begun + timedelta(days=days)))
        assert bool(asked) is late
    seen = {TaskId(f"review-late/{INDUCTION}#1"): task(acknowledged=True)}
    assert (
        list(reviews.late(COMBINED, replace(pathway, tasks=seen), begun + timedelta(days=43))) == []
    )
    other = replace(pathway, sessions={"1": replace(given["1"], phase=DTMS)})
    assert list(reviews.late(COMBINED, other, NOW + timedelta(days=43)))


def test_a_rule_of_the_course_is_named_in_words():
    """Hyphens are spaces for whoever reads it; a task that rose is shown as it stands."""
    first, *others = COMBINED.phases
    (worse,) = [rule for rule in first.course if rule.id == "worsening"]
    renamed = replace(first, course=(replace(worse, id=RuleId("much-worse")),))
    protocol = replace(COMBINED, phases=(renamed, *others))
    scores = (
        Observed(EventId("base"), NOW - timedelta(days=1), Decimal(28), None, None),
        Observed(EventId("s"), NOW + timedelta(days=1), Decimal(40), None, None),
    )
    pathway = replace(
        plain(),
        sessions={"1": Session(ONE, INDUCTION, 1, NOW, None)},
        readings={MADRS: scores},
        baselines={f"{INDUCTION}/{MADRS}": Baseline(EventId("base"), NOW, by_person=False)},
    )
    (step,) = reviews.turned(protocol, pathway)
    assert step.says.startswith("Much worse: MADRS reduction -42.9 percent.")
    risen = {TaskId("review-course/s/much-worse#1"): task(roles=BOTH, due=NOW, raised=1)}
    (step,) = reviews.turned(protocol, replace(pathway, tasks=risen))
    assert (step.roles, step.due) == (BOTH, NOW)


def test_a_baseline_that_was_named_anew_is_asked_about_once():
    """By its phase and how often it was named; not if a prescriber named it, nor the first."""
    key = f"{INDUCTION}/{MADRS}"
    anew = Baseline(EventId("b"), NOW, by_person=False, times=3, since_number=2)
    for named, seen, asked in (
        (anew, False, True),
        (anew, True, False),
        (replace(anew, by_person=True), False, False),
        (replace(anew, since_number=1), False, False),
    ):
        about = TaskId(f"review-baseline/{key}/renamed-2#1")
        tasks = {about: task(acknowledged=True)} if seen else {}
        pathway = replace(plain(), readings={}, baselines={key: named}, tasks=tasks)
        steps = list(reviews.late_scores(COMBINED, pathway))
        assert bool(steps) is asked
        if asked:
            says = (
                "A correction changed the baseline of esketamine induction to another MADRS total. "
                "Benefit is not judged until you acknowledge it or name another."
            )
            wanted = AskPerson(
                Ask.REVIEW_BASELINE, f"{key}/renamed-2", (Role.PRESCRIBER,), says, "baseline"
            )
            assert steps == [wanted]
