"""What must be known before anything is given, row by row: met, not met or unknown. Pure.

One function over the same gates that stand in the way of a first session, so that the checklist and
the refusal can never say different things. Unknown is never met.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.language.names import EventId, ObservationName, PhaseId, Role
from domain.language.pathway import Observed, Pathway
from domain.language.protocol import CombinedProtocol, Gate, Otherwise, Protocol, When
from domain.language.requirements import Requirement, Test
from domain.language.vocabulary import ObservationKind
from domain.rules import gates
from domain.rules.chart import of_chart


class State(StrEnum):
    """How a row stands."""

    MET = "met"
    NOT_MET = "not-met"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that a phase asks before its first session.

    `evidence` is the entry that says so, `at` when it was so, `says` what is found or missing.
    """

    phase: PhaseId
    gate: str
    observation: ObservationName
    title: str
    requires: str
    state: State
    stops: bool
    who: tuple[Role, ...]
    says: str
    value: str | None = None
    at: datetime | None = None
    evidence: EventId | None = None
    why: str = ""
    source: str = ""
    chart: tuple[str, ...] = ()  # entries of the EHR's chart that answer it, as of its last reading


def checklist(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> tuple[Row, ...]:
    """List every row of every phase, in the order of the protocol."""
    return tuple(
        row
        for phase in protocol.phases
        for gate in phase.gates_at(When.BEFORE_FIRST_SESSION)
        for row in _rows(protocol, pathway, phase, gate, now)
    )


def _rows(
    protocol: CombinedProtocol, pathway: Pathway, phase: Protocol, gate: Gate, now: datetime
) -> Iterator[Row]:
    look = gates.Look(protocol, pathway, now)
    for need in gate.require:
        kind = protocol.vocabulary.kind(need.observation)
        found = gates.found_for(gate, need, look)
        blocks = gates.unmet(gate, need, look)
        state = State.MET if blocks is None else State.UNKNOWN
        if blocks is not None and blocks.finding is not None:
            state = State.NOT_MET
        wanted = need.answers or kind.amount(need.value)
        requires = str(need.test) if need.test is Test.RECORDED else f"{need.test} {wanted}"
        yield Row(
            phase.id,
            gate.id,
            need.observation,
            kind.title,
            requires,
            state,
            gate.otherwise is Otherwise.STOP,
            gates.recorders(look, need.observation) if state is not State.MET else (),
            "" if blocks is None else blocks.sentence(),
            _said(kind, found),
            None if found is None else found.at,
            None if found is None else found.evidence,
            gate.why,
            gate.source,
            tuple(str(each) for each in of_chart(pathway.chart, need.observation)),
        )


def _said(kind: ObservationKind, found: Observed | None) -> str | None:
    if found is None:
        return None
    return found.answer if found.answer is not None else kind.amount(found.value)


def against(
    protocol: CombinedProtocol, name: ObservationName, found: Observed
) -> list[Requirement]:
    """List what a value known at enrolment goes against and nobody may override, of any phase."""
    return [
        need
        for phase in protocol.phases
        for gate in phase.gates_at(When.BEFORE_FIRST_SESSION)
        if gate.otherwise is Otherwise.STOP
        for need in gate.require
        if need.observation == name and not need.met(found.value, found.answer)
    ]
