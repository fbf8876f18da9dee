"""The delivery ledger: order where order matters, and moves that make sense."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select, text, update

from domain.delivery.after import begun
from domain.delivery.words import Action, Delivery, DeliveryDecision, DeliveryState, Intent
from domain.language.errors import Conflict
from domain.language.names import ConnectionId, EhrPatientId, PathwayId, SiteId
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from store import lanes, ledger, pathways, queue
from store.__main__ import main
from store.database import Database, Transaction
from store.ehr_tables import DeliveryRow
from store.queue import Held

NOW = datetime(2027, 3, 1, 14, tzinfo=UTC)


async def _pathway(database: Database, protocol: CombinedProtocol) -> None:
    pathway = Pathway(
        PathwayId("p1"), EhrPatientId("patient-1"), ConnectionId("ehr"), SiteId("manhattan")
    )
    async with database.begin() as tx:
        await pathways.reserve(tx, pathway, protocol, "fingerprint", NOW)


async def _intend(database: Database, event: str, *intents: Intent) -> None:
    async with database.begin() as tx:
        row = await pathways.lock(tx, "p1")
        await ledger.intend(tx, row, event, intents, NOW)


def _create(artefact: str, *needs: str) -> Intent:
    return Intent(artefact, "Observation", Action.CREATE, {"resourceType": "Observation"}, needs)


async def _in_hand(tx: Transaction) -> Held:
    """The patient's lane, taken for this test, whoever has it."""
    await queue.ring(tx, "ehr", "patient-1", NOW)
    await tx.execute(text("update lane set holder = null"))
    held = await queue.take(tx, "ehr", "a-test", NOW)
    assert held is not None
    return held


async def _begun(tx: Transaction, number: int, at: datetime) -> tuple[Delivery, Delivery]:
    """Begin a delivery: as it was found, and as it then stands."""
    begins = await ledger.begin_next(tx, await _in_hand(tx), number, at)
    assert begins is not None
    return begins[:2]


async def _settle(database: Database, state: DeliveryState) -> str | None:
    """Take the lane's next delivery, move it there, and say which artefact it was."""
    async with database.begin() as tx:
        number = (await lanes.view(tx, "ehr", "patient-1")).next(NOW)
        if number is None:
            return None
        delivery, sent = await _begun(tx, number, NOW)
        await ledger.record_decision(tx, sent, _decision(state), NOW)
        if state is DeliveryState.CONFIRMED:
            await ledger.link(tx, delivery, f"id-{delivery.artefact}")
        return delivery.artefact


def _decision(state: DeliveryState) -> DeliveryDecision:
    return DeliveryDecision(state, 1, "as the test has it", state is DeliveryState.REFUSED)


async def test_an_event_is_intended_once(database: Database, protocol: CombinedProtocol) -> None:
    """Intending the same event twice adds no delivery."""
    await _pathway(database, protocol)
    await _intend(database, "e1", _create("a"), _create("b"))
    await _intend(database, "e1", _create("a"), _create("b"))
    async with database.begin() as tx:
        rows = (await tx.execute(select(DeliveryRow))).scalars().all()
    assert [row.artefact for row in rows] == ["a", "b"]


async def test_a_refused_delivery_holds_back_only_what_needs_it(
    database: Database, protocol: CombinedProtocol
) -> None:
    """When the EHR refuses one write, its dependants wait and the patient's others go on."""
    await _pathway(database, protocol)
    await _intend(database, "e1", _create("order"), _create("dose", "order"), _create("reading"))
    assert await _settle(database, DeliveryState.REFUSED) == "order"
    assert await _settle(database, DeliveryState.CONFIRMED) == "reading"
    assert await _settle(database, DeliveryState.CONFIRMED) is None


async def test_an_update_waits_for_its_create(
    database: Database, protocol: CombinedProtocol
) -> None:
    """Deliveries of one artefact keep their order, also past one that needs a person."""
    await _pathway(database, protocol)
    update = Intent("visit", "Appointment", Action.UPDATE, {"status": "arrived"})
    await _intend(database, "e1", _create("visit"), update)
    assert await _settle(database, DeliveryState.REFUSED) == "visit"
    assert await _settle(database, DeliveryState.CONFIRMED) is None


async def test_an_artefact_never_becomes_a_second_resource(
    database: Database, protocol: CombinedProtocol
) -> None:
    """Linking an artefact to another resource than before is a conflict."""
    await _pathway(database, protocol)
    await _intend(database, "e1", _create("a"))
    await _settle(database, DeliveryState.CONFIRMED)
    async with database.begin() as tx:
        delivery = await ledger.get(tx, 1)
        with pytest.raises(Conflict, match="another resource"):
            await ledger.link(tx, delivery, "other-id")


async def test_a_resource_never_becomes_a_second_artefact(
    database: Database, protocol: CombinedProtocol
) -> None:
    """What another delivery became cannot be this one's; linking the same twice is nothing."""
    await _pathway(database, protocol)
    await _intend(database, "e1", _create("a"), _create("b"))
    await _settle(database, DeliveryState.CONFIRMED)
    async with database.begin() as tx:
        await ledger.link(tx, await ledger.get(tx, 1), "id-a")
        with pytest.raises(Conflict, match="already belongs to another delivery"):
            await ledger.link(tx, await ledger.get(tx, 2), "id-a")


async def test_a_move_that_there_is_not_is_a_conflict(
    database: Database, protocol: CombinedProtocol
) -> None:
    """What was confirmed stays so, whatever is decided about it later."""
    await _pathway(database, protocol)
    await _intend(database, "e1", _create("a"))
    await _settle(database, DeliveryState.CONFIRMED)
    async with database.begin() as tx:
        delivery = await ledger.get(tx, 1)
        with pytest.raises(Conflict, match="cannot go from confirmed to intent"):
            await ledger.record_decision(tx, delivery, _decision(DeliveryState.INTENT), NOW)


async def test_an_attempt_that_another_has_overtaken_is_known(
    database: Database, protocol: CombinedProtocol
) -> None:
    """A slow attempt is told that its delivery was taken again, even if that one did not count."""
    await _pathway(database, protocol)
    await _intend(database, "e1", _create("a"))
    async with database.begin() as tx:
        _, slow = await _begun(tx, 1, NOW)
    for minutes in (1, 2):  # put back without counting, and taken anew
        async with database.begin() as tx:
            assert await ledger.overtaken(tx, slow) == (minutes > 1)
            put_back = DeliveryDecision(DeliveryState.INTENT, 0, "the EHR cannot be reached")
            await ledger.record_decision(tx, slow, put_back, NOW)
            await _begun(tx, 1, NOW + timedelta(minutes=minutes))


async def test_a_long_lane_is_looked_through_without_its_bodies(
    database: Database, protocol: CombinedProtocol
) -> None:
    """Of a hundred waiting deliveries only the one taken has its resource read."""
    await _pathway(database, protocol)
    await _intend(database, "e1", *(_create(f"a{number}") for number in range(100)))
    read: list[int] = []
    async with database.begin() as tx:
        connection = (await tx.connection()).sync_connection
        assert connection is not None
        event.listen(
            connection,
            "after_cursor_execute",
            lambda _c, cursor, text, *_: read.append(cursor.rowcount) if "d.*" in text else None,
        )
        number = (await lanes.view(tx, "ehr", "patient-1")).next(NOW)
        assert number is not None
        assert await ledger.begin_next(tx, await _in_hand(tx), number, NOW) is not None
    assert read == [1]


async def test_after_a_restore_nothing_counts_as_unsent(
    database: Database,
    database_url: str,
    protocol: CombinedProtocol,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Told that a backup was put back, each write not sent yet is looked for first."""
    await _pathway(database, protocol)
    by_hand = Intent("c", "Task", Action.PERSON, {"resourceType": "Task"}, ())
    await _intend(database, "e1", _create("a"), _create("b"), by_hand)
    monkeypatch.setenv("KAIROS_DATABASE_URL", database_url)
    assert await asyncio.to_thread(main, ["restored"]) == 0
    assert "before they are sent: 3" in capsys.readouterr().out
    async with database.begin() as tx:
        rows = (await tx.execute(select(DeliveryRow).order_by(DeliveryRow.id))).scalars().all()
    assert [row.state for row in rows] == ["sent", "sent", "intent"]


@pytest.mark.parametrize("state", ["intent", "sent", "unknown"])
async def test_a_delivery_begins_as_the_domain_says(
    database: Database, protocol: CombinedProtocol, state: str
) -> None:
    """What the ledger writes down of one that is about to be tried is what `begun` makes of it."""
    await _pathway(database, protocol)
    await _intend(database, "e1", _create("a"))
    async with database.begin() as tx:
        await tx.execute(update(DeliveryRow).values(state=state, attempts=3))
        before = await ledger.get(tx, 1)
        found, stands = await _begun(tx, 1, NOW + timedelta(hours=1))
        assert found == before
        assert stands == begun(before, NOW + timedelta(hours=1)) == await ledger.get(tx, 1)
