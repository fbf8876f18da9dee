"""Reads by when a prescriber must have looked at what happened, and who does when closed."""

import re
from collections.abc import Collection
from datetime import timedelta

from domain.language.names import Role
from domain.language.safety import RISES_TO, Rise, SafetyRule, SafetyTask
from protocols.quantities import NotUnderstood, parse_elapsed
from protocols.read_gates import read_source
from protocols.reading import Section

_RISE = re.compile(r"([a-z-]+) within (.+)")


def read_safety_tasks(section: Section, sources: Collection[str]) -> dict[SafetyTask, SafetyRule]:
    """Read all of them: a safety task without a time would be looked at some day."""
    return {task: read_look(section.section(task), sources) for task in SafetyTask}


def _somebody(text: str) -> str:
    if not any(letter.isalpha() for letter in text):
        raise NotUnderstood("must say in words who looks while the clinic is closed")
    return text


LONGEST = timedelta(days=14)


def _soon(text: str) -> timedelta:
    within = parse_elapsed(text)
    if within > LONGEST:
        raise NotUnderstood(
            f'"{text}" is longer than {LONGEST.days} days: nobody would wait so long'
        )
    return within


def _rise(text: str) -> Rise:
    found = _RISE.fullmatch(text)
    if found is None or found[1] not in RISES_TO:
        known = " or ".join(RISES_TO)
        message = f'"{text}" does not say who it escalates to: write "{known} within 2 hours"'
        raise NotUnderstood(message)
    return Rise(Role(found[1]), _soon(found[2]))


def _rises(section: Section) -> tuple[Rise, ...]:
    """Read to whom it rises: one at least, or what nobody has looked at would wait for ever."""
    least = Rise(RISES_TO[0], timedelta(hours=1))
    found = tuple(section.understand("then", word, _rise, least) for word in section.words("then"))
    if section.sound("then") and len({rise.to for rise in found}) < len(found):
        section.wrong("then", "names a role twice")
    return found


def read_look(section: Section, sources: Collection[str]) -> SafetyRule:
    """Read by when somebody looks, to whom it rises, and who looks while the clinic is closed."""
    return SafetyRule(
        within=section.read("within", _soon, timedelta(hours=1)),
        then=_rises(section),
        when_closed=section.read("when_closed", _somebody, ""),
        source=read_source(section, sources),
    )
