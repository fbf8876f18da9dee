"""The pathway's workflow on the real time-skipping server, with its real database and EHR."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from temporalio.client import WorkflowHandle

import domain.decide
from domain.language.errors import Conflict, Refused, Unavailable
from domain.language.holds import PlaceHold
from domain.language.names import (
    HoldReason,
    ObservationName,
    PathwayId,
    PhaseId,
    VisitId,
    VisitStatus,
)
from domain.language.observations import Measurement, RecordReadings
from domain.language.pathway import Pathway
from domain.language.phases import SignOrder
from domain.language.protocol import CombinedProtocol
from domain.language.treatment import RecordDose
from domain.language.visits import BookVisit
from domain.rules.fold import fold
from store import pathways
from store.database import Database
from temporal.gateway import look
from tests.standing import StandingEhr
from tests.world import MANAGER, NURSE, PRESCRIBER, World, a_world
from workflows.messages import pathway_workflow_id

INDUCTION = PhaseId("esketamine-induction")


@pytest.fixture
async def world(
    database: Database, protocol: CombinedProtocol, standing_ehr: StandingEhr
) -> AsyncIterator[World]:
    """A clinic with one enrolled patient."""
    async with a_world(database, protocol, standing_ehr) as made:
        await made.enrol((await made.now()).date() + timedelta(days=7))
        await made.until_quiet()
        yield made


def _handle(world: World) -> WorkflowHandle[object, object]:
    return world.client.get_workflow_handle(pathway_workflow_id(world.pathway_id))


async def _pulse_oximetry(world: World, request: str | None = None) -> int | None:
    reading = Measurement(ObservationName("spo2"), Decimal(97), "%")
    wish = RecordReadings(await world.now(), (reading,))
    return (await world.do(NURSE, wish, request)).version


async def test_no_history_holds_what_a_command_says(world: World) -> None:
    """A history holds ids, versions and times: neither a command, a refusal nor the protocol."""
    dose = RecordDose(VisitId("esketamine-induction-visit-1"), await world.now(), 28, "lot")
    await world.do(PRESCRIBER, SignOrder(INDUCTION))
    await world.do(NURSE, PlaceHold(HoldReason.SUPPLY, "no device in the house"))
    with pytest.raises(Refused, match="28 mg") as refused:
        await world.do(NURSE, dose)
    assert "dose" in [block.rule for block in refused.value.blocked_by]
    text = (await _handle(world).fetch_history()).to_json()
    for said in ("28 mg", "no device", "esketamine", "nurse-1", world.patient):
        assert said not in text
        assert b64encode(said.encode()).decode().rstrip("=")[:-2] not in text


async def test_a_command_is_eight_events_at_most(world: World) -> None:
    """A command is six events of history, and eight where it moves the next due time."""
    await world.do(PRESCRIBER, SignOrder(INDUCTION))
    lengths = [(await _handle(world).describe()).history_length]
    await _pulse_oximetry(world)
    lengths.append((await _handle(world).describe()).history_length)
    await world.do(MANAGER, BookVisit(VisitId("esketamine-induction-visit-1")))
    lengths.append((await _handle(world).describe()).history_length)
    kept, moved = lengths[1] - lengths[0], lengths[2] - lengths[1]
    assert kept <= 6
    assert moved <= 8


async def test_one_request_takes_effect_once(world: World) -> None:
    """The same request sent three times is one event, and answers the same version."""
    request = str(uuid4())
    wish = PlaceHold(HoldReason.SUPPLY, "no device")
    first = await world.do(NURSE, wish, request)
    assert await world.do(NURSE, wish, request) == first
    await world.until_quiet()
    assert len((await world.pathway()).holds) == 1


async def test_a_defect_fails_one_command_and_not_the_pathway(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When handling a command breaks, that command is unknown and the next one works."""
    await world.enrol((await world.now()).date() + timedelta(days=7))
    await world.until_quiet()
    real = domain.decide.decide

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(domain.decide, "_facts", broken)
    with pytest.raises(Unavailable):
        await world.do(PRESCRIBER, SignOrder(INDUCTION))
    monkeypatch.undo()
    assert domain.decide.decide is real
    await world.do(PRESCRIBER, SignOrder(INDUCTION))
    await world.until_quiet()
    assert (await world.pathway()).phases[INDUCTION].signed is not None


async def test_rolling_over_loses_and_repeats_nothing(world: World) -> None:
    """After continue-as-new every reading is stored once, and an old request is still known."""
    await world.enrol((await world.now()).date() + timedelta(days=7), roll_over_at=20)
    first_run = (await _handle(world).describe()).run_id
    request = str(uuid4())
    version = await _pulse_oximetry(world, request)
    for _ in range(60):
        await _pulse_oximetry(world)
    await world.until_quiet()
    assert (await _handle(world).describe()).run_id != first_run
    assert await _pulse_oximetry(world, request) == version
    await world.until_quiet()
    async with world.database.begin() as tx:
        events = await pathways.events_after(tx, world.pathway_id, 0, 1000)
    assert sum(row.kind == "readings-taken" for row in events) == 61
    assert len({row.event_id for row in events}) == len(events)


async def test_the_projection_is_the_fold_of_the_events(world: World) -> None:
    """What screens read equals what the stored events say; a run that looks knows how many."""
    await world.do(PRESCRIBER, SignOrder(INDUCTION))
    await world.until_quiet()
    await world.do(MANAGER, BookVisit(VisitId("esketamine-induction-visit-1")))
    await look(world.client, world.pathway_id)
    await world.until_quiet()
    async with world.database.begin() as tx:
        events = await pathways.history(tx, world.pathway_id)
    begun = Pathway(PathwayId(world.pathway_id))
    folded = fold(begun, events, world.protocol.vocabulary)
    assert folded == await world.pathway()
    assert folded.visits[VisitId("esketamine-induction-visit-1")].status is VisitStatus.BOOKED
    assert await _handle(world).query("version") == len(events)


async def test_a_stale_expectation_is_a_conflict(world: World) -> None:
    """A command that expects another version than the pathway's is refused as a conflict."""
    with pytest.raises(Conflict, match="not 99") as conflict:
        await world.do(PRESCRIBER, SignOrder(INDUCTION), expects=99)
    assert conflict.value.version == (await world.row()).version


async def test_ids_say_nothing_about_the_patient(world: World) -> None:
    """Neither workflow ids nor search attributes carry the patient's id at the EHR."""
    described = await _handle(world).describe()
    assert world.patient not in described.id
    assert world.patient not in str(dict(described.search_attributes))


async def test_fifty_commands_at_once_are_all_answered(world: World) -> None:
    """Fifty people at one pathway at one moment: each is answered, at a version of their own."""
    commands = [await world.receive(NURSE, PlaceHold(HoldReason.SUPPLY, "")) for _ in range(50)]
    settled = await asyncio.gather(*(world.settled(each) for each in commands))
    assert {each.state for each in settled} == {"applied"}
    assert len({each.version for each in settled}) == 50


async def test_a_run_hands_over_under_steady_load(world: World) -> None:
    """While four people never let a pathway rest it rolls over; each command is settled once."""
    await world.enrol((await world.now()).date() + timedelta(days=7), roll_over_at=20)
    first = (await _handle(world).describe()).run_id

    async def steadily() -> set[int | None]:
        return {await _pulse_oximetry(world) for _ in range(15)}

    versions = await asyncio.gather(*(steadily() for _ in range(4)))
    assert len(set().union(*versions)) == 60
    assert (await _handle(world).describe()).run_id != first
