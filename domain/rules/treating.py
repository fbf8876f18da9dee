"""May a session be given at this visit, whichever treatment it is?

The same check guards what is recorded, answers "why is it blocked", and says what there is to
override.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from domain.language.clocks import CLOCK_SKEW, local_day
from domain.language.findings import Blocked, CheckResult, result_of
from domain.language.holds import LiftHold
from domain.language.names import RuleId, VisitId, VisitStatus, any_of, counted, spoken
from domain.language.pathway import Pathway, Session, Visit
from domain.language.protocol import CombinedProtocol, Gate, Protocol, When
from domain.language.visits import CheckIn
from domain.rules import gates, reviews
from domain.rules.in_words import ended, on_hold, stands
from domain.rules.refusing import found
from domain.rules.spacing import too_close, too_soon

_A_MOMENT = timedelta(microseconds=1)
"""So that a session of no known length still has its beginning."""


def check_may_treat(
    protocol: CombinedProtocol, pathway: Pathway, visit: VisitId, at: datetime
) -> CheckResult:
    """May the next session be given at this visit at this instant?"""
    return result_of(tuple(blocks_treating(protocol, pathway, visit, at)))


def sessions_due(phase: Protocol, pathway: Pathway, visit: Visit) -> int:
    """Sessions still to give at a visit: as many as it takes, and no more than the stage lacks."""
    stage = phase.schedule.stages[visit.stage]
    due = stage.per_visit - len(pathway.sessions_at(visit.id))
    if stage.sessions is not None:
        due = min(due, stage.sessions - len(pathway.sessions_of_stage(phase.id, visit.stage)))
    return max(0, due)


def blocks_treating(
    protocol: CombinedProtocol,
    pathway: Pathway,
    visit_id: VisitId,
    at: datetime,
    ended: datetime | None = None,
    mg: int | None = None,
) -> Iterator[Blocked]:
    """Find all that stands in the way of a session from one instant on, until another if known.

    Of a dose, of so many milligrams.
    """
    yield from _whatever_the_visit(protocol, pathway, at)
    visit = pathway.visits[visit_id]
    phase = protocol.phase(visit.phase)
    if visit.phase != pathway.phase:
        here = spoken(pathway.phase)
        finding = f"{spoken(visit_id)} is not in the present phase, {here}"
        yield found("phase", finding, stops=True)
    yield from _present(pathway, visit, at)
    yield from _at_another(pathway, visit, at)
    given = pathway.sessions_at(visit_id)
    per_visit = phase.schedule.stages[visit.stage].per_visit
    if len(given) >= per_visit:
        what = phase.modality.session
        many = counted(len(given), what)
        finding = f"{many} recorded at {spoken(visit_id)}, at most {per_visit} allowed"
        yield found("sessions-a-visit", finding, stops=True)
    yield from _course(protocol, phase, pathway, visit, at)
    today = local_day(at, pathway.zone)
    yield from too_soon(protocol, pathway, today)
    for other in pathway.sessions.values():
        if other.visit != visit_id:
            day = local_day(other.started, pathway.zone)
            what = f"session {other.number} of {spoken(other.phase)}"
            yield from too_close(protocol, visit.phase, today, other.phase, day, what)
    yield from _gap(phase, given, at, ended or at)
    yield from _gates(phase, given, gates.Look(protocol, pathway, at, visit_id, mg))


def _whatever_the_visit(
    protocol: CombinedProtocol, pathway: Pathway, at: datetime
) -> Iterator[Blocked]:
    """What forbids any treatment."""
    if pathway.outcome is not None:
        yield found("pathway-open", ended(pathway.outcome), stops=True)
    for _, hold in sorted(pathway.holds.items()):
        if hold.lifted_at is None:
            finding = f"{on_hold(pathway, hold)}; {any_of(LiftHold.MAY)} may lift the hold"
            yield found("hold", finding, LiftHold.MAY, stops=True)
        elif hold.placed <= at < hold.lifted_at:
            finding = f"treatment was on hold at that time ({spoken(hold.reason)})"
            yield found("hold", finding, stops=True)
    yield from reviews.in_the_way(protocol, pathway)
    for says in reviews.unseen_then(pathway, at):
        finding = f"a prescriber had not acknowledged by then: {says}"
        yield found("review-first", finding, stops=True)
    signed = pathway.phases[pathway.phase].signed
    if signed is None:
        phase = protocol.phase(pathway.phase)
        missing = f"signed order for {phase.title}"
        yield Blocked(RuleId("order-signed"), phase.ordered_by, missing=missing, stops=True)
    elif at < signed - CLOCK_SKEW:
        finding = f"the order for {protocol.phase(pathway.phase).title} was not signed at that time"
        yield found("order-signed", finding, stops=True)


def _present(pathway: Pathway, visit: Visit, at: datetime) -> Iterator[Blocked]:
    """Was the patient here at that time? A check-in is for its own day."""
    who = CheckIn.MAY
    if visit.checked_in is None:
        finding = f"{stands(visit)}, not checked in"
        yield found("checked-in", finding, who, stops=True)
    elif local_day(at, pathway.zone) != (day := local_day(visit.checked_in, pathway.zone)):
        finding = f"{spoken(visit.id)} was checked in on {day}, not on the day of treatment"
        yield found("checked-in", finding, who)
    elif visit.status is not VisitStatus.CHECKED_IN:
        yield found("visit-open", stands(visit), stops=True)
    elif at < visit.checked_in - CLOCK_SKEW:
        yield found("visit-open", f"{spoken(visit.id)} was not checked in at that time")


def _at_another(pathway: Pathway, visit: Visit, at: datetime) -> Iterator[Blocked]:
    """Was the patient at another visit at that time, or had that day a visit of its own?"""
    day = local_day(at, pathway.zone)
    if visit.at.day == day or (
        visit.checked_in and local_day(visit.checked_in, pathway.zone) == day
    ):
        return
    for other in pathway.visits.values():
        came = other.checked_in
        if other.id == visit.id or came is None or local_day(came, pathway.zone) != day:
            continue
        if came <= at <= (other.left_at or at):
            finding = f"the patient was at {spoken(other.id)} at that time: record it there"
            yield found("at-another-visit", finding, CheckIn.MAY, stops=True)


def _course(
    protocol: CombinedProtocol, phase: Protocol, pathway: Pathway, visit: Visit, at: datetime
) -> Iterator[Blocked]:
    """The course's length: how many sessions, and within how many days."""
    stage = phase.schedule.stages[visit.stage]
    here = len(pathway.sessions_of_stage(phase.id, visit.stage))
    if stage.sessions is not None and here >= stage.sessions:
        yield found("sessions", f"all {stage.sessions} sessions were given", stops=True)
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
        yield Blocked(RuleId("gap-between-sessions"), (), finding=finding, passes=before + gap)
    after = min((start for start, _ in spans if start > at), default=None)
    if after is not None and after < ended + gap:
        until = (after - ended) // timedelta(minutes=1)
        finding = f"{until} min before the next session began, at least {minutes} required"
        yield found("gap-between-sessions", finding)


def _gates(phase: Protocol, given: tuple[Session, ...], look: gates.Look) -> Iterator[Blocked]:
    """The protocol's gates that this session has to pass; `given` are those of its visit."""
    moments = [When.BEFORE_EACH_SESSION]
    if not given:
        moments.append(When.BEFORE_EACH_VISIT)
    if not look.pathway.sessions_in(phase.id):
        moments.append(When.BEFORE_FIRST_SESSION)
    for gate in phase.gates:
        if gate.when in moments:
            yield from gates.evaluate(gate, look)
        elif gate.when is When.BEFORE_FIRST_SESSION:
            yield from gates.evaluate(replace(gate, measured_within=None), look)
        elif gate.when is When.BEFORE_EACH_VISIT:
            yield from gates.evaluate(_as_at_the_first(gate, given, look.at), look)


def _as_at_the_first(gate: Gate, given: tuple[Session, ...], at: datetime) -> Gate:
    """A visit's gate for a later session of it: what was fresh at its first is fresh enough.

    What was found since counts; and what nobody has known yet is still unknown.
    """
    if gate.measured_within is None:
        return gate
    since = max(timedelta(), at - given[0].started)
    return replace(gate, measured_within=gate.measured_within + since)
