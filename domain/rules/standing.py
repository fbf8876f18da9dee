"""Which standing decisions hold at a moment, what they let pass, and what ends them. Pure.

A decision covers only what its gate's protocol allows, until its last day is over. A reading beyond
that ends it, whoever took it and wherever; and if that reading was entered in error, it did not.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from domain.language.clocks import local
from domain.language.names import EventId, ObservationName
from domain.language.pathway import Observed, Pathway, Standing
from domain.language.protocol import CombinedProtocol, Gate, Requirement
from domain.language.standing import DecisionEnded
from domain.language.vocabulary import ObservationKind


def holds(pathway: Pathway, decision: Standing, at: datetime) -> bool:
    """Say whether a decision holds at an instant."""
    ended = decision.ended is not None and decision.because not in pathway.voided
    over = ended and decision.ended is not None and at >= decision.ended
    left = _left(pathway, decision)
    return decision.made <= at < decision.until and not over and (left is None or at < left)


def _left(pathway: Pathway, decision: Standing) -> datetime | None:
    """When the phase of a decision was left: what was decided in it is not carried over."""
    number = pathway.phases[decision.phase].number
    later = (phase.entered for phase in pathway.phases.values() if phase.number > number)
    return min(later, default=None)


def held_for(pathway: Pathway, gate: Gate, at: datetime) -> Standing | None:
    """Find the decision that holds for a gate of the present phase at an instant, the latest."""
    known = [
        decision
        for decision in pathway.standing.values()
        if decision.gate == gate.id
        and decision.phase == pathway.phase
        and holds(pathway, decision, at)
    ]
    return max(known, key=lambda decision: decision.made, default=None)


def lets_pass(
    pathway: Pathway, gate: Gate, name: ObservationName, found: Observed, at: datetime
) -> Standing | None:
    """Find the decision by which a reading passes a gate that it does not meet."""
    if gate.standing is None or not _allowed(gate, name, found):
        return None
    return held_for(pathway, gate, at)


def known_of(
    protocol: CombinedProtocol, pathway: Pathway, name: ObservationName, found: Observed
) -> bool:
    """Say whether a reading is what a prescriber had decided about before it was taken.

    Then nobody has to see it anew: they have said in words what it means.
    """
    for decision in pathway.standing.values():
        gate = gate_of(protocol, decision)
        if gate is not None and _allowed(gate, name, found) and holds(pathway, decision, found.at):
            return True
    return False


def gate_of(protocol: CombinedProtocol, decision: Standing) -> Gate | None:
    """Find the gate that a decision is about, where its protocol has it still."""
    gates = protocol.phase(decision.phase).gates
    return next((gate for gate in gates if gate.id == decision.gate), None)


def to_end(protocol: CombinedProtocol, pathway: Pathway) -> Iterator[DecisionEnded]:
    """Name the decisions that a reading has ended, and which reading."""
    for key, decision in pathway.standing.items():
        if decision.ended is not None and decision.because not in pathway.voided:
            continue
        gate = gate_of(protocol, decision)
        beyond = None if gate is None else _beyond(pathway, gate, decision)
        if beyond is not None:
            name, found = beyond
            kind = protocol.vocabulary.kind(name)
            says = f"{kind.title} {reading(kind, found)} is beyond what was decided"
            yield DecisionEnded(EventId(key), says, found.evidence)


def _beyond(
    pathway: Pathway, gate: Gate, decision: Standing
) -> tuple[ObservationName, Observed] | None:
    """Find the first reading beyond a decision, of the days for which it was made."""
    if gate.standing is None:
        return None
    found = [
        (need.observation, reading)
        for need in gate.standing.allows
        for reading in pathway.readings.get(need.observation, ())
        if not need.met(reading.value, reading.answer)
    ]
    found += [
        (need.observation, reading)
        for need in gate.standing.void_if
        for reading in pathway.readings.get(need.observation, ())
        if need.met(reading.value, reading.answer)
    ]
    since = [(name, each) for name, each in found if decision.made < each.at < decision.until]
    return min(since, key=lambda pair: pair[1].at, default=None)


def _allowed(gate: Gate, name: ObservationName, found: Observed) -> bool:
    needs = () if gate.standing is None else gate.standing.allows
    return any(need.observation == name and need.met(found.value, found.answer) for need in needs)


def sentence(decision: Standing, zone: str) -> str:
    """Say under which decision something passes, for whoever is about to rely on it."""
    made = local(decision.made, zone).day
    last = local(decision.until - timedelta(microseconds=1), zone).day
    return (
        f"{decision.gate}, decided ahead by {decision.by.id} on {made}, to {last}: {decision.words}"
    )


def reading(kind: ObservationKind, found: Observed) -> str:
    """A reading as people say it."""
    if found.answer is not None:
        return found.answer
    return f"{found.value} {kind.unit}" if kind.unit else str(found.value)


def wider(need: Requirement, allows: Requirement) -> bool:
    """Say whether a decision would let pass more than its gate does, in the same direction."""
    if need.observation != allows.observation or need.test != allows.test:
        return False
    if need.value is None or allows.value is None:
        return False
    up = need.test in ("at most", "below")
    return allows.value > need.value if up else allows.value < need.value
