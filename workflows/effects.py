"""The activity that workflows call, by name and type only. `activities/` holds what it does."""

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from workflows.messages import Taken, Turn

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
