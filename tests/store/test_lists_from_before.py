"""What was stored before there were lists is in them after the upgrade."""

import psycopg

from store import schema

BEFORE = """
insert into protocol (sha256, body) values ('p', '{}');
insert into pathway
  (id, site_id, connection_id, patient_id, patient_fingerprint, status, phase, version,
   protocol_sha256, projection, rules, due_at, started_at, changed_at)
values
  ('over', 's', 'ehr', 'one', '', 'finished', 'phase', 1, 'p', '{"zone": "America/New_York",
    "outcome": "completed", "visits": {
      "v1": {"phase": "phase", "status": "released",
        "at": {"day": "2027-03-01", "hour": "09:00:00"}, "checked_in": "2027-03-01T14:02:00Z"},
      "v2": {"phase": "phase", "status": "cancelled",
        "at": {"day": "2027-03-04", "hour": "09:00:00"}}},
    "sessions": {"phase/1": {"visit": "v1"}}}', 'r', null, now(), now()),
  ('open', 's', 'ehr', 'two', '', 'open', 'phase', 1, 'p', '{"visits": {}}', 'r', null, now(),
   now());
insert into event
  (pathway_id, seq, event_id, kind, at, author_id, author_role, recorded_at, rules, event)
values ('over', 1, 'e', 'hold-lifted', now(), 'n', 'nurse', now(), 'r',
  '{"id": "e", "fact": {"kind": "hold-lifted", "hold": "h", "reason": "well"}}');
"""


def test_what_has_ended_is_listed_and_what_goes_on_is_looked_at_again(
    empty_database_url: str,
) -> None:
    """An ended pathway's visits by their instants, but called-off ones; facts as they were."""
    schema.upgrade(empty_database_url, "0004")
    with psycopg.connect(empty_database_url.replace("+psycopg", ""), autocommit=True) as tx:
        tx.execute(BEFORE)
        schema.upgrade(empty_database_url)
        visits = tx.execute(
            "select pathway_id, id, status, starts_at at time zone 'UTC', given from visit"
        ).fetchall()
        assert [(*row[:3], str(row[3]), row[4]) for row in visits] == [
            ("over", "v1", "released", "2027-03-01 14:00:00", 1)
        ]
        ended, going_on = tx.execute(
            "select rules, next_says, urgency from pathway order by id desc"
        ).fetchall()
        assert ended == ("r", "The pathway is complete.", 4)
        assert going_on == ("", None, 3)
        fact = tx.execute("select fact from event").fetchone()
        assert fact == ({"kind": "hold-lifted", "hold": "h", "reason": "well"},)
