"""The activities that workflows call, by name and type only. `activities/` holds what they do."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from workflows.messages import LaneInput, LaneProgress, RecordInput, ehr_queue

KEEP_TRYING = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    backoff_coefficient=2,
    maximum_interval=timedelta(seconds=30),
)
"""For our own database: what was acknowledged is stored however long that takes."""

WAIT_FOR_EHR = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(minutes=15),
)
"""For an EHR that is away: its lane waits, for days if need be, and nothing else does."""


async def record_events(batch: RecordInput) -> int:
    """Store events, projection, audit and delivery intents in one transaction; the new version."""
    version: int = await workflow.execute_activity(
        "record_events",
        batch,
        result_type=int,
        start_to_close_timeout=timedelta(seconds=20),
        retry_policy=KEEP_TRYING,
    )
    return version


async def deliver(lane: LaneInput) -> LaneProgress:
    """Deliver what the ledger holds for a lane, as far as one attempt comes."""
    progress: LaneProgress = await workflow.execute_activity(
        "deliver",
        lane,
        result_type=LaneProgress,
        task_queue=ehr_queue(lane.connection_id),
        start_to_close_timeout=timedelta(seconds=60),
        heartbeat_timeout=timedelta(seconds=10),
        retry_policy=WAIT_FOR_EHR,
    )
    return progress
