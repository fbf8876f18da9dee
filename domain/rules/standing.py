"""Which standing decisions hold at a moment, and what they let pass. Pure.

A decision covers what its gate's protocol allows, to the end of its last day, in its phase, until
a prescriber ends it or makes another for the same gate. A reading beyond it that was not known when
it was made ends it from the time at which that reading was taken. No event says so: a reading that
was entered in error is left out of the state, and then it ended nothing.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from domain.language.clocks import local
from domain.language.names import ObservationName, spoken
from domain.language.pathway import Observed, Pathway, Standing
from domain.language.protocol import CombinedProtocol, Gate, StandingRule
from domain.language.requirements import Requirement
from domain.language.vocabulary import ObservationKind

LASTING = timedelta(hours=12)
"""A gate that takes readings older than this looks at what was found at a visit before it: a score.
One that does not looks at the reading of just before the dose, and never at the drug's own peak."""


def holds(pathway: Pathway, decision: Standing, at: datetime) -> bool:
    """Say whether a decision holds at an instant."""
    if not decision.made <= at < decision.until:
        return False
    over = ended_at(pathway, decision)
    return over is None or at < over


def ended_at(pathway: Pathway, decision: Standing) -> datetime | None:
    """When a decision was over, if not by its last day: the first of all that ends one."""
    moments = [
        *([] if decision.ended is None else [decision.ended]),
        *_beyond(pathway, decision),
        *(
            other.made
            for other in pathway.standing.values()
            if (other.phase, other.gate) == (decision.phase, decision.gate)
            and other.made > decision.made
        ),
        *_left(pathway, decision),
    ]
    return min(moments, default=None)


def _beyond(pathway: Pathway, decision: Standing) -> Iterator[datetime]:
    """When readings were beyond a decision; of one about before the dose none of after it."""
    for at, visit in decision.beyond.values():
        after = any(
            session.visit == visit and session.started <= at
            for session in pathway.sessions.values()
        )
        if decision.limits.lasting or not after:
            yield at


def _left(pathway: Pathway, decision: Standing) -> Iterator[datetime]:
    """When the phase of a decision was left, for the next one or for good."""
    here = pathway.phases[decision.phase]
    later = (phase.entered for phase in pathway.phases.values() if phase.number > here.number)
    yield from later
    if pathway.outcome is not None:
        yield max((when for when, _ in here.decisions.values()), default=here.entered)


def held_for(pathway: Pathway, gate: Gate, at: datetime) -> Standing | None:
    """Find the decision that holds for a gate of the present phase at an instant."""
    for decision in pathway.standing.values():
        of_gate = decision.gate == gate.id and decision.phase == pathway.phase
        if of_gate and holds(pathway, decision, at):
            return decision
    return None


def lets_pass(
    pathway: Pathway, gate: Gate, name: ObservationName, found: Observed, at: datetime
) -> Standing | None:
    """Find the decision by which a reading passes a gate that it does not meet."""
    if gate.standing is None or not _allowed(gate.standing, name, found):
        return None
    return held_for(pathway, gate, at)


def known_of(
    protocol: CombinedProtocol, pathway: Pathway, name: ObservationName, found: Observed
) -> bool:
    """Say whether a score is what a prescriber had decided about before it was taken.

    Then nobody has to see it anew: they have said in words what it means. A vital sign is seen
    whatever was decided about the dose.
    """
    for decision in pathway.standing.values():
        gate = gate_of(protocol, decision)
        if gate is None or gate.standing is None or not is_lasting(gate):
            continue
        if _allowed(gate.standing, name, found) and holds(pathway, decision, found.at):
            return True
    return False


def gate_of(protocol: CombinedProtocol, decision: Standing) -> Gate | None:
    """Find the gate that a decision is about, where its protocol has it still."""
    gates = protocol.phase(decision.phase).gates
    return next((gate for gate in gates if gate.id == decision.gate), None)


def is_lasting(gate: Gate) -> bool:
    """Say whether a gate looks at readings of before the visit's day."""
    return gate.measured_within is None or gate.measured_within > LASTING


def beyond(rule: StandingRule, name: ObservationName, found: Observed) -> bool:
    """Say whether a reading is beyond what may be decided ahead."""
    return is_beyond(rule.allows, rule.void_if, name, found)


def is_beyond(
    allows: tuple[Requirement, ...],
    void_if: tuple[Requirement, ...],
    name: ObservationName,
    found: Observed,
) -> bool:
    """Say whether a reading is outside what is allowed, or is what ends a decision."""
    outside = any(a.observation == name and not a.met(found.value, found.answer) for a in allows)
    ends = any(v.observation == name and v.met(found.value, found.answer) for v in void_if)
    return outside or ends


def standing_against(
    protocol: CombinedProtocol, pathway: Pathway, rule: StandingRule
) -> Iterator[str]:
    """Name the last reading of each kind that is beyond: with it nothing is decided ahead."""
    for name in dict.fromkeys(need.observation for need in (*rule.allows, *rule.void_if)):
        known = pathway.readings.get(name, ())
        latest = [each for each in known if each.at == known[-1].at]
        worst = next((each for each in latest if beyond(rule, name, each)), None)
        if worst is not None:
            kind = protocol.vocabulary.kind(name)
            yield f"{kind.title} {reading(kind, worst)}"


def _allowed(rule: StandingRule, name: ObservationName, found: Observed) -> bool:
    needs = [need for need in rule.allows if need.observation == name]
    return bool(needs) and all(need.met(found.value, found.answer) for need in needs)


def last_day(decision: Standing, zone: str) -> str:
    """The last day of a decision, on the clinic's calendar."""
    return local(decision.until - timedelta(microseconds=1), zone).day.isoformat()


def sentence(decision: Standing, zone: str) -> str:
    """Say under which decision something passes, for whoever is about to rely on it."""
    made = local(decision.made, zone).day
    by, last = decision.by.id, last_day(decision, zone)
    gate = spoken(decision.gate)
    return f"{gate}: standing decision by {by} on {made}, until {last}: {decision.words}"


def reading(kind: ObservationKind, found: Observed) -> str:
    """A reading as people say it."""
    if found.answer is not None:
        return found.answer
    return kind.amount(found.value)


def wider(need: Requirement, allows: Requirement) -> bool:
    """Say whether a decision would let pass more than its gate does, in the same direction."""
    if need.observation != allows.observation or need.test != allows.test:
        return False
    if need.value is None or allows.value is None:
        return False
    up = need.test in ("at most", "below")
    return allows.value > need.value if up else allows.value < need.value
