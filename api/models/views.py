"""What people get back. Shapes only; `rendering.py` fills them."""

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from api.models.blocks import Block
from api.problems import ProblemView
from domain.names import Decision, HoldReason, Outcome, Role, VisitStatus


class Local(BaseModel):
    """A day and an hour on the clinic's wall."""

    day: date
    hour: str = Field(examples=["09:00"])


class Who(BaseModel):
    """Who did something, and in which role."""

    id: str
    role: Role


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
    outcome: Outcome | None = None
    blocked_by: list[Block] = []


class SessionView(BaseModel):
    """A dose or a stimulation that was given."""

    phase: str
    number: int
    visit: str
    started: datetime
    ended: datetime | None
    mg: int | None


class VisitView(BaseModel):
    """An attendance; `starts` is the instant that its local time names."""

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


class DecisionView(BaseModel):
    """What a clinician decided in a phase."""

    at: datetime
    decision: Decision


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
    """Nobody may treat while it is not lifted."""

    id: str
    reason: HoldReason
    placed: datetime
    by: Who
    lifted: bool


class TaskView(BaseModel):
    """Something a person is to do. The id may stand in an address."""

    id: str
    pathway: str
    site: str
    rule: str
    says: str
    who: list[Role]
    opened: datetime
    due: datetime | None
    acknowledged: bool
    closed: bool


class PatientRef(BaseModel):
    """The patient as the EHR knows them."""

    connection: str
    id: str


class PinnedProtocol(BaseModel):
    """The protocol version that the pathway runs on."""

    id: str
    version: int
    sha256: str
    illustrative: str = Field(description="why its figures are illustrative; empty if not")


class PathwaySummary(BaseModel):
    """A pathway in a list."""

    id: str
    site: str
    status: str = Field(examples=["starting", "open", "finished"])
    phase: str
    version: int
    started_at: datetime
    changed_at: datetime


class PathwayView(PathwaySummary):
    """A pathway as it is now, what is next on it and what stands in the way."""

    patient: PatientRef
    protocol: PinnedProtocol
    zone: str
    now: datetime = Field(description="the clinic's time at which `next` was worked out")
    outcome: Outcome | None
    next: list[StepView]
    phases: list[PhaseView]
    visits: list[VisitView]
    sessions: list[SessionView]
    holds: list[HoldView]
    tasks: list[TaskView] = Field(description="open ones")
    deliveries: dict[str, int] = Field(
        description="writes to the EHR by state; `needs-person` counts those that wait for one"
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


class DeliveryView(BaseModel):
    """One write to an EHR and how far it has come."""

    id: int
    pathway: str
    site: str
    connection: str
    event: str
    artefact: str
    resource_type: str
    action: str
    state: str
    needs_person: bool
    attempts: int
    in_ehr: str | None = Field(description="`Type/id` there, once it is there")
    reason: str | None
    differences: list[str]
    created_at: datetime
    changed_at: datetime


class DeliveryDetail(DeliveryView):
    """A delivery with what was to be written, for those who enter or correct it by hand."""

    resource: dict[str, Any]


class CommandView(BaseModel):
    """How far a command has come. While it is `received` its outcome is not known yet."""

    id: str
    kind: str
    state: str = Field(examples=["received", "applied", "rejected"])
    pathway: str
    version: int | None
    problem: ProblemView | None = Field(description="why it was rejected")
    received_at: datetime
    settled_at: datetime | None


class Applied(BaseModel):
    """A command took effect: the pathway's version after it, and where to look."""

    version: int
    pathway: str = Field(examples=["/v1/pathways/0f9f…"])
    command: str


class Accepted(BaseModel):
    """A command is safe here, but its outcome is not known yet: ask the status address."""

    command: str
    pathway: str


class Resolved(BaseModel):
    """What became of a delivery by a person's decision."""

    delivery: str
    state: str


class ProtocolView(BaseModel):
    """A pathway protocol."""

    id: str
    version: int
    title: str
    status: str
    illustrative: str
    sha256: str
    phases: list[str]


class ConnectionView(BaseModel):
    """An EHR."""

    id: str
    name: str
    base_url: str
    sites: list[str]
    capability_read_at: datetime | None


class PlanLine(BaseModel):
    """How one artefact is written: native, fallback, kept (here) or person (by hand)."""

    artefact: str
    way: str
    resource_type: str | None
    why: str
    updates: str
    once_by: str = Field(description="what makes a lost answer harmless")


class PlanView(BaseModel):
    """What would be written to an EHR, and how."""

    connection: str
    capability_read_at: datetime
    plan: list[PlanLine]


class SiteView(BaseModel):
    """A clinic site."""

    id: str
    name: str
    zone: str
    offers: list[str]
    connection: str


class PatientView(BaseModel):
    """A patient whom the EHR found by the identifier asked for. Says nothing about who it is."""

    id: str
    may_be_enrolled: bool = Field(description="false if inactive, deceased or merged")
    active: bool
    replaced_by: str | None = Field(description="the record that this one was merged into")
    identifiers: int = Field(description="how many identifiers the EHR holds")
    birth_date_matches: bool | None = Field(
        description="whether the birth date that was asked for is the EHR's; null if none was"
    )


class ReadyView(BaseModel):
    """Whether each thing that the API needs is there."""

    ready: bool
    database: bool
    schema_newest: bool
    temporal: bool
    protocols: int


class LiveView(BaseModel):
    """The process answers."""

    live: bool = True
