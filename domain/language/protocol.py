"""A treatment protocol as the domain sees it: what clinicians signed, as frozen data.

Nothing here has a default that a clinician should have chosen. `protocols/loader.py` makes these
from YAML; a pathway carries its own copy from its start to its end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import ceil

from domain.language.names import ObservationName, PhaseId, Role, Roles, RuleId, Treatment
from domain.language.release import ReleaseVisit
from domain.language.requirements import Requirement
from domain.language.safety import AssessmentRule, Rise, RiskLevel, SafetyRule, SafetyTask
from domain.language.treatment import RecordDose, RecordStimulation
from domain.language.vocabulary import Vocabulary


class Status(StrEnum):
    """Only an approved protocol can start a pathway."""

    DRAFT = "draft"
    APPROVED = "approved"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Approver:
    """Who approved, in which role, on which day."""

    name: str
    role: str
    day: date


class Days(StrEnum):
    """Which days of the week count as treatment days."""

    WEEKDAYS = "weekdays"
    EVERY_DAY = "every day"


class Period(StrEnum):
    """The unit of a rate."""

    DAY = "day"
    WEEK = "week"


@dataclass(frozen=True, slots=True)
class Rate:
    """`2 per week`, `5 per day`, `1 per 2 weeks`: sessions for each `every` periods."""

    sessions: int
    every: int
    period: Period


@dataclass(frozen=True, slots=True)
class Stage:
    """A stretch of one rate. `sessions` is None for a stage that stays open until decided."""

    sessions: int | None
    rate: Rate

    @property
    def per_visit(self) -> int:
        """Sessions given in one visit: one, or a whole day's for a rate per day."""
        return self.rate.sessions if self.rate.period is Period.DAY else 1

    @property
    def visits(self) -> int | None:
        """Visits that the stage takes if none is missed."""
        return None if self.sessions is None else ceil(self.sessions / self.per_visit)


class MissedRule(StrEnum):
    """What becomes of a visit the patient missed."""

    BOOK_AGAIN = "book again"
    CONTINUE_SCHEDULE = "continue the schedule"


@dataclass(frozen=True, slots=True)
class Schedule:
    """When sessions happen. Days are local calendar days; gaps are elapsed time."""

    stages: tuple[Stage, ...]
    days: Days
    at_least_apart: int  # local calendar days between two visits' dates
    gap_between_sessions: timedelta | None  # end to start, for several sessions a day
    may_move_by: int  # days from the proposed day without a new order
    finish_within: int | None  # days from the phase's first session; None for an open phase
    plan_ahead: int  # days ahead for which visits are proposed
    visit_length: timedelta
    missed: MissedRule
    review_every: int | None  # days; open phases only


@dataclass(frozen=True, slots=True)
class DoseRule:
    """Which doses of which drug may be given; devices are the single-use sprays a dose takes."""

    drug: str
    first_mg: int
    then_mg: tuple[int, ...]
    devices: Mapping[int, int]  # dose in mg to number of devices

    def devices_for(self, mg: int) -> int | None:
        """Say how many devices hold so many milligrams; None if no whole number does."""
        each = min(Fraction(dose, devices) for dose, devices in self.devices.items())
        return int(mg / each) if mg > 0 and (mg / each).denominator == 1 else None


@dataclass(frozen=True, slots=True)
class StimulationRule:
    """The stimulation that was prescribed. Every figure comes from the device's instructions."""

    coil: str
    target: str
    intensity_percent_mt: int  # percent of motor threshold; also the most that may be given
    frequency_hz: Decimal
    pulses: int  # for each session


@dataclass(frozen=True, slots=True)
class Modality:
    """What a treatment is to those who work with it; the one switch between treatments.

    `session` is what one session is called in a sentence.
    """

    session: str
    given_by: Roles
    released_by: Roles


MODALITIES: Mapping[Treatment, Modality] = {
    Treatment.ESKETAMINE: Modality("dose", RecordDose.MAY, (Role.NURSE, Role.PRESCRIBER)),
    Treatment.DTMS: Modality("stimulation", RecordStimulation.MAY, ReleaseVisit.MAY),
}

MOTOR_THRESHOLD = ObservationName("motor_threshold")
"""What the strength of a stimulation is a percentage of, and so the most that is ever given."""


class When(StrEnum):
    """When a gate is looked at."""

    BEFORE_FIRST_SESSION = "before the first session"
    BEFORE_EACH_VISIT = "before each visit"
    BEFORE_EACH_SESSION = "before each session"
    AFTER_EACH_VISIT = "after each visit"
    AT_PHASE_END = "at the end of the phase"


class Otherwise(StrEnum):
    """What happens if a gate is not passed.

    `STOP` and `KEEP_OBSERVING` cannot be overridden: what was found is put right and measured
    again, or the patient leaves against advice.
    """

    HOLD = "hold for clinician"
    STOP = "stop"
    KEEP_OBSERVING = "keep observing"
    ASK_PRESCRIBER = "ask prescriber"


@dataclass(frozen=True, slots=True)
class StandingRule:
    """What a prescriber may decide for several visits: how widely, for how many days, what ends it.

    Readings that are within `allows` pass the gate under such a decision; one that is not, or that
    meets `void_if`, ends it.
    """

    days: int  # calendar days after the one on which it is decided
    allows: tuple[Requirement, ...]
    void_if: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class Gate:
    """A condition on going on, with its reason and source."""

    id: RuleId
    when: When
    require: tuple[Requirement, ...]
    measured_within: timedelta | None
    otherwise: Otherwise
    why: str
    source: str
    standing: StandingRule | None = None  # None: it is looked at each time

    @property
    def overridable(self) -> bool:
        """Say whether a prescriber may override with a reason."""
        return self.otherwise in (Otherwise.HOLD, Otherwise.ASK_PRESCRIBER)


@dataclass(frozen=True, slots=True)
class TimedCheck:
    """Readings that must be taken in a window after the dose (first device)."""

    id: RuleId
    earliest: timedelta
    latest: timedelta
    record: tuple[ObservationName, ...]
    why: str
    source: str


class Anchor(StrEnum):
    """Before which treatment the score is taken against which a fall is judged."""

    PHASE = "before the first treatment of the phase"
    PATHWAY = "before the first treatment of the pathway"


@dataclass(frozen=True, slots=True)
class BaselineRule:
    """Which score a fall is judged against: how old it may be, and from what value on."""

    anchor: Anchor
    within: timedelta  # before that treatment
    at_least: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class CourseRule:
    """What a score says of the course: response, remission, relapse, or what a clinic names.

    It counts only after one of `after` was met by an earlier score, if any are named; `asks` says
    whether a prescriber is asked to look.
    """

    id: RuleId
    require: tuple[Requirement, ...]
    after: tuple[RuleId, ...]
    asks: bool
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class Protocol:
    """One phase: schedule, dose or stimulation, gates, checks and their sources."""

    id: PhaseId
    version: int
    title: str
    status: Status
    approved_by: tuple[Approver, ...]
    illustrative: str  # why its figures are illustrative; empty if they are not
    sources: Mapping[str, str]
    treatment: Treatment
    schedule: Schedule
    dose: DoseRule | None
    stimulation: StimulationRule | None
    ordered_by: tuple[Role, ...]
    gates: tuple[Gate, ...]
    timed_checks: tuple[TimedCheck, ...]
    sha256: str
    safety_tasks: Mapping[SafetyTask, SafetyRule] = field(default_factory=dict)
    """Required of every file; only what was pinned before there were any has none."""

    benefit: Mapping[ObservationName, BaselineRule] = field(default_factory=dict)
    """For each score whose fall a gate asks for."""

    course: tuple[CourseRule, ...] = ()
    """What scores say of the course, whenever they are recorded."""

    risk_levels: tuple[RiskLevel, ...] = ()
    """Most severe first. Required of every file, as the safety tasks are."""

    assessments: tuple[AssessmentRule, ...] = ()
    """Which scores are asked for, and when."""

    @property
    def modality(self) -> Modality:
        """What sort of treatment this is."""
        return MODALITIES[self.treatment]

    def look_by(self, task: SafetyTask, happened: datetime) -> datetime | None:
        """Say by when a prescriber is to have looked at what happened then."""
        rule = self.safety_tasks.get(task)
        return None if rule is None else happened + rule.within

    def rises(self, task: SafetyTask) -> tuple[Rise, ...]:
        """Say whose it is too when nobody has looked by then, one after the other."""
        rule = self.safety_tasks.get(task)
        return () if rule is None else rule.then

    def level(self, rule: str) -> RiskLevel | None:
        """Find the risk level that a task's rule names."""
        return next((each for each in self.risk_levels if each.rule == rule), None)

    def gates_at(self, when: When) -> tuple[Gate, ...]:
        """List the gates that are looked at then."""
        return tuple(gate for gate in self.gates if gate.when is when)


@dataclass(frozen=True, slots=True)
class CombinedProtocol:
    """The phases in their order, and how they join. The pathway's whole rule book."""

    id: str
    version: int
    title: str
    status: Status
    approved_by: tuple[Approver, ...]
    illustrative: str
    sources: Mapping[str, str]
    phases: tuple[Protocol, ...]
    days_between: tuple[int, ...]  # after phase i, before phase i + 1; local calendar days
    same_day: bool  # whether two treatments may be given on one local day
    vocabulary: Vocabulary
    sha256: str

    def phase(self, phase: PhaseId) -> Protocol:
        """Find a phase by its id."""
        return next(p for p in self.phases if p.id == phase)

    def after(self, phase: PhaseId) -> Protocol | None:
        """Say which phase follows, if any."""
        ids = [p.id for p in self.phases]
        place = ids.index(phase) + 1
        return self.phases[place] if place < len(self.phases) else None

    @property
    def days_after_earlier(self) -> int:
        """Local calendar days that must lie between an earlier pathway's treatment and this one.

        No treatment may follow sooner than any phase of this one would let it.
        """
        apart = [p.schedule.at_least_apart for p in self.phases]
        return max((*apart[:1], *self.days_between, 0 if self.same_day else 1))

    def days_before(self, phase: PhaseId) -> int:
        """Local calendar days that must lie between the phase before and this one."""
        place = [p.id for p in self.phases].index(phase)
        return self.days_between[place - 1] if place else 0
