"""The C-SSRS screener has no sum: its tier is the most severe answer, and never a guess."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.language.corrections import CorrectEntry
from domain.language.names import Author, ObservationName, Role
from domain.language.observations import Measurement, Reading, RecordReadings
from domain.language.vocabulary import Tier
from domain.planner import steps
from domain.rules.corrected import refold
from domain.rules.steps import Ask, AskPerson
from domain.rules.tiers import ONE_SITTING, begun, brought_by, tier_of, unanswered
from tests.course import Course
from tests.domain.scenes import dose, minutes, ready, rules
from tests.domain.simulation import COMBINED, readings

TIER = ObservationName("cssrs_tier")
RULE = COMBINED.vocabulary.tiers[TIER]
WISH, THOUGHTS, METHOD, INTENT, PLAN, BEHAVIOR, RECENT = (
    ObservationName(f"cssrs_{name}")
    for name in ("wish", "thoughts", "method", "intent", "plan", "behavior", "behavior_recent")
)
NURSE = Author("a-nurse", Role.NURSE)


def answers(**given: str) -> dict[ObservationName, str]:
    """Answers by the end of their names."""
    return {ObservationName(f"cssrs_{name}"): answer for name, answer in given.items()}


NONE = answers(wish="absent", thoughts="absent", behavior="absent")


@pytest.mark.parametrize(
    ("given", "tier"),
    [
        (NONE, 0),
        (NONE | answers(wish="present"), 1),
        (NONE | answers(behavior="present", behavior_recent="absent"), 2),
        (NONE | answers(behavior="present", behavior_recent="present"), 3),
        (NONE | answers(thoughts="present"), None),  # 3 to 5 were not asked
        (
            NONE | answers(thoughts="present", method="absent", intent="absent", plan="absent"),
            1,
        ),
        (
            NONE | answers(thoughts="present", method="present", intent="absent", plan="absent"),
            2,
        ),
        (NONE | answers(thoughts="present", intent="present"), 3),  # at once, whatever is open
        (answers(plan="present"), 3),
        (answers(method="present"), None),
        (NONE | answers(behavior="present"), None),
        (answers(wish="absent", thoughts="absent"), None),  # nobody asked about behavior
        ({}, None),
    ],
)
def test_a_screeners_tier(given: dict[ObservationName, str], tier: int | None):
    """Low, moderate and high as the signed table says; incomplete is unknown, never none."""
    assert tier_of(RULE, given) == tier


@pytest.mark.parametrize(
    ("given", "least"),
    [
        (answers(thoughts="present", method="present"), 2),
        (answers(behavior="present"), 2),
        (answers(wish="present"), None),
        (answers(wish="absent", thoughts="absent"), None),
        (answers(plan="present"), 3),
    ],
)
def test_an_incomplete_screener_is_the_least_that_it_is_if_that_must_be_seen(
    given: dict[ObservationName, str], least: int | None
):
    """Thoughts with a method are moderate at least; a wish alone may be, and nobody knows yet."""
    taken = [Reading(name, None, answer) for name, answer in given.items()]
    assert brought_by(COMBINED.vocabulary, taken).get(TIER) == least
    course = ready()
    course.do(RecordReadings(course.now, tuple(_measured(given))), NURSE)
    course.run_rules()
    asked = [key for key in course.pathway.tasks if key.startswith(Ask.REVIEW_RISK)]
    assert bool(asked) is (least is not None)


def test_each_screener_is_scored_by_itself():
    """One of which nothing was asked hides no other, wherever it stands in the vocabulary."""
    asked_of = ObservationName("ride_home")
    other = Tier({1: ((asked_of, "arranged"),)}, (asked_of,), (), "clinic")
    tiers = {ObservationName("suicide_risk"): other, **COMBINED.vocabulary.tiers}
    vocabulary = replace(COMBINED.vocabulary, tiers=tiers)
    taken = [Reading(name, None, answer) for name, answer in NONE.items()]
    assert brought_by(vocabulary, taken) == {TIER: 0}


def test_a_screener_entered_in_parts_is_one_screener():
    """In three entries of one visit, in any order, it comes to what it comes to in one."""
    parts = (
        answers(wish="present", thoughts="present"),
        answers(method="present", intent="absent", plan="absent"),
        answers(behavior="absent"),
    )
    for order in permutations(parts):
        course = ready()
        for part in order:
            course.do(RecordReadings(course.now, tuple(_measured(part))), NURSE)
            course.wait(minutes(5))
        (found,) = course.pathway.readings[TIER]  # asked about once, in however many parts
        assert found.value == 2
        course.run_rules()
        assert "review-first" in rules(dose(course))
        vocabulary = course.protocol.vocabulary
        assert refold(course.pathway.id, course.events, vocabulary) == course.pathway


def test_a_whole_screener_is_a_new_one_whatever_the_last_came_to():
    """Moderate at nine, and asked again at ten: each is a prescriber's to look at."""
    course = ready()
    whole = NONE | answers(behavior="present", behavior_recent="absent")
    for _ in range(2):
        course.do(RecordReadings(course.now, tuple(_measured(whole))), NURSE)
        course.wait(minutes(60))
    assert [found.value for found in course.pathway.readings[TIER]] == [2, 2]


def asked(course: Course) -> list[str]:
    """What is asked for of a screener that was begun."""
    found = steps(course.protocol, course.pathway, course.now)
    return [step.says for step in found if getattr(step, "rule", "") == "screener"]


def test_what_a_screener_still_asks_is_asked_for_until_it_is_complete():
    """Thoughts and no more: three questions are left, and behavior; then nothing."""
    course = ready()
    assert asked(course) == []
    course.do(RecordReadings(course.now, tuple(_measured(answers(thoughts="present")))), NURSE)
    (step,) = [s for s in steps(COMBINED, course.pathway, course.now) if s.rule == "screener"]
    assert isinstance(step, AskPerson)
    assert step.roles == COMBINED.vocabulary.kind(WISH).recorded_by
    assert step.says == (
        "A screener was begun and is not complete: ask and record C-SSRS screener 1, wish to be "
        "dead, C-SSRS screener 6, suicidal behavior ever, C-SSRS screener 3, thoughts with a "
        "method, C-SSRS screener 4, some intent, C-SSRS screener 5, plan with intent."
    )
    course.run_rules()
    (key,) = [key for key in course.pathway.tasks if key.endswith("screener#1")]
    rest = answers(
        wish="absent", behavior="absent", method="absent", intent="absent", plan="absent"
    )
    course.wait(minutes(5))
    course.do(RecordReadings(course.now, tuple(_measured(rest))), NURSE)
    assert asked(course) == []
    course.run_rules()
    assert course.pathway.tasks[key].closed


def test_half_a_screener_is_its_authors_to_take_back():
    """What it still asks is a nurse's to record, and no prescriber was asked to look at it."""
    course = ready()
    course.do(RecordReadings(course.now, tuple(_measured(answers(wish="present")))), NURSE)
    taken = [event for event in course.events if event.fact.kind == "readings-taken"]
    assert course.attempt(CorrectEntry(taken[-1].id, "another patient's"), NURSE) is None


def test_a_screener_of_the_morning_is_finished_twelve_hours_later_at_the_latest():
    """To the minute: one minute more, and it is another one."""
    for later, complete in ((timedelta(), True), (minutes(1), False)):
        course = ready()
        half = answers(wish="absent", thoughts="absent")
        course.do(RecordReadings(course.now, tuple(_measured(half))), NURSE)
        course.wait(ONE_SITTING + later)
        rest = tuple(_measured(answers(behavior="absent")))
        course.do(RecordReadings(course.now, rest), NURSE)
        assert bool(course.pathway.readings.get(TIER)) is complete


def test_a_screener_that_was_not_begun_hides_none_that_was():
    """Of two, nothing was asked of the first: what the second still asks is asked for."""
    asked_of = ObservationName("fit_to_stimulate")
    other = Tier({1: ((asked_of, "confirmed"),)}, (asked_of,), (), "clinic")
    tiers = {ObservationName("suicide_risk"): other, **COMBINED.vocabulary.tiers}
    course = ready()
    course.do(RecordReadings(course.now, tuple(_measured(answers(wish="present")))), NURSE)
    vocabulary = replace(COMBINED.vocabulary, tiers=tiers)
    ((_, left),) = begun(vocabulary, course.pathway.readings)
    assert THOUGHTS in left


def test_nothing_is_left_of_a_screener_that_cannot_come_to_more():
    """A plan is the most severe that there is."""
    course = ready()
    course.do(RecordReadings(course.now, tuple(_measured(answers(plan="present")))), NURSE)
    assert asked(course) == []


def test_the_last_answer_of_a_sitting_counts_and_one_of_another_day_does_not():
    """Asked again an hour later it is no; half of yesterday's screener completes none of today."""
    course = ready()
    course.do(RecordReadings(course.now, tuple(_measured(NONE))), NURSE)
    assert course.pathway.readings[TIER][-1].value == 0
    course.wait(minutes(60))
    course.do(RecordReadings(course.now, tuple(_measured(answers(wish="present")))), NURSE)
    assert course.pathway.readings[TIER][-1].value == 1
    older = course.now - minutes(30)
    course.do(RecordReadings(older, tuple(_measured(answers(wish="absent")))), NURSE)
    assert course.pathway.readings[TIER][-1].value == 1
    before = course.pathway.readings[TIER]
    course.wait(ONE_SITTING + minutes(1))
    course.do(RecordReadings(course.now, tuple(_measured(answers(wish="absent")))), NURSE)
    assert course.pathway.readings[TIER] == before


def _measured(given: dict[ObservationName, str]) -> Iterator[Measurement]:
    for name, answer in given.items():
        yield Measurement(name, answer=answer)


def test_every_complete_screener_has_a_tier():
    """Over all 2,187 ways to answer, asked or not: complete has a tier, and more is never less."""
    for each in product(("absent", "present", None), repeat=7):
        names = (WISH, THOUGHTS, METHOD, INTENT, PLAN, BEHAVIOR, RECENT)
        given = {name: answer for name, answer in zip(names, each, strict=True) if answer}
        tier = tier_of(RULE, given)
        if not unanswered(RULE, given):
            assert tier is not None
        if "present" in (given.get(INTENT), given.get(PLAN), given.get(RECENT)):
            assert tier == 3
        if tier == 0:
            assert "present" not in given.values()


@given(st.dictionaries(st.sampled_from(RULE.items), st.sampled_from(["absent", "present"])))
def test_one_more_yes_never_lowers_a_tier(given: dict[ObservationName, str]):
    """Whatever was answered: a no that becomes a yes leaves the tier, raises it, or asks more."""
    before = tier_of(RULE, given)
    for name, answer in given.items():
        if answer == "absent" and before is not None:
            after = tier_of(RULE, {**given, name: "present"})
            assert after is None or after >= before


def test_a_moderate_screener_is_seen_before_anything_is_given():
    """It asks a prescriber, by a time, and stands in the way of the dose."""
    course = ready()
    course.wait(minutes(1))
    given = answers(
        wish="present", thoughts="present", method="present", intent="absent", plan="absent"
    ) | answers(behavior="absent")
    course.do(RecordReadings(course.now, readings(**given)), NURSE)
    (found,) = course.pathway.readings[TIER]
    assert found.value == 2
    tasks = [k for k in course.pathway.tasks if k.startswith(Ask.REVIEW_RISK)]
    assert [key for key in tasks if TIER in key]
    assert rules(dose(course)) == ["review-first"]


def test_the_clinicians_judgement_stands_beside_the_tier():
    """Both are kept: a screener that comes to low, and a clinician who judges the risk high."""
    course = ready()
    course.wait(minutes(1))
    given = NONE | answers(wish="present")
    course.do(RecordReadings(course.now, readings(**given, suicide_risk="high")), NURSE)
    assert course.pathway.readings[TIER][0].value == 1
    assert course.pathway.readings[ObservationName("suicide_risk")][0].answer == "high"
    assert "review-first" in rules(dose(course))


def test_an_incomplete_screener_has_no_tier():
    """What was answered is kept; the tier is not there, and nobody takes that for none."""
    course = ready()
    course.wait(minutes(1))
    course.do(RecordReadings(course.now, readings(cssrs_wish="absent")), NURSE)
    assert TIER not in course.pathway.readings
    assert WISH in course.pathway.readings
