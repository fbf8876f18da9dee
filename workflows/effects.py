"""The activities that workflows call, by name and type only. `activities/` holds what they do."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from workflows.messages import LaneInput, LaneProgress, Taken, Turn, ehr_queue

ONE_TRY = timedelta(seconds=3)
"""How long one try of a turn may take. One that was committed and is tried again is answered from
the store."""

AT_ONCE = RetryPolicy(
    initial_interval=timedelta(milliseconds=200),
    backoff_coefficient=2,
    maximum_attempts=3,
)
"""A few tries while our own database is away, and no more: a turn that waits holds a place that
other pathways need. What was not settled stays received, and is sent on."""

WAIT_FOR_EHR = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2,
    maximum_interval=timedelta(minutes=15),
)
"""For an EHR that is away: its lane waits, for days if need be, and nothing else does."""


async def take_turn(turn: Turn) -> Taken:
    """Decide and record one turn of a pathway in one transaction; what that left stored.

    A local activity: it is one event of history, and no trip to another task queue.
    """
    taken: Taken = await workflow.execute_local_activity(
        "take_turn",
        turn,
        result_type=Taken,
        start_to_close_timeout=ONE_TRY,
        retry_policy=AT_ONCE,
    )
    return taken


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
