"""`python -m worker`: run workflows and activities until told to stop.

The composition root of the worker: everything that has a choice is chosen here. Beside pathways it
drains the lanes of each EHR. Any number of these may run; killing one loses nothing, and one that
is told to stop ends the writes under way first.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from activities.deliveries import Deliveries
from activities.drain import Drain
from activities.inbox_retry import InboxRetry
from activities.recovery import Recovery
from fhir_adapters.ehr import Ehrs
from logs import set_up
from settings import Installation, Settings, load_installation, settings_told_plainly
from store.database import Database
from store.listener import Listener
from temporal import versions
from temporal.clock import Clock, clock_for
from temporal.gateway import connected, look, tell
from turns.plans import Plans
from turns.settle import Settling
from turns.take import Turns
from workflows.messages import PATHWAYS_QUEUE
from workflows.runner import WORKFLOWS, runner

WORKFLOW_TASKS = 8
"""Few at a time: a restart replays cold histories, and more at once only makes all of them late."""

MOST_CACHED = 2_000
"""Pathways kept in memory: of each an id, a version, a time, and what the SDK keeps with it.
Measured: 93 KiB each, between 200 and 800 of them."""

ANOTHER_TAKES_IT_AFTER = timedelta(seconds=1)
"""How long what is due waits for the worker that had the pathway in memory. The SDK's ten seconds
would be how late everything is after a worker's death."""

TURNS_END_WITHIN = timedelta(seconds=5)
"""How long turns under way may go on when the worker is told to stop."""

log = structlog.get_logger("kairos.worker")


async def _unless_stopped(
    stopping: asyncio.Event, what: Coroutine[Any, Any, Client]
) -> Client | None:
    """Wait for something; None once the worker is told to stop."""
    task, stop = asyncio.ensure_future(what), asyncio.ensure_future(stopping.wait())
    await asyncio.wait((task, stop), return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if task.done():
        return task.result()
    task.cancel()
    return None


async def run() -> None:
    """Run until SIGTERM or SIGINT."""
    with settings_told_plainly():
        settings = Settings()
        installation = load_installation(settings.installation_file)
        settings.check_rehearsal(installation)
    set_up(settings.log_level)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    client = await _unless_stopped(
        stopping,
        connected(settings.temporal_address, settings.temporal_namespace, settings.metrics_address),
    )
    if client is None:
        return
    versioned = settings.clinical_clock != "temporal-test-server"  # which knows no versions
    database = Database(settings.database_url.get_secret_value())
    clock = clock_for(settings.clinical_clock, client, settings.clock_file, database.time)
    ehrs = Ehrs.of(installation.connections)
    plans = Plans(ehrs)
    turns = Turns(database, plans, clock)
    settling = Settling(
        turns,
        partial(tell, client, roll_over_at=settings.roll_over_at),
        partial(look, client),
    )
    recovery = Recovery(database, client, clock, roll_over_at=settings.roll_over_at)
    holder = f"kairos-{uuid4()}"
    drains = _drains(installation, database, ehrs, plans, clock, holder)
    listener = Listener(settings.database_url.get_secret_value(), holder, partial(_ring, drains))
    await recovery.notice_a_restore()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        stack.push_async_callback(ehrs.close)
        await stack.enter_async_context(
            Worker(
                client,
                task_queue=PATHWAYS_QUEUE,
                workflows=WORKFLOWS,
                workflow_runner=runner(),
                activities=[turns.take_turn],
                max_concurrent_workflow_tasks=WORKFLOW_TASKS,
                max_cached_workflows=MOST_CACHED,
                max_concurrent_local_activities=WORKFLOW_TASKS,
                sticky_queue_schedule_to_start_timeout=ANOTHER_TAKES_IT_AFTER,
                graceful_shutdown_timeout=TURNS_END_WITHIN,
                deployment_config=versions.deployment() if versioned else None,
            )
        )
        draining = [asyncio.create_task(drain.run()) for drain in drains.values()]
        beside = [asyncio.create_task(listener.run())]
        beside.append(asyncio.create_task(InboxRetry(database, settling, recovery).run()))
        beside.append(asyncio.create_task(recovery.run()))
        if versioned:
            beside.append(asyncio.create_task(recovery.begin_here()))
        log.info("worker_started")
        await stopping.wait()
        await asyncio.gather(*(drain.stop() for drain in drains.values()), *draining)
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    log.info("worker_stopped")


def _drains(
    installation: Installation,
    database: Database,
    ehrs: Ehrs,
    plans: Plans,
    clock: Clock,
    holder: str,
) -> dict[str, Drain]:
    """One drain an EHR."""
    drains = {}
    for each in installation.connections:
        ehr = ehrs[each.id]
        deliveries = Deliveries(database, ehr, plans, clock, holder)
        drains[each.id] = Drain(database, ehr, deliveries, clock, holder, each.lanes_at_once)
    return drains


def _ring(drains: dict[str, Drain], connection: str) -> None:
    """Pass a bell on. Another installation file may know a connection that this one does not."""
    if connection in drains:
        drains[connection].ring()


if __name__ == "__main__":
    asyncio.run(run())
    sys.stdout.flush()
    os._exit(0)  # the SDK's threads may crash an interpreter that takes its time to end
