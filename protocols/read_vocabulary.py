"""Reads `vocabulary.yaml` into the domain's closed list of observations, scales and codes."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from domain.language.names import ObservationName, Role, Treatment, any_of
from domain.language.observations import RecordReadings
from domain.language.protocol import Status
from domain.language.requirements import Test
from domain.language.vocabulary import (
    GRANTED,
    Alert,
    Code,
    ObservationKind,
    Scale,
    Tier,
    Vocabulary,
)
from protocols.codes import UCUM, published, read_code
from protocols.quantities import (
    NotUnderstood,
    parse_elapsed,
    parse_number,
    parse_quantity,
    parse_test,
)
from protocols.read_chart import read_answer, read_chart
from protocols.read_names import Head, read_head
from protocols.reading import Section, choose
from protocols.yaml_lines import BARE_WORDS

SEEN = "prescriber_sees"
RECORDS = RecordReadings.MAY
CATEGORIES = ("vital-signs", "survey", "exam", "procedure")
# What domain.rules.gates can compute; any other observation must be recorded by somebody.
DERIVED = ("minutes_observed",)
FALL = "reduction_of"
TRIALS = "counts_trials_from"
AUTHORIZES = "authorizes"
OTHERWISE = "said_otherwise_by"
_NAME = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Words:
    """The vocabulary as far as it could be read.

    Protocols are not checked against the kinds in `unsure`, which have a problem themselves, nor
    told that a name is unknown unless the list is `complete`.
    """

    vocabulary: Vocabulary
    unsure: frozenset[ObservationName]
    complete: bool
    head: Head


NO_WORDS = Words(
    Vocabulary({}, {}, {}, {}),
    frozenset(),
    complete=False,
    head=Head("", 0, "", Status.DRAFT, (), "", {}),
)


def read_vocabulary(top: Section) -> Words:
    """Read the whole file."""
    head = read_head(top, "vocabulary")
    observations: dict[ObservationName, ObservationKind] = {}
    unsure = set()
    for key, section in top.section("observations").each():
        name = ObservationName(key)
        observations[name] = _observation(name, section)
        if not section.sound_throughout():
            unsure.add(name)
    scales = {
        key: _scale(key, section, observations) for key, section in top.section("scales").each()
    }
    totals = {scale.total for scale in scales.values()}
    for key, section in top.section("observations").each():
        of = observations[ObservationName(key)].reduction_of
        if of is not None and section.sound(FALL) and of not in totals:
            section.wrong(FALL, "is not the total of a scale")
    tiers = {
        ObservationName(key): _tier(section, observations)
        for key, section in (top.section("tiers").each() if top.has("tiers") else ())
    }
    for key, section in top.section("observations").each():
        kind = observations[ObservationName(key)]
        alone = not kind.recorded_by and kind.name not in DERIVED
        alone = alone and kind.reduction_of is None and kind.counts_trials_from is None
        if section.sound("recorded_by") and alone and kind.name not in tiers:
            can = f"{' and '.join(DERIVED)}, the tiers below, and with {FALL} the fall of a score"
            section.wrong("recorded_by", f"Kairos can derive only {can}")
    for name in tiers:
        if name not in observations or observations[name].recorded_by:
            message = f"{name} must be an observation that nobody records"
            top.wrong("tiers", message, top.section("tiers").line(name))
    drugs = {key: published(section) for key, section in top.section("drugs").each()}
    diagnoses = {key: published(section) for key, section in top.section("diagnoses").each()}
    chart = read_chart(top, observations)
    vocabulary = Vocabulary(
        observations, scales, drugs, diagnoses, head.id, head.version, tiers, chart
    )
    return Words(vocabulary, frozenset(unsure), complete=top.sound("observations"), head=head)


def _observation(name: ObservationName, section: Section) -> ObservationKind:
    if not _NAME.fullmatch(name):
        section.here(f'the name "{name}" must be small letters, digits and single underscores')
    title = section.text("title")
    unit = ucum = low = high = None
    answers: tuple[str, ...] = ()
    if section.has("answers"):
        answers = tuple(_answer(section, word.text) for word in section.words("answers"))
        for key in ("unit", "ucum", "range"):
            section.absent(key, "an observation has answers, or a unit and a range, never both")
        if section.sound("answers") and len(set(answers)) < 2:  # noqa: PLR2004
            section.wrong("answers", "must list two different answers or more")
    else:
        unit = section.text("unit")
        ucum = section.read("ucum", lambda text: _listed(text, UCUM), "")
        low, high = section.read("range", parse_range, (Decimal(0), Decimal(0)))
    by = _recorders(section)
    reduction_of = ObservationName(section.text(FALL)) if section.has(FALL) else None
    if by and reduction_of is not None:
        section.wrong(FALL, "what is computed is recorded by nobody")
    code = read_code(section, "code", name, title)
    panel = read_code(section, "panel", name, title) if section.has("panel") else None
    if by and section.sound("code") and code is None:
        section.wrong("code", "what is recorded needs a code: local, if none was verified")
    category = section.read("category", lambda text: _listed(text, CATEGORIES), "")
    longer = section.read(TRIALS, parse_elapsed, timedelta()) if section.has(TRIALS) else None
    if by and longer is not None:
        section.wrong(TRIALS, "what is counted is recorded by nobody")
    kind = ObservationKind(
        name,
        title,
        unit,
        ucum,
        low,
        high,
        answers,
        not by,
        by,
        code,
        panel,
        category,
        reduction_of=reduction_of,
        counts_trials_from=longer,
        authorizes=_authorizes(section, answers, by),
        said_otherwise_by=_otherwise(section, by),
    )
    return replace(kind, alert=_alert(section, kind)) if section.has(SEEN) else kind


def _otherwise(section: Section, by: tuple[Role, ...]) -> tuple[Role, ...]:
    """Read who may record another answer than one that stops treatment."""
    if not section.has(OTHERWISE):
        return ()
    roles = _roles(section, OTHERWISE)
    if section.sound("recorded_by", OTHERWISE) and not set(roles) <= set(by):
        section.wrong(OTHERWISE, "must be among those who may record it")
    return roles


def _authorizes(
    section: Section, answers: tuple[str, ...], by: tuple[Role, ...]
) -> Treatment | None:
    """Read for which treatment it says that a payer pays: what was authorized answers `granted`."""
    if not section.has(AUTHORIZES):
        return None
    if section.sound("answers", "recorded_by") and (GRANTED not in answers or not by):
        message = f'needs the answer "{GRANTED}", and others that somebody records'
        section.wrong(AUTHORIZES, message)
    return section.read(AUTHORIZES, lambda text: choose(text, Treatment), Treatment.ESKETAMINE)


def _alert(section: Section, kind: ObservationKind) -> Alert | None:
    """Read what a prescriber must have seen: above or below a value, or one of the answers."""
    test, rest = section.read(SEEN, parse_test, (Test.RECORDED, ""))
    if not section.sound(SEEN):
        return None
    if kind.answers:
        if test is Test.IS and rest in kind.answers:
            return Alert(answer=rest)
        section.wrong(SEEN, "must be one of its answers, such as " + f'"is {kind.answers[-1]}"')
        return None
    computed = (
        kind.name in DERIVED or kind.reduction_of is not None or bool(kind.counts_trials_from)
    )
    if computed or test not in (Test.ABOVE, Test.BELOW):
        section.wrong(SEEN, "must be above or below a value that is recorded, with its unit")
        return None
    if not section.sound("unit", "range"):
        return None  # the unit or the range has a problem of its own
    value = section.read(SEEN, lambda _: parse_quantity(rest, (kind.unit or "",))[0], Decimal(0))
    if kind.low is not None and kind.high is not None and not kind.low <= value <= kind.high:
        section.wrong(SEEN, f"{value} is outside the range {kind.low} to {kind.high}")
    return Alert(above=value) if test is Test.ABOVE else Alert(below=value)


def _scale(
    key: str, section: Section, observations: dict[ObservationName, ObservationKind]
) -> Scale:
    title = section.text("title")
    low, high = section.read("each_item", parse_range, (Decimal(0), Decimal(0)))
    if low != 0 or high != int(high):
        section.wrong("each_item", "must run from 0 to a whole number, such as 0 to 3")
    titles: list[str] = []
    codes: list[Code | None] = []
    named: dict[int, ObservationName] = {}
    for number, item in enumerate(section.sections("items"), start=1):
        titles.append(item.text("title"))
        codes.append(read_code(item, "code", f"{key}-{number}", titles[-1]))
        if item.has("observation"):
            named[number] = ObservationName(item.text("observation"))
            kind = observations.get(named[number])
            _same_range(item, "observation", kind, int(high))
            if kind is not None and item.says("code", "local"):
                codes[-1] = kind.code  # one local code, whether recorded as item or named by a gate
            _same_code(item, kind, codes[-1])
    total = ObservationName(section.text("total"))
    _same_range(section, "total", observations.get(total), len(titles) * int(high))
    recorders = _recorders(section)
    for name in (total, *named.values()):
        _same_recorders(section, observations.get(name), recorders)
    return Scale(
        name=key,
        title=title,
        item_titles=tuple(titles),
        item_high=int(high),
        item_codes=tuple(codes),
        total=total,
        panel=read_code(section, "panel", key, title),
        item_observations=named,
        recorded_by=recorders,
        source=section.text("source"),
    )


def _tier(section: Section, observations: dict[ObservationName, ObservationKind]) -> Tier:
    """Read what the answers of a screener come to. Every line is held against the observations."""

    def line(text: str) -> tuple[ObservationName, str]:
        return read_answer(text, observations)

    def item(text: str) -> ObservationName:
        if ObservationName(text) not in observations:
            raise NotUnderstood(f"{text} is not among the observations")
        return ObservationName(text)

    def items(of: Section, key: str) -> tuple[ObservationName, ...]:
        words = of.words(key)
        return tuple(of.understand(key, word, item, ObservationName("")) for word in words)

    nothing = (ObservationName(""), "")
    levels: dict[int, tuple[tuple[ObservationName, str], ...]] = {}
    steps = section.section("any_of")
    for number, key in enumerate(steps.block.entries, start=1):
        levels[number] = tuple(
            steps.understand(key, word, line, nothing) for word in steps.words(key)
        )
        if key != str(number):
            steps.wrong(key, "tiers are numbered 1, 2, 3 and so on, the most severe last")
    always = items(section, "always_asked")
    then = []
    asks = section.section("asked_after")
    for key in asks.block.entries:
        names = items(asks, key)
        try:
            then.append((line(key), names))
        except NotUnderstood as problem:
            asks.wrong(key, str(problem))
    tier = Tier(levels, always, tuple(then), section.text("source"))
    never = sorted({name for lines in levels.values() for name, _ in lines} - set(tier.items))
    if section.sound_throughout() and never:
        section.here(f"counts answers that are never asked: {', '.join(never)}")
    return tier


def _same_recorders(
    section: Section, kind: ObservationKind | None, recorders: tuple[Role, ...]
) -> None:
    """Whoever is asked for a score must be whoever may record its scale."""
    if kind is None or not section.sound("recorded_by"):
        return
    if set(kind.recorded_by) != set(recorders):
        section.wrong("recorded_by", f"differs from {kind.name}'s, which this scale brings")


def _same_range(section: Section, key: str, kind: ObservationKind | None, high: int) -> None:
    if not section.sound(key):
        return
    if kind is None:
        section.wrong(key, "is not among the observations")
    elif kind.low != 0 or kind.high != high:
        section.wrong(key, f"{kind.name} must have the range 0 to {high}, as its scale has")


def _same_code(item: Section, kind: ObservationKind | None, code: Code | None) -> None:
    if kind is not None and item.sound("observation", "code") and kind.code != code:
        item.wrong("code", f"differs from the code of {kind.name}, which is the same item")


def _recorders(section: Section) -> tuple[Role, ...]:
    if section.says("recorded_by", "nobody"):
        return ()
    roles = _roles(section, "recorded_by")
    for role in roles:
        if role not in RECORDS:
            section.wrong("recorded_by", f"{role} cannot record: {any_of(RECORDS)} can")
    return roles


def _roles(section: Section, key: str) -> tuple[Role, ...]:
    return tuple(
        section.understand(key, word, lambda text: choose(text, Role), RECORDS[0])
        for word in section.words(key)
    )


def _answer(section: Section, text: str) -> str:
    if text.lower() in BARE_WORDS:
        section.wrong("answers", f'"{text}" is ambiguous: write it in words')
    return text


def parse_range(text: str) -> tuple[Decimal, Decimal]:
    """Read `40 to 300`: the lowest and the highest value that is physically possible."""
    low, to, high = text.partition(" to ")
    if not to or parse_number(low) >= parse_number(high):
        message = f'"{text}" is not a range: write the lowest, "to", and the highest'
        raise NotUnderstood(message)
    return parse_number(low), parse_number(high)


def _listed(text: str, words: tuple[str, ...]) -> str:
    if text not in words:
        message = f'"{text}" is not one of: {", ".join(words)}'
        raise NotUnderstood(message)
    return text
