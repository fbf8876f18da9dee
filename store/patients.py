"""Who a patient is, as it was last read in the EHR: for people to compare, and for nothing else.

Kept of patients who have a pathway. Must not be used to decide anything, nor stand in a log.
"""

from datetime import datetime

from sqlalchemy import text

from store.database import Transaction

_NOTE = text(
    "insert into patient as known (connection_id, patient_id, name, birth_date, identifier,"
    " fingerprint, read_at) values (:connection, :patient, :name, :birth_date, :identifier,"
    " :fingerprint, :at) on conflict (connection_id, patient_id) do update set"
    " changed_at = case when known.fingerprint = excluded.fingerprint then known.changed_at"
    " else excluded.read_at end, name = excluded.name, birth_date = excluded.birth_date,"
    " identifier = excluded.identifier, fingerprint = excluded.fingerprint,"
    " read_at = excluded.read_at where known.read_at <= excluded.read_at"
)


async def note(
    tx: Transaction,
    connection_id: str,
    patient_id: str,
    *,
    name: str | None,
    birth_date: str | None,
    identifier: str | None,
    fingerprint: str,
    at: datetime,
) -> None:
    """Keep what an EHR said at a time, unless it is known what it said later.

    `birth_date` is a year, a year and a month, or a day. `fingerprint` is equal for as long as
    birth date and identifiers are.
    """
    values = {
        "connection": connection_id,
        "patient": patient_id,
        "name": name,
        "birth_date": birth_date,
        "identifier": identifier,
        "fingerprint": fingerprint,
        "at": at,
    }
    await tx.execute(_NOTE, values)
