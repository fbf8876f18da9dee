"""What becomes of a visit: booked, moved, come to, missed, left; and come back to. Pure.

Each is safe to be told again, and in any order: an earlier status that comes late changes nothing.
"""

from dataclasses import replace
from datetime import datetime

from domain.language.clocks import LocalTime
from domain.language.names import EventId, VisitStatus
from domain.language.pathway import Visit
from domain.language.release import VisitReleased

_RANK = {
    VisitStatus.PROPOSED: 0,
    VisitStatus.BOOKED: 1,
    VisitStatus.MISSED: 2,
    VisitStatus.CANCELLED: 2,
    # Whoever was treated had come, whatever was written of the visit before.
    VisitStatus.CHECKED_IN: 3,
    VisitStatus.RELEASED: 4,
}


def advanced(visit: Visit, status: VisitStatus) -> Visit:
    """Move a visit's status forward."""
    return visit if _RANK[status] <= _RANK[visit.status] else replace(visit, status=status)


def retimed(visit: Visit, at: LocalTime, event: EventId) -> Visit:
    """Set a visit's time; a booking or move that is told again changes nothing."""
    return (
        visit
        if event in visit.timed_by
        else replace(visit, at=at, timed_by=(*visit.timed_by, event))
    )


def came(visit: Visit, at: datetime) -> Visit:
    """Note that a patient is here; who had left and came back is here again, and not released."""
    if visit.checked_in is not None and at < visit.checked_in:
        return visit  # they had come before, and came back since
    if visit.left_at is None or at <= visit.left_at:
        return replace(advanced(visit, VisitStatus.CHECKED_IN), checked_in=at)
    return replace(
        visit,
        status=VisitStatus.CHECKED_IN,
        checked_in=at,
        left_early=False,
        left_at=None,
        went=None,
        left_by=None,
    )


def left(visit: Visit, fact: VisitReleased, at: datetime, event: EventId) -> Visit:
    """Note that a patient has left; a release of before they came back says no more."""
    if visit.checked_in is not None and at < visit.checked_in:
        return visit
    return replace(
        advanced(visit, VisitStatus.RELEASED),
        left_early=bool(fact.findings),
        left_at=at,
        went=fact.disposition,
        left_by=event,
    )
