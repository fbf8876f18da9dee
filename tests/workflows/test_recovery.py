"""Pathways that stand still because of us are found, and go on from the store."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import text, update
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle

import activities.recovery
from activities.recovery import Recovery
from build import RULES
from domain.delivery.words import Action, Intent
from domain.language.errors import Unavailable
from domain.language.holds import PlaceHold
from domain.language.names import HoldReason, PhaseDecision, PhaseId
from domain.language.phases import Decide, SignOrder
from domain.language.protocol import CombinedProtocol
from store import ledger, pathways
from store.database import Database
from store.ehr_tables import LaneRow
from temporal import gateway
from tests.standing import StandingEhr
from tests.world import NURSE, PRESCRIBER, World, a_world
from turns.settle import NotSettled
from workflows.messages import Taken, Turn, pathway_workflow_id

INDUCTION = PhaseId("esketamine-induction")
HOLD = PlaceHold(HoldReason.SUPPLY, "no device")


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


async def _restarts(world: World) -> int:
    async with world.database.begin() as tx:
        count = text("select count(*) from audit where action = 'workflow-restarted'")
        return int((await tx.execute(count)).scalar_one())


def _sweeper(world: World, rules: str = RULES) -> Recovery:
    return Recovery(world.database, world.client, world.clock, rules=rules)


async def test_a_workflow_that_is_gone_is_started_again_once(world: World) -> None:
    """Terminated, it takes commands all the same; of five that sweep one starts it again."""
    await world.do(PRESCRIBER, SignOrder(INDUCTION))
    await world.until_quiet()  # this server leaves its clock locked if a task ends with its run
    await _handle(world).terminate("a test")
    assert (await world.do(NURSE, HOLD)).state == "applied"
    await asyncio.gather(*(_sweeper(world).sweep() for _ in range(5)))
    assert await _restarts(world) == 1
    assert (await world.row()).restarted_at is not None
    await world.until_quiet()
    assert await _handle(world).query("version") == (await world.row()).version


async def test_what_the_index_still_lists_is_found_gone_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An idle pathway whose workflow is gone is found although the index says that it runs."""
    await _handle(world).terminate("a test")

    async def stale(_: object) -> set[str]:
        return {world.pathway_id}

    monkeypatch.setattr(gateway, "running_pathways", stale)
    sweeper = _sweeper(world)
    for _ in range(activities.recovery.ROUNDS):
        await sweeper.sweep()
    assert await _restarts(world) == 1


async def test_a_run_that_temporal_cannot_read_is_started_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A history lost while Temporal calls it running: anew at the second look, not before."""

    async def unreadable(*_: object) -> bool:
        raise gateway.HistoryLost("cannot be read")

    before = (await _handle(world).describe()).run_id
    monkeypatch.setattr(gateway, "is_running", unreadable)
    sweeper = _sweeper(world)
    await sweeper.sweep()
    assert await _restarts(world) == 0
    await sweeper.sweep()
    monkeypatch.undo()
    assert await _restarts(world) == 1
    assert (await _handle(world).describe()).run_id != before
    assert (await world.do(NURSE, HOLD)).state == "applied"


async def test_an_outage_restarts_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """While Temporal does not say whether a pathway runs, no run is ended for it."""

    async def away(*_: object) -> bool:
        raise Unavailable("away")

    before = (await _handle(world).describe()).run_id
    monkeypatch.setattr(gateway, "is_running", away)
    sweeper = _sweeper(world)
    for _ in range(4):
        await sweeper.sweep()
    monkeypatch.undo()
    assert (await _handle(world).describe()).run_id == before


async def test_a_pathway_that_has_ended_is_never_started_again(world: World) -> None:
    """The store says that it is finished: no sweep starts it, and no one who asks for it."""
    await world.do(PRESCRIBER, Decide(INDUCTION, PhaseDecision.STOP, "The patient's wish."))
    await world.until_quiet()
    await _sweeper(world).sweep()
    assert not await world.recovery.restart(world.pathway_id)
    described = await _handle(world).describe()
    assert described.status is WorkflowExecutionStatus.COMPLETED
    assert await _restarts(world) == 0


async def test_a_sweep_leaves_alone_what_runs(world: World) -> None:
    """A pathway that runs under the rules of now is neither restarted nor made to look."""
    before = (await _handle(world).describe()).history_length
    await _sweeper(world).sweep()
    assert await _restarts(world) == 0
    assert (await _handle(world).describe()).history_length == before


async def test_a_pathway_under_other_rules_looks_at_once(world: World) -> None:
    """After a change of rules a sweep has each pathway look, not only at its next due time."""
    before = (await _handle(world).describe()).history_length
    await _sweeper(world, "mended").sweep()
    await world.until_quiet()
    assert (await _handle(world).describe()).history_length > before


async def test_a_run_hands_over_when_asked_to(world: World) -> None:
    """Asked to roll over, a quiet pathway begins a fresh run, which takes the next command."""
    first = (await _handle(world).describe()).run_id
    await gateway.roll_over(world.client, world.pathway_id)
    await world.until_quiet()
    assert (await _handle(world).describe()).run_id != first
    assert (await world.do(NURSE, HOLD)).state == "applied"


async def test_a_lane_whose_bell_was_lost_is_found(world: World) -> None:
    """Work that nobody rang for, as an older build leaves it, is delivered after the next sweep."""
    late = Intent("late", "Observation", Action.CREATE, {}, ())
    async with world.database.begin() as tx:
        row = await pathways.lock(tx, world.pathway_id)
        await ledger.intend(tx, row, "an-event", [late], row.changed_at)
        await tx.execute(update(LaneRow).values(ready_at=None))
    await _sweeper(world).sweep()
    await world.until_quiet()
    assert "intent" not in {row.state for row in await world.ledger() if not row.needs_person}


async def test_a_look_that_breaks_is_taken_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A defect in what is due by itself ends no pathway: commands are taken, and it looks again."""
    real = world.turns._record

    async def broken(tx, recording, command, now, pace):
        if command is None:
            raise KeyError
        return await real(tx, recording, command, now, pace)

    monkeypatch.setattr(world.turns, "_record", broken)
    await gateway.look(world.client, world.pathway_id)
    await world.virtual.move_by(timedelta(minutes=4, seconds=30))
    assert (await _handle(world).describe()).status is WorkflowExecutionStatus.RUNNING
    assert (await world.do(NURSE, HOLD)).state == "applied"
    assert await _restarts(world) == 0


async def test_a_turn_that_failed_after_its_commit_is_looked_at_soon(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What such a command made due is not waited for till the old timer: the run looks at once."""
    real, failing = world.turns._take, [True]

    async def fails_after(turn: Turn) -> Taken:
        taken = await real(turn)
        if turn.command_id is not None and failing:
            raise KeyError
        return taken

    monkeypatch.setattr(world.turns, "_take", fails_after)
    command = await world.receive(PRESCRIBER, SignOrder(INDUCTION))
    with pytest.raises(NotSettled):
        await world.settling.settle(world.pathway_id, command)
    failing.clear()
    await world.until_quiet()
    assert await _handle(world).query("version") == (await world.row()).version
    assert (await world.settled(command)).state == "applied"
