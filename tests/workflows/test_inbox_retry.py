"""What nobody settled is sent on, and what can never be settled keeps nothing back."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from temporalio.client import WorkflowExecutionStatus

import domain.turn
from activities import inbox_retry
from activities.inbox_retry import InboxRetry
from domain.language.errors import Unavailable
from domain.language.holds import PlaceHold
from domain.language.names import Author, HoldReason, PhaseDecision, PhaseId, Role
from domain.language.observations import RecordAssessment
from domain.language.phases import Decide
from domain.language.protocol import CombinedProtocol
from domain.language.tasks import AcknowledgeTask
from store import jobs
from store.database import Database
from store.records import CommandRecord
from tests.standing import StandingEhr
from tests.world import NURSE, PRESCRIBER, World, a_world

HOLD = PlaceHold(HoldReason.OTHER, "a note")


@pytest.fixture
async def world(
    database: Database, protocol: CombinedProtocol, standing_ehr: StandingEhr
) -> AsyncIterator[World]:
    """A clinic with one enrolled patient."""
    async with a_world(database, protocol, standing_ehr) as made:
        await made.enrol((await made.now()).date() + timedelta(days=7))
        await made.until_quiet()
        yield made


def _retry(world: World) -> InboxRetry:
    return InboxRetry(world.database, world.settling, world.recovery)


async def test_what_waits_on_an_ended_pathway_is_refused(world: World):
    """A command that nobody settled before its pathway ended is rejected, and says why."""
    await world.do(PRESCRIBER, Decide(PhaseId("esketamine-induction"), PhaseDecision.STOP, "Wish."))
    await world.until_quiet()
    late = await world.receive(NURSE, HOLD)
    sending = _retry(world)
    for _ in range(inbox_retry.LEAVE_ALONE + 1):
        await sending.look()
    await asyncio.gather(*sending._under_way.values())
    assert (await world.command(late)).state == "rejected"
    assert "the pathway was stopped" in str(await world.refusal(late))


async def test_a_risk_that_comes_after_the_end_rises_by_the_clock(world: World):
    """The workflow is over; a score at risk starts it again, until somebody has answered."""
    end = Decide(PhaseId("esketamine-induction"), PhaseDecision.STOP, "Wish.")
    await world.do(PRESCRIBER, end)
    await world.until_quiet()
    workflow = world.client.get_workflow_handle(f"pathway/{world.pathway_id}")
    assert (await workflow.describe()).status is WorkflowExecutionStatus.COMPLETED
    at = await world.now()
    await world.receive(NURSE, RecordAssessment("phq9", at, (1,) * 8 + (2,)))
    sending = _retry(world)
    for _ in range(inbox_retry.LEAVE_ALONE + 1):
        await sending.look()
    await asyncio.gather(*sending._under_way.values())
    (task,) = [t for t in (await world.pathway()).tasks.values() if not t.closed]
    assert task.roles == (Role.PRESCRIBER,)
    await world.virtual.move_by(timedelta(hours=1, minutes=1))
    (task,) = [t for t in (await world.pathway()).tasks.values() if not t.closed]
    assert task.roles == (Role.PRESCRIBER, Role.MEDICAL_DIRECTOR)
    await world.virtual.move_by(timedelta(days=3))
    assert (await workflow.describe()).status is WorkflowExecutionStatus.RUNNING
    ((key, _),) = [t for t in (await world.pathway()).tasks.items() if not t[1].closed]
    director = Author("director-1", Role.MEDICAL_DIRECTOR)
    await world.do(director, AcknowledgeTask(key, "Called: safe, with family."))
    await world.until_quiet()
    assert (await workflow.describe()).status is WorkflowExecutionStatus.COMPLETED


async def test_commands_that_nobody_answers_keep_no_other_back(world: World):
    """Sixty commands to a workflow that is not there, and one that is: the one is applied."""
    for _ in range(inbox_retry.MOST_AT_ONCE + 10):
        await world.receive(NURSE, HOLD, pathway_id="nowhere")
    good = await world.receive(NURSE, HOLD)
    sending = _retry(world)
    for _ in range(2 * inbox_retry.LEAVE_ALONE + 2):
        await sending.look()
    await asyncio.gather(*sending._under_way.values())
    assert (await world.command(good)).state == "applied"


async def test_what_nobody_answers_is_asked_more_and_more_seldom(world: World):
    """A command that cannot be settled is sent on at looks that lie ever further apart."""
    await world.receive(NURSE, HOLD, pathway_id="nowhere")
    sending = _retry(world)
    sent: list[int] = []

    async def note(rows: list[CommandRecord]) -> None:
        sent.append(sending._look)

    sending._send_all = note  # type: ignore[method-assign]
    for _ in range(200):
        await sending.look()
    apart = [later - earlier for earlier, later in pairwise(sent)]
    assert apart[:6] == [1, 2, 4, 8, 16, 32]
    assert apart[6:] == [inbox_retry.LONGEST_WAIT] * 2


async def test_a_command_that_cannot_be_settled_keeps_no_other_back(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    """A command that breaks whenever it is decided holds back none of the pathway's others."""
    bad = await world.receive(NURSE, PlaceHold(HoldReason.SUPPLY, "breaks"))
    good = await world.receive(NURSE, HOLD)
    real = domain.turn.settle

    def broken(protocol, pathway, version, wanted, *more):
        if wanted.id == bad:
            raise KeyError
        return real(protocol, pathway, version, wanted, *more)

    monkeypatch.setattr(domain.turn, "settle", broken)
    sending = _retry(world)
    for _ in range(inbox_retry.LEAVE_ALONE + 1):
        await sending.look()
    await asyncio.gather(*sending._under_way.values())
    assert (await world.command(good)).state == "applied"
    assert (await world.command(bad)).state == "received"


async def test_it_is_seen_that_the_inbox_or_the_sweep_fails(world: World):
    """Since when and why, until it goes again; our own words are told, others' errors by kind."""
    sending, sweeping = _retry(world), world.recovery
    look, sweep = sending.look, sweeping.sweep

    async def breaks() -> None:
        raise Unavailable("the database is read-only")

    async def surprises() -> None:
        raise KeyError("secret")

    sending.look, sweeping.sweep = breaks, surprises  # type: ignore[method-assign]
    running = [asyncio.create_task(each.run()) for each in (sending, sweeping)]
    try:
        await _until(world, lambda seen: {"inbox", "sweep"} <= seen.keys())
        seen = await _jobs(world)
        assert (seen["inbox"].why, seen["sweep"].why) == ("the database is read-only", "KeyError")
        sending.look = look  # type: ignore[method-assign]
        await _until(world, lambda seen: seen["inbox"].failing_since is None)
    finally:
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)
    sweeping.sweep = sweep  # type: ignore[method-assign]


async def _jobs(world: World) -> dict[str, jobs.Job]:
    async with world.database.begin() as tx:
        return await jobs.every(tx)


async def _until(world: World, fits: Callable[[dict[str, jobs.Job]], bool]) -> None:
    for _ in range(1000):
        if fits(await _jobs(world)):
            return
        await asyncio.sleep(0.02)
    pytest.fail("it was not seen within 20 s")
