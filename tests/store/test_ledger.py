"""The delivery ledger: order where order matters, and moves that make sense."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from domain.delivery.words import MOVES, Action, DeliveryState, Intent
from domain.language.errors import Conflict
from domain.language.names import ConnectionId, EhrPatientId, PathwayId, SiteId
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from store import lanes, ledger, pathways
from store.database import Database
from store.tables import DeliveryRow

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


async def _settle(database: Database, state: DeliveryState) -> str | None:
    """Take the lane's next delivery, move it there, and say which artefact it was."""
    async with database.begin() as tx:
        row = await lanes.next_in_lane(tx, "ehr", "patient-1")
        if row is None:
            return None
        ledger.move(row, DeliveryState.SENT, NOW)
        ledger.move(row, state, NOW)
        row.needs_person = state is DeliveryState.REFUSED
        if state is DeliveryState.CONFIRMED:
            await ledger.link(tx, row, f"id-{row.artefact}")
        return row.artefact


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
        row = (await tx.execute(select(DeliveryRow))).scalar_one()
        with pytest.raises(Conflict, match="another resource"):
            await ledger.link(tx, row, "other-id")


def test_a_confirmed_delivery_is_final() -> None:
    """Nothing moves a delivery on that was read back equal."""
    assert MOVES[DeliveryState.CONFIRMED] == frozenset()


@pytest.mark.parametrize("state", list(DeliveryState))
def test_every_state_has_its_moves(state: DeliveryState) -> None:
    """Every ledger state says where it may go, and never to itself."""
    assert state not in MOVES[state]
