"""What people get back about a pathway. Shapes only; `rendering.py` fills them."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.edge.blocks import Block
from domain.language.authorizations import AuthorizedUnit
from domain.language.chart import ChartType
from domain.language.names import (
    HoldReason,
    PathwayOutcome,
    PathwayStatus,
    PhaseDecision,
    Role,
    Treatment,
    VisitStatus,
)
from domain.language.release import Disposition
from domain.language.safety import Holds
from domain.rules.start import State


class Local(BaseModel):
    """A day and a time of day at the clinic."""

    day: date
    hour: str = Field(examples=["09:00"])


class Who(BaseModel):
    """Who did something, and in which role."""

    id: str
    role: Role


class IdentityView(BaseModel):
    """Who the patient is, as last read in the EHR. To compare with who is here."""

    name: str | None
    birth_date: str | None = Field(
        description="as the EHR has it: a day, or only the year or month", examples=["1980-01-02"]
    )
    identifier: str | None = Field(description="such as the MRN: of the connection's system")
    read_at: datetime
    changed_at: datetime | None = Field(
        description="when the EHR first gave another birth date or other identifiers than before"
    )


class PatientRef(BaseModel):
    """The patient as the EHR knows them."""

    connection: str
    id: str
    identity: IdentityView | None = Field(
        description="null until the patient is read in the EHR again: at check-in, for example"
    )


class ScoreLine(BaseModel):
    """The last of a score whose fall is judged."""

    score: str
    title: str
    last: str = Field(description="points", examples=["14"])
    at: datetime
    before: str | None = Field(description="points before treatment; null if no score counts")
    before_at: datetime | None


class Proposal(BaseModel):
    """A visit that Kairos is about to propose."""

    visit: str
    at: Local
    replaces: str | None = None


class StepView(BaseModel):
    """One thing that is next. The first of a pathway's `next` is the most pressing."""

    kind: Literal["ask", "propose", "await", "finished"]
    says: str
    rule: str
    ask: str | None = Field(default=None, description="what a person is asked to do")
    about: str | None = Field(default=None, description="phase, visit, hold or gate")
    who: list[Role] = []
    why: str = ""
    source: str = ""
    due: datetime | None = None
    until: datetime | None = None
    task: str | None = Field(default=None, description="the task's id, if it is one")
    visits: list[Proposal] = []
    outcome: PathwayOutcome | None = None
    blocked_by: list[Block] = []


class SessionView(BaseModel):
    """A dose or a stimulation that was given."""

    phase: str
    number: int
    visit: str
    started: datetime
    ended: datetime | None
    mg: int | None
    deviation: bool  # given although a rule stood in the way; the timeline says why
    authorized: bool  # false: a rule said stop, and no prescriber answers for it


class VisitView(BaseModel):
    """A visit; `starts` is the instant of its local time."""

    id: str
    phase: str
    stage: int
    status: VisitStatus
    proposed: Local
    at: Local
    starts: datetime
    checked_in: datetime | None
    replaces: str | None
    sessions_given: int
    sessions_planned: int
    left_early: bool
    disposition: Disposition | None = Field(description="where the patient went, once discharged")


class VisitLineView(BaseModel):
    """A visit in a list over several pathways."""

    id: str
    pathway: str
    site: str
    patient: PatientRef
    phase: str
    status: VisitStatus
    at: Local
    weekday: str = Field(examples=["Monday"])
    zone: str = Field(description="the site's time zone, in which `at` is given")
    starts: datetime
    overdue: bool = Field(description="whether it should have started and the patient has not come")
    checked_in: datetime | None
    sessions_given: int
    sessions_planned: int


class DecisionView(BaseModel):
    """What a clinician decided in a phase."""

    at: datetime
    decision: PhaseDecision


class PhaseView(BaseModel):
    """A phase of the protocol and how far it has come; `entered` is null until it is."""

    id: str
    title: str
    treatment: str
    entered: datetime | None
    first_visit: Local | None
    signed: datetime | None
    sessions_given: int
    sessions_planned: int | None = Field(description="null for a phase that stays open")
    decisions: list[DecisionView]


class HoldView(BaseModel):
    """A hold: nobody may treat until it is lifted."""

    id: str
    reason: HoldReason
    note: str = Field(description="why it was placed, in the words of the person who placed it")
    placed: datetime
    by: Who
    lifted: bool
    lifted_at: datetime | None


class StandingView(BaseModel):
    """What a prescriber decided for several visits."""

    id: str
    gate: str
    phase: str
    made: datetime
    by: Who
    until: datetime = Field(description="when its last day is over")
    words: str
    allows: list[str]
    holds: bool = Field(description="whether it is in effect now")
    ended: datetime | None
    why_ended: str | None


class TaskView(BaseModel):
    """Something a person is to do, as it is now. The id may stand in an address."""

    id: str
    pathway: str
    site: str
    patient: PatientRef
    ask: str = Field(description="what is asked", examples=["review-risk"])
    urgency: Literal["safety", "visit", "routine"] = Field(
        description="`safety` before `visit` (a patient may be waiting here) before `routine`"
    )
    phase: str
    visit: str | None = Field(description="the visit that it is about, if it is about one")
    rule: str
    says: str
    who: list[Role]
    opened: datetime
    due: datetime | None
    overdue: bool = Field(description="whether it is open and its time has passed")
    raised: int = Field(
        description="how often it was not looked at in time, and so was raised to more roles"
    )
    was_due: datetime | None = Field(description="if it was raised: when it was first due")
    acknowledged: bool
    closed: bool


class CheckRow(BaseModel):
    """One thing that must be known before a phase's first session."""

    phase: str
    gate: str
    observation: str
    title: str
    requires: str
    state: State = Field(description="unknown is never met")
    stops: bool = Field(description="whether nobody may override it")
    who: list[Role] = Field(description="who can supply it, while it is not met")
    says: str = Field(description="what is found or missing; empty if it is met")
    value: str | None
    at: datetime | None
    by: Who | None = Field(description="who entered it; `kairos` if it was read from the EHR")
    entry: str | None = Field(description="the event id of that entry, for a correction")
    why: str
    source: str
    chart: list[str] = Field(
        description="what in the EHR's chart answers it, as last read",
        examples=[["Condition/17, I61.9"]],
    )


class CourseView(BaseModel):
    """What the last score says by one rule of the protocol: response, remission, relapse."""

    rule: str
    met: bool | None = Field(description="null if it cannot be judged; `says` gives the reason")
    says: str
    at: datetime
    entry: str


class RiskView(BaseModel):
    """The level of risk now, by the last readings and the levels that the protocol states."""

    level: str
    says: str
    since: datetime
    holds: list[Holds] = Field(description="what is held until a prescriber says what they found")
    hastens: bool = Field(description="whether a first visit still to come is brought forward")
    entries: list[str]


class AssessmentView(BaseModel):
    """A point in the current phase at which a score is due, and its result."""

    rule: str
    score: str
    moment: str = Field(examples=["session 20"])
    at: datetime | None = Field(description="null while its time is not known")
    value: str | None
    taken: datetime | None
    entry: str | None
    says: list[str] = Field(description="what the protocol's rules say of that score")


class AuthorizationView(BaseModel):
    """What a payer authorized, and what is left of it."""

    entry: str
    treatment: Treatment
    number: str
    starts: date
    ends: date
    units: int
    left: int
    unit: AuthorizedUnit
    codes: list[str]
    excludes: list[Treatment]
    recorded: datetime


class ChecklistView(BaseModel):
    """What must be known before anything is given, over all phases."""

    ready: list[str] = Field(description="phases of which every row is met")
    rows: list[CheckRow]
    authorizations: list[AuthorizationView]
    chart_read: datetime | None = Field(description="when the EHR's chart was last read")
    chart_unread: list[ChartType] = Field(
        description="what could not be read then, in whole or in part"
    )


class PinnedProtocol(BaseModel):
    """The protocol version that the pathway runs on."""

    id: str
    version: int
    sha256: str
    illustrative: str = Field(description="why its figures are illustrative; empty if not")


class NextView(BaseModel):
    """The most urgent step on a pathway, as of the last thing that happened on it."""

    says: str
    who: list[Role] = Field(description="the roles it waits for; empty if only time has to pass")
    due: datetime | None = Field(description="when it is due, or when the wait is over")


class PathwaySummary(BaseModel):
    """A pathway in a list."""

    id: str
    site: str
    patient: PatientRef
    urgency: Literal["safety", "visit", "routine"] | None = Field(
        description="the urgency of its most urgent task, and at least `visit` while the patient is"
        " here; null while neither is so"
    )
    most_pressing: NextView | None = Field(description="null before the pathway has started")
    status: PathwayStatus
    phase: str
    version: int
    started_at: datetime
    changed_at: datetime
    workflow_restarted_at: datetime | None = Field(
        description="when its workflow was missing in Temporal and was restarted, if ever"
    )
    scores: list[ScoreLine] = Field(description="the last of each score whose fall is judged")


class PathwayView(PathwaySummary):
    """A pathway as it is now, what is next on it and what stands in the way."""

    protocol: PinnedProtocol
    zone: str
    now: datetime = Field(description="the clinic's time at which `next` was worked out")
    outcome: PathwayOutcome | None
    course: list[CourseView] = Field(description="what the last scores say of the present phase")
    risk: RiskView | None = Field(description="null at none of the protocol's levels")
    assessments: list[AssessmentView]
    referred_on: date | None = Field(description="the referral day, as entered at enrollment")
    days_to_first_treatment: int | None = Field(
        description="calendar days from referral (from enrollment, if no referral day was given) to"
        " the first treatment; null before that"
    )
    next: list[StepView]
    phases: list[PhaseView]
    visits: list[VisitView]
    sessions: list[SessionView]
    holds: list[HoldView]
    standing_decisions: list[StandingView]
    tasks: list[TaskView] = Field(description="open ones")
    deliveries: dict[str, int] = Field(
        description="writes to the EHR by state; `needs-person` counts those waiting for a person"
    )


class EventView(BaseModel):
    """One thing that happened. Its fact has a `kind`, which says what else is in it."""

    seq: int
    id: str
    kind: str
    at: datetime
    recorded_at: datetime
    by: Who
    fact: dict[str, Any]
    entered_in_error: str | None = Field(description="the reason, if so; it then no longer counts")
