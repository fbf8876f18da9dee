"""What people get back about the work around pathways: deliveries, commands, connections, sites."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from api.edge.problems import ProblemView
from domain.delivery.words import Action, DeliveryState
from domain.language.names import CommandState
from domain.language.protocol import Status


class DeliveryView(BaseModel):
    """One write to an EHR and how far it has come."""

    id: int
    pathway: str
    site: str
    connection: str
    event: str
    artefact: str
    resource_type: str
    action: Action
    state: DeliveryState
    needs_person: bool
    attempts: int
    in_ehr: str | None = Field(description="`Type/id` there, once it is there")
    reason: str | None
    differences: list[str]
    created_at: datetime
    changed_at: datetime
    resource: dict[str, Any] | None = Field(
        default=None, description="the resource to be written; in lists only on request"
    )
    said: str | None = Field(
        default=None,
        description="the EHR's own error text when it refused; shown with the resource",
    )


class DeliveryDetail(DeliveryView):
    """A delivery with what was to be written, for those who enter or correct it by hand."""

    choices: list[str] = Field(
        description="what a person may decide about it now: `retry`, `accept`, `not-there`,"
        " `this-one` with an `ehr_id`, `supersede`, and `supersede-as` for superseding it with an"
        " `ehr_id`"
    )


class CandidateView(BaseModel):
    """A resource in the EHR that a write could be."""

    ehr_id: str
    marked: bool = Field(description="it carries Kairos' identifier of this write")
    differences: list[str] = Field(description="paths at which it is not what was meant")
    resource: dict[str, Any]


class CandidatesView(BaseModel):
    """What was meant, and beside it what in the EHR it could be, the likeliest first.

    An empty list is no proof that it is not there: look in the chart before you say so.
    """

    delivery: int
    resource_type: str
    meant: dict[str, Any]
    candidates: list[CandidateView]


class CommandView(BaseModel):
    """The state of a command. While it is `received`, its outcome is not known yet."""

    id: str
    kind: str
    state: CommandState
    pathway: str
    version: int | None
    problem: ProblemView | None = Field(description="why it was rejected")
    received_at: datetime
    settled_at: datetime | None


class ProtocolView(BaseModel):
    """A pathway protocol."""

    id: str
    version: int
    title: str
    status: Status
    illustrative: str
    sha256: str
    phases: list[str]


class ConnectionView(BaseModel):
    """An EHR."""

    id: str
    name: str
    base_url: str
    vendor: str
    sites: list[str]
    capability_read_at: datetime | None
    capability_failing_since: datetime | None = Field(
        description="since when its capabilities cannot be read; null while they can"
    )
    capability_problem: str | None = Field(description="why they cannot be read")
    away_since: datetime | None = Field(
        description="since when nothing can be written to it; writes wait in order meanwhile"
    )
    away_because: str | None
    asked_next: datetime | None = Field(description="when it is next asked whether it is back")


class RetriedView(BaseModel):
    """What was set going again at an EHR."""

    connection: str
    patients: int = Field(description="patients whose writes waited because the EHR was busy")
    asked_now: bool = Field(description="whether the EHR counts as away, and is asked at once")


class JobView(BaseModel):
    """Something that Kairos does by itself, once for the installation."""

    name: str = Field(examples=["sweep"])
    says: str
    done_at: datetime | None = Field(description="when it last came to its end; null if never")
    late: bool = Field(description="whether it should have come to its end again by now")
    failing_since: datetime | None
    why: str | None = Field(description="why it fails")


class PlanLine(BaseModel):
    """How one kind of record is written: native, fallback, kept (in Kairos) or person (by hand)."""

    kind: str
    way: str
    resource_type: str | None
    why: str
    updates: str
    once_by: str = Field(description="what prevents a duplicate if a response is lost")


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
    """A patient that the EHR found by the identifier."""

    id: str
    name: str | None = Field(description="to compare with who is here")
    birth_date: str | None = Field(
        description="as the EHR has it: a day, or only the year or month", examples=["1980-01-02"]
    )
    identifier: str | None
    may_be_enrolled: bool
    why_not: str | None = Field(description="why no pathway may be started on this record")
    active: bool
    replaced_by: str | None = Field(description="the record that this one was merged into")
    identifiers: int = Field(description="how many identifiers are current")
    labels: list[str] = Field(
        description="security labels of the record, such as HTEST for a test patient; whoever"
        " enrolls it names them"
    )
    birth_date_matches: bool | None = Field(
        description="whether the birth date sent matches the EHR's; null if none was sent, or if"
        " the EHR does not have the full date"
    )


class MoveView(BaseModel):
    """An open pathway on another version of its protocol, and whether it can move to this one."""

    pathway: str
    site: str
    from_version: int
    can_move: bool
    why_not: list[str] = Field(description="what keeps it on the version that it has")
    command: str | None = Field(
        default=None, description="the command that moves it, once that was asked"
    )


class ChangeView(BaseModel):
    """What is different for a patient who moves from that version to this one."""

    from_version: int
    says: list[str]


class MovesView(BaseModel):
    """The open pathways that are on other versions of a protocol than this one."""

    protocol: str
    version: int
    changes: list[ChangeView]
    pathways: list[MoveView]
