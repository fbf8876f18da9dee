"""May this be done? Each check answers Passed, Held(findings) or Missing(what).

The same checks guard what is recorded and answer the console's "why is it blocked".
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from math import floor

from domain.language.clocks import CLOCK_SKEW, LocalTime, instant, local, local_day
from domain.language.findings import Answer, Blocked, answer
from domain.language.names import (
    HoldReason,
    ObservationName,
    PhaseId,
    Role,
    RuleId,
    VisitId,
    VisitStatus,
)
from domain.language.pathway import Pathway, Session, Visit
from domain.language.protocol import CombinedProtocol, Gate, Protocol, StimulationRule, When
from domain.language.vocabulary import ObservationKind, Scale
from domain.rules import gates, reviews
from domain.rules.calendar import treatment_day
from domain.rules.steps import Ask

MOTOR_THRESHOLD = ObservationName("motor_threshold")
PRESCRIBER = (Role.PRESCRIBER,)
RELEASERS = (Role.NURSE, Role.TMS_OPERATOR, Role.PRESCRIBER)
BOOKERS = (Role.CARE_MANAGER, Role.NURSE)


_A_MOMENT = timedelta(microseconds=1)
"""So that a session of no known length still has its beginning."""

NEVER_DEVIATED = frozenset({"treatment", "checked-in", "sessions-a-visit", "overlap"})
"""Rules of what can be at all, not of what may: no deviation is recorded against them."""


@dataclass(frozen=True, slots=True)
class Strength:
    """How a stimulation was given: percent of motor threshold, pulses, percent of output."""

    intensity_percent_mt: int
    pulses: int
    output_percent: int


def found(rule: str, finding: str, who: tuple[Role, ...] = PRESCRIBER, why: str = "") -> Blocked:
    """A finding of the pathway's own rules, which nobody may override here."""
    return Blocked(RuleId(rule), who, finding=finding, why=why)


def check_may_record(role: Role, what: Sequence[ObservationKind | Scale]) -> Answer:
    """May this role record all of these? The vocabulary says who may record each."""
    return answer(tuple(_not_for(role, kind) for kind in what if role not in kind.recorded_by))


def _not_for(role: Role, kind: ObservationKind | Scale) -> Blocked:
    whose = " or ".join(kind.recorded_by)
    return found("recorded-by", f"{kind.title} is for {whose}, not {role}", kind.recorded_by)


def check_open(pathway: Pathway) -> Answer:
    """Is the pathway still going on? Nothing is recorded on one that has ended."""
    if pathway.outcome is None:
        return answer(())
    return answer((found("pathway-open", f"the pathway is {pathway.outcome}", ()),))


def check_nobody_is_here(pathway: Pathway) -> Answer:
    """Has the patient left every visit they came to?"""
    here = [v for v in pathway.visits.values() if v.status is VisitStatus.CHECKED_IN]
    finding = "{} is checked in and not released; release it with the time they left"
    return answer(tuple(found("released-first", finding.format(v.id), RELEASERS) for v in here))


def check_all_seen(protocol: CombinedProtocol, pathway: Pathway) -> Answer:
    """Has a prescriber acknowledged all that they must have seen?"""
    return answer(tuple(_unseen(protocol, pathway)))


def releasers(phase: Protocol) -> tuple[Role, ...]:
    """Who may let a patient go after this treatment."""
    return RELEASERS if phase.dose is None else (Role.NURSE, Role.PRESCRIBER)


def check_may_let_go(protocol: CombinedProtocol, visit: Visit, role: Role) -> Answer:
    """May this role let a patient go after this treatment?"""
    who = releasers(protocol.phase(visit.phase))
    if role in who or role not in RELEASERS:
        return answer(())
    return answer((found("released-by", f"a dose is watched by {' or '.join(who)}", who),))


def check_may_treat(
    protocol: CombinedProtocol, pathway: Pathway, visit: VisitId, at: datetime
) -> Answer:
    """May the next session be given at this visit at this instant?"""
    return answer(tuple(_treat(protocol, pathway, visit, at)))


def check_may_give_dose(
    protocol: CombinedProtocol, pathway: Pathway, visit: VisitId, mg: int, at: datetime
) -> Answer:
    """May a dose of so many milligrams be given at this visit at this instant?"""
    blocks = list(_treat(protocol, pathway, visit, at))
    phase = protocol.phase(pathway.visits[visit].phase)
    rule = phase.dose
    if rule is None:
        return answer((found("treatment", f"{phase.id} has no drug dose"), *blocks))
    first = not pathway.sessions_in(phase.id) and rule.first_mg != 0
    allowed = (rule.first_mg,) if first else rule.then_mg
    if mg not in allowed:
        doses = " or ".join(f"{dose} mg" for dose in allowed)
        which = "the first dose" if first else "a dose"
        blocks.insert(0, found("dose", f"{mg} mg; {which} of {rule.drug} is {doses}"))
    return answer(tuple(blocks))


def check_may_stimulate(
    protocol: CombinedProtocol,
    pathway: Pathway,
    visit: VisitId,
    at: datetime,
    given: Strength,
    ended: datetime | None = None,
) -> Answer:
    """May a stimulation of this strength begin at this instant, and end at that one if it has?"""
    blocks = list(_treat(protocol, pathway, visit, at, ended))
    phase = protocol.phase(pathway.visits[visit].phase)
    rule = phase.stimulation
    if rule is None:
        return answer((found("treatment", f"{phase.id} has no stimulation"), *blocks))
    look = gates.Look(protocol, pathway, at, visit)
    return answer((*_strength(rule, given, look), *blocks))


def _strength(rule: StimulationRule, given: Strength, look: gates.Look) -> Iterator[Blocked]:
    """Pulses as ordered; intensity at most as ordered, and so the stimulator's output."""
    if given.pulses != rule.pulses:
        finding = f"{given.pulses} pulses, ordered are {rule.pulses}"
        yield found("stimulation-pulses", finding)
    if given.intensity_percent_mt > rule.intensity_percent_mt:
        most = rule.intensity_percent_mt
        finding = f"{given.intensity_percent_mt} % of motor threshold, at most {most}"
        yield found("stimulation-intensity", finding)
    for threshold in look.latest(MOTOR_THRESHOLD, None)[:1]:
        value = threshold.value or 0
        most = floor(value * rule.intensity_percent_mt / 100)
        if given.output_percent > most:
            finding = (
                f"output {given.output_percent} %; {rule.intensity_percent_mt} % of the motor "
                f"threshold of {value} % is at most {most} %"
            )
            yield found("stimulation-output", finding)


def check_may_release(
    protocol: CombinedProtocol, pathway: Pathway, visit: VisitId, at: datetime
) -> Answer:
    """May the patient be released from this visit at this instant?"""
    return answer(tuple(_release(protocol, pathway, visit, at)))


def sessions_due(phase: Protocol, pathway: Pathway, visit: Visit) -> int:
    """Sessions still to give at a visit: as many as it takes, and no more than the stage lacks."""
    stage = phase.schedule.stages[visit.stage]
    due = stage.per_visit - len(pathway.sessions_at(visit.id))
    if stage.sessions is not None:
        due = min(due, stage.sessions - len(_in_stage(phase, pathway, visit)))
    return max(0, due)


def check_may_decide(
    protocol: CombinedProtocol, pathway: Pathway, phase: PhaseId, at: datetime
) -> Answer:
    """Is what a clinician needs for deciding at the end of a phase there, and what does it say?"""
    look = gates.Look(protocol, pathway, at)
    at_end = protocol.phase(phase).gates_at(When.AT_PHASE_END)
    return answer(tuple(block for gate in at_end for block in gates.evaluate(gate, look)))


def check_may_be_at(
    protocol: CombinedProtocol, pathway: Pathway, visit: VisitId, at: LocalTime, now: datetime
) -> Answer:
    """May this visit take place at this local time? Raises Malformed for a time that is not one."""
    return answer(tuple(_placing(protocol, pathway, pathway.visits[visit], at, now)))


def _placing(
    protocol: CombinedProtocol, pathway: Pathway, visit: Visit, at: LocalTime, now: datetime
) -> Iterator[Blocked]:
    schedule = protocol.phase(visit.phase).schedule
    if instant(at, pathway.zone) <= now:
        yield found("not-in-the-past", "the time asked for is past", BOOKERS)
    if not treatment_day(at.day, schedule.days):
        finding = f"{at.day:%A} is not a treatment day: {schedule.days}"
        yield found("treatment-day", finding, BOOKERS)
    moved = abs((at.day - visit.proposed.day).days)
    if moved > schedule.may_move_by:
        most = f"at most {schedule.may_move_by} day(s) from {visit.proposed.day}"
        yield found("may-move-by", f"{most}, the proposed day, without a new order")
    for other in pathway.visits.values():
        if other.id == visit.id or other.status in (VisitStatus.CANCELLED, VisitStatus.MISSED):
            continue
        yield from _apart(protocol, other.phase, other.at.day, visit.phase, at, f"visit {other.id}")
    yield from _earlier(protocol, pathway, at.day)


def _apart(
    protocol: CombinedProtocol,
    other_phase: PhaseId,
    other_day: date,
    phase: PhaseId,
    at: LocalTime,
    what: str,
) -> Iterator[Blocked]:
    """Calendar distance to another visit or session of the pathway."""
    apart = abs((at.day - other_day).days)
    if other_phase == phase:
        least, rule = protocol.phase(phase).schedule.at_least_apart, "at-least-apart"
    else:
        later = phase if at.day >= other_day else other_phase
        least, rule = protocol.days_before(later), "between-phases"
        if not protocol.same_day:
            least = max(least, 1)
    if apart < least:
        yield found(rule, f"{apart} days from {what} on {other_day}, at least {least} required")


def _earlier(protocol: CombinedProtocol, pathway: Pathway, day: date) -> Iterator[Blocked]:
    """Calendar distance to the last treatment of an earlier pathway of the patient."""
    if pathway.treated_on is None:
        return
    apart = (day - pathway.treated_on).days
    least = protocol.days_after_earlier
    if apart < least:
        finding = f"{apart} days from treatment in an earlier pathway, at least {least} required"
        yield found("earlier-pathway", finding)


def _standing(protocol: CombinedProtocol, pathway: Pathway, at: datetime) -> Iterator[Blocked]:
    """What forbids any treatment, whatever the visit."""
    if pathway.outcome is not None:
        yield found("pathway-open", f"the pathway is {pathway.outcome}")
    for key, hold in sorted(pathway.holds.items()):
        if hold.lifted_at is None:
            yield found("hold", f"hold {key} for {hold.reason} is open; a prescriber may lift it")
        elif hold.placed <= at < hold.lifted_at:
            yield found("hold", f"hold {key} for {hold.reason} was not lifted at that time")
    yield from _unseen(protocol, pathway)
    for says in reviews.unseen_then(pathway, at):
        yield found("review-first", f"a prescriber had not acknowledged by then: {says}")
    if pathway.phases[pathway.phase].signed is None:
        who = protocol.phase(pathway.phase).ordered_by
        yield Blocked(RuleId("order-signed"), who, missing=f"signed order for {pathway.phase}")


def _present(pathway: Pathway, visit: Visit, at: datetime) -> Iterator[Blocked]:
    """Was the patient here at that time? A check-in is for its own day."""
    if visit.checked_in is None:
        yield found("checked-in", f"{visit.id} is {visit.status}, not checked-in", BOOKERS)
    elif local_day(at, pathway.zone) != (day := local_day(visit.checked_in, pathway.zone)):
        yield found("checked-in", f"{visit.id} was checked in on {day}, not on this day", BOOKERS)
    elif visit.status is not VisitStatus.CHECKED_IN:
        yield found("visit-open", f"{visit.id} is {visit.status}")
    elif at < visit.checked_in - CLOCK_SKEW:
        yield found("visit-open", f"{visit.id} was not checked in at that time")


def _treat(
    protocol: CombinedProtocol,
    pathway: Pathway,
    visit_id: VisitId,
    at: datetime,
    ended: datetime | None = None,
) -> Iterator[Blocked]:
    yield from _standing(protocol, pathway, at)
    visit = pathway.visits[visit_id]
    phase = protocol.phase(visit.phase)
    if visit.phase != pathway.phase:
        yield found("phase", f"{visit_id} belongs to {visit.phase}, not {pathway.phase}")
    yield from _present(pathway, visit, at)
    given = pathway.sessions_at(visit_id)
    per_visit = phase.schedule.stages[visit.stage].per_visit
    if len(given) >= per_visit:
        what = "dose" if phase.dose is not None else "session"
        finding = f"{len(given)} {what}(s) recorded at {visit_id}, at most {per_visit}"
        yield found("sessions-a-visit", finding)
    yield from _course(protocol, phase, pathway, visit, at)
    yield from _earlier(protocol, pathway, local_day(at, pathway.zone))
    for other in pathway.sessions.values():
        if other.visit != visit_id:
            day = local_day(other.started, pathway.zone)
            here = local(at, pathway.zone)
            what = f"session {other.number} of {other.phase}"
            yield from _apart(protocol, other.phase, day, visit.phase, here, what)
    yield from _gap(phase, given, at, ended or at)
    look = gates.Look(protocol, pathway, at, visit_id)
    moments = [When.BEFORE_EACH_SESSION]
    if not given:
        moments.append(When.BEFORE_EACH_VISIT)
    if not pathway.sessions_in(phase.id):
        moments.append(When.BEFORE_FIRST_SESSION)
    for gate in phase.gates:
        if gate.when in moments:
            yield from gates.evaluate(gate, look)
        elif gate.when in (When.BEFORE_FIRST_SESSION, When.BEFORE_EACH_VISIT):
            yield from _found_since(gate, look)


def _found_since(gate: Gate, look: gates.Look) -> Iterator[Blocked]:
    """What was found since a gate was passed still counts; that it is not fresh does not."""
    once = gate.when is When.BEFORE_FIRST_SESSION
    known = replace(gate, measured_within=None) if once else gate
    yield from (block for block in gates.evaluate(known, look) if block.finding is not None)


def _in_stage(phase: Protocol, pathway: Pathway, visit: Visit) -> list[Session]:
    given = pathway.sessions_in(phase.id)
    return [s for s in given if pathway.visits[s.visit].stage == visit.stage]


def _course(
    protocol: CombinedProtocol, phase: Protocol, pathway: Pathway, visit: Visit, at: datetime
) -> Iterator[Blocked]:
    """The course's length: how many sessions, and within how many days."""
    stage = phase.schedule.stages[visit.stage]
    here = len(_in_stage(phase, pathway, visit))
    if stage.sessions is not None and here >= stage.sessions:
        yield found("sessions", f"all {stage.sessions} sessions were given")
    for step in reviews.late(protocol, pathway, at):
        yield found(step.rule, step.says)


def _gap(
    phase: Protocol, given: tuple[Session, ...], at: datetime, ended: datetime
) -> Iterator[Blocked]:
    """The elapsed gap to the session before and, for one entered late, to the one after."""
    gap = phase.schedule.gap_between_sessions
    if gap is None or not given:
        return
    spans = [(s.started, s.ended or s.started) for s in given]
    if any(start < max(ended, at + _A_MOMENT) and at < end for start, end in spans):
        yield found("overlap", "another session was being given at that time")
        return
    minutes = gap // timedelta(minutes=1)
    before = max((end for start, end in spans if start <= at), default=None)
    if before is not None and at < before + gap:
        since = (at - before) // timedelta(minutes=1)
        finding = f"{since} min since the last session ended, at least {minutes} required"
        yield Blocked(RuleId("gap-between-sessions"), (), finding=finding, until=before + gap)
    after = min((start for start, _ in spans if start > at), default=None)
    if after is not None and after < ended + gap:
        until = (after - ended) // timedelta(minutes=1)
        finding = f"{until} min before the next session began, at least {minutes} required"
        yield found("gap-between-sessions", finding)


def _unseen(
    protocol: CombinedProtocol, pathway: Pathway, only: Ask | None = None
) -> Iterator[Blocked]:
    for step in reviews.unseen(protocol, pathway):
        if only is None or step.ask is only:
            finding = f"a prescriber has not acknowledged: {step.says}"
            yield found("review-first", finding)


def _unsafe(protocol: CombinedProtocol, pathway: Pathway) -> Iterator[Blocked]:
    """Nobody leaves at risk before a prescriber has seen to it; against advice is recorded so."""
    yield from _unseen(protocol, pathway, Ask.REVIEW_RISK)
    for hold in pathway.open_holds():
        if pathway.holds[hold].reason is HoldReason.SUICIDE_RISK:
            yield found("hold", f"hold {hold} for {HoldReason.SUICIDE_RISK} is open")


def _release(
    protocol: CombinedProtocol, pathway: Pathway, visit_id: VisitId, at: datetime
) -> Iterator[Blocked]:
    visit = pathway.visits[visit_id]
    if visit.status is not VisitStatus.CHECKED_IN:
        yield found("checked-in", f"{visit_id} is {visit.status}, not checked-in", BOOKERS)
    phase = protocol.phase(visit.phase)
    given = pathway.sessions_at(visit_id)
    if any(s.ended is not None and s.ended > at for s in given):
        yield found("session-over", "the last session has not ended")
    yield from _unsafe(protocol, pathway)
    look = gates.Look(protocol, pathway, at, visit_id)
    if given:
        for gate in phase.gates_at(When.AFTER_EACH_VISIT):
            yield from gates.evaluate(gate, look)
        yield from gates.timed_checks(look, phase.timed_checks)
