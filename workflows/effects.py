"""The activities that workflows call, by name and type only. `activities/` holds what they do."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from workflows.messages import LaneInput, LaneProgress, Taken, Turn, ehr_queue

ONE_TURN = timedelta(seconds=6)
"""How long a turn may take in all while our own database is away. Below the ten seconds after
which Temporal gives a workflow task up, and within the time that a caller waits for an answer."""

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
        schedule_to_close_timeout=ONE_TURN,
        retry_policy=RetryPolicy(
            initial_interval=timedelta(milliseconds=100),
            backoff_coefficient=2,
            maximum_interval=timedelta(seconds=1),
        ),
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
