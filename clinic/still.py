"""Says when the ledger is quiet: what the mover of time waits for before it moves on.

One statement on Kairos' own tables, because nobody is to be asked for a token for it.
"""

from datetime import datetime

import psycopg

_NEXT = """
select min(at) from (
  select case when holder is not null then %(now)s
              else greatest(ready_at, coalesce(rests_until, ready_at)) end as at
  from lane
  where (ready_at is not null or holder is not null)
    and (holder is not null
         or not exists (select from outage where outage.connection_id = lane.connection_id))
  union all
  select least(ask_at, %(now)s) from outage where ask_at <= %(now)s or holder is not null
) as tries
"""


class Ledger:
    """The lanes of a clinic's database."""

    def __init__(self, url: str) -> None:
        """`url` is the database's, as PostgreSQL has it or as SQLAlchemy does."""
        self._url = url.replace("+psycopg", "")
        self._connection: psycopg.AsyncConnection[tuple[datetime | None]] | None = None

    async def next_at(self, now: datetime) -> datetime | None:
        """When the next write is tried; `now` or before while one is under way, None for never.

        An EHR that is away counts only until it was asked whether it is back.
        """
        try:
            return await self._next_at(now)
        except psycopg.errors.UndefinedTable:
            return None  # nothing of Kairos is there yet
        except psycopg.OperationalError:
            return now  # the database is started anew: nobody knows

    async def _next_at(self, now: datetime) -> datetime | None:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        row = await (await self._connection.execute(_NEXT, {"now": now})).fetchone()
        return row[0] if row else None

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
