"""What is next and what blocks it is said in words: no ids, no "1 points", nothing doubled."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from domain.language.errors import Refused
from domain.language.findings import Blocked
from domain.language.names import counted, spoken
from domain.planner import steps
from domain.rules.steps import AskPerson, Await, ProposeVisits
from tests.course import Course
from tests.domain.scenes import a_course, checked_in, dose, dosed, moved_on, ready

SCENES: dict[str, Callable[[], Course]] = {
    "begun": a_course,
    "here": checked_in,
    "ready": ready,
    "dosed": dosed,
    "in the next phase": moved_on,
}
ONE_OF_MANY = re.compile(r"\b1 (points|visits|days|sessions|weeks|hours|minutes|doses)\b")


def ids_of(course: Course) -> set[str]:
    """Ids with a hyphen: of phases, gates, observations and visits. Without one it is a word."""
    found: set[str] = {str(visit) for visit in course.pathway.visits}
    for phase in course.protocol.phases:
        found |= {phase.id, *(gate.id for gate in phase.gates)}
        found |= {need.observation for gate in phase.gates for need in gate.require}
    return {each for each in found if "-" in each}


def of(block: Blocked) -> Iterator[str]:
    """What a block says of what was found, and of what is missing."""
    yield from (str(text) for text in (block.finding, block.missing) if text)


def said_in(course: Course) -> Iterator[str]:
    """Each sentence of what is next."""
    for step in steps(course.protocol, course.pathway, course.now):
        if isinstance(step, AskPerson | Await | ProposeVisits):
            yield step.says
        if isinstance(step, AskPerson):
            yield from (text for block in step.blocked_by for text in of(block))


def insist_on_words(text: str, ids: set[str]) -> None:
    """Fail for what can be told of a text without reading it."""
    assert not [each for each in ids if each in text], text
    assert not ONE_OF_MANY.search(text), text
    assert "  " not in text, text
    assert "(s)" not in text, text


@pytest.mark.parametrize("scene", SCENES)
def test_what_is_next_is_said_in_words(scene: str):
    """At each hour of two days from there, whatever is next by then."""
    course = SCENES[scene]()
    ids = ids_of(course)
    for _ in range(48):
        for text in said_in(course):
            insist_on_words(text, ids)
        course.now += timedelta(hours=1)
        course.run_rules()


def test_a_refusal_is_said_in_words():
    """A dose before anything is measured: its summary and each finding."""
    course = checked_in()
    refusal = dose(course)
    assert isinstance(refusal, Refused)
    ids = ids_of(course)
    for text in (str(refusal), *(text for block in refusal.blocked_by for text in of(block))):
        insist_on_words(text, ids)


def test_names_and_numbers_as_people_say_them():
    """An id becomes words, treatments their own spelling, and one is one."""
    assert spoken("esketamine-induction-visit-1") == "esketamine induction visit 1"
    assert spoken("accelerated-dtms") == "accelerated deep TMS"
    assert (counted(1, "visit"), counted(2, "visit")) == ("1 visit", "2 visits")
