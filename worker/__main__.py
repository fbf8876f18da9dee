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

import structlog
from temporalio.client import Client
from temporalio.worker import Worker

from activities.deliveries import Deliveries
from activities.plans import Connections, Plans, probe
from activities.records import Records
from activities.relay import Relay
from logs import set_up
from settings import Settings, load_clinic
from store.database import Database
from temporal.clock import Clock, clock_for
from temporal.gateway import connect
from workflows.messages import PATHWAYS_QUEUE, ehr_queue
from workflows.runner import WORKFLOWS, runner

PROBE_EVERY = timedelta(hours=1)
PROBE_AGAIN = timedelta(seconds=1)

WORKFLOW_TASKS = 8
"""Few at a time: a restart replays cold histories, and more at once only makes all of them late."""

MOST_CACHED = 2_000
"""Pathways kept in memory, about 70 KiB each."""

log = structlog.get_logger("kairos.worker")


async def run() -> None:
    """Run until SIGTERM or SIGINT."""
    settings = Settings()
    set_up(settings.log_level)
    clinic = load_clinic(settings.clinic_file)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    client = await _connected(settings)
    clock = clock_for(settings.clinical_clock, client)
    database = Database(settings.database_url.get_secret_value())
    connections = Connections({c.id: c.base_url for c in clinic.connections})
    plans = Plans()
    records = Records(database, plans, client)
    deliveries = Deliveries(database, connections, plans, clock)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(database.close)
        stack.push_async_callback(connections.close)
        for connection in connections.ids():
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
                activities=[records.record_events],
                max_concurrent_workflow_tasks=WORKFLOW_TASKS,
                max_cached_workflows=MOST_CACHED,
                max_concurrent_activities=8,
            )
        )
        beside = [
            asyncio.create_task(_probing(database, connections, each, clock))
            for each in connections.ids()
        ]
        beside.append(asyncio.create_task(Relay(database, client, clock).run()))
        log.info("worker_started")
        await stopping.wait()
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
    log.info("worker_stopped")


async def _connected(settings: Settings) -> Client:
    """Connect to Temporal, however long it takes to be there."""
    while True:
        try:
            return await connect(settings.temporal_address, settings.temporal_namespace)
        except RuntimeError:
            log.warning("worker_waits_for_temporal")
            await asyncio.sleep(1)


async def _probing(
    database: Database, connections: Connections, connection_id: str, clock: Clock
) -> None:
    """Read an EHR's capabilities at the start and then now and then."""
    while True:
        pause = PROBE_EVERY
        try:
            await probe(database, connections, connection_id, clock)
        except Exception as error:  # noqa: BLE001  whatever it was, it is tried again
            log.warning("probe_failed", connection=connection_id, error_type=type(error).__name__)
            pause = PROBE_AGAIN
        await asyncio.sleep(pause.total_seconds())


if __name__ == "__main__":
    asyncio.run(run())
    sys.stdout.flush()
    os._exit(0)  # the SDK's threads may crash an interpreter that takes its time to end
