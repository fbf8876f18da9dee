"""Builds of the workers, on the real development server: no run is stranded by a release."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.client import Client

import activities.recovery
from activities.recovery import Recovery
from domain.language.holds import PlaceHold
from domain.language.names import HoldReason
from domain.language.protocol import CombinedProtocol
from store.database import Database
from temporal import gateway, versions
from tests.standing import StandingEhr
from tests.whole.house import until
from tests.world import NURSE, World, a_world, working
from workflows.messages import PathwayInput, pathway_workflow_id

HOLD = PlaceHold(HoldReason.SUPPLY, "no device")
OLD, NEW = "old-shape", "new-shape"


@pytest.fixture
async def world(
    database: Database, protocol: CombinedProtocol, standing_ehr: StandingEhr
) -> AsyncIterator[World]:
    """A clinic in real time, with no worker of pathways yet."""
    async with a_world(database, protocol, standing_ehr, real_time=True) as made:
        yield made


@asynccontextmanager
async def build(world: World, shape: str) -> AsyncIterator[Client]:
    """A worker of this build, which new runs begin with."""
    client = await gateway.connect(world.client.service_client.config.target_host, "default")
    async with working(client, world.turns, shape):
        await versions.make_current(client, shape)
        yield client


async def _run_of(world: World) -> str:
    handle = world.client.get_workflow_handle(pathway_workflow_id(world.pathway_id))
    return str((await handle.describe()).run_id)


async def _build_of(world: World) -> str:
    handle = world.client.get_workflow_handle(pathway_workflow_id(world.pathway_id))
    run = (await handle.describe()).raw_description.workflow_execution_info
    return run.versioning_info.deployment_version.build_id


def _forget_before(gone_since: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has not polled since then counts as gone; left alone it would take over a minute."""
    monkeypatch.setattr(versions, "_seen_since", lambda: gone_since)


async def _enrolled(world: World, shape: str) -> None:
    """Enrolled, and the run taken by a worker of this build."""
    await world.enrol((await world.now()).date() + timedelta(days=7))

    async def taken() -> bool:
        return await _build_of(world) == shape

    await until(taken, "a worker has the run")


async def test_a_run_whose_build_has_no_worker_is_started_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a release that changes the workflows: commands go on, it is shown, and brought over."""
    async with build(world, OLD):
        await _enrolled(world, OLD)
    gone_since = datetime.now(UTC)
    async with build(world, NEW):
        assert (await world.do(NURSE, HOLD)).state == "applied"

        async def stranded() -> bool:
            _forget_before(gone_since, monkeypatch)
            found = await versions.builds(world.client)
            return found is not None and found.stranded == {OLD}

        await until(stranded, "the old build counts as stranded")
        monkeypatch.setattr(activities.recovery, "SHAPE", NEW)
        _forget_before(gone_since, monkeypatch)
        await Recovery(world.database, world.client, world.clock).sweep()

        async def brought_over() -> bool:
            return await _build_of(world) == NEW

        await until(brought_over, "the run is of the new build")
        assert (await world.row()).restarted_at is None  # brought over, and not found gone

        async def still_listed(client: Client, build: str) -> list[str]:
            return [pathway_workflow_id(world.pathway_id)] if build == OLD else []

        run = await _run_of(world)
        monkeypatch.setattr(versions, "running_of_build", still_listed)
        await Recovery(world.database, world.client, world.clock).sweep()
        assert await _run_of(world) == run  # whatever the index still lists


async def test_a_run_whose_build_still_has_a_worker_hands_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While both builds run, a sweep of the new one has old runs roll over, and nothing is lost."""
    async with build(world, OLD):
        await _enrolled(world, OLD)
        assert (await world.do(NURSE, HOLD)).state == "applied"
        version = (await world.row()).version
        async with build(world, NEW):
            monkeypatch.setattr(activities.recovery, "SHAPE", NEW)

            async def draining() -> bool:
                found = await versions.builds(world.client)
                return found is not None and OLD in found.with_runs

            await until(draining, "the old build is draining")
            await Recovery(world.database, world.client, world.clock).sweep()

            async def moved() -> bool:
                return await _build_of(world) == NEW

            await until(moved, "the run has moved to the new build")
            assert (await world.row()).version == version
            assert (await world.row()).restarted_at is None
            assert (await world.do(NURSE, HOLD)).state == "applied"


async def test_a_build_that_went_back_is_current_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the current build has no worker any more, a sweep makes the one that has current."""
    async with build(world, NEW):
        pass
    gone_since = datetime.now(UTC)
    client = await gateway.connect(world.client.service_client.config.target_host, "default")
    async with working(client, world.turns, OLD):
        monkeypatch.setattr(activities.recovery, "SHAPE", OLD)
        monkeypatch.setattr(versions, "SHAPE", OLD)

        async def polls() -> bool:
            _forget_before(gone_since, monkeypatch)
            found = await versions.builds(world.client)
            return found is not None and found.with_worker == {OLD}

        await until(polls, "the worker that is there is seen")
        _forget_before(gone_since, monkeypatch)
        await Recovery(world.database, world.client, world.clock).sweep()
        found = await versions.builds(world.client)
        assert found is not None
        assert found.current == OLD


async def test_the_index_of_workflows_lists_what_runs(world: World) -> None:
    """A pathway's workflow is listed while it runs, and a terminated one soon is not."""
    async with build(world, NEW):
        await _enrolled(world, NEW)

        async def listed() -> bool:
            return await gateway.running_pathways(world.client) == {world.pathway_id}

        await until(listed, "the workflow is listed")
        handle = world.client.get_workflow_handle(pathway_workflow_id(world.pathway_id))
        await handle.terminate("a test")

        async def gone() -> bool:
            return await gateway.running_pathways(world.client) == set()

        await until(gone, "the workflow is not listed any more")


async def test_a_workflow_that_the_store_lost_is_ended(world: World) -> None:
    """A pathway that a restore lost whole looks no more: its workflow is ended, others stay."""
    async with build(world, NEW):
        await _enrolled(world, NEW)
        await gateway.start_pathway(world.client, PathwayInput("lost"))

        async def listed() -> bool:
            return await gateway.running_pathways(world.client) == {world.pathway_id, "lost"}

        await until(listed, "both workflows are listed")
        await Recovery(world.database, world.client, world.clock).sweep()
        assert not await gateway.is_running(world.client, "lost")
        assert await gateway.is_running(world.client, world.pathway_id)
