"""Reads the levels of risk, and at which moments a score is asked for."""

import re
from collections.abc import Collection
from datetime import timedelta

from domain.language.names import ObservationName, Role, RuleId, any_of
from domain.language.requirements import Requirement, Test
from domain.language.safety import AssessmentRule, At, Holds, Moment, RiskLevel
from protocols.quantities import NotUnderstood, parse_elapsed
from protocols.read_gates import read_requirements, read_source
from protocols.read_names import kebab
from protocols.read_safety import read_look
from protocols.read_vocabulary import Words
from protocols.reading import Section, choose
from protocols.yaml_lines import Scalar

HASTENS = {"the first visit": True, "nothing": False}
_NUMBERED = re.compile(r"(week|session) ([1-9][0-9]{0,2})")


def read_risk_levels(
    section: Section, words: Words, sources: Collection[str]
) -> tuple[RiskLevel, ...]:
    """Read all levels, the most severe first: one at least."""
    if section.given and not section.block.entries:
        section.here("must name at least one level, the most severe first")
    found: list[RiskLevel] = []
    for name, level in section.each():
        kebab(level, name)
        any_of = read_requirements(level.section("any_of"), words)
        if level.section("any_of").sound_throughout():
            _check_any_of(level, any_of, found, words)
        look = read_look(level, sources)
        found.append(
            RiskLevel(
                id=RuleId(name),
                any_of=any_of,
                counts_for=level.read("counts_for", parse_elapsed, timedelta(days=1)),
                holds=_holds(level),
                look=look,
                record=_record(level, words, {rise.to for rise in look.then}),
                hastens=level.read("hastens", _hastens, stand_in=False),
                why=level.text("why"),
                source=read_source(level, sources),
            )
        )
    return tuple(found)


def read_assessments(
    section: Section, words: Words, sources: Collection[str]
) -> tuple[AssessmentRule, ...]:
    """Read which scores are asked for, and when."""
    return tuple(_assessment(name, rule, words, sources) for name, rule in section.each())


def check_moments(top: Section, rules: tuple[AssessmentRule, ...], *, reviewed: bool) -> None:
    """Refuse moments that a phase never has: an open one is reviewed, a closed one ends."""
    never, instead = (
        (Moment.PHASE_END, Moment.REVIEW) if reviewed else (Moment.REVIEW, Moment.PHASE_END)
    )
    for rule in rules:
        if any(at.moment is never for at in rule.at):
            top.section("assessments").section(rule.id).wrong(
                "at", f'this phase has no "{never}": write "{instead}"'
            )


def _check_any_of(
    level: Section, any_of: tuple[Requirement, ...], above: list[RiskLevel], words: Words
) -> None:
    vocabulary = words.vocabulary
    for need in any_of:
        kind = vocabulary.observations.get(need.observation)
        kept = kind is not None and (not kind.derived or need.observation in vocabulary.tiers)
        if need.test is Test.RECORDED or (words.complete and not kept):
            what = f"{need.observation} must compare something that is recorded, or a tier"
            level.wrong("any_of", what)
            continue
        for earlier in above:
            if any(_covers(other, need) for other in earlier.any_of):
                what = f"{need.observation}: each such reading is {earlier.id} already"
                level.wrong("any_of", what)


def _covers(earlier: Requirement, later: Requirement) -> bool:
    """Say whether each reading that meets the later requirement meets the earlier one."""
    if earlier.observation != later.observation or earlier.test is not later.test:
        return False
    if earlier.test is Test.IS:
        return {later.answer, *later.or_answers} <= {earlier.answer, *earlier.or_answers}
    if earlier.value is None or later.value is None:
        return False
    up = earlier.test in (Test.AT_LEAST, Test.ABOVE)
    return later.value >= earlier.value if up else later.value <= earlier.value


def _holds(level: Section) -> tuple[Holds, ...]:
    """Read what is held. Treatment always is: what holds nothing is no risk that is seen first."""
    found = tuple(
        level.understand("holds", word, lambda text: choose(text, Holds), Holds.TREATMENT)
        for word in level.words("holds")
    )
    if level.sound("holds") and (Holds.TREATMENT not in found or len(set(found)) < len(found)):
        level.wrong("holds", "must be [treatment] or [treatment, leaving]")
    return found


def _record(level: Section, words: Words, told: Collection[Role]) -> tuple[ObservationName, ...]:
    """Read what is asked for after such a reading; the key may be left out.

    Whoever is told when nobody has recorded it in time must be able to.
    """
    named = level.words("also_record") if level.has("also_record") else []
    found = tuple(_recordable(level, "also_record", word, words) for word in named)
    for name in found:
        kind = words.vocabulary.observations.get(name)
        cannot = () if kind is None else tuple(sorted(set(told) - set(kind.recorded_by)))
        if cannot and words.complete:
            message = f"{name} is not recorded by {any_of(cannot)}, who is told if nobody has"
            level.wrong("also_record", message)
    return found


def _recordable(section: Section, key: str, word: Scalar, words: Words) -> ObservationName:
    name = ObservationName(word.text)
    kind = words.vocabulary.observations.get(name)
    if words.complete and not word.refused and (kind is None or kind.derived):
        section.wrong(key, f"{name} is nothing that vocabulary.yaml lets people record", word.line)
    return name


def _hastens(text: str) -> bool:
    if text not in HASTENS:
        raise NotUnderstood(f'"{text}" is not one of: {", ".join(HASTENS)}')
    return HASTENS[text]


def _assessment(
    name: str, section: Section, words: Words, sources: Collection[str]
) -> AssessmentRule:
    kebab(section, name)
    score = section.text("score")
    known = {scale.total for scale in words.vocabulary.scales.values()}
    if section.sound("score") and words.complete and score not in known:
        listed = ", ".join(sorted(known))
        section.wrong("score", f"{score} is not the total of a scale: {listed}")
    at = tuple(
        section.understand("at", word, _at, At(Moment.WEEK, 1)) for word in section.words("at")
    )
    if section.sound("at") and len(set(at)) < len(at):
        section.wrong("at", "names a moment twice")
    return AssessmentRule(
        id=RuleId(name),
        score=ObservationName(score),
        at=at,
        within=section.read("within", parse_elapsed, timedelta(days=1)),
        why=section.text("why"),
        source=read_source(section, sources),
    )


def _at(text: str) -> At:
    numbered = _NUMBERED.fullmatch(text)
    if numbered is not None:
        return At(Moment(numbered[1]), int(numbered[2]))
    if text in (Moment.PHASE_END, Moment.REVIEW):
        return At(Moment(text))
    message = (
        f'"{text}" is not a moment: write week 4, session 20, {Moment.PHASE_END} or {Moment.REVIEW}'
    )
    raise NotUnderstood(message)
