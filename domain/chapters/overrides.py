"""Overrides: a prescriber lets a gate pass at one visit, for exactly what was found so far."""

from datetime import datetime

from domain.language.errors import Conflict, Malformed, Refused
from domain.language.findings import blocks_of
from domain.language.names import VisitStatus, spoken
from domain.language.overrides import GateOverridden, OverrideFact, OverrideWish
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from domain.rules.attendance import insist_visit, visit_that_is
from domain.rules.leaving import check_may_release
from domain.rules.refusing import insist_reason
from domain.rules.treating import check_may_treat


def check_meant(protocol: CombinedProtocol, pathway: Pathway, wish: OverrideWish) -> None:
    """Raise Malformed unless there is such a visit, and such a gate or timed check in its phase."""
    insist_visit(pathway, wish.visit)
    phase = protocol.phase(pathway.visits[wish.visit].phase)
    known = sorted({gate.id for gate in phase.gates} | {check.id for check in phase.timed_checks})
    if wish.gate not in known:
        message = f"no such gate in this phase; its gates: {', '.join(known)}"
        raise Malformed(message, unknown="gate")


def decide(
    protocol: CombinedProtocol, pathway: Pathway, wish: OverrideWish, now: datetime
) -> tuple[OverrideFact, ...]:
    """Say which findings no longer stand in the way. Refused for what nobody can override."""
    insist_reason(wish.reason)
    visit_that_is(pathway, wish.visit, VisitStatus.CHECKED_IN)
    treat = blocks_of(check_may_treat(protocol, pathway, wish.visit, now))
    leave = blocks_of(check_may_release(protocol, pathway, wish.visit, now))
    known = [block for block in (*treat, *leave) if block.rule == wish.gate]
    here = [block for block in known if block.finding is not None]
    gate = spoken(wish.gate)
    if known and not here:
        raise Refused(f"{gate}: nothing to override yet; record what is missing", tuple(known))
    if not here:
        raise Conflict(f"{gate} does not block {spoken(wish.visit)} now; nothing to override")
    fixed = tuple(block for block in here if not block.overridable)
    if fixed:
        raise Refused(f"{gate} cannot be overridden", fixed)
    evidence = tuple(sorted({item for block in here for item in block.evidence}))
    findings = tuple(dict.fromkeys(block.sentence() for block in here))
    return (GateOverridden(wish.visit, wish.gate, wish.reason, findings, evidence),)
