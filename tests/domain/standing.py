"""What tests of standing decisions begin from, and how they ask what such a decision did."""

from datetime import timedelta

from domain.language.clocks import local_day
from domain.language.names import Author, EventId, Role, RuleId
from domain.language.protocol import Gate
from domain.language.standing import DecideAhead
from domain.rules.steps import Ask
from tests.course import Course
from tests.domain.scenes import minutes, ready

PRESCRIBER = Author("a-prescriber", Role.PRESCRIBER)
NURSE = Author("a-nurse", Role.NURSE)
RISK, PRESSURE = RuleId("suicide-risk"), RuleId("blood-pressure-before")
WORDS = "Passive thoughts for years, no plan; safety plan of 20 November, seen weekly."
PASSIVE, MORE, NONE = ((1,) * 8 + (item9,) for item9 in (1, 2, 0))


def gate(course: Course, rule: RuleId) -> Gate:
    """A gate of the present phase."""
    gates = course.protocol.phase(course.pathway.phase).gates
    return next(each for each in gates if each.id == rule)


def ahead(course: Course, rule: RuleId = RISK, days: int = 14) -> EventId:
    """Decide ahead for so many days; the decision's id."""
    last = local_day(course.now, course.zone) + timedelta(days=days)
    (event,) = course.do(DecideAhead(rule, last, WORDS), PRESCRIBER)
    return event.id


def known() -> Course:
    """Here for the first dose, with thoughts of death that a prescriber has decided on."""
    course = ready()
    ahead(course)
    course.wait(minutes(1))
    course.assess("phq9", *PASSIVE)
    return course


def ended_by(course: Course) -> list[EventId]:
    """The readings by which decisions were over."""
    return [event for each in course.pathway.standing.values() for event in each.beyond]


def alerts(course: Course) -> list[str]:
    """Readings at risk that somebody is asked to look at."""
    tasks = course.pathway.tasks.items()
    return [key for key, task in tasks if key.startswith(Ask.REVIEW_RISK) and not task.closed]
