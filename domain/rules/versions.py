"""May an open pathway go on under another version of its protocol; what would differ. Pure.

What was recorded keeps its meaning and what was ordered stays ordered: where the new version would
change either, the pathway is left behind on its own, and says why.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from domain.language.chart import ChartRead
from domain.language.events import Event
from domain.language.names import ObservationName, VisitStatus, spoken
from domain.language.observations import ReadingsTaken, ScaleAssessed
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol, Protocol
from domain.language.vocabulary import Scale, Vocabulary
from domain.rules.in_words import ended

NOT_CARE = frozenset({"version", "status", "approved_by", "sha256", "sources"})
"""What tells one version from another and changes nothing for a patient."""


NOTHING = (None, (), "")


def against(
    old: CombinedProtocol, new: CombinedProtocol, pathway: Pathway, history: Sequence[Event]
) -> Iterator[tuple[str, str]]:
    """Name what keeps a pathway on the version that it has: the rule, and why in words.

    All that was ever recorded counts, also what was taken back: it may be restored.
    """
    if new.id != old.id:
        yield "protocol", f"{new.id} is another pathway, not a version of {old.id}"
        return
    if (new.version, new.sha256) == (old.version, old.sha256):
        yield "protocol", f"the pathway is already on version {new.version}"
        return
    if pathway.outcome is not None:
        yield "pathway-open", ended(pathway.outcome)
    for visit in pathway.visits.values():
        if visit.status is VisitStatus.CHECKED_IN:
            says = f"{spoken(visit.id)} is in progress: it ends under the version it began under"
            yield "visit-open", says
    yield from _phases(old, new, pathway)
    yield from _recorded(old.vocabulary, new.vocabulary, history)


def _phases(
    old: CombinedProtocol, new: CombinedProtocol, pathway: Pathway
) -> Iterator[tuple[str, str]]:
    kept = [phase.id for phase in new.phases if phase.id in pathway.phases]
    entered = [phase.id for phase in old.phases if phase.id in pathway.phases]
    if kept != entered:
        yield "phases", "the new version does not have the phases entered so far, in this order"
        return
    planned = {visit.phase for visit in pathway.visits.values()}
    planned |= set(pathway.orders_in_error.values())
    if planned - {phase.id for phase in new.phases}:
        yield "phases", "the new version does not have a phase that was entered before"
        return
    for name in entered:
        was, will_be = old.phase(name), new.phase(name)
        signed = pathway.phases[name].signed is not None
        if name == pathway.phase and signed and _ordered(was) != _ordered(will_be):
            yield "order-signed", f"the new version differs from the signed order for {was.title}"
        elif _stages(was) != _stages(will_be):
            yield "phases", f"the new version has other stages for {was.title}"


def _ordered(phase: Protocol) -> tuple[object, ...]:
    """What somebody who signed an order has ordered."""
    return (phase.treatment, phase.schedule, phase.dose, phase.stimulation)


def _stages(phase: Protocol) -> tuple[object, ...]:
    return (phase.treatment, phase.schedule.stages)


def _recorded(
    old: Vocabulary, new: Vocabulary, history: Sequence[Event]
) -> Iterator[tuple[str, str]]:
    """What was recorded must be in the new vocabulary, in the same unit and with the answers."""
    answered: dict[ObservationName, set[str]] = {}
    for name, answer in (each for event in history for each in _said_of(event)):
        answered.setdefault(name, set()).update([] if answer is None else [answer])
    for name, answers in answered.items():
        was, will_be = old.kind(name), new.observations.get(name)
        if will_be is None:
            yield "vocabulary", f"{was.title} was recorded, and the new vocabulary does not have it"
        elif was.unit != will_be.unit or not answers <= set(will_be.answers):
            says = f"the new vocabulary has another unit or other answers for {was.title}"
            yield "vocabulary", says
    scored = {e.fact.scale for e in history if isinstance(e.fact, ScaleAssessed)}
    for key in sorted(scored):
        scale, other = old.scales[key], new.scales.get(key)
        if other is None or _scored_by(scale) != _scored_by(other):
            yield "vocabulary", f"the new vocabulary has other items for {scale.title}"


def _said_of(event: Event) -> Iterator[tuple[ObservationName, str | None]]:
    """What an event says of which observation."""
    match event.fact:
        case ReadingsTaken(readings=readings):
            yield from ((each.observation, each.answer) for each in readings)
        case ChartRead(reading=reading):
            yield from ((each.observation, each.answer) for each in reading.entries)


def _scored_by(scale: Scale) -> tuple[object, ...]:
    """What makes scores of a scale comparable."""
    return (len(scale.item_titles), scale.item_high, scale.total, scale.item_observations)


def differences(old: CombinedProtocol, new: CombinedProtocol) -> tuple[str, ...]:
    """List what is different for a patient, each with its place in the protocol."""
    return tuple(_differ("", old, new))


def _differ(place: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    if is_dataclass(old) and type(old) is type(new):
        for each in fields(old):
            if each.name not in NOT_CARE:
                inner = f"{place}.{each.name}" if place else each.name
                yield from _differ(inner, getattr(old, each.name), getattr(new, each.name))
        return
    was, will_be = _named(old), _named(new)
    if was is None or will_be is None:
        yield f"{place}: {_said(old)}, now {_said(new)}"
        return
    for name in dict.fromkeys((*was, *will_be)):
        inner = f"{place}.{name}"
        if name not in will_be:
            yield f"{inner}: removed"
        elif name not in was:
            yield f"{inner}: added"
        else:
            yield from _differ(inner, was[name], will_be[name])


def _named(value: Any) -> Mapping[str, Any] | None:
    """The parts of a value that have names of their own: gates by id, requirements by what for."""
    if isinstance(value, Mapping):
        return {str(key): part for key, part in value.items()}
    if not isinstance(value, tuple) or not all(is_dataclass(part) for part in value):
        return None
    named = {getattr(part, "id", getattr(part, "observation", None)): part for part in value}
    if None in named or len(named) < len(value):
        return None
    return {str(name): part for name, part in named.items()}


def _said(value: Any) -> str:
    if is_dataclass(value):
        parts = ((each.name.replace("_", " "), getattr(value, each.name)) for each in fields(value))
        return ", ".join(f"{name} {_said(part)}" for name, part in parts if part not in NOTHING)
    if isinstance(value, Mapping):
        return " and ".join(f"{key}: {_said(part)}" for key, part in value.items())
    if isinstance(value, tuple):
        return " and ".join(_said(part) for part in value) or "nothing"
    return str(value)
