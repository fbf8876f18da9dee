"""Screeners that have tiers and no sum: what several answers of one entry come to. Pure.

The most severe tier of which one answer is given counts at once. A milder one, and none at all,
count only when everything that the screener asks was answered: a question that nobody asked is
never taken for a no.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from domain.language.names import ObservationName
from domain.language.observations import Reading
from domain.language.vocabulary import Tier, Vocabulary

Answers = Mapping[ObservationName, str]


def tier_of(tier: Tier, answers: Answers) -> int | None:
    """Say which tier answers come to: 0 if complete and nothing was found; None if incomplete."""
    found = max(
        (level for level, lines in tier.levels.items() if _any_given(lines, answers)), default=0
    )
    worst = max(tier.levels, default=0)
    if found == worst or not unanswered(tier, answers):
        return found
    return None


def unanswered(tier: Tier, answers: Answers) -> tuple[ObservationName, ...]:
    """List what the screener asks after these answers, and was not answered."""
    asked = list(tier.always)
    for (name, answer), then in tier.asks_then:
        if answers.get(name) == answer:
            asked += then
    return tuple(name for name in dict.fromkeys(asked) if name not in answers)


def brought_by(
    vocabulary: Vocabulary, readings: Iterable[Reading]
) -> dict[ObservationName, Decimal]:
    """Name the tiers that the answers of one entry come to, each with its value."""
    answers = {each.observation: each.answer for each in readings if each.answer is not None}
    found = {}
    for name, tier in vocabulary.tiers.items():
        value = tier_of(tier, answers) if any(item in answers for item in tier.items) else None
        if value is not None:
            found[name] = Decimal(value)
    return found


def _any_given(lines: Iterable[tuple[ObservationName, str]], answers: Answers) -> bool:
    return any(answers.get(name) == answer for name, answer in lines)
