"""The start of a pathway: who enrolled which patient on what, and what that makes true."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from domain.language.chart import ChartRead, ChartReading
from domain.language.clocks import LocalTime, instant
from domain.language.errors import Refused
from domain.language.events import Event, Fact
from domain.language.names import KAIROS, Author, EventId, ObservationName, PathwayId, RequestId
from domain.language.observations import Reading, ReadingsTaken
from domain.language.pathway import Observed, Pathway
from domain.language.phases import PathwayStarted, PhaseEntered
from domain.language.protocol import CombinedProtocol
from domain.rules import chart
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
    chart: ChartReading | None = None  # what the EHR's chart says, where it was read


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
    from_ehr = tuple(
        Event(EventId(f"{enrolment.id}/{place}"), now, KAIROS, fact)
        for place, fact in enumerate(_of_the_ehr(protocol, enrolment, now), start=len(facts))
    )
    return (*events, *from_ehr)


def _of_the_ehr(
    protocol: CombinedProtocol, enrolment: Enrolment, now: datetime
) -> Iterator[ReadingsTaken | ChartRead]:
    """What the EHR says of the patient: the age, which may forbid the start, and the chart."""
    if enrolment.age is not None and AGE in protocol.vocabulary.observations:
        age, kind = Decimal(enrolment.age), protocol.vocabulary.kind(AGE)
        _insist_fits(protocol, Observed(EventId(enrolment.id), now, age, None, None))
        if kind.high is None or age <= kind.high:  # else its birth date is a slip: unknown
            yield ReadingsTaken((Reading(AGE, age),), None)
    if enrolment.chart is not None:
        yield chart.read(protocol, Pathway(PathwayId("")), enrolment.chart)


def _insist_fits(protocol: CombinedProtocol, age: Observed) -> None:
    """Refuse to start what could never go on: a child on a protocol for adults."""
    kind = protocol.vocabulary.kind(AGE)
    for need in against(protocol, AGE, age):
        says = f"{kind.title} {age.value} {kind.unit}, required {need.test} {need.value}"
        says = f"{says} {kind.unit} (by the EHR's birth date, on the day of the first visit)"
        raise Refused(f"the pathway may not start: {says}", (found("adult", says),))
