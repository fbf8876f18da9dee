"""An entry in error: marked in the EHR if it may stand there, and never sent if it had not left."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from domain.delivery.withdrawn import NEVER_SENT
from domain.language.corrections import CorrectEntry, EntryVoided, WrongPatient
from domain.language.events import Event
from domain.language.names import (
    EventId,
    HoldReason,
    ObservationName,
    PathwayId,
    PathwayStatus,
    PhaseDecision,
    PhaseId,
    VisitId,
)
from domain.language.observations import Measurement, ReadingsTaken, RecordReadings
from domain.language.phases import Decide
from domain.language.protocol import CombinedProtocol
from domain.rules.corrected import refold
from store import inbox, ledger, pathways, queue
from store.database import Database
from tests.standing import StandingEhr
from tests.whole.house import until
from tests.world import NURSE, PRESCRIBER, World, a_world
from workflows.messages import Turn

INDUCTION = PhaseId("esketamine-induction")

WHY = "typed from another patient's slip"


@pytest.fixture
async def world(
    database: Database, protocol: CombinedProtocol, standing_ehr: StandingEhr
) -> AsyncIterator[World]:
    """A clinic with one enrolled patient."""
    async with a_world(database, protocol, standing_ehr) as made:
        await made.enrol((await made.now()).date() + timedelta(days=7))
        await made.until_quiet()
        yield made


async def _saturation(world: World, value: int = 97) -> EventId:
    """Record a saturation; the id of the entry."""
    at = await world.now()
    measurement = Measurement(ObservationName("spo2"), Decimal(value), "%")
    await world.do(NURSE, RecordReadings(at, (measurement,)))
    return (await _last(world, ReadingsTaken)).id


async def _history(world: World) -> list[Event]:
    async with world.database.begin() as tx:
        return await pathways.history(tx, world.pathway_id)


async def _last(world: World, fact: type) -> Event:
    return [event for event in await _history(world) if isinstance(event.fact, fact)][-1]


async def _statuses(world: World) -> list[str]:
    return sorted(str(each["status"]) for each in await world.in_ehr("Observation"))


async def test_what_stands_in_the_ehr_is_marked_there(world: World) -> None:
    """Written, then taken back: one Observation, entered in error, all else of it as before."""
    entry = await _saturation(world)
    await world.until_quiet()
    (before,) = await world.in_ehr("Observation")
    await world.do(NURSE, CorrectEntry(entry, WHY))
    await world.until_quiet()
    (after,) = await world.in_ehr("Observation")
    assert after["status"] == "entered-in-error"
    same = before.keys() - {"status", "meta"}
    assert {key: after[key] for key in same} == {key: before[key] for key in same}


async def test_what_was_so_instead_is_written_beside_it(world: World) -> None:
    """The right value is an Observation of its own; the wrong one is entered in error."""
    entry = await _saturation(world, 79)
    at = (await _last(world, ReadingsTaken)).at
    await world.until_quiet()
    right = RecordReadings(at, (Measurement(ObservationName("spo2"), Decimal(97), "%"),))
    await world.do(PRESCRIBER, CorrectEntry(entry, WHY, right))
    await world.until_quiet()
    assert await _statuses(world) == ["entered-in-error", "final"]


async def test_what_never_left_is_never_sent(world: World) -> None:
    """Taken back while the EHR is away: nothing is created there, and the ledger says why."""
    world.wire.refuse()
    await _pulse_waits(world)
    entry = await _saturation(world)
    await world.do(NURSE, CorrectEntry(entry, WHY))
    world.wire.accept()
    await world.until_quiet(30)
    withdrawn = [row for row in await world.ledger() if row.reason == NEVER_SENT]
    assert {row.event_id for row in withdrawn} == {entry}
    assert await _statuses(world) == ["final"]


async def _pulse_waits(world: World) -> None:
    """Another write before it, which the EHR's absence keeps in front of the lane."""
    await _saturation(world, 95)
    await world.until_quiet(2)


async def test_a_write_whose_answer_was_lost_is_found_and_then_marked(world: World) -> None:
    """Taken back while nobody knows whether it stands: found, and marked; never two."""
    lost = world.wire.drop_next_response("POST", "/fhir/Observation")
    entry = await _saturation(world)
    assert await asyncio.to_thread(lost.happened.wait, 20)
    await world.do(NURSE, CorrectEntry(entry, WHY))
    await world.until_quiet(10)
    assert await _statuses(world) == ["entered-in-error"]


@pytest.mark.parametrize("sent", [True, False])
async def test_a_void_that_was_in_error_brings_the_entry_back(world: World, *, sent: bool) -> None:
    """Marked in the EHR it is as before; never sent it is written now. Once."""
    if not sent:
        world.wire.refuse()
        await _pulse_waits(world)
    entry = await _saturation(world)
    if sent:
        await world.until_quiet()
    await world.do(NURSE, CorrectEntry(entry, WHY))
    if sent:
        await world.until_quiet()
    void = await _last(world, EntryVoided)
    await world.do(NURSE, CorrectEntry(void.id, "it was the right slip after all"))
    world.wire.accept()
    await world.until_quiet(30)
    assert await _statuses(world) == ["final"] * (1 if sent else 2)


async def test_the_stored_pathway_is_its_history_folded_anew(world: World) -> None:
    """After a correction the projection equals the refold of all that was recorded."""
    entry = await _saturation(world)
    await world.do(NURSE, CorrectEntry(entry, WHY))
    seen = await world.pathway()
    anew = refold(seen.id, await _history(world), world.protocol.vocabulary)
    assert seen == anew
    assert seen.voided == {entry: WHY}
    assert not seen.readings.get(ObservationName("spo2"))


async def test_what_came_in_after_the_end_reaches_the_ehr(world: World) -> None:
    """On a pathway that has ended a reading and its correction are recorded, and written."""
    await world.do(PRESCRIBER, Decide(INDUCTION, PhaseDecision.STOP, "The patient's wish."))
    await world.until_quiet()
    measurement = Measurement(ObservationName("spo2"), Decimal(97), "%")
    late = await world.receive(NURSE, RecordReadings(await world.now(), (measurement,)))
    await world.turns.take_turn(Turn(world.pathway_id, late))
    assert (await world.command(late)).state == "applied"
    entry = (await _last(world, ReadingsTaken)).id
    await world.until_quiet()
    assert await _statuses(world) == ["final"]
    wrong = await world.receive(NURSE, CorrectEntry(entry, WHY))
    await world.turns.take_turn(Turn(world.pathway_id, wrong))
    await world.until_quiet()
    assert await _statuses(world) == ["entered-in-error"]
    assert (await world.row()).status is PathwayStatus.FINISHED


async def test_an_undone_amendment_leaves_one_entry_in_the_ehr(world: World) -> None:
    """The amendment was the error: its stand-in is marked, and the first entry is as before."""
    entry = await _saturation(world, 97)
    at = (await _last(world, ReadingsTaken)).at
    await world.until_quiet()
    other = RecordReadings(at, (Measurement(ObservationName("spo2"), Decimal(96), "%"),))
    await world.do(NURSE, CorrectEntry(entry, WHY, other))
    await world.until_quiet()
    void = await _last(world, EntryVoided)
    await world.do(NURSE, CorrectEntry(void.id, "it was right at first"))
    await world.until_quiet()
    values = {
        each["valueQuantity"]["value"]: each["status"]  # type: ignore[index]
        for each in await world.in_ehr("Observation")
    }
    assert values == {97: "final", 96: "entered-in-error"}


async def test_who_took_an_entry_back_and_why_stands_in_the_ehr(world: World) -> None:
    """A Provenance cannot be marked, so another one says that the entry was made in error."""
    entry = await _saturation(world)
    await world.until_quiet()
    await world.do(NURSE, CorrectEntry(entry, WHY))
    await world.until_quiet()
    rows = [row for row in await world.ledger() if row.resource_type == "Provenance"]
    (said,) = [row for row in rows if "marked as made in error" in str(row.body)]
    assert WHY in str(said.body)
    assert said.state == "confirmed"


async def test_what_was_another_patients_is_recorded_there_in_the_same_act(world: World) -> None:
    """Void here and command there are one transaction; each EHR record ends with one reading."""
    entry = await _saturation(world, 91)
    await world.until_quiet()
    here, first = world.pathway_id, world.patient
    await world.enrol((await world.now()).date() + timedelta(days=9))
    there, second = world.pathway_id, world.patient
    await world.until_quiet()
    world.pathway_id = here
    whose = WrongPatient(PathwayId(there))
    await world.do(NURSE, CorrectEntry(entry, WHY, wrong_patient=whose))
    async with world.database.begin() as tx:
        (sent,) = [each for each in await inbox.waiting(tx, 9) if each.pathway_id == there]
    assert (sent.author_id, sent.kind) == (NURSE.id, "record-readings")
    for _ in range(2):  # sent on twice it takes effect once
        await world.settled(sent.id, there)
    await world.until_quiet()
    assert await _statuses(world) == ["final"]
    world.patient = first
    assert await _statuses(world) == ["entered-in-error"]
    assert second != first


async def test_what_cannot_be_recorded_there_is_kept_there_as_a_hold(world: World) -> None:
    """Refused by then, it is lost in neither place: a prescriber there records it by hand."""
    entry = await _saturation(world, 91)
    here = world.pathway_id
    await world.enrol((await world.now()).date() + timedelta(days=9))
    there = world.pathway_id
    world.pathway_id = here
    nobody_there = VisitId(f"{INDUCTION}-visit-1")
    whose = WrongPatient(PathwayId(there), nobody_there)
    await world.do(NURSE, CorrectEntry(entry, WHY, wrong_patient=whose))
    async with world.database.begin() as tx:
        (sent,) = [each for each in await inbox.waiting(tx, 9) if each.pathway_id == there]
    for _ in range(2):
        await world.settled(sent.id, there)
    world.pathway_id = there
    pathway = await world.pathway()
    (hold,) = pathway.open_holds()
    assert pathway.holds[hold].reason is HoldReason.UNRECORDED_ENTRY
    await world.until_quiet()
    (flag,) = [row for row in await world.ledger() if row.resource_type == "Flag"]
    assert "oxygen saturation 91 %" in str(flag.body)
    assert "Record it by hand" in str(flag.body)
    assert flag.state == "confirmed"


async def test_a_correction_and_a_delivery_do_not_lock_each_other_out(world: World) -> None:
    """What is withdrawn while an attempt of it is being written down waits, and both are done."""
    entry = await _saturation(world, 91)
    (row,) = [each for each in await world.ledger() if each.event_id == entry]
    command = await world.receive(NURSE, CorrectEntry(entry, WHY))
    async with world.database.begin() as tx:
        await ledger.get(tx, row.id)
        correcting = asyncio.create_task(world.settling.settle(world.pathway_id, command))

        async def waits() -> bool:
            async with world.database.begin() as other:
                waiting = text("select count(*) from pg_locks where not granted")
                return bool(await other.scalar(waiting))

        await until(waits, "the correction waits for the delivery")
        await queue.ring(tx, row.connection_id, row.patient_id, await world.clock.pace())
    assert (await correcting).state == "applied"
