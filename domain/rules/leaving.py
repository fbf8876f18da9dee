"""May the patient go? Asked by whoever releases, by the planner, and by who overrides a gate."""

from collections.abc import Iterator
from datetime import datetime

from domain.language.findings import Blocked, CheckResult, result_of
from domain.language.names import HoldReason, VisitId, VisitStatus
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol, When
from domain.language.safety import Holds
from domain.language.visits import CheckIn
from domain.rules import gates, reviews
from domain.rules.in_words import on_hold, stands
from domain.rules.refusing import found


def check_may_release(
    protocol: CombinedProtocol, pathway: Pathway, visit: VisitId, at: datetime
) -> CheckResult:
    """May the patient be released from this visit at this instant?"""
    return result_of(tuple(_release(protocol, pathway, visit, at)))


def _release(
    protocol: CombinedProtocol, pathway: Pathway, visit_id: VisitId, at: datetime
) -> Iterator[Blocked]:
    visit = pathway.visits[visit_id]
    if visit.status is not VisitStatus.CHECKED_IN:
        finding = f"{stands(visit)}, not checked in"
        yield found("checked-in", finding, CheckIn.MAY)
    phase = protocol.phase(visit.phase)
    given = pathway.sessions_at(visit_id)
    if any(s.ended is not None and s.ended > at for s in given):
        yield found("session-over", "the last session has not ended")
    yield from unsafe(protocol, pathway)
    look = gates.Look(protocol, pathway, at, visit_id)
    if given:
        for gate in phase.gates_at(When.AFTER_EACH_VISIT):
            yield from gates.evaluate(gate, look)
        yield from gates.timed_checks(look, phase.timed_checks)


def unsafe(protocol: CombinedProtocol, pathway: Pathway) -> Iterator[Blocked]:
    """Nobody leaves at risk before a prescriber has seen to it; against advice is recorded so."""
    yield from reviews.in_the_way(protocol, pathway, Holds.LEAVING)
    for hold in pathway.open_holds():
        if pathway.holds[hold].reason is HoldReason.SUICIDE_RISK:
            yield found("hold", on_hold(pathway, pathway.holds[hold]))
