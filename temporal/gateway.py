"""The only way in: start a pathway, send it a command, wake a lane. Used by API and worker.

Each call may be made again with the same ids. What comes back is one of the four errors, or the
outcome; `Unavailable` means that the outcome is not known yet, never that nothing happened.
"""

import asyncio
from datetime import timedelta
from functools import cache
from logging import getLogger

from pydantic import TypeAdapter
from temporalio.client import (
    Client,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.runtime import (
    LogForwardingConfig,
    LoggingConfig,
    Runtime,
    TelemetryConfig,
    TelemetryFilter,
)
from temporalio.service import GrpcCompression, RPCError

from domain.language.commands import Command
from domain.language.errors import Conflict, Malformed, Refused, Unavailable
from temporal.converter import DATA_CONVERTER
from workflows.messages import (
    PATHWAYS_QUEUE,
    Ack,
    LaneInput,
    PathwayInput,
    Refusal,
    lane_workflow_id,
    pathway_workflow_id,
)

PATIENCE = timedelta(seconds=8)
"""How long a caller waits for a workflow's answer before the outcome counts as not known."""


async def connect(address: str, namespace: str) -> Client:
    """Connect to Temporal with the codec that all of Kairos uses.

    What the SDK's core has to say goes through our loggers, not past them.
    """
    return await Client.connect(
        address,
        namespace=namespace,
        data_converter=DATA_CONVERTER,
        runtime=_runtime(),
        # Temporal stands near by: packing each history and unpacking it again costs more time.
        grpc_compression=GrpcCompression.NONE,
    )


@cache
def _runtime() -> Runtime:
    forwarding = LogForwardingConfig(
        logger=getLogger("temporalio.core"), append_log_fields_to_message=False
    )
    logging = LoggingConfig(
        filter=TelemetryFilter(core_level="WARN", other_level="ERROR"), forwarding=forwarding
    )
    return Runtime(telemetry=TelemetryConfig(logging=logging))


async def start_pathway(client: Client, start: PathwayInput) -> None:
    """Start a pathway's workflow; one that runs already is the same one, and is left alone."""
    try:
        await client.start_workflow(
            "CarePathway",
            start,
            id=pathway_workflow_id(start.pathway.id),
            task_queue=PATHWAYS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            rpc_timeout=PATIENCE,
        )
    except WorkflowAlreadyStartedError:
        return
    except RPCError as error:
        raise Unavailable("the pathway's start is not confirmed yet") from error


async def send(client: Client, pathway_id: str, command: Command) -> Ack:
    """Send a command, with its request id as the update's id.

    Raises Refused, Conflict or Malformed if the pathway refuses it; Unavailable if no answer came.
    """
    handle = client.get_workflow_handle(pathway_workflow_id(pathway_id))
    try:
        # The SDK asks again and again while nobody answers, so the whole of it needs a bound.
        return await asyncio.wait_for(
            handle.execute_update(
                "command", command, id=command.id, result_type=Ack, rpc_timeout=PATIENCE
            ),
            PATIENCE.total_seconds(),
        )
    except WorkflowUpdateFailedError as error:
        raise _refusal(error.cause) from error
    except (WorkflowUpdateRPCTimeoutOrCancelledError, RPCError, TimeoutError) as error:
        raise Unavailable("the command's outcome is not known yet") from error


def _refusal(cause: BaseException | None) -> Exception:
    """Turn a failed update back into the domain's error."""
    if not isinstance(cause, ApplicationError) or cause.type not in _ERRORS:
        return Unavailable("the pathway could not handle the command")
    refusal = _read(cause)
    if cause.type == "Refused":
        return Refused(refusal.message, refusal.blocked_by)
    return _ERRORS[cause.type](refusal.message)


_ERRORS: dict[str, type[Exception]] = {
    "Refused": Refused,
    "Conflict": Conflict,
    "Malformed": Malformed,
}


_REFUSAL = TypeAdapter(Refusal)


def _read(cause: ApplicationError) -> Refusal:
    return _REFUSAL.validate_python(cause.details[0])


async def wake_lane(client: Client, connection_id: str, patient_id: str) -> None:
    """Start a lane, or wake the one that runs: no wake-up is lost, and none starts a second."""
    await client.start_workflow(
        "EhrLane",
        LaneInput(connection_id, patient_id),
        id=lane_workflow_id(connection_id, patient_id),
        task_queue=PATHWAYS_QUEUE,
        start_signal="wake",
        rpc_timeout=PATIENCE,
    )
