"""`python -m worker`: run workflows and activities until told to stop.

The composition root of the worker: everything that has a choice is chosen here. Beside the workers
it reads now and then what each EHR can do. Any number of these may run; killing one loses nothing.
"""

import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial

import structlog
from temporalio.worker import Worker

from activities.capabilities import Plans, probe
from activities.deliveries import Deliveries
from activities.inbox_retry import InboxRetry
from activities.recovery import Recovery
from activities.turns import Turns
from fhir_adapters.ehr import Ehr, Ehrs
from logs import set_up
from settings import Settings, load_installation
from store.database import Database
from temporal import versions
from temporal.clock import Clock, clock_for
from temporal.gateway import connected, wake_lane
from workflows.messages import PATHWAYS_QUEUE, ehr_queue
from workflows.runner import WORKFLOWS, runner

PROBE_EVERY = timedelta(hours=1)
PROBE_AGAIN = timedelta(seconds=1)

WORKFLOW_TASKS = 8
"""Few at a time: a restart replays cold histories, and more at once only makes all of them late."""

MOST_CACHED = 2_000
"""Pathways kept in memory: of each an id, a version, a time, and what the SDK keeps with it."""

log = structlog.get_logger("kairos.worker")


async def run() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = Settings()
    set_up(settings.log_level)
    installation = load_installation(settings.installation_file)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    settings.check_rehearsal(installation)
    client = await connected(
        settings.temporal_address, settings.temporal_namespace, settings.metrics_address
    )
    clock = clock_for(settings.clinical_clock, client, settings.clock_file)
    versioned = settings.clinical_clock != "temporal-test-server"  # which knows no versions
    database = Database(settings.database_url.get_secret_value())
    ehrs = Ehrs.of(installation.connections)
    plans = Plans(ehrs)
    turns = Turns(database, plans, clock, partial(wake_lane, client))
    recovery = Recovery(database, client, clock, roll_over_at=settings.roll_over_at)
    deliveries = Deliveries(database, ehrs, plans, clock)
    await recovery.notice_a_restore()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        stack.push_async_callback(ehrs.close)
        for connection in ehrs.ids():
            await stack.enter_async_context(
                Worker(
                    client,
                    task_queue=ehr_queue(connection),
                    activities=[deliveries.deliver],
                    max_concurrent_activities=4,
                )
            )
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
                deployment_config=versions.deployment() if versioned else None,
            )
        )
        beside = [asyncio.create_task(_probing(database, ehrs[each], clock)) for each in ehrs.ids()]
        beside.append(asyncio.create_task(InboxRetry(database, client, turns, recovery).run()))
        beside.append(asyncio.create_task(recovery.run()))
        if versioned:
            beside.append(asyncio.create_task(recovery.begin_here()))
        log.info("worker_started")
        await stopping.wait()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    log.info("worker_stopped")


async def _probing(database: Database, ehr: Ehr, clock: Clock) -> None:
    """Read an EHR's capabilities at the start and then now and then."""
    while True:
        pause = PROBE_EVERY
        try:
            await probe(database, ehr, clock)
        except Exception as error:  # noqa: BLE001  whatever it was, it is tried again
            kind = type(error).__name__
            log.warning("probe_failed", connection=ehr.connection_id, error_type=kind)
            pause = PROBE_AGAIN
        await asyncio.sleep(pause.total_seconds())


if __name__ == "__main__":
    asyncio.run(run())
    sys.stdout.flush()
    os._exit(0)  # the SDK's threads may crash an interpreter that takes its time to end
