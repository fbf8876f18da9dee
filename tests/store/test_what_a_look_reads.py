"""A look at a lane reads what the lane has, also where PostgreSQL has no statistics yet."""

from sqlalchemy import text

from store import lanes, schema
from store.database import Database

WAITING, LINKS = 50, 5_000

FILL = """
insert into protocol (sha256, body) values ('p', '{}');
insert into pathway
  (id, site_id, connection_id, patient_id, patient_fingerprint, status, phase, version,
   protocol_sha256, projection, rules, started_at, changed_at, urgency)
values ('p', 's', 'ehr', 'patient', '', 'open', 'phase', 1, 'p', '{}', 'r', now(), now(), 3);
insert into ehr_link (connection_id, artefact, resource_type, ehr_id)
select 'ehr', 'of-before-' || n, 'Observation', n from generate_series(1, 5000) n;
insert into delivery
  (key, site_id, pathway_id, connection_id, patient_id, event_id, artefact, resource_type, action,
   body, needs, state, needs_person, attempts, differences, created_at, changed_at)
select n, 's', 'p', 'ehr', 'patient', n, 'new-' || n, 'Observation', 'create', '{}',
   jsonb_build_array('of-before-' || n), 'intent', false, 0, '[]', now(), now()
from generate_series(1, 50) n
"""

READ = "select coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from pg_stat_user_tables"


async def test_no_more_links_are_read_than_the_lane_asks_for(empty_database_url: str) -> None:
    """A database that was never analyzed, 5,000 links: one is read for each write that needs one.

    A new database is one, and one that was restored.
    """
    schema.upgrade(empty_database_url)
    database = Database(empty_database_url)
    try:
        async with database.begin() as tx:
            for statement in FILL.split(";\n"):
                await tx.execute(text(statement))
        before = await _links_read(database)
        async with database.begin() as tx:
            seen = await lanes.view(tx, "ehr", "patient")
        assert (len(seen.rows), len(seen.in_ehr)) == (WAITING, WAITING)
        assert await _links_read(database) - before <= 2 * WAITING
    finally:
        await database.close()


async def _links_read(database: Database) -> int:
    """How many rows of links this database has read so far."""
    async with database.begin() as tx:
        await tx.execute(text("select pg_stat_force_next_flush()"))
    async with database.begin() as tx:
        found = await tx.execute(text(f"{READ} where relname = 'ehr_link'"))
        return int(found.scalar_one())
