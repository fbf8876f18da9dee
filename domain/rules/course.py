"""What scores say of a course: response, remission, relapse, by rules over any scale. Pure.

Each rule of the protocol is held against each score of its scale, whenever it was recorded. A rule
may count only after another was met (a relapse is one after a response), and may ask a prescriber.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from domain.language.names import ObservationName, RuleId
from domain.language.pathway import Observed, Pathway
from domain.language.protocol import CombinedProtocol, CourseRule, Protocol
from domain.language.requirements import Requirement
from domain.rules.baselines import NoBaseline, baseline_of

PERCENT = Decimal(100)


@dataclass(frozen=True, slots=True)
class Judged:
    """What a rule says of one score; `met` is None where a fall cannot be judged, and why."""

    rule: RuleId
    met: bool | None
    score: Observed
    says: str


def said_now(protocol: CombinedProtocol, pathway: Pathway) -> tuple[Judged, ...]:
    """Say of each rule of the present phase what the last score of its scale says."""
    phase = protocol.phase(pathway.phase)
    found = []
    for rule in phase.course:
        known = pathway.readings.get(scale_of(protocol, rule), ())
        if known:
            found.append(judge(protocol, pathway, phase, rule, known[-1]))
    return tuple(found)


def sentence(judged: Judged) -> str:
    """What a rule says, in words: `response: met (MADRS reduction 62.5 percent)`."""
    state = {True: "met", False: "not met", None: "not known"}[judged.met]
    return f"{judged.rule}: {state} ({judged.says})"


def to_ask(protocol: CombinedProtocol, pathway: Pathway) -> Iterator[tuple[CourseRule, Judged]]:
    """Find the scores since treatment began of which a rule of the present phase asks somebody."""
    phase, begun = protocol.phase(pathway.phase), _begun(pathway)
    if begun is None:
        return
    for rule in phase.course:
        if not rule.asks:
            continue
        for score in pathway.readings.get(scale_of(protocol, rule), ()):
            if score.at > begun:
                judged = judge(protocol, pathway, phase, rule, score)
                if judged.met:
                    yield rule, judged


def _begun(pathway: Pathway) -> datetime | None:
    """Since when a score of the present phase is one of treatment; None if none was given yet.

    Who was treated in an earlier phase goes on in this one; its own scores were asked about there.
    """
    first = min((session.started for session in pathway.sessions.values()), default=None)
    return None if first is None else max(first, pathway.phases[pathway.phase].entered)


def judge(
    protocol: CombinedProtocol, pathway: Pathway, phase: Protocol, rule: CourseRule, score: Observed
) -> Judged:
    """Hold one score against a rule, and against those that must have been met before it."""
    said, met = [], True
    for need in rule.require:
        kind = protocol.vocabulary.kind(need.observation)
        value = _value(protocol, pathway, phase, need, score)
        if isinstance(value, NoBaseline):
            return Judged(rule.id, None, score, f"not judged: {value.says}")
        met = met and need.met(value, None)
        said.append(f"{kind.title} {kind.amount(_short(value))}")
    if met and rule.after:
        met = _before(protocol, pathway, phase, rule, score)
    return Judged(rule.id, met, score, "; ".join(said))


def _before(
    protocol: CombinedProtocol, pathway: Pathway, phase: Protocol, rule: CourseRule, score: Observed
) -> bool:
    """Say whether a rule was met by an earlier score since treatment, after which this counts."""
    first = [other for other in phase.course if other.id in rule.after]
    begun = min((session.started for session in pathway.sessions.values()), default=score.at)
    return any(
        judge(protocol, pathway, phase, other, earlier).met
        for other in first
        for earlier in pathway.readings.get(scale_of(protocol, other), ())
        if begun < earlier.at < score.at
    )


def scale_of(protocol: CombinedProtocol, rule: CourseRule) -> ObservationName:
    """The score that a rule is about; the loader holds all lines of one rule to one score."""
    name = rule.require[0].observation
    return protocol.vocabulary.kind(name).reduction_of or name


def _value(
    protocol: CombinedProtocol,
    pathway: Pathway,
    phase: Protocol,
    need: Requirement,
    score: Observed,
) -> Decimal | NoBaseline:
    value = score.value or Decimal(0)
    of = protocol.vocabulary.kind(need.observation).reduction_of
    if of is None:
        return value
    base = baseline_of(protocol, pathway, phase.id, of)
    if isinstance(base, NoBaseline):
        return base
    if not base.value:
        return NoBaseline("no reduction from a score of 0")
    return (base.value - value) * PERCENT / base.value


def _short(value: Decimal) -> str:
    return f"{value:.1f}".removesuffix(".0")
