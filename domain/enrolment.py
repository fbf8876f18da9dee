"""The start of a pathway: who enrolled which patient on what, and what that makes true."""

from dataclasses import dataclass
from datetime import datetime

from domain.language.clocks import LocalTime, instant
from domain.language.events import Event, Fact
from domain.language.names import Author, EventId, RequestId
from domain.language.phases import PathwayStarted, PhaseEntered
from domain.language.protocol import CombinedProtocol


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A patient is to start on a protocol, their first visit at the earliest then."""

    id: RequestId
    by: Author
    started: PathwayStarted
    first_visit: LocalTime


def start(
    protocol: CombinedProtocol, started: PathwayStarted, first_visit: LocalTime
) -> tuple[Fact, ...]:
    """Say what a pathway's start means: it exists, and its first phase is entered."""
    instant(first_visit, started.zone)
    return (started, PhaseEntered(protocol.phases[0].id, first_visit))


def begin(protocol: CombinedProtocol, enrolment: Enrolment, now: datetime) -> tuple[Event, ...]:
    """Say what becomes true when the pathway starts now. Malformed for a time that is not one."""
    facts = start(protocol, enrolment.started, enrolment.first_visit)
    return tuple(
        Event(EventId(f"{enrolment.id}/{place}"), now, enrolment.by, fact)
        for place, fact in enumerate(facts)
    )
