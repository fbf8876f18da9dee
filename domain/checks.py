"""May this be done? Each check answers Passed, Held(findings) or Missing(what).

The same checks guard what is recorded and answer the console's "why is it blocked".
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

from domain import gates
from domain.clocks import CLOCK_SKEW, LocalTime, instant, local, local_day
from domain.findings import Answer, Blocked, answer
from domain.names import PhaseId, Role, RuleId, VisitId, VisitStatus
from domain.pathway import Pathway, Session, Visit
from domain.protocol import CombinedProtocol, Protocol, When
from domain.vocabulary import ObservationKind, Scale

PRESCRIBER = (Role.PRESCRIBER,)
BOOKERS = (Role.CARE_MANAGER, Role.NURSE)


def found(rule: str, finding: str, who: tuple[Role, ...] = PRESCRIBER, why: str = "") -> Blocked:
    """A finding of the pathway's own rules, which nobody may override here."""
    return Blocked(RuleId(rule), who, finding=finding, why=why)


def check_may_record(role: Role, what: Sequence[ObservationKind | Scale]) -> Answer:
    """May this role record all of these? The vocabulary says who may record each."""
    return answer(tuple(_not_for(role, kind) for kind in what if role not in kind.recorded_by))


def _not_for(role: Role, kind: ObservationKind | Scale) -> Blocked:
    whose = " or ".join(kind.recorded_by)
    return found("recorded-by", f"{kind.title} is for {whose}, not {role}", kind.recorded_by)


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
    intensity_percent_mt: int,
    pulses: int,
) -> Answer:
    """May a stimulation of this intensity and this many pulses begin at this instant?"""
    blocks = list(_treat(protocol, pathway, visit, at))
    phase = protocol.phase(pathway.visits[visit].phase)
    rule = phase.stimulation
    if rule is None:
        return answer((found("treatment", f"{phase.id} has no stimulation"), *blocks))
    if intensity_percent_mt > rule.intensity_percent_mt:
        most = rule.intensity_percent_mt
        finding = f"{intensity_percent_mt} % of motor threshold, at most {most}"
        blocks.insert(0, found("stimulation-intensity", finding))
    if pulses > rule.pulses:
        blocks.insert(0, found("stimulation-pulses", f"{pulses} pulses, at most {rule.pulses}"))
    return answer(tuple(blocks))


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
    moved = abs((at.day - visit.proposed.day).days)
    if moved > schedule.may_move_by:
        most = f"at most {schedule.may_move_by} day(s) from {visit.proposed.day}"
        yield found("may-move-by", f"{most}, the proposed day, without a new order")
    for other in pathway.visits.values():
        if other.id == visit.id or other.status in (VisitStatus.CANCELLED, VisitStatus.MISSED):
            continue
        yield from _apart(protocol, other.phase, other.at.day, visit.phase, at, f"visit {other.id}")


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


def _standing(protocol: CombinedProtocol, pathway: Pathway, at: datetime) -> Iterator[Blocked]:
    """What forbids any treatment, whatever the visit."""
    if pathway.outcome is not None:
        yield found("pathway-open", f"the pathway is {pathway.outcome}")
    for key, hold in sorted(pathway.holds.items()):
        if hold.lifted_at is None:
            yield found("hold", f"hold {key} for {hold.reason} is open; a prescriber may lift it")
        elif hold.placed <= at < hold.lifted_at:
            yield found("hold", f"hold {key} for {hold.reason} was not lifted at that time")
    if pathway.phases[pathway.phase].signed is None:
        who = protocol.phase(pathway.phase).ordered_by
        yield Blocked(RuleId("order-signed"), who, missing=f"signed order for {pathway.phase}")


def _present(pathway: Pathway, visit: Visit, at: datetime) -> Iterator[Blocked]:
    """Was the patient here at that time? A check-in is for its own day."""
    if visit.status is not VisitStatus.CHECKED_IN or visit.checked_in is None:
        yield found("checked-in", f"{visit.id} is {visit.status}, not checked-in", BOOKERS)
    elif at < visit.checked_in - CLOCK_SKEW:
        yield found("checked-in", f"{visit.id} was not checked in at that time", BOOKERS)
    elif local_day(at, pathway.zone) != (day := local_day(visit.checked_in, pathway.zone)):
        yield found("checked-in", f"{visit.id} was checked in on {day}, not on this day", BOOKERS)


def _treat(
    protocol: CombinedProtocol, pathway: Pathway, visit_id: VisitId, at: datetime
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
    for other in pathway.sessions.values():
        if other.visit != visit_id:
            day = local_day(other.started, pathway.zone)
            here = local(at, pathway.zone)
            what = f"session {other.number} of {other.phase}"
            yield from _apart(protocol, other.phase, day, visit.phase, here, what)
    yield from _gap(phase, given, at)
    look = gates.Look(protocol, pathway, at, visit_id)
    moments = [When.BEFORE_EACH_SESSION]
    if not given:
        moments.append(When.BEFORE_EACH_VISIT)
    if not pathway.sessions_in(phase.id):
        moments.append(When.BEFORE_FIRST_SESSION)
    for gate in phase.gates:
        if gate.when in moments:
            yield from gates.evaluate(gate, look)


def _in_stage(phase: Protocol, pathway: Pathway, visit: Visit) -> list[Session]:
    given = pathway.sessions_in(phase.id)
    return [s for s in given if pathway.visits[s.visit].stage == visit.stage]


def _course(
    protocol: CombinedProtocol, phase: Protocol, pathway: Pathway, visit: Visit, at: datetime
) -> Iterator[Blocked]:
    """The course's length: how many sessions, and within how many days."""
    stage = phase.schedule.stages[visit.stage]
    given = pathway.sessions_in(phase.id)
    here = len(_in_stage(phase, pathway, visit))
    if stage.sessions is not None and here >= stage.sessions:
        yield found("sessions", f"all {stage.sessions} sessions were given")
    if phase.schedule.finish_within is not None and given:
        days = (local_day(at, pathway.zone) - local_day(given[0].started, pathway.zone)).days
        if days > phase.schedule.finish_within:
            block = Blocked(
                RuleId("finish-within"),
                PRESCRIBER,
                finding=f"day {days} of the course, at most {phase.schedule.finish_within}",
                overridable=True,
                evidence=(f"{visit.id}/finish-within",),
            )
            if not gates.overridden(block, gates.Look(protocol, pathway, at, visit.id)):
                yield block


def _gap(phase: Protocol, given: tuple[Session, ...], at: datetime) -> Iterator[Blocked]:
    """The elapsed gap since the last session's end, on UTC instants."""
    gap = phase.schedule.gap_between_sessions
    if gap is None or not given:
        return
    ended = max(s.ended or s.started for s in given)
    if at < ended + gap:
        minutes = gap // timedelta(minutes=1)
        since = (at - ended) // timedelta(minutes=1)
        finding = f"{since} min since the last session ended, at least {minutes} required"
        yield Blocked(RuleId("gap-between-sessions"), (), finding=finding, until=ended + gap)


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
    look = gates.Look(protocol, pathway, at, visit_id)
    if given:
        for gate in phase.gates_at(When.AFTER_EACH_VISIT):
            yield from gates.evaluate(gate, look)
        yield from gates.timed_checks(look, phase.timed_checks)
