"""Lines of lists over several pathways, as they stand in the read model."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field

from api.reading import pathway_views as v
from api.reading import work_views as w
from api.reading.pages import Item, Page
from api.reading.rendering import URGENCIES, task_address
from domain.delivery.words import Delivery
from domain.language.names import PathwayStatus, Role, VisitStatus

Line = Mapping[str, Any]
KNOWN_ROLES = frozenset(Role)
"""A newer Kairos may have written others."""

WAITED_FOR = (VisitStatus.PROPOSED, VisitStatus.BOOKED)


class Counted(Page[Item]):
    """A page of a list that is counted."""

    count: int = Field(description="how many there are in all; 1000 means 1000 or more")
    behind: int = Field(
        description="pathways that may still be shown as before an upgrade of Kairos; they are"
        " updated one by one"
    )
    now: datetime = Field(description="the clinic's time with which due times were compared")


def task_line(line: Line, now: datetime) -> v.TaskView:
    due = line["due_at"]
    return v.TaskView(
        id=task_address(line["id"]),
        pathway=line["pathway_id"],
        site=line["site_id"],
        patient=_patient(line),
        ask=line["ask"],
        urgency=URGENCIES.get(line["urgency"], "safety"),
        phase=line["phase"],
        visit=line["visit"],
        rule=line["rule"],
        says=line["says"],
        who=[Role(role) for role in line["roles"] if role in KNOWN_ROLES],
        opened=line["opened_at"],
        due=due,
        overdue=due is not None and due < now,
        raised=line["raised"],
        was_due=line["was_due"],
        acknowledged=line["acknowledged"],
        closed=False,
    )


def visit_line(line: Line, zone: str, now: datetime) -> v.VisitLineView:
    starts: datetime = line["starts_at"]
    local, status = starts.astimezone(ZoneInfo(zone)), VisitStatus(line["status"])
    return v.VisitLineView(
        id=line["id"],
        pathway=line["pathway_id"],
        site=line["site_id"],
        patient=_patient(line),
        phase=line["phase"],
        status=status,
        at=v.Local(day=local.date(), hour=f"{local:%H:%M}"),
        weekday=f"{local:%A}",
        zone=zone,
        starts=starts,
        overdue=status in WAITED_FOR and starts < now,
        checked_in=line["checked_in"],
        sessions_given=line["given"],
        sessions_planned=line["planned"],
    )


def delivery_view(delivery: Delivery) -> w.DeliveryView:
    return delivery_line(
        {each.name: getattr(delivery, each.name) for each in fields(delivery)}, delivery.changed_at
    )


def delivery_line(line: Line, _now: datetime) -> w.DeliveryView:
    there = f"{line['resource_type']}/{line['ehr_id']}" if line["ehr_id"] else None
    return w.DeliveryView(
        id=line["id"],
        pathway=line["pathway_id"],
        site=line["site_id"],
        connection=line["connection_id"],
        event=line["event_id"],
        artefact=line["artefact"],
        resource_type=line["resource_type"],
        action=line["action"],
        state=line["state"],
        needs_person=line["needs_person"],
        attempts=line["attempts"],
        in_ehr=there,
        reason=line["reason"],
        differences=list(line["differences"]),
        created_at=line["created_at"],
        changed_at=line["changed_at"],
        resource=line.get("body"),
        said=line.get("said"),
    )


def pathway_line(line: Line, _now: datetime | None = None) -> v.PathwaySummary:
    says, who = line["next_says"], [r for r in line["next_who"] or [] if r in KNOWN_ROLES]
    following = v.NextView(says=says, who=who, due=line["next_due"]) if says is not None else None
    return v.PathwaySummary(
        id=line["id"],
        site=line["site_id"],
        patient=_patient(line),
        urgency=URGENCIES.get(line["urgency"]),
        most_pressing=following,
        status=PathwayStatus(line["status"]),
        phase=line["phase"],
        version=line["version"],
        started_at=line["started_at"],
        changed_at=line["changed_at"],
        workflow_restarted_at=line["restarted_at"],
        scores=[v.ScoreLine.model_validate(each) for each in line["scores"] or []],
    )


def _patient(line: Line) -> v.PatientRef:
    identity = None
    if line["who_read_at"] is not None:
        identity = v.IdentityView(
            name=line["who_name"],
            birth_date=line["who_birth_date"],
            identifier=line["who_identifier"],
            read_at=line["who_read_at"],
            changed_at=line["who_changed_at"],
        )
    return v.PatientRef(connection=line["connection_id"], id=line["patient_id"], identity=identity)
