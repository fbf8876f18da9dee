"""The start of a pathway: who enrolled which patient on what, and what that makes true."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from domain.language.clocks import LocalTime, instant
from domain.language.errors import Refused
from domain.language.events import Event, Fact
from domain.language.names import KAIROS, Author, EventId, ObservationName, RequestId
from domain.language.observations import Reading, ReadingsTaken
from domain.language.pathway import Observed
from domain.language.phases import PathwayStarted, PhaseEntered
from domain.language.protocol import CombinedProtocol
from domain.rules.refusing import found
from domain.rules.start import against

AGE = ObservationName("age")


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A patient is to start on a protocol, their first visit at the earliest then."""

    id: RequestId
    by: Author
    started: PathwayStarted
    first_visit: LocalTime
    age: int | None = None  # in years on the day of the first visit, where the EHR says it


def start(
    protocol: CombinedProtocol, started: PathwayStarted, first_visit: LocalTime
) -> tuple[Fact, ...]:
    """Say what a pathway's start means: it exists, and its first phase is entered."""
    instant(first_visit, started.zone)
    return (started, PhaseEntered(protocol.phases[0].id, first_visit))


def begin(protocol: CombinedProtocol, enrolment: Enrolment, now: datetime) -> tuple[Event, ...]:
    """Say what becomes true when the pathway starts now. Malformed for a time that is not one."""
    facts = start(protocol, enrolment.started, enrolment.first_visit)
    events = tuple(
        Event(EventId(f"{enrolment.id}/{place}"), now, enrolment.by, fact)
        for place, fact in enumerate(facts)
    )
    if enrolment.age is None or AGE not in protocol.vocabulary.observations:
        return events
    reading = Reading(AGE, Decimal(enrolment.age))
    from_ehr = Event(
        EventId(f"{enrolment.id}/{len(facts)}"), now, KAIROS, ReadingsTaken((reading,), None)
    )
    _insist_fits(protocol, Observed(from_ehr.id, now, reading.value, None, None))
    return (*events, from_ehr)


def _insist_fits(protocol: CombinedProtocol, age: Observed) -> None:
    """Refuse to start what could never go on: a child on a protocol for adults."""
    kind = protocol.vocabulary.kind(AGE)
    for need in against(protocol, AGE, age):
        says = f"{kind.title} {age.value} {kind.unit}, required {need.test} {need.value}"
        says = f"{says} {kind.unit} (by the EHR's birth date, on the day of the first visit)"
        raise Refused(f"may not start: {says}", (found("adult", says),))
