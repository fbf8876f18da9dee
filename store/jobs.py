"""How what runs beside the lanes went last: the sweep, the inbox, the questions to each EHR.

One row a job, whichever process runs it. By the machines' time, passed in.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from store.database import Transaction

SWEEP, INBOX = "sweep", "inbox"


@dataclass(frozen=True, slots=True)
class Job:
    """When it last came to an end, and since when and why it does not, if it does not."""

    name: str
    done_at: datetime | None
    failing_since: datetime | None
    why: str | None


def capability_of(connection_id: str) -> str:
    """The name of the job that reads what an EHR can do."""
    return f"capability/{connection_id}"


_DONE = text(
    "insert into job (name, done_at) values (:name, :at) on conflict (name) do update"
    " set done_at = excluded.done_at, failing_since = null, why = null"
)
_FAILED = text(
    "insert into job as j (name, failing_since, why) values (:name, :at, :why)"
    " on conflict (name) do update set why = excluded.why,"
    " failing_since = coalesce(j.failing_since, excluded.failing_since)"
)
_ALL = text("select name, done_at, failing_since, why from job order by name")


async def done(tx: Transaction, name: str, at: datetime) -> None:
    """Note that a job came to its end."""
    await tx.execute(_DONE, {"name": name, "at": at})


async def failed(tx: Transaction, name: str, at: datetime, why: str) -> None:
    """Note that a job failed; `why` holds nothing of a patient."""
    await tx.execute(_FAILED, {"name": name, "at": at, "why": why})


async def every(tx: Transaction) -> dict[str, Job]:
    """Every job that was ever run, by its name."""
    return {row.name: Job(*row) for row in (await tx.execute(_ALL)).all()}
