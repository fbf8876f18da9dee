"""Lists over many pathways read what a page needs, whatever the number of pathways."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from store import lists
from store.database import Database
from store.lists import DELIVERIES, PATHWAYS, TASKS, VISITS, Listed

NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)
PATHWAYS_STORED = 10_000
MOST_OF_A_PAGE, MOST_OF_A_COUNT = 400, lists.COUNTED + 100
"""Blocks of 8 KiB that 51 lines may take, each with its patient, and as many lines as are counted,
if each lies alone."""

FILL = """
insert into protocol (sha256, body) values ('p', '{}');
insert into pathway
  (id, site_id, connection_id, patient_id, patient_fingerprint, status, phase, version,
   protocol_sha256, projection, rules, due_at, started_at, changed_at, urgency, next_says, next_who,
   next_due)
select 'p' || n, 's' || n % 3, 'ehr', 'patient' || n, '', 'open', 'phase', 1, 'p',
   jsonb_build_object('of', repeat(md5(n::text), 40)), 'r', now(), now(), now(), n % 4, 'Do it.',
   array['nurse'], timestamptz '2027-03-01' + n * interval '1 minute'
from generate_series(1, :count) n;
insert into patient (connection_id, patient_id, name, fingerprint, read_at)
select 'ehr', 'patient' || n, 'Somebody ' || n, '', now() from generate_series(1, :count) n;
insert into task
  (pathway_id, id, site_id, connection_id, patient_id, phase, ask, rule, says, roles, urgency,
   opened_at, due_at, raised, acknowledged)
select id, 't' || n, site_id, connection_id, patient_id, phase, 'ask', 'rule', 'Do it.',
   array[case n when 1 then 'nurse' else 'prescriber' end], urgency % 3, now(), next_due, 0, false
from pathway cross join generate_series(1, 2) n;
insert into visit
  (pathway_id, id, site_id, connection_id, patient_id, phase, status, starts_at, given, planned)
select id, 'v' || n, site_id, connection_id, patient_id, phase, 'booked',
   next_due + n * interval '3 days', 0, 1
from pathway cross join generate_series(1, 8) n;
insert into delivery
  (key, site_id, pathway_id, connection_id, patient_id, event_id, artefact, resource_type, action,
   body, needs, state, needs_person, attempts, differences, created_at, changed_at)
select id || n, site_id, id, connection_id, patient_id, 'e' || n, id || n, 'Observation', 'create',
   '{}', '[]', case when n = 1 and id like '%77' then 'refused' else 'confirmed' end,
   n = 1 and id like '%77', 1, '[]', now(), now()
from pathway cross join generate_series(1, 5) n;
"""

ASKED: list[tuple[Listed, Mapping[str, object]]] = [
    (TASKS, {}),
    (TASKS, {"role": "nurse"}),
    (TASKS, {"urgency": 2}),
    (TASKS, {"connection": "ehr", "patient": "patient77"}),
    (TASKS, {"phase": "phase", "overdue": False}),
    (VISITS, {}),
    (VISITS, {"starting": datetime(2027, 3, 9, tzinfo=UTC), "status": "booked"}),
    (VISITS, {"connection": "ehr", "patient": "patient77"}),
    (PATHWAYS, {}),
    (PATHWAYS, {"status": "open", "urgency": 1}),
    (PATHWAYS, {"connection": "ehr", "patient": "patient77"}),
    (DELIVERIES, {}),
    (DELIVERIES, {"needs_person": True}),
    (DELIVERIES, {"state": "refused"}),
]


@pytest.mark.slow
async def test_a_page_of_a_list_reads_a_page(database: Database):
    """At 10,000 pathways, by the blocks that PostgreSQL read: first page, next page and count."""
    async with database.begin() as tx:
        for statement in FILL.split(";\n"):
            if statement.strip():
                await tx.execute(text(statement), {"count": PATHWAYS_STORED})
        await tx.execute(text("analyze"))
    for of, wanted in ASKED:
        *pages, count = await _blocks(database, of, wanted)
        assert max(pages) < MOST_OF_A_PAGE, (of.table, wanted)
        assert count < MOST_OF_A_COUNT, (of.table, wanted)


async def _blocks(database: Database, of: Listed, wanted: Mapping[str, object]) -> list[int]:
    """The blocks that the first page, the next one and the count read."""
    sites = ("s0", "s1", "s2")
    async with database.begin() as tx:
        first = await lists.page(tx, of, sites, wanted, None, 51, NOW)
        assert first
        asked = (
            lists.page_asked(of, sites, wanted, None, 51, NOW),
            lists.page_asked(of, sites, wanted, first[-1][0], 51, NOW),
            lists.count_asked(of, sites, wanted, NOW),
        )
        plans = [
            (await tx.execute(text(f"explain (analyze, buffers, format json) {query}"), values))
            for query, values in asked
        ]
        found = [plan.scalar_one()[0]["Plan"] for plan in plans]
    return [plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in found]
