"""The pathway as it is now: the fold of its events (`fold.py`). Must not decide anything.

Maps are keyed by what they are about and statuses only move forward, so that independent events
may be applied in any order and any event twice.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import TypeVar

from domain.language.authorizations import Authorization
from domain.language.chart import Chart
from domain.language.clocks import LocalTime
from domain.language.corrections import Astray
from domain.language.names import (
    Author,
    ConnectionId,
    EhrPatientId,
    EventId,
    HoldId,
    HoldReason,
    ObservationName,
    PathwayId,
    PathwayOutcome,
    PhaseDecision,
    PhaseId,
    Role,
    RuleId,
    SiteId,
    TaskId,
    VisitId,
    VisitStatus,
)
from domain.language.release import Disposition
from domain.language.remembered import remembered
from domain.language.standing import NO_LIMITS, Limits
from domain.language.trials import TrialRecorded

One = TypeVar("One")
Key = TypeVar("Key")

TAKEN_AT = attrgetter("at")
IN_ORDER = attrgetter("started", "number")
BY_DAY = attrgetter("at.day", "at.hour", "id")

READINGS_KEPT = 12
"""Latest readings of each kind that gates may look at; the store keeps all of them."""

READINGS_KEPT_FOR = timedelta(hours=24)
"""Readings this much older than the latest are kept whatever their number: a visit's are among
them."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One attendance: its proposed time, its time now, and how far it has come."""

    id: VisitId
    phase: PhaseId
    stage: int
    batch: int
    proposed: LocalTime
    at: LocalTime
    status: VisitStatus
    checked_in: datetime | None = None
    timed_by: tuple[EventId, ...] = ()  # bookings and moves that set `at`, none of them twice
    replaces: VisitId | None = None
    left_early: bool = False  # before every check was met
    left_at: datetime | None = None
    went: Disposition | None = None
    left_by: EventId | None = None  # the event that says so


@dataclass(frozen=True, slots=True)
class Session:
    """A dose (ended is None) or a stimulation that was given; `number` counts within the phase."""

    visit: VisitId
    phase: PhaseId
    number: int
    started: datetime
    ended: datetime | None
    mg: int | None = None
    deviation: bool = False
    authorized: bool = True
    event: EventId | None = None  # that brought it


@dataclass(frozen=True, slots=True)
class Observed:
    """A reading with the event that brought it, which is its evidence id."""

    evidence: EventId
    at: datetime
    value: Decimal | None = None
    answer: str | None = None
    visit: VisitId | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """Nobody may treat while one of these is open."""

    reason: HoldReason
    placed: datetime
    by: Author
    lifted_at: datetime | None = None
    note: str = ""  # why it was placed, in the words of whoever did

    @property
    def lifted(self) -> bool:
        """Say whether a prescriber lifted it."""
        return self.lifted_at is not None


@dataclass(frozen=True, slots=True)
class Task:
    """Something a person is to do."""

    rule: RuleId
    roles: tuple[Role, ...]
    says: str
    opened: datetime
    due: datetime | None
    acknowledged: bool = False
    closed: bool = False
    acknowledged_at: datetime | None = None
    raised: int = 0  # how often nobody had looked in time, and it went on to others
    was_due: datetime | None = None  # when it should have been looked at first


@dataclass(frozen=True, slots=True)
class Baseline:
    """The score against which a benefit is judged, since a phase's first treatment."""

    event: EventId | None
    since: datetime
    by_person: bool
    times: int = 1  # how often one was named
    since_number: int = 1  # which of these made it this score
    beside: frozenset[EventId] = frozenset()  # other scores known when a person named it


@dataclass(frozen=True, slots=True)
class Questioned:
    """An act that went, by what is known now, against rules that nobody knew of then."""

    about: str
    findings: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What was entered here and went astray, and the other patient's pathway if it is ours."""

    about: str
    at: datetime  # when it was taken back
    moved_to: PathwayId | None
    what: Astray


@dataclass(frozen=True, slots=True)
class Standing:
    """What a prescriber decided for several visits, and when it ended if it has."""

    phase: PhaseId
    gate: RuleId
    made: datetime
    until: datetime
    by: Author
    words: str
    allows: tuple[str, ...] = ()
    limits: Limits = NO_LIMITS
    ended: datetime | None = None  # by a prescriber
    why: str = ""
    beyond: Mapping[EventId, tuple[datetime, VisitId | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Phase:
    """A phase that was entered, its order and the decisions made in it."""

    entered: datetime
    first_visit: LocalTime
    number: int = 1
    signed: datetime | None = None
    order: int = 1  # the number of the order that was signed last
    decisions: Mapping[EventId, tuple[datetime, PhaseDecision]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pathway:
    """One patient's episode. Empty until `PathwayStarted` is applied."""

    id: PathwayId
    patient: EhrPatientId = EhrPatientId("")
    connection: ConnectionId = ConnectionId("")
    site: SiteId = SiteId("")
    zone: str = "UTC"
    treated_on: date | None = None
    referred_on: date | None = None
    phases: Mapping[PhaseId, Phase] = field(default_factory=dict)
    visits: Mapping[VisitId, Visit] = field(default_factory=dict)
    sessions: Mapping[str, Session] = field(default_factory=dict)
    readings: Mapping[ObservationName, tuple[Observed, ...]] = field(default_factory=dict)  # by age
    alerting: Mapping[ObservationName, tuple[Observed, ...]] = field(default_factory=dict)
    """Of the readings those that meet their kind's alert: a prescriber must have seen each."""
    baselines: Mapping[str, Baseline] = field(default_factory=dict)  # by phase/score
    holds: Mapping[HoldId, Hold] = field(default_factory=dict)
    overrides: Mapping[str, Mapping[str, datetime]] = field(default_factory=dict)
    tasks: Mapping[TaskId, Task] = field(default_factory=dict)
    voided: Mapping[EventId, str] = field(default_factory=dict)  # why, by the event in error
    questioned: Mapping[EventId, Questioned] = field(default_factory=dict)  # by the act's event
    elsewhere: Mapping[EventId, Elsewhere] = field(default_factory=dict)  # by the event in error
    standing: Mapping[EventId, Standing] = field(default_factory=dict)
    trials: Mapping[EventId, TrialRecorded] = field(default_factory=dict)
    authorizations: Mapping[EventId, Authorization] = field(default_factory=dict)
    chart: Chart | None = None  # as the EHR had it when it was read last
    orders_in_error: Mapping[EventId, PhaseId] = field(default_factory=dict)  # by the order's event
    outcome: PathwayOutcome | None = None

    @property
    def phase(self) -> PhaseId:
        """The phase the pathway is in: the one entered last. Needs at least one."""
        return max(self.phases, key=lambda phase: self.phases[phase].number)

    def sessions_in(self, phase: PhaseId) -> tuple[Session, ...]:
        """Sessions given in a phase, in order."""
        given = [s for s in self.sessions.values() if s.phase == phase]
        return tuple(sorted(given, key=IN_ORDER))

    def sessions_of_stage(self, phase: PhaseId, stage: int) -> tuple[Session, ...]:
        """Sessions given in one stage of a phase, in order."""
        return tuple(s for s in self.sessions_in(phase) if self.visits[s.visit].stage == stage)

    def sessions_at(self, visit: VisitId) -> tuple[Session, ...]:
        """Sessions given at a visit, in order."""
        return _by_visit(self).get(visit, ())

    def visits_in(self, phase: PhaseId) -> tuple[Visit, ...]:
        """Visits of a phase by their time."""
        return _by_phase(self).get(phase, ())

    def taken(
        self, name: ObservationName, since: datetime, until: datetime
    ) -> tuple[Observed, ...]:
        """Readings of a kind from one instant to another, those at both included."""
        known = self.readings.get(name, ())
        first = bisect_left(known, since, key=TAKEN_AT)
        return known[first : bisect_right(known, until, lo=first, key=TAKEN_AT)]

    def latest(self, name: ObservationName, until: datetime) -> tuple[Observed, ...]:
        """The latest reading of a kind by an instant; each, where several were taken at once."""
        known = self.readings.get(name, ())
        over = bisect_right(known, until, key=TAKEN_AT)
        first = bisect_left(known, known[over - 1].at, hi=over, key=TAKEN_AT) if over else 0
        return known[first:over]

    def open_holds(self) -> tuple[HoldId, ...]:
        return tuple(sorted(key for key, hold in self.holds.items() if not hold.lifted))


@remembered
def _by_visit(pathway: Pathway) -> Mapping[VisitId, tuple[Session, ...]]:
    return _grouped(sorted(pathway.sessions.values(), key=IN_ORDER), attrgetter("visit"))


@remembered
def _by_phase(pathway: Pathway) -> Mapping[PhaseId, tuple[Visit, ...]]:
    return _grouped(sorted(pathway.visits.values(), key=BY_DAY), attrgetter("phase"))


def _grouped(each_in_order: Iterable[One], key: Callable[[One], Key]) -> dict[Key, tuple[One, ...]]:
    found: dict[Key, list[One]] = {}
    for each in each_in_order:
        found.setdefault(key(each), []).append(each)
    return {name: tuple(those) for name, those in found.items()}
