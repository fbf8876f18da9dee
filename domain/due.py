"""When a pathway is to look again: when what is next may change by time alone. Pure."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.language.clocks import instant, local_day
from domain.language.names import VisitStatus
from domain.language.pathway import Pathway, Visit
from domain.language.protocol import CombinedProtocol, Protocol
from domain.rules import assessments, gates

OVERDUE_AFTER = timedelta(minutes=30)
"""How long after its start a booked visit is called overdue. A reminder, not an alarm."""

LOOK_AGAIN_AFTER = timedelta(hours=24)
"""The longest that anything sleeps without looking again, so that no answer grows stale."""

A_MINUTE = timedelta(minutes=1)


def in_a_visit(phase: Protocol, pathway: Pathway, visit: Visit) -> list[datetime]:
    """Ends of windows and gaps of a visit that the patient has come to."""
    given = pathway.sessions_at(visit.id)
    gap = phase.schedule.gap_between_sessions or timedelta()
    ends = [session.ended + gap for session in given if session.ended is not None]
    for dose in given[-1:]:
        for check in phase.timed_checks:
            ends += [dose.started + check.earliest, dose.started + check.latest]
        ends += [dose.started + length for length in gates.observed_for(phase)]
    return ends


def _grows_old(phase: Protocol, pathway: Pathway, now: datetime) -> Iterator[datetime]:
    """When readings are no longer recent enough for a gate; and when the day ends, of a visit.

    Of readings the whole minute after: those that were taken together bring one look, not several.
    """
    tomorrow = local_day(now, pathway.zone) + timedelta(days=1)
    yield datetime.combine(tomorrow, time(), ZoneInfo(pathway.zone)).astimezone(UTC)
    for gate in phase.gates:
        if gate.measured_within is None:
            continue
        for need in gate.require:
            for found in pathway.latest(need.observation, now):
                yield _next_minute(found.at + gate.measured_within)


def _next_minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0) + A_MINUTE


def next_due(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> datetime:
    """The next instant at which the answer may change by time alone; at most a day away.

    It may have changed up to a minute before: see `_grows_old`.
    """
    latest = now + LOOK_AGAIN_AFTER
    moments = [latest]
    for visit in pathway.visits.values():
        if visit.status in (VisitStatus.PROPOSED, VisitStatus.BOOKED):
            start = instant(visit.at, pathway.zone)
            moments += [start, start + OVERDUE_AFTER]
        if visit.status is VisitStatus.CHECKED_IN:
            moments += in_a_visit(protocol.phase(visit.phase), pathway, visit)
            moments += _grows_old(protocol.phase(visit.phase), pathway, now)
    phase = protocol.phase(pathway.phase)
    moments += [due for due in (assessments.review_due(phase, pathway),) if due is not None]
    moments += assessments.to_come(protocol, pathway)
    moments += _to_be_looked_at(pathway)
    moments += [decision.until for decision in pathway.standing.values()]
    return min(moment for moment in moments if moment > now)


def looked_at_next(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> datetime | None:
    """When a pathway that is over looks again: daily while somebody is here or has not answered."""
    waiting = _to_be_looked_at(pathway)
    for visit in pathway.visits.values():
        if visit.status is VisitStatus.CHECKED_IN:
            phase = protocol.phase(visit.phase)
            waiting += [now + LOOK_AGAIN_AFTER, *in_a_visit(phase, pathway, visit)]
            waiting += _grows_old(phase, pathway, now)
    if not waiting:
        return None
    return min((due for due in waiting if due > now), default=now + LOOK_AGAIN_AFTER)


def _to_be_looked_at(pathway: Pathway) -> list[datetime]:
    """By when somebody is to have looked at something, of what nobody has."""
    tasks = (task for task in pathway.tasks.values() if not (task.closed or task.acknowledged))
    return [task.due for task in tasks if task.due is not None]
