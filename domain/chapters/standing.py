"""Standing decisions: a prescriber lets a gate pass for some days, within its protocol."""

from datetime import datetime, timedelta
from typing import assert_never

from domain.language.clocks import day_begins, local_day
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.names import counted, spoken
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol, Gate
from domain.language.requirements import Requirement
from domain.language.standing import (
    DecideAhead,
    DecidedAhead,
    DecisionEnded,
    EndDecision,
    Limits,
    StandingFact,
    StandingWish,
)
from domain.rules.refusing import found, insist_account, insist_reason
from domain.rules.standing import holds, is_lasting, standing_against


def check_meant(protocol: CombinedProtocol, pathway: Pathway, wish: StandingWish) -> None:
    """Raise Malformed unless there is such a gate in the present phase, or such a decision."""
    match wish:
        case DecideAhead():
            _gate(protocol, pathway, wish)
        case EndDecision(decision=decision):
            if decision not in pathway.standing:
                message = (
                    "there is no such standing decision here; they are listed with the pathway"
                )
                raise Malformed(message, unknown="decision")
        case unknown:
            assert_never(unknown)


def decide(
    protocol: CombinedProtocol, pathway: Pathway, wish: StandingWish, now: datetime
) -> tuple[StandingFact, ...]:
    """Say what was decided ahead, or that it holds no more."""
    match wish:
        case DecideAhead():
            return (_ahead(protocol, pathway, wish, now),)
        case EndDecision(decision=decision, reason=reason):
            insist_reason(reason)
            if not holds(pathway, pathway.standing[decision], now):
                raise Conflict("this standing decision has already ended")
            return (DecisionEnded(decision, reason.strip()),)
        case unknown:
            assert_never(unknown)


def _ahead(
    protocol: CombinedProtocol, pathway: Pathway, wish: DecideAhead, now: datetime
) -> DecidedAhead:
    insist_account(wish.words, "say in a sentence what is known, the plan, and the next check")
    gate = _gate(protocol, pathway, wish)
    today = local_day(now, pathway.zone)
    if gate.standing is None:
        says = f"{spoken(gate.id)} is checked each time: no standing decision is allowed for it"
        raise Refused(says, (found("decided-each-time", says),))
    if wish.last_day < today:
        raise Malformed(f"last_day is in the past; today is {today} at the clinic")
    last = today + timedelta(days=gate.standing.days)
    if wish.last_day > last:
        days = counted(gate.standing.days, "day")
        says = f"a standing decision about {spoken(gate.id)} may last {days}, here to {last}"
        raise Refused(says, (found("decided-too-far", says),))
    rule = gate.standing
    for says in standing_against(protocol, pathway, rule):
        found_ = f"the last reading is outside what a standing decision may allow: {says}"
        raise Refused(found_, (found("beyond-what-may-be-decided", found_),))
    until = day_begins(wish.last_day + timedelta(days=1), pathway.zone)
    allows = tuple(_words(protocol, need) for need in rule.allows)
    limits = Limits(rule.allows, rule.void_if, is_lasting(gate))
    return DecidedAhead(pathway.phase, gate.id, until, wish.words.strip(), allows, limits)


def _gate(protocol: CombinedProtocol, pathway: Pathway, wish: DecideAhead) -> Gate:
    gates = {gate.id: gate for gate in protocol.phase(pathway.phase).gates}
    if wish.gate not in gates:
        message = f"no such gate in this phase; its gates: {', '.join(sorted(gates))}"
        raise Malformed(message, unknown="gate")
    return gates[wish.gate]


def _words(protocol: CombinedProtocol, need: Requirement) -> str:
    kind = protocol.vocabulary.kind(need.observation)
    return f"{kind.title} {need.test} {kind.amount(need.value)}"
