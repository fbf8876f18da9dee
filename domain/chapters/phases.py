"""Phases: the order of each is signed, and a clinician decides how it goes on."""

from datetime import datetime, timedelta
from typing import assert_never

from domain.language.clocks import LocalTime, local_day
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.findings import Blocked, CheckResult, Missing, blocks_of, result_of
from domain.language.names import PathwayOutcome, PhaseDecision, PhaseId, Role, any_of, spoken
from domain.language.pathway import Pathway
from domain.language.phases import (
    Decide,
    DecisionMade,
    OrderSigned,
    PathwayFinished,
    PhaseEntered,
    PhaseFact,
    PhaseWish,
    SignOrder,
)
from domain.language.protocol import CombinedProtocol, Protocol, When
from domain.rules import course, gates, reviews
from domain.rules.attendance import check_nobody_is_here
from domain.rules.calendar import visits_over
from domain.rules.refusing import found, insist, insist_reason


def check_meant(pathway: Pathway, wish: PhaseWish) -> None:
    """Raise Malformed unless the pathway has entered the phase."""
    if wish.phase not in pathway.phases:
        entered = ", ".join(sorted(pathway.phases))
        raise Malformed(f"that phase was not entered; so far only {entered}", unknown="phase")


def decide(
    protocol: CombinedProtocol, pathway: Pathway, wish: PhaseWish, role: Role, now: datetime
) -> tuple[PhaseFact, ...]:
    """Say that the order is signed, or what was decided and what follows from it."""
    if wish.phase != pathway.phase:
        raise Conflict(f"the pathway is now in {spoken(pathway.phase)}, not {spoken(wish.phase)}")
    match wish:
        case SignOrder(phase=phase, version=seen):
            if seen not in (None, protocol.version):
                message = f"the protocol is now version {protocol.version}, not {seen}; look again"
                raise Conflict(message)
            if pathway.phases[phase].signed is not None:
                raise Conflict(f"the order for {spoken(phase)} is already signed")
            insist(check_may_sign(protocol.phase(phase), role), "sign the order")
            before = sum(each == phase for each in pathway.orders_in_error.values())
            return (OrderSigned(phase, before + 1),)
        case Decide():
            insist_reason(wish.reason)
            blocks = _found_at_the_end(protocol, pathway, wish, now)
            findings = tuple(block.sentence() for block in blocks)
            said = tuple(course.sentence(each) for each in course.said_now(protocol, pathway))
            made = DecisionMade(wish.phase, wish.decision, wish.reason, findings, said)
            following = _following(protocol, pathway, wish, now)
            return (made,) if following is None else (made, following)
        case unknown:
            assert_never(unknown)


def check_may_sign(phase: Protocol, role: Role) -> CheckResult:
    """May this role order the phase's treatment? The protocol that clinicians approved says who."""
    if role in phase.ordered_by:
        return result_of(())
    finding = f"{phase.title} is ordered by {any_of(phase.ordered_by)}, not by {role.spoken}"
    return result_of((found("ordered-by", finding, phase.ordered_by),))


def check_may_decide(
    protocol: CombinedProtocol, pathway: Pathway, phase: PhaseId, at: datetime
) -> CheckResult:
    """Is what a clinician needs for deciding at the end of a phase there, and what does it say?"""
    look = gates.Look(protocol, pathway, at)
    at_end = protocol.phase(phase).gates_at(When.AT_PHASE_END)
    return result_of(tuple(block for gate in at_end for block in gates.evaluate(gate, look)))


def _found_at_the_end(
    protocol: CombinedProtocol, pathway: Pathway, wish: Decide, now: datetime
) -> tuple[Blocked, ...]:
    """What the clinician decides against. Refused if that cannot be, or if something is missing.

    To stop or to move on is possible at any time, whatever is known; it is recorded with what was
    and was not known.
    """
    result = check_may_decide(protocol, pathway, wish.phase, now)
    blocks = blocks_of(result)
    if wish.decision in (PhaseDecision.STOP, PhaseDecision.MOVE_ON):
        return blocks
    fixed = any(block.finding is None or not block.overridable for block in blocks)
    if fixed or isinstance(result, Missing):
        insist(result, "decide")
    return blocks


def _following(
    protocol: CombinedProtocol, pathway: Pathway, wish: Decide, now: datetime
) -> PhaseEntered | PathwayFinished | None:
    """What follows from a decision; nothing where an open phase simply continues."""
    phase, after = protocol.phase(wish.phase), protocol.after(wish.phase)
    match wish.decision:
        case PhaseDecision.MOVE_ON:
            insist(check_nobody_is_here(pathway), "move on")
            return _enter(protocol, pathway, after, now)
        case PhaseDecision.CONTINUE:
            if any(stage.sessions is None for stage in phase.schedule.stages):
                return None
            entered = _enter(protocol, pathway, after, now)
            if not visits_over(protocol, pathway, phase.id):
                block = found("phase-over", f"{phase.title} still has visits to come")
                raise Refused(f"may not continue: {block.finding}", (block,))
            return entered
        case PhaseDecision.STOP | PhaseDecision.COMPLETE:
            insist(check_nobody_is_here(pathway), "end the pathway")
            insist(result_of(tuple(reviews.in_the_way(protocol, pathway))), "end the pathway")
            if wish.decision is PhaseDecision.STOP:
                return PathwayFinished(PathwayOutcome.STOPPED)
            if after is not None:
                raise Refused(f"{after.title} is the next phase; continue or stop instead")
            return PathwayFinished(PathwayOutcome.COMPLETED)
        case unknown:
            assert_never(unknown)


def _enter(
    protocol: CombinedProtocol, pathway: Pathway, following: Protocol | None, now: datetime
) -> PhaseEntered:
    """Enter the next phase: its first visit at the earliest, at the usual hour."""
    if following is None:
        raise Refused(f"{spoken(pathway.phase)} is the last phase; complete or stop instead")
    given = pathway.sessions_in(pathway.phase)
    last = given[-1].started if given else now
    gap = protocol.days_before(following.id)
    after_gap = local_day(last, pathway.zone) + timedelta(days=gap)
    tomorrow = local_day(now, pathway.zone) + timedelta(days=1)
    hour = pathway.phases[pathway.phase].first_visit.hour
    first = LocalTime(max(after_gap, tomorrow), hour)
    return PhaseEntered(following.id, first, len(pathway.phases) + 1)
