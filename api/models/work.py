"""What people get back about the work around pathways: deliveries, commands, connections, sites."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from api.edge.problems import ProblemView


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
    choices: list[str] = Field(
        description="what a person may decide about it now: `retry`, `accept`, `supersede`, and"
        " `supersede-as` for superseding it with an `ehr_id`"
    )


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
