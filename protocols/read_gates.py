"""Reads gates and timed checks, holding every requirement against the vocabulary.

A requirement must name a known observation, use its unit or one of its answers, and a number that
is physically possible; otherwise the gate could never be passed, or never hold.
"""

from collections.abc import Collection, Mapping
from datetime import timedelta

from domain.language.names import ObservationName, RuleId
from domain.language.protocol import Gate, Otherwise, StandingRule, TimedCheck, When
from domain.language.requirements import Requirement, Test
from domain.language.vocabulary import ObservationKind
from domain.rules.standing import wider
from protocols.quantities import (
    NotUnderstood,
    parse_days,
    parse_elapsed,
    parse_quantity,
    parse_test,
)
from protocols.read_names import kebab
from protocols.read_vocabulary import Words
from protocols.reading import Section
from protocols.yaml_lines import Scalar

_NO_TIME = timedelta(0)


def read_gates(section: Section, words: Words, sources: Collection[str]) -> tuple[Gate, ...]:
    """Read all gates of a protocol."""
    return tuple(_gate(name, gate, words, sources) for name, gate in section.each())


def _gate(name: str, section: Section, words: Words, sources: Collection[str]) -> Gate:
    kebab(section, name)
    when = section.choice("when", When)
    otherwise = section.choice("otherwise", Otherwise)
    if (
        section.sound("when", "otherwise")
        and otherwise is Otherwise.KEEP_OBSERVING
        and when is not When.AFTER_EACH_VISIT
    ):
        section.wrong("otherwise", f'"{otherwise}" is possible only {When.AFTER_EACH_VISIT}')
    if section.sound("when") and when is not When.AFTER_EACH_VISIT:
        required = section.section("require")
        if required.has("minutes_observed"):
            required.wrong("minutes_observed", f"is known only {When.AFTER_EACH_VISIT}")
    require = read_requirements(section.section("require"), words)
    return Gate(
        id=RuleId(name),
        when=when,
        require=require,
        measured_within=section.read("measured_within", _freshness, None),
        otherwise=otherwise,
        why=section.text("why"),
        source=read_source(section, sources),
        standing=_standing(section, when, otherwise, require, words),
    )


_DECIDED_AHEAD = (When.BEFORE_EACH_VISIT, When.BEFORE_EACH_SESSION)


def _standing(
    gate: Section,
    when: When,
    otherwise: Otherwise,
    require: tuple[Requirement, ...],
    words: Words,
) -> StandingRule | None:
    """Read what a prescriber may decide ahead; a gate without it is looked at each time."""
    if not gate.has("standing"):
        return None
    section = gate.section("standing")
    if gate.sound("when", "otherwise") and (
        otherwise is not Otherwise.HOLD or when not in _DECIDED_AHEAD
    ):
        gate.wrong(
            "standing",
            f'is possible only for "{Otherwise.HOLD}" {" or ".join(_DECIDED_AHEAD)}: what nobody'
            " may override is not decided ahead, and leaving is looked at each time",
        )
    allows = read_requirements(section.section("allows"), words)
    read = section.section("allows").sound_throughout()
    read = read and gate.section("require").sound_throughout()
    for allowed in allows if read else ():
        needs = [need for need in require if need.observation == allowed.observation]
        if not any(wider(need, allowed) for need in needs):
            section.wrong(
                "allows",
                f"{allowed.observation} must be one that the gate requires, with the same words"
                " and a wider number",
            )
    void_if = read_requirements(section.section("void_if"), words) if section.has("void_if") else ()
    _check_standing(section, allows, void_if, words)
    return StandingRule(section.read("for_at_most", _days_ahead, 1), allows, void_if)


LONGEST_AHEAD = 90
"""Days. What was decided longer ago than a quarter is decided anew."""


def _days_ahead(text: str) -> int:
    days = parse_days(text)
    if days > LONGEST_AHEAD:
        raise NotUnderstood(f'"{text}" is longer than {LONGEST_AHEAD} days: decide it anew by then')
    return days


def _check_standing(
    section: Section,
    allows: tuple[Requirement, ...],
    void_if: tuple[Requirement, ...],
    words: Words,
) -> None:
    """Refuse what would let everything pass, and what would never end a decision."""
    vocabulary = words.vocabulary
    for need in allows:
        kind = vocabulary.observations.get(need.observation)
        if kind is None or need.value is None or kind.low is None or kind.high is None:
            continue
        most = need.test in (Test.AT_MOST, Test.BELOW) and need.value >= kind.high
        least = need.test in (Test.AT_LEAST, Test.ABOVE) and need.value <= kind.low
        if most or least:
            section.wrong("allows", f"{need.observation}: that is every value there is")
    for need in void_if:
        kind = vocabulary.observations.get(need.observation)
        kept = kind is not None and (not kind.derived or need.observation in vocabulary.tiers)
        if need.test is Test.RECORDED or (words.complete and not kept):
            section.wrong(
                "void_if",
                f"{need.observation} must compare something that is recorded, or a tier",
            )
        elif need.observation in {each.observation for each in allows}:
            section.wrong("void_if", f"{need.observation} is in allows: beyond that it ends anyway")


def read_timed_checks(
    section: Section, words: Words, sources: Collection[str]
) -> tuple[TimedCheck, ...]:
    """Read all timed checks of a protocol."""
    return tuple(_timed_check(name, check, words, sources) for name, check in section.each())


def _timed_check(name: str, section: Section, words: Words, sources: Collection[str]) -> TimedCheck:
    kebab(section, name)
    section.only("after", "first device", "observation is counted from the first device")
    window = [
        section.understand("between", word, parse_elapsed, _NO_TIME)
        for word in section.words("between")
    ]
    if section.sound("between") and (len(window) != 2 or window[0] >= window[1]):  # noqa: PLR2004
        section.wrong("between", "must be the earliest and the latest, such as [35 min, 60 min]")
    earliest, latest = window if len(window) == 2 else (_NO_TIME, _NO_TIME)  # noqa: PLR2004
    record = section.words("record")
    for word in record:
        kind = _kind(section, "record", word, words)
        if kind is not None and kind.derived:
            section.wrong("record", f"{kind.name} is derived and cannot be recorded", word.line)
    if len({word.text for word in record}) < len(record):
        section.wrong("record", "names an observation twice")
    return TimedCheck(
        id=RuleId(name),
        earliest=earliest,
        latest=latest,
        record=tuple(ObservationName(word.text) for word in record),
        why=section.text("why"),
        source=read_source(section, sources),
    )


def read_source(section: Section, sources: Collection[str]) -> str:
    """Read a required source, which must be one of those that the protocol names."""
    source = section.text("source")
    if section.sound("source") and source not in sources:
        listed = ", ".join(sources) or "none yet"
        section.wrong("source", f'"{source}" is not among the sources above: {listed}')
    return source


def read_requirements(section: Section, words: Words) -> tuple[Requirement, ...]:
    """Read lines such as `systolic_bp: at most 140 mmHg`, held against the vocabulary."""
    if section.given and not section.block.entries:
        section.here("must require something")
    found = []
    for key, entry in section.block.entries.items():
        name = ObservationName(key)
        kind = _kind(section, key, Scalar(key, entry.line), words)
        required = section.read(key, parse_test, (Test.RECORDED, ""))
        if kind is not None and section.sound(key):
            found.append(_requirement(section, kind, *required))
        else:
            found.append(Requirement(name, Test.RECORDED))
    return tuple(found)


def _requirement(section: Section, kind: ObservationKind, test: Test, rest: str) -> Requirement:
    if test is Test.RECORDED:
        return Requirement(kind.name, test)
    if kind.answers:
        given = tuple(rest.split(" or ")) if test is Test.IS else ()
        if not given or any(answer not in kind.answers for answer in given):
            said = rest if test is Test.IS else f"{test} {rest}"
            known = " or ".join(f'"is {answer}"' for answer in kind.answers)
            section.wrong(kind.name, f'"{said}" is not an answer of the vocabulary: write {known}')
            return Requirement(kind.name, test, answer=rest)
        if len(set(given)) == len(kind.answers):
            section.wrong(kind.name, "accepts every answer: write recorded")
        return Requirement(kind.name, test, answer=given[0], or_answers=given[1:])
    if test is Test.IS:
        section.wrong(
            kind.name, f"is a number of {kind.unit}: write at most, at least, below or above"
        )
        return Requirement(kind.name, test)
    try:
        value, _ = parse_quantity(rest, (kind.unit or "",))
    except NotUnderstood as problem:
        section.wrong(kind.name, str(problem))
        return Requirement(kind.name, test)
    if kind.low is not None and kind.high is not None and not kind.low <= value <= kind.high:
        section.wrong(
            kind.name,
            f"{value} {kind.unit} is physically impossible: "
            f"the vocabulary has {kind.low} to {kind.high}",
        )
    return Requirement(kind.name, test, value=value)


def _kind(section: Section, key: str, name: Scalar, words: Words) -> ObservationKind | None:
    """Find an observation to check against; None if unknown or itself in doubt."""
    observations: Mapping[ObservationName, ObservationKind] = words.vocabulary.observations
    found = ObservationName(name.text)
    if found not in observations:
        if words.complete and not name.refused:
            section.wrong(key, f"{found} is not in vocabulary.yaml", name.line)
        return None
    return None if found in words.unsure else observations[found]


def _freshness(text: str) -> timedelta | None:
    return None if text == "any time" else parse_elapsed(text)
