"""Acts looked at again by what is known now, when an entry came late or was put right.

An act (a treatment, a release, a decision) was judged by what had been recorded then. Here it is
judged by what was so then: each entry counts at its own time, and none that was made in error.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from domain.chapters.phases import check_may_decide
from domain.chapters.treatment import Strength, check_may_give_dose, check_may_stimulate
from domain.language.corrections import ActQuestioned
from domain.language.events import Event
from domain.language.findings import CheckResult, Passed, blocks_of, result_of
from domain.language.names import PathwayId, PhaseDecision, VisitId, spoken
from domain.language.observations import ReadingsTaken, ScaleAssessed
from domain.language.overrides import GateOverridden
from domain.language.pathway import Pathway
from domain.language.phases import DecisionMade, ProtocolChanged
from domain.language.protocol import CombinedProtocol
from domain.language.release import VisitReleased
from domain.language.standing import DecidedAhead
from domain.language.treatment import DoseGiven, StimulationGiven
from domain.language.visits import VisitProposed
from domain.rules.corrected import refold, standing, voided
from domain.rules.leaving import check_may_release
from domain.rules.refusing import found

OF_ITS_TIME = ReadingsTaken | ScaleAssessed | DoseGiven | StimulationGiven
"""Facts that count from the time they name, whenever they were entered."""

Act = DoseGiven | StimulationGiven | VisitReleased | DecisionMade


def came_late(pathway: Pathway, events: Sequence[Event]) -> datetime | None:
    """Say from when on acts must be looked at again because of these events; None if none must.

    `pathway` is as it was before them.
    """
    times = [event.at for event in events if isinstance(event.fact, OF_ITS_TIME)]
    acts = [
        *(session.started for session in pathway.sessions.values()),
        *(visit.left_at for visit in pathway.visits.values() if visit.left_at is not None),
        *(at for phase in pathway.phases.values() for at, _ in phase.decisions.values()),
    ]
    first = min(times, default=None)
    return first if first is not None and any(act >= first for act in acts) else None


def look_again(
    protocol: CombinedProtocol,
    pathway: PathwayId,
    events: Sequence[Event],
    since: datetime,
    earlier: Mapping[str, CombinedProtocol],
) -> tuple[ActQuestioned, ...]:
    """Question each act since then against which something speaks now that was not known then.

    Each is judged by the version of the protocol that was in force: `earlier` are those before a
    change of it, by name.
    """
    history = standing(events)
    known = refold(pathway, events, protocol.vocabulary).questioned
    found = []
    for place, event in enumerate(history):
        if event.at < since:
            continue
        match event.fact:
            case DoseGiven() | StimulationGiven() | VisitReleased() | DecisionMade() as act:
                rules = rules_of_then(protocol, history, place, earlier)
                then = as_of(rules, pathway, history, place)
                sentences = (b.sentence() for b in blocks_of(_check(rules, then, event, act)))
                new = tuple(each for each in sentences if each not in act.findings)
                about = _about(then, act)
            case GateOverridden() | DecidedAhead() as act:
                rules = rules_of_then(protocol, history, place, earlier)
                new = tuple(_in_error(rules, pathway, events, event, act))
                about = _answered(act)
            case _:
                continue
        before = known.get(event.id)
        if new != (before.findings if before is not None else ()):
            found.append(ActQuestioned(event.id, about, new))
    return tuple(found)


def _in_error(
    protocol: CombinedProtocol,
    pathway: PathwayId,
    events: Sequence[Event],
    event: Event,
    act: GateOverridden | DecidedAhead,
) -> Iterator[str]:
    """Say what a person's answer to a gate rested on and was entered in error."""
    gone = voided(events)
    if isinstance(act, GateOverridden):
        if gone & set(act.evidence):
            yield f"the finding it overrode was entered in error: {'; '.join(act.findings)}"
        return
    then = refold(pathway, events[: events.index(event)], protocol.vocabulary).readings
    for name in dict.fromkeys(need.observation for need in act.limits.allows):
        last = [each for each in then.get(name, ()) if each.at <= event.at][-1:]
        if any(each.evidence in gone for each in last):
            title = protocol.vocabulary.kind(name).title
            yield f"the last {title} known at that time was entered in error"


def _answered(act: GateOverridden | DecidedAhead) -> str:
    gate = spoken(act.gate)
    if isinstance(act, GateOverridden):
        return f"override of {gate} at {spoken(act.visit)}"
    return f"standing decision about {gate}"


def rules_of_then(
    newest: CombinedProtocol,
    history: Sequence[Event],
    place: int,
    earlier: Mapping[str, CombinedProtocol],
) -> CombinedProtocol:
    """Give the rules in force at a place of a history, with the kinds that are new since.

    What came late may be of one of those.
    """
    rules = in_force(newest, history, place, earlier)
    if rules is newest:
        return rules
    new, old = newest.vocabulary, rules.vocabulary
    observations = {**new.observations, **old.observations}
    scales = {**new.scales, **old.scales}
    return replace(rules, vocabulary=replace(old, observations=observations, scales=scales))


def in_force(
    protocol: CombinedProtocol,
    history: Sequence[Event],
    place: int,
    earlier: Mapping[str, CombinedProtocol],
) -> CombinedProtocol:
    """The version of the protocol that was in force at a place of a history."""
    later = (e.fact for e in history[place:] if isinstance(e.fact, ProtocolChanged))
    change = next(later, None)
    return protocol if change is None else earlier.get(change.pinned_before, protocol)


def as_of(
    protocol: CombinedProtocol,
    pathway: PathwayId,
    history: Sequence[Event],
    place: int,
    visit: VisitId | None = None,
) -> Pathway:
    """The pathway as it was when the event at this place of a standing history was recorded.

    With this visit too, which may have been proposed only afterwards.
    """
    return refold(pathway, _before(history, place, visit), protocol.vocabulary)


def _before(history: Sequence[Event], place: int, visit: VisitId | None) -> Iterator[Event]:
    """What had been recorded before an act, and what was so by then although it came later."""
    act = history[place]
    late = [
        event
        for event in history[place + 1 :]
        if isinstance(event.fact, OF_ITS_TIME) and event.at <= act.at
    ]
    wanted = {visit, *(getattr(event.fact, "visit", None) for event in late)}
    yield from history[:place]
    for event in history[place + 1 :]:
        if isinstance(event.fact, VisitProposed) and event.fact.visit in wanted:
            yield event
    yield from late


def _check(protocol: CombinedProtocol, then: Pathway, event: Event, act: Act) -> CheckResult:
    match act:
        case DoseGiven(visit=visit, mg=mg):
            return check_may_give_dose(protocol, then, visit, mg, event.at)
        case StimulationGiven(visit=visit, ended=ended):
            strength = Strength(act.intensity_percent_mt, act.pulses, act.output_percent)
            return check_may_stimulate(protocol, then, visit, event.at, strength, ended)
        case VisitReleased(visit=visit):
            without = act.not_treated is not None and then.sessions_at(visit)
            says = "the discharge says that no treatment was given here, but one is recorded"
            told = (found("not-treated", says),) if without else ()
            blocks = blocks_of(check_may_release(protocol, then, visit, event.at))
            return result_of((*told, *blocks))
        case DecisionMade(phase=phase, decision=decision):
            if decision in (PhaseDecision.STOP, PhaseDecision.MOVE_ON):
                return Passed()  # possible at any time, whatever is known
            return check_may_decide(protocol, then, phase, event.at)
        case unknown:
            assert_never(unknown)


def _about(pathway: Pathway, act: Act) -> str:
    match act:
        case DoseGiven() | StimulationGiven():
            what = "dose" if isinstance(act, DoseGiven) else "stimulation"
            return f"{what} {act.session} of {spoken(pathway.visits[act.visit].phase)}"
        case VisitReleased(visit=visit):
            return f"discharge from {spoken(visit)}"
        case DecisionMade(phase=phase, decision=decision):
            return f"decision to {spoken(decision)} ({spoken(phase)})"
        case unknown:
            assert_never(unknown)
