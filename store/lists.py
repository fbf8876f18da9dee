"""Lists over the pathways of some sites: open tasks, visits, pathways. They cost a page, not a sum.

Each list reads the first of each site by an index in its own order, and takes the first of those.
Times are compared here with the clinic's own, which the caller brings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import text

from build import RULES
from store.database import Transaction
from store.records import PathwayRecord
from store.tables import GOES_ON

COUNTED = 1_000
"""A list is counted up to here: nobody reads on beyond it, and counting would cost by the rest."""

Place = Sequence[str | int]
"""Where a list goes on: what the last line shown is ordered by."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One list: its columns, its order with the type of each part, and what it can be asked for."""

    table: str
    columns: str
    order: Mapping[str, str]
    conditions: Mapping[str, str]
    says_who: bool = False  # whose it is, as the patient was last read

    def where(self, wanted: Mapping[str, object]) -> str:
        """The conditions of what is wanted. KeyError for what this list cannot be asked for."""
        return " and ".join(("true", *(self.conditions[name] for name in wanted)))

    @property
    def place(self) -> str:
        """What orders it, one beside the other."""
        return ", ".join(self.order)

    @property
    def after(self) -> str:
        """Whether a line comes after a place."""
        known = (f"cast(:after_{n} as {kind})" for n, kind in enumerate(self.order.values()))
        return f"({self.place}) > ({', '.join(known)})"


_WHOSE = {
    "connection": "connection_id = :connection",
    "patient": "patient_id = :patient",
    "phase": "phase = :phase",
}
_OF_PATIENT = (
    "pathway_id in (select id from pathway where connection_id = :connection"
    " and patient_id = :patient)"
)
_DUE = "coalesce({}, 'infinity'::timestamptz)"

TASKS = Listed(
    "task",
    "pathway_id, id, site_id, connection_id, patient_id, phase, visit, ask, rule, says, roles,"
    " urgency, opened_at, due_at, was_due, raised, acknowledged",
    {"urgency": "int", _DUE.format("due_at"): "timestamptz", "pathway_id": "text", "id": "text"},
    _WHOSE
    | {
        "patient": _OF_PATIENT,
        "pathway": "pathway_id = :pathway",
        "role": ":role = any(roles)",
        "urgency": "urgency = :urgency",
        "ask": "ask = :ask",
        "rule": "rule = :rule",
        "acknowledged": "acknowledged = :acknowledged",
        "due_by": "due_at <= :due_by",
        "overdue": "coalesce(due_at < :now, false) = :overdue",
    },
    says_who=True,
)

VISITS = Listed(
    "visit",
    "pathway_id, id, site_id, connection_id, patient_id, phase, status, starts_at, checked_in,"
    " given, planned",
    {"starts_at": "timestamptz", "pathway_id": "text", "id": "text"},
    _WHOSE
    | {
        "patient": _OF_PATIENT,
        "pathway": "pathway_id = :pathway",
        "status": "status = :status",
        "starting": "starts_at >= :starting",
        "until": "starts_at < :until",
        "overdue": "(starts_at < :now and status in ('proposed', 'booked')) = :overdue",
    },
    says_who=True,
)

PATHWAYS = Listed(
    "pathway",
    "id, site_id, connection_id, patient_id, status, phase, version, started_at, changed_at,"
    " restarted_at, urgency, next_says, next_who, next_due, scores, scored_at",
    {"urgency": "int", _DUE.format("next_due"): "timestamptz", "id": "text"},
    _WHOSE
    | {
        "status": "status = :status",
        "urgency": "urgency = :urgency",
        "overdue": "coalesce(task_due < :now, false) = :overdue",
        "role": "(:role = any(next_who)"
        " or exists (select from task where pathway_id = pathway.id and :role = any(task.roles)))",
        "rule": "exists (select from task where pathway_id = pathway.id and task.rule = :rule)",
        "not_scored_since": "coalesce(scored_at, started_at) < :not_scored_since",
        "id": "id = :id",
    },
    says_who=True,
)

DELIVERIES = Listed(
    "delivery",
    "id, site_id, pathway_id, connection_id, patient_id, event_id, artefact, resource_type, action,"
    " state, needs_person, attempts, ehr_id, differences, reason, created_at, changed_at",
    {"id": "bigint"},
    {
        "connection": "connection_id = :connection",
        "patient": _OF_PATIENT,
        "pathway": "pathway_id = :pathway",
        "state": "state = :state",
        "needs_person": "needs_person = :needs_person",
        "resource_type": "resource_type = :resource_type",
    },
)

WHOLE_DELIVERIES = replace(DELIVERIES, columns=f"{DELIVERIES.columns}, body, said")

_WHO = (
    ", who.name as who_name, who.birth_date as who_birth_date, who.identifier as who_identifier,"
    " who.read_at as who_read_at, who.changed_at as who_changed_at"
)
_KNOWN = (
    "left join patient as who on who.connection_id = found.connection_id"
    " and who.patient_id = found.patient_id"
)

Asked = tuple[str, dict[str, object]]
"""A query and its values."""


def page_asked(
    of: Listed,
    sites: Sequence[str],
    wanted: Mapping[str, object],
    after: Place | None,
    most: int,
    now: datetime,
) -> Asked:
    """Ask for the first lines of a list after a place, each with its own place."""
    goes_on = f" and {of.after}" if after is not None else ""
    places = ", ".join(f"cast({part} as text) as place_{n}" for n, part in enumerate(of.order))
    also, join = (_WHO, _KNOWN) if of.says_who else ("", "")
    query = (
        f"select found.*, {places}{also} from (select line.*"  # noqa: S608
        " from unnest(cast(:sites as text[])) as site cross join lateral ("
        f" select {of.columns} from {of.table}"
        f" where site_id = site and {of.where(wanted)}{goes_on} order by {of.place} limit :most"
        f") as line order by {of.place} limit :most) as found {join} order by {of.place}"
    )
    values = {**wanted, "sites": list(sites), "most": most, "now": now}
    return query, values | {f"after_{n}": value for n, value in enumerate(after or ())}


def count_asked(
    of: Listed, sites: Sequence[str], wanted: Mapping[str, object], now: datetime
) -> Asked:
    """Ask how many lines a list has, up to `COUNTED`."""
    query = (
        f"select count(*) from (select from {of.table}"  # noqa: S608
        f" where site_id = any(:sites) and {of.where(wanted)} limit :most) as found"
    )
    return query, {**wanted, "sites": list(sites), "most": COUNTED, "now": now}


async def page(
    tx: Transaction,
    of: Listed,
    sites: Sequence[str],
    wanted: Mapping[str, object],
    after: Place | None,
    most: int,
    now: datetime,
) -> list[tuple[Place, dict[str, Any]]]:
    """The first lines of a list after a place, each with its own place."""
    query, values = page_asked(of, sites, wanted, after, most, now)
    rows = (await tx.execute(text(query), values)).mappings()
    return [([row[f"place_{n}"] for n in range(len(of.order))], dict(row)) for row in rows]


async def line(tx: Transaction, pathway: PathwayRecord, now: datetime) -> dict[str, Any]:
    """One pathway as the list of pathways has it."""
    found = await page(tx, PATHWAYS, [pathway.site_id], {"id": pathway.id}, None, 1, now)
    return found[0][1]


_BEHIND = (
    "select count(*) from (select from pathway where (rules < :rules or rules > :rules)"  # noqa: S608
    f" and ({GOES_ON}) and site_id = any(:sites) limit :most) as behind"
)


async def totals(
    tx: Transaction, of: Listed, sites: Sequence[str], wanted: Mapping[str, object], now: datetime
) -> tuple[int, int]:
    """How many lines a list has, and how many pathways other rules wrote down last.

    Both up to `COUNTED`. Of the second the lists may still show what was so before.
    """
    count, values = count_asked(of, sites, wanted, now)
    query = f"select ({count}) as lines, ({_BEHIND}) as behind"
    row = (await tx.execute(text(query), values | {"rules": RULES})).one()
    return int(row.lines), int(row.behind)
