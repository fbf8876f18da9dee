"""Exactly one effect in the EHR, whatever is lost on the way. Real EHR, real ledger, hurt wire."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from domain.delivery.words import DeliveryState
from domain.language.names import ObservationName, PhaseId
from domain.language.observations import Measurement, RecordReadings
from domain.language.phases import SignOrder
from domain.language.protocol import CombinedProtocol
from store import queue
from store.database import Database
from store.ehr_tables import DeliveryRow
from tests.standing import StandingEhr
from tests.world import NURSE, PRESCRIBER, World, a_world

INDUCTION = PhaseId("esketamine-induction")
IS_OBSERVATION = DeliveryRow.resource_type == "Observation"


@pytest.fixture
async def world(
    database: Database, protocol: CombinedProtocol, standing_ehr: StandingEhr
) -> AsyncIterator[World]:
    """A clinic with one enrolled patient."""
    async with a_world(database, protocol, standing_ehr) as made:
        today = (await made.now()).date()
        await made.enrol(today + timedelta(days=7))
        await made.until_quiet()
        yield made


async def _pulse_oximetry(world: World, value: int = 97) -> None:
    measurement = Measurement(ObservationName("spo2"), Decimal(value), "%")
    await world.do(NURSE, RecordReadings(await world.now(), (measurement,)))


def _states(rows: list[DeliveryRow]) -> set[str]:
    return {row.state for row in rows}


async def test_everything_intended_is_confirmed(world: World) -> None:
    """In fair weather each delivery is read back equal and confirmed."""
    await world.do(PRESCRIBER, SignOrder(INDUCTION))
    await world.until_quiet()
    rows = await world.ledger()
    assert len(rows) > 10
    assert [(r.artefact, r.state, r.differences) for r in rows if r.state != "confirmed"] == []


async def test_a_lost_response_makes_no_double(world: World) -> None:
    """A create whose answer is lost after the EHR committed is found again, not sent again."""
    lost = world.wire.drop_next_response("POST", "/fhir/Observation")
    await _pulse_oximetry(world)
    await world.until_quiet(5)
    assert lost.happened.is_set()
    assert len(await world.in_ehr("Observation")) == 1
    assert _states(await world.ledger()) == {DeliveryState.CONFIRMED}


async def test_an_ehr_that_is_down_for_an_hour_drains_once(world: World) -> None:
    """While the EHR refuses connections the clinic goes on; then each write arrives once."""
    world.wire.refuse()
    for value in (95, 96, 97):
        await _pulse_oximetry(world, value)
    await world.until_quiet(60)
    waiting = [r for r in await world.ledger() if r.resource_type == "Observation"]
    assert [r.state for r in waiting] == ["intent"] * 3
    world.wire.accept()
    await world.until_quiet(30)
    assert len(await world.in_ehr("Observation")) == 3
    assert _states(await world.ledger()) == {DeliveryState.CONFIRMED}


async def test_a_refused_write_needs_a_person_and_others_go_on(world: World) -> None:
    """The EHR refuses one write: that delivery says why and waits, the patient's others do not."""
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": "business-rule"}],
    }
    world.wire.answer_next("POST", "/fhir/Observation", 422, outcome)
    await _pulse_oximetry(world, 95)
    await _pulse_oximetry(world, 96)
    await world.until_quiet(5)
    first, second = [r for r in await world.ledger() if r.resource_type == "Observation"]
    assert (first.state, first.needs_person) == (DeliveryState.REFUSED, True)
    assert "422" in (first.reason or "")
    assert second.state == DeliveryState.CONFIRMED


async def test_sent_is_committed_before_the_answer(world: World) -> None:
    """While the EHR has not answered, the ledger already says that the write was sent."""
    hung = world.wire.hang_next("POST", "/fhir/Observation")
    await _pulse_oximetry(world)
    assert await asyncio.to_thread(hung.happened.wait, 10)
    states = {r.state for r in await world.ledger() if r.resource_type == "Observation"}
    hung.release()
    assert states == {DeliveryState.SENT}
    await world.until_quiet()
    assert len(await world.in_ehr("Observation")) == 1


async def test_what_was_sent_by_a_dead_process_is_looked_for(world: World) -> None:
    """A write that another process sent before it died is found by identifier and adopted."""
    await _pulse_oximetry(world)
    await world.until_quiet()
    async with world.database.begin() as tx:
        row = (await tx.execute(select(DeliveryRow).where(IS_OBSERVATION))).scalar_one()
        row.state, row.ehr_id = DeliveryState.SENT, None
        await queue.ring(tx, row.connection_id, row.patient_id, await world.clock.pace())
    await world.until_quiet()
    after = [r for r in await world.ledger() if r.resource_type == "Observation"]
    assert [r.state for r in after] == [DeliveryState.CONFIRMED]
    assert len(await world.in_ehr("Observation")) == 1
