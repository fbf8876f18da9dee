"""What the lists show of a pathway, written in the transaction that records it.

Only what has changed is written: most turns change no task and no visit.
"""

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from sqlalchemy import text

from domain.worklist import ListedScore, ListedTask, ListedVisit
from store.database import Transaction
from store.records import PathwayRecord

_TASKS = """
with wanted as (
  select * from jsonb_to_recordset(cast(:rows as jsonb)) as each (
    id text, phase text, visit text, ask text, rule text, says text, roles text[], urgency int,
    opened_at timestamptz, due_at timestamptz, was_due timestamptz, raised int, acknowledged bool)
), gone as (
  delete from task where pathway_id = :pathway and id not in (select id from wanted)
)
insert into task
  (pathway_id, site_id, connection_id, patient_id, id, phase, visit, ask, rule, says, roles,
   urgency, opened_at, due_at, was_due, raised, acknowledged)
select :pathway, :site, :connection, :patient, id, phase, visit, ask, rule, says, roles,
   urgency, opened_at, due_at, was_due, raised, acknowledged from wanted
on conflict (pathway_id, id) do update set (phase, visit, ask, rule, says, roles, urgency,
   opened_at, due_at, was_due, raised, acknowledged) = (excluded.phase, excluded.visit,
   excluded.ask, excluded.rule, excluded.says, excluded.roles, excluded.urgency,
   excluded.opened_at, excluded.due_at, excluded.was_due, excluded.raised, excluded.acknowledged)
where task is distinct from excluded
"""

_VISITS = """
with wanted as (
  select * from jsonb_to_recordset(cast(:rows as jsonb)) as each (
    id text, phase text, status text, starts_at timestamptz, checked_in timestamptz, given int,
    planned int)
), gone as (
  delete from visit where pathway_id = :pathway and id not in (select id from wanted)
)
insert into visit
  (pathway_id, site_id, connection_id, patient_id, id, phase, status, starts_at, checked_in, given,
   planned)
select :pathway, :site, :connection, :patient, id, phase, status, starts_at, checked_in, given,
   planned from wanted
on conflict (pathway_id, id) do update set (phase, status, starts_at, checked_in, given, planned) =
   (excluded.phase, excluded.status, excluded.starts_at, excluded.checked_in, excluded.given,
   excluded.planned)
where visit is distinct from excluded
"""


def task_rows(tasks: Sequence[ListedTask]) -> list[dict[str, Any]]:
    """The rows of a pathway's open tasks."""
    return [
        {
            "id": each.id,
            "phase": each.phase,
            "visit": each.visit,
            "ask": each.ask,
            "rule": each.task.rule,
            "says": each.task.says,
            "roles": each.task.roles,
            "urgency": each.urgency,
            "opened_at": each.task.opened,
            "due_at": each.task.due,
            "was_due": each.task.was_due,
            "raised": each.task.raised,
            "acknowledged": each.task.acknowledged,
        }
        for each in tasks
    ]


def score_row(score: ListedScore) -> dict[str, Any]:
    """A score as a pathway's line shows it."""
    before = score.before
    return {
        "score": score.name,
        "title": score.title,
        "last": str(score.last.value),
        "at": score.last.at.isoformat(),
        "before": None if before is None else str(before.value),
        "before_at": None if before is None else before.at.isoformat(),
    }


def digest(rows: Sequence[dict[str, Any]]) -> str:
    """A short name for what these rows hold."""
    return blake2b(_json(rows).encode(), digest_size=8).hexdigest()


async def write_tasks(
    tx: Transaction, pathway: PathwayRecord, rows: Sequence[dict[str, Any]]
) -> None:
    """Have the list show exactly these tasks of a pathway."""
    await tx.execute(text(_TASKS), {"rows": _json(rows), **_whose(pathway)})


async def write_visits(
    tx: Transaction, pathway: PathwayRecord, visits: Sequence[ListedVisit]
) -> None:
    """Have the list show exactly these visits of a pathway."""
    rows = [
        {
            "id": each.visit.id,
            "phase": each.visit.phase,
            "status": each.visit.status,
            "starts_at": each.starts,
            "checked_in": each.visit.checked_in,
            "given": each.given,
            "planned": each.planned,
        }
        for each in visits
    ]
    await tx.execute(text(_VISITS), {"rows": _json(rows), **_whose(pathway)})


def _whose(pathway: PathwayRecord) -> dict[str, str]:
    return {
        "pathway": pathway.id,
        "site": pathway.site_id,
        "connection": pathway.connection_id,
        "patient": pathway.patient_id,
    }


def _json(rows: Sequence[dict[str, Any]]) -> str:
    return json.dumps(rows, default=lambda each: each.isoformat())
