"""Screeners that have tiers and no sum: what several answers of one entry come to. Pure.

The most severe tier of which one answer is given counts at once. A milder one, and none at all,
count only when everything that the screener asks was answered: a question that nobody asked is
never taken for a no. One that a prescriber must see counts at once too, as the least that it is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from domain.language.names import EventId, ObservationName
from domain.language.observations import Reading
from domain.language.pathway import Observed
from domain.language.vocabulary import Tier, Vocabulary

Answers = Mapping[ObservationName, str]
NOTHING: Answers = MappingProxyType({})
ONE_SITTING = timedelta(hours=12)
"""Answers this far apart, entered one after another, are one screener: half of it before a call."""


def tier_of(tier: Tier, answers: Answers) -> int | None:
    """Say which tier answers come to: 0 if complete and nothing was found; None if incomplete."""
    found = at_least(tier, answers)
    worst = max(tier.levels, default=0)
    if found == worst or not unanswered(tier, answers):
        return found
    return None


def at_least(tier: Tier, answers: Answers) -> int:
    """Say which tier answers come to, whatever the rest may be: more answers can only raise it."""
    return max(
        (level for level, lines in tier.levels.items() if _any_given(lines, answers)), default=0
    )


def unanswered(tier: Tier, answers: Answers) -> tuple[ObservationName, ...]:
    """List what the screener asks after these answers, and was not answered."""
    asked = list(tier.always)
    for (name, answer), then in tier.asks_then:
        if answers.get(name) == answer:
            asked += then
    return tuple(name for name in dict.fromkeys(asked) if name not in answers)


def brought_by(
    vocabulary: Vocabulary, readings: Iterable[Reading], known: Answers = NOTHING
) -> dict[ObservationName, Decimal]:
    """Name the tiers that the answers of one entry come to, each with its value.

    Together with the last answers `known` of the same sitting. Of an incomplete one the tier that
    it comes to at least, if a prescriber must see that.
    """
    new = {each.observation: each.answer for each in readings if each.answer is not None}
    answers = {**new, **known}
    found = {}
    for name, tier in vocabulary.tiers.items():
        if not any(item in new for item in tier.items):
            continue
        value, least = tier_of(tier, answers), Decimal(at_least(tier, answers))
        alert = vocabulary.kind(name).alert
        if value is not None or (alert is not None and alert.met(least, None)):
            found[name] = least
    return found


def sitting_of(
    vocabulary: Vocabulary, readings: Mapping[ObservationName, Sequence[Observed]], at: datetime
) -> dict[ObservationName, Observed]:
    """Find the last answers to the questions of screeners around an instant: they are one."""
    asked = {item for tier in vocabulary.tiers.values() for item in tier.items}
    found = {}
    for name in sorted(asked & readings.keys()):
        near = [each for each in readings[name] if abs(each.at - at) <= ONE_SITTING]
        if near and near[-1].answer is not None:
            found[name] = near[-1]
    return found


def begun(
    vocabulary: Vocabulary, readings: Mapping[ObservationName, Sequence[Observed]]
) -> Iterator[tuple[EventId, tuple[ObservationName, ...]]]:
    """Find the screeners whose last sitting left their tier open: by its last entry, what is left.

    A tier that is the most severe already is not open, whatever was not asked.
    """
    for tier in vocabulary.tiers.values():
        last = max(
            (readings[item][-1] for item in tier.items if readings.get(item)),
            key=lambda each: (each.at, each.evidence),
            default=None,
        )
        if last is None:
            continue
        sitting = sitting_of(vocabulary, readings, last.at)
        answers = {name: found.answer or "" for name, found in sitting.items()}
        if tier_of(tier, answers) is None:
            yield last.evidence, unanswered(tier, answers)


def _any_given(lines: Iterable[tuple[ObservationName, str]], answers: Answers) -> bool:
    return any(answers.get(name) == answer for name, answer in lines)
