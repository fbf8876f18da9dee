"""Reads what scores say of a course: response, remission, relapse and what else a clinic names."""

from collections.abc import Collection

from domain.language.names import ObservationName, RuleId
from domain.language.protocol import CourseRule
from domain.language.requirements import Requirement, Test
from protocols.quantities import NotUnderstood
from protocols.read_gates import read_requirements, read_source
from protocols.read_names import kebab
from protocols.read_vocabulary import Words
from protocols.reading import Section

ASKS = {"a prescriber": True, "nobody": False}


def read_course(section: Section, words: Words, sources: Collection[str]) -> tuple[CourseRule, ...]:
    """Read every rule; one that counts after another names one that stands above it."""
    found: list[CourseRule] = []
    for name, rule in section.each():
        kebab(rule, name)
        require = read_requirements(rule.section("require"), words)
        if rule.section("require").sound_throughout():
            _one_score(rule, require, words)
        above = {each.id for each in found}
        after = (
            tuple(RuleId(word.text) for word in rule.words("after")) if rule.has("after") else ()
        )
        for other in after:
            if other not in above:
                rule.wrong("after", f"{other} is not defined above: define it there first")
        found.append(
            CourseRule(
                id=RuleId(name),
                require=require,
                after=after,
                asks=rule.read("asks", _asks, stand_in=False),
                why=rule.text("why"),
                source=read_source(rule, sources),
            )
        )
    return tuple(found)


def _one_score(rule: Section, require: tuple[Requirement, ...], words: Words) -> None:
    """Hold all lines of a rule to one score that is kept: the total of a scale, or its fall."""
    judged = words.vocabulary.judged()
    scores = set[ObservationName]()
    for need in require:
        kind = words.vocabulary.observations.get(need.observation)
        score = need.observation if kind is None else kind.reduction_of or need.observation
        scores.add(score)
        if need.test in (Test.RECORDED, Test.IS) or (words.complete and score not in judged):
            known = ", ".join(sorted(judged))
            rule.wrong("require", f"must compare a score whose fall is derived, or that: {known}")
    if len(scores) > 1:
        rule.wrong("require", "must be about one score: write a rule for each")


def _asks(text: str) -> bool:
    if text not in ASKS:
        raise NotUnderstood(f'"{text}" is not one of: {", ".join(ASKS)}')
    return ASKS[text]
