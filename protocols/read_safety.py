"""Reads by when a prescriber must have looked at what happened, and who does when closed."""

from collections.abc import Collection
from datetime import timedelta

from domain.language.protocol import SafetyRule, SafetyTask
from protocols.quantities import NotUnderstood, parse_elapsed
from protocols.read_gates import read_source
from protocols.reading import Section


def read_safety_tasks(section: Section, sources: Collection[str]) -> dict[SafetyTask, SafetyRule]:
    """Read all of them: a safety task without a time would be looked at some day."""
    return {task: _rule(section.section(task), sources) for task in SafetyTask}


def _somebody(text: str) -> str:
    if not any(letter.isalpha() for letter in text):
        raise NotUnderstood("must say in words who looks while the clinic is closed")
    return text


def _rule(section: Section, sources: Collection[str]) -> SafetyRule:
    return SafetyRule(
        within=section.read("within", parse_elapsed, timedelta(hours=1)),
        when_closed=section.read("when_closed", _somebody, ""),
        source=read_source(section, sources),
    )
