"""A turn of a pathway: decided over the locked row, recorded whole, and harmless to take again."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text, update
from temporalio.exceptions import ApplicationError

import domain.turn
from build import RULES
from domain.delivery.words import Action, DeliveryState
from domain.language.errors import Refused
from domain.language.holds import PlaceHold
from domain.language.names import HoldReason, ObservationName, PathwayStatus, PhaseId, VisitId
from domain.language.observations import Measurement, RecordReadings
from domain.language.pathway import Pathway
from domain.language.phases import SignOrder
from domain.language.protocol import CombinedProtocol
from domain.language.tasks import TaskOpened
from domain.language.visits import BookVisit, CheckIn
from store import columns, pathways, restores
from store.database import Database
from store.ehr_tables import DeliveryRow
from store.tables import OriginRow, PathwayRow
from tests.standing import StandingEhr
from tests.world import MANAGER, NURSE, PRESCRIBER, World, a_world
from turns import take
from workflows.messages import Taken, Turn

INDUCTION = PhaseId("esketamine-induction")
VISIT = VisitId("esketamine-induction-visit-1")
HOLD = PlaceHold(HoldReason.SUPPLY, "no device")


@pytest.fixture
async def world(
    database: Database, protocol: CombinedProtocol, standing_ehr: StandingEhr
) -> AsyncIterator[World]:
    """A clinic with one enrolled patient, whose deliveries have been made."""
    async with a_world(database, protocol, standing_ehr) as made:
        await made.enrol((await made.now()).date() + timedelta(days=7))
        await made.until_quiet()
        yield made


async def _take(world: World, command_id: str | None = None, seen: int = 0) -> Taken:
    return await world.turns.take_turn(Turn(world.pathway_id, command_id, seen))


async def test_a_turn_that_is_taken_again_answers_what_is_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that died after the commit has its turn taken again: once, and no rule is asked."""
    command = await world.receive(PRESCRIBER, SignOrder(INDUCTION))
    first = await _take(world, command)

    def asked(*_: object) -> None:
        raise AssertionError("a rule was asked")

    for rule in ("settle", "follow"):
        monkeypatch.setattr(domain.turn, rule, asked)
    again = await _take(world, command)
    assert (again.settled, again.settled_at_version) == ("applied", first.settled_at_version)
    assert (again.version, again.due) == (first.version, first.due)


async def test_fifty_turns_at_once_take_effect_once_each(world: World) -> None:
    """Fifty commands, in two turns each at one moment: fifty readings, at fifty versions."""
    reading = (Measurement(ObservationName("spo2"), Decimal(97), "%"),)
    wish = RecordReadings(await world.now(), reading)
    commands = [await world.receive(NURSE, wish) for _ in range(50)]
    taken = await asyncio.gather(*(_take(world, each) for each in [*commands, *commands]))
    assert {each.settled for each in taken} == {"applied"}
    assert len({each.settled_at_version for each in taken}) == 50
    async with world.database.begin() as tx:
        events = await pathways.events_after(tx, world.pathway_id, 0, 1000)
    assert sum(row.kind == "readings-taken" for row in events) == 50


async def test_of_fifty_who_expect_the_same_version_one_is_right(world: World) -> None:
    """Of fifty holds placed on one version at one moment, one stands; 49 are told the version."""
    version = (await world.row()).version
    commands = [await world.receive(NURSE, HOLD, expects=version) for _ in range(50)]
    taken = await asyncio.gather(*(_take(world, each) for each in commands))
    assert sum(each.settled == "applied" for each in taken) == 1
    assert len((await world.pathway()).holds) == 1
    row = await world.row()
    for place, each in enumerate(taken):
        if each.settled == "rejected":
            refusal = columns.refusal_from_json(
                (await world.command(commands[place])).problem or {}
            )
            assert version < (refusal.version or 0) <= row.version


async def test_a_refusal_is_stored_with_the_turn(world: World) -> None:
    """A command that a rule refuses is rejected with the reason, and nothing else of it is true."""
    before = await world.pathway()
    taken = await _take(world, await world.receive(NURSE, CheckIn(VISIT)))
    assert taken.settled == "rejected"
    assert await world.pathway() == before


async def test_a_command_of_another_pathway_is_not_taken(world: World) -> None:
    """A turn settles commands of its own pathway only."""
    command = await world.receive(NURSE, HOLD, pathway_id="another")
    with pytest.raises(ApplicationError):
        await _take(world, command)
    assert (await world.command(command)).state == "received"


async def test_a_defect_of_what_follows_keeps_no_hold_from_being_placed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When working out what is next breaks, what a person did is recorded, and it looks again."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(domain.turn, "follow", broken)
    command = await world.receive(NURSE, HOLD)
    taken = await _take(world, command)
    assert taken.settled == "applied"
    assert taken.wait == timedelta(minutes=1)
    assert len((await world.pathway()).holds) == 1


async def test_a_projection_of_other_rules_is_made_anew(world: World) -> None:
    """What other rules folded is not believed: the next turn folds the events, and says by whom."""
    await world.do(PRESCRIBER, SignOrder(INDUCTION))
    right = await world.pathway()
    wrong = columns.pathway_to_json(Pathway(right.id))
    async with world.database.begin() as tx:
        await tx.execute(update(PathwayRow).values(projection=wrong, rules="others"))
    await _take(world)
    row = await world.row()
    assert columns.pathway_from_json(row.projection) == right
    assert row.rules == RULES
    async with world.database.begin() as tx:
        events = await pathways.events_after(tx, world.pathway_id, 0, 1000)
    assert {event.rules for event in events} == {RULES}


async def test_a_store_that_knows_less_than_a_run_has_seen_was_restored(world: World) -> None:
    """The gap is noted, and what the store calls unsent is looked for before it is sent."""
    async with world.database.begin() as tx:
        assert not await restores.is_another(tx, await world.now())
    world.wire.refuse()
    await world.do(NURSE, HOLD)
    await world.until_quiet(2)  # a try that was under way ends by itself, and never left
    before = [row.state for row in await world.ledger()]
    assert DeliveryState.INTENT in before
    version = (await world.row()).version
    taken = await _take(world, seen=version + 3)
    assert taken.restored
    assert taken.version == version
    assert DeliveryState.INTENT not in [row.state for row in await world.ledger()]
    async with world.database.begin() as tx:
        noted = (await tx.execute(text("select action, subject from audit"))).all()
        origin = await tx.get(OriginRow, 1)
    assert ("events-lost", f"{version + 1}-{version + 3}") in [tuple(each) for each in noted]
    assert origin is not None
    assert origin.restored_at is not None


async def test_another_timeline_is_another_database(world: World) -> None:
    """A database that PostgreSQL calls another than before is noticed once."""
    now = await world.now()
    async with world.database.begin() as tx:
        assert not await restores.is_another(tx, now)
        await tx.execute(update(OriginRow).values(timeline=OriginRow.timeline + 1))
    async with world.database.begin() as tx:
        await tx.execute(update(DeliveryRow).values(state=DeliveryState.INTENT))
    async with world.database.begin() as tx:
        assert await restores.is_another(tx, now)
    assert {row.state for row in await world.ledger()} == {DeliveryState.SENT}
    async with world.database.begin() as tx:
        assert not await restores.is_another(tx, now)


async def test_a_booking_is_one_turn_whoever_makes_it(world: World) -> None:
    """What a turn stores is the fold of its events, with what Kairos adds in the same turn."""
    await world.do(PRESCRIBER, SignOrder(INDUCTION))
    taken = await _take(world, await world.receive(MANAGER, BookVisit(VISIT)))
    row = await world.row()
    assert taken.settled_at_version == taken.version == row.version
    assert row.due_at == taken.due


async def test_a_defect_in_what_follows_writes_keeps_no_hold_from_being_placed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When saying what a task writes to the EHR breaks, the hold that opened it is recorded."""
    real = take.intents_for  # type: ignore[attr-defined]

    def broken(event, *others):
        if isinstance(event.fact, TaskOpened):
            raise KeyError
        return real(event, *others)

    monkeypatch.setattr(take, "intents_for", broken)
    taken = await _take(world, await world.receive(NURSE, HOLD))
    assert taken.settled == "applied"
    pathway = await world.pathway()
    assert len(pathway.holds) == 1
    monkeypatch.undo()
    await _take(world)
    assert len((await world.pathway()).tasks) > len(pathway.tasks)


async def test_what_is_meant_after_a_restore_is_looked_for_first(world: World) -> None:
    """What Kairos adds anew after a restore it may have sent before: looked for, and no double."""
    async with world.database.begin() as tx:
        await restores.is_another(tx, await world.now())
        await restores.distrust(tx, await world.now())
    await _take(world, await world.receive(NURSE, HOLD))
    fresh = [row for row in await world.ledger() if row.attempts == 0]
    assert {row.state for row in fresh if row.action != Action.PERSON} <= {DeliveryState.SENT}


async def test_a_start_that_is_refused_lets_the_patient_go(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pathway whose start is refused has ended, so that the patient can be enrolled again."""

    def refused(*_: object) -> None:
        raise Refused("not here")

    monkeypatch.setattr(domain.turn, "begin", refused)
    await world.enrol((await world.now()).date() + timedelta(days=7))
    assert (await world.row()).status is PathwayStatus.FINISHED


async def test_an_event_of_ours_that_cannot_be_stored_undoes_no_command(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When what Kairos adds collides in the store, the person's command is stored without it."""
    real = domain.turn.follow

    def collides(protocol, pathway, now):
        following = real(protocol, pathway, now)
        return replace(following, events=(*following.events, *following.events))

    monkeypatch.setattr(domain.turn, "follow", collides)
    taken = await _take(world, await world.receive(NURSE, HOLD))
    assert (taken.settled, taken.wait) == ("applied", timedelta(minutes=1))
    assert len((await world.pathway()).holds) == 1
    monkeypatch.undo()
    again = await _take(world)
    assert again.version > taken.version
