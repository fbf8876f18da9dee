"""Lanes as a queue: which patient's deliveries are ready, and who has them in hand.

A lane in hand is nobody else's until it is let go, or its holder is gone. Whoever changes
deliveries rings for their lane in the same transaction, at its end: who has a lane's lock waits for
no delivery's.
Whether a holder is gone is told by its session with this database, which ends with its process,
and by a lease, which ends where a process was stopped.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from store.database import Transaction

CHANNEL = "kairos_lanes"
"""What is notified when a lane rings: a hint, with the connection's id."""

LEASE = timedelta(seconds=10)
"""How long a process that has stopped saying that it lives keeps its lanes."""

SESSION_LOST = timedelta(seconds=3)
"""How long it keeps them while its session is gone: a session that was cut is back sooner."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lane in hand. `bell` and `rests` are as they were when it was taken.

    `rests` is how often in a row the EHR was too busy for this patient. `takes` tells this time
    from any other, by the same holder too: a lane that was freed meanwhile is not in this hand.
    """

    connection_id: str
    patient_id: str
    holder: str
    bell: int
    rests: int
    takes: int


def _rank(*, urgent: bool) -> int:
    return 0 if urgent else 1


_RING = text(
    "with rung as ("
    " insert into lane as l (connection_id, patient_id, ready_at, rests, rank, bell)"
    " values (:connection, :patient, :at, 0, :rank, 1)"
    " on conflict (connection_id, patient_id) do update set"
    " ready_at = least(l.ready_at, excluded.ready_at),"
    " rank = least(l.rank, excluded.rank), bell = l.bell + 1"
    " returning connection_id)"
    " select pg_notify('kairos_lanes', connection_id) from rung"
)


async def ring(
    tx: Transaction, connection_id: str, patient_id: str, at: datetime, *, urgent: bool = False
) -> None:
    """Say that a lane has something that may go now; it is heard when the transaction commits."""
    values = {
        "connection": connection_id,
        "patient": patient_id,
        "at": at,
        "rank": _rank(urgent=urgent),
    }
    await tx.execute(_RING, values)


_RING_EACH = text(
    "insert into lane as l (connection_id, patient_id, ready_at, rests, rank, bell)"
    " select connection_id, patient_id, cast(:at as timestamptz), 0, 1, 1 from delivery"
    " where state in ('intent', 'sent', 'unknown') and not needs_person"
    " group by connection_id, patient_id order by connection_id, patient_id"
    " on conflict (connection_id, patient_id) do update"
    " set ready_at = excluded.ready_at, bell = l.bell + 1"
    " where l.ready_at is null and l.holder is null"
)


async def ring_for_what_is_open(tx: Transaction, at: datetime) -> None:
    """Ring for every lane with an open delivery that nobody has in hand: a bell may be lost."""
    await tx.execute(_RING_EACH, {"at": at})


_TAKE = text(
    "update lane set holder = :holder, takes = coalesce(takes, 0) + 1"
    " where (connection_id, patient_id) = ("
    " select connection_id, patient_id from lane"
    " where connection_id = :connection and ready_at <= :now and holder is null"
    " and coalesce(rests_until <= :now, true)"
    " and (:probing or not exists (select from outage where connection_id = :connection))"
    " order by rank, ready_at limit 1 for update skip locked)"
    " returning patient_id, bell, rests, takes"
)


async def take(
    tx: Transaction, connection_id: str, holder: str, now: datetime, *, probing: bool = False
) -> Held | None:
    """Take a lane that is ready, urgent ones first, then the one that waits longest.

    None if there is none, and while the EHR is away; but `probing` tries whether it still is.
    """
    values = {"connection": connection_id, "holder": holder, "now": now, "probing": probing}
    row = (await tx.execute(_TAKE, values)).first()
    if row is None:
        return None
    return Held(connection_id, row.patient_id, holder, row.bell, row.rests, row.takes)


_IN_HAND = text(
    "select from lane where connection_id = :connection and patient_id = :patient"
    " and holder = :holder and takes = :takes"
)


async def is_in_hand(tx: Transaction, held: Held) -> bool:
    """Say whether a lane is still in this hand: whoever is thought dead has lost it."""
    return (await tx.execute(_IN_HAND, _name(held))).first() is not None


_LET_GO = text(
    "update lane set holder = null, rests_until = null, rests = 0,"
    " rank = case when bell = :bell then :rank else least(rank, :rank) end,"
    " ready_at = case when bell = :bell then cast(:again as timestamptz)"
    " else least(ready_at, cast(:again as timestamptz)) end"
    " where connection_id = :connection and patient_id = :patient and holder = :holder"
    " and takes = :takes returning bell <> :bell as rang"
)


async def let_go(
    tx: Transaction, held: Held, again_at: datetime | None, *, urgent: bool = False
) -> bool:
    """Leave a lane of which something may go at `again_at`; None if nothing could.

    If its bell rang since it was taken, it is ready all the same, and True is returned.
    """
    values = {"bell": held.bell, "again": again_at, "rank": _rank(urgent=urgent)}
    row = (await tx.execute(_LET_GO, values | _name(held))).first()
    return row is not None and row.rang


_REST = text(
    "update lane set holder = null, ready_at = :now, rests_until = :until,"
    " rests = rests + cast(cast(:until as timestamptz) > :now as integer)"
    " where connection_id = :connection and patient_id = :patient"
    " and (holder is null or holder = :holder and takes = :takes)"
)


async def rest(tx: Transaction, held: Held, now: datetime, until: datetime) -> None:
    """Leave a lane that is ready, but not to be taken before `until`."""
    await tx.execute(_REST, {"now": now, "until": until} | _name(held))


def _name(held: Held) -> dict[str, object]:
    return {
        "connection": held.connection_id,
        "patient": held.patient_id,
        "holder": held.holder,
        "takes": held.takes,
    }


_LEAVE_ALONE_NO_MORE = text(
    "with them as (update delivery set not_before = null"
    " where connection_id = :connection and state = 'intent' and not_before > :now"
    " returning patient_id) select distinct patient_id from them"
)
_WAKE = text(
    "with woken as ("
    " update lane set rests_until = null, rests = 0, bell = bell + 1,"
    " ready_at = case when patient_id = any(:patients) then :now else ready_at end"
    " where connection_id = :connection"
    " and (rests_until > :now or patient_id = any(:patients)) returning patient_id)"
    " select count(*) as number, pg_notify('kairos_lanes', :connection) from woken"
)


async def wake(tx: Transaction, connection_id: str, now: datetime) -> int:
    """Have what waits only because the EHR was busy tried now; how many patients' lanes that is.

    What waits for a lost write to surface goes on waiting.
    """
    values = {"connection": connection_id, "now": now}
    patients = (await tx.execute(_LEAVE_ALONE_NO_MORE, values)).scalars().all()
    return int((await tx.execute(_WAKE, values | {"patients": list(patients)})).one().number)


_ALIVE = text(
    "insert into lease (name, holder, until) values ('lanes/' || :holder, :holder, now() + :lasts)"
    " on conflict (name) do update set until = excluded.until"
)
_FREE = text(
    "with dead as (select connection_id, patient_id from lane"
    " where connection_id = :connection and holder is not null and holder <> :holder"
    " and not exists (select from lease where name = 'lanes/' || lane.holder and until > now()"
    " and (until > now() + :fresh"
    " or exists (select from pg_stat_activity where application_name = lane.holder)))"
    " for update skip locked)"
    " update lane set holder = null, ready_at = coalesce(ready_at, :now) from dead"
    " where lane.connection_id = dead.connection_id and lane.patient_id = dead.patient_id"
    " returning lane.patient_id"
)
_UNASK = text(
    "update outage set holder = null where connection_id = :connection and holder <> :holder"
    " and not exists (select from lease where name = 'lanes/' || outage.holder and until > now())"
)


async def say_alive(tx: Transaction, holder: str) -> None:
    """Say that a holder lives, by the database's clock, for as long as `LEASE`."""
    await tx.execute(_ALIVE, {"holder": holder, "lasts": LEASE})


async def free_what_dead_hold(
    tx: Transaction, connection_id: str, holder: str, now: datetime
) -> int:
    """Take what holders have in hand that are gone out of it; say how many lanes that frees.

    Waits for nobody: what somebody has locked is freed another time.
    """
    values = {"connection": connection_id, "holder": holder, "now": now}
    await tx.execute(_UNASK, values)
    return len((await tx.execute(_FREE, values | {"fresh": LEASE - SESSION_LOST})).all())


_LEAVE = text(
    "update lane set holder = null, ready_at = coalesce(ready_at, :now), bell = bell + 1"
    " where connection_id = :connection and patient_id = :patient and holder = :holder"
    " and takes = :takes"
)


async def leave_forgotten(tx: Transaction, held: Held, now: datetime) -> None:
    """Leave a lane that its holder may have without knowing: the answer to a commit was lost."""
    await tx.execute(_LEAVE, {"now": now} | _name(held))


_GONE = text("update lane set holder = null where connection_id = :connection and holder = :holder")


async def gone(tx: Transaction, connection_id: str, holder: str) -> None:
    """Leave all that a holder has in hand of a connection: its process ends."""
    await tx.execute(_GONE, {"connection": connection_id, "holder": holder})
