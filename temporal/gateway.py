"""The only way to the workflows: start one, tell it what was recorded. Used by API and worker.

Each call may be made again with the same ids: what was done already is answered from the store.
`Unavailable` means that the outcome is not known yet, never that nothing happened.
"""

import asyncio
from datetime import timedelta

import structlog
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import GrpcCompression, RPCError, RPCStatusCode

from domain.language.errors import Unavailable
from temporal.converter import DATA_CONVERTER
from temporal.runtime import runtime
from workflows.messages import (
    PATHWAYS_QUEUE,
    ROLL_OVER_AT,
    PathwayInput,
    Taken,
    pathway_workflow_id,
)

PATIENCE = timedelta(seconds=5)
"""How long to wait for Temporal's answer before an outcome counts as not known."""


log = structlog.get_logger("kairos.temporal")

_LEAVE = WorkflowIDConflictPolicy.FAIL
_ANEW = WorkflowIDConflictPolicy.TERMINATE_EXISTING


LONGEST_PAUSE = 15
"""Seconds between tries to reach Temporal, at most."""


async def connect(address: str, namespace: str, metrics_address: str | None = None) -> Client:
    """Connect to Temporal with the converter that all of Kairos uses.

    What the SDK's core has to say goes through our loggers, not past them; what it counts is
    offered at `metrics_address`.
    """
    return await Client.connect(
        address,
        namespace=namespace,
        data_converter=DATA_CONVERTER,
        runtime=runtime(metrics_address),
        # Temporal stands near by: packing each history and unpacking it again costs more time.
        grpc_compression=GrpcCompression.NONE,
    )


async def connected(address: str, namespace: str, metrics_address: str | None = None) -> Client:
    """Connect as `connect` does, however long Temporal takes to be there."""
    pause = 1
    while True:
        try:
            return await connect(address, namespace, metrics_address)
        except RuntimeError:
            log.warning("waits_for_temporal")
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)


class WorkflowGone(Unavailable):
    """No workflow runs for this pathway: terminated, its history lost, or never started."""


async def start_pathway(client: Client, start: PathwayInput, *, anew: bool = False) -> bool:
    """Start a pathway's workflow; False if one runs already, which is left alone.

    `anew` ends the one that runs: a run that no worker can take is nobody's, and it holds nothing.
    Whether the pathway is one that may run is the store's to say, and was asked before.
    """
    try:
        await client.start_workflow(
            "CarePathway",
            start,
            id=pathway_workflow_id(start.pathway_id),
            task_queue=PATHWAYS_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=_ANEW if anew else _LEAVE,
            rpc_timeout=PATIENCE,
        )
    except WorkflowAlreadyStartedError:
        return False
    except RPCError as error:
        raise Unavailable("the pathway's start is not confirmed yet") from error
    return True


class HistoryLost(Unavailable):
    """Temporal answers, and cannot read this run: its history is lost, or damaged."""


async def is_running(client: Client, pathway_id: str) -> bool:
    """Say whether a workflow runs for a pathway.

    Raises HistoryLost if Temporal cannot read its run, and Unavailable if it does not say.
    """
    return await build_running(client, pathway_workflow_id(pathway_id)) is not None


async def build_running(client: Client, workflow_id: str) -> str | None:
    """Say of which build the run is that a workflow has now, "" for none yet; None if none runs.

    Raises as `is_running` does.
    """
    try:
        described = await client.get_workflow_handle(workflow_id).describe(rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        if error.status in _UNREADABLE:
            raise HistoryLost("Temporal cannot read the pathway's workflow") from error
        raise Unavailable("Temporal did not say if the pathway's workflow is running") from error
    if described.status is not WorkflowExecutionStatus.RUNNING:
        return None
    run = described.raw_description.workflow_execution_info
    return run.versioning_info.deployment_version.build_id


_UNREADABLE = (RPCStatusCode.INTERNAL, RPCStatusCode.DATA_LOSS, RPCStatusCode.UNKNOWN)


async def running_pathways(client: Client) -> set[str] | None:
    """List the pathways whose workflows run, as the index of workflows has it: it lags a little.

    None on a server that keeps no such index, as the time-skipping one.
    """
    query = "WorkflowType = 'CarePathway' AND ExecutionStatus = 'Running'"
    prefix = pathway_workflow_id("")
    try:
        return {each.id.removeprefix(prefix) async for each in client.list_workflows(query)}
    except RPCError as error:
        if error.status is RPCStatusCode.UNIMPLEMENTED:
            return None
        raise Unavailable("Temporal could not list the workflows") from error


async def tell(
    client: Client, pathway_id: str, taken: Taken, *, roll_over_at: int = ROLL_OVER_AT
) -> None:
    """Tell a pathway's workflow what a turn left. Raises WorkflowGone or Unavailable.

    One that had ended starts again if somebody is still to look at something by a time.
    """
    try:
        await _signal(client, pathway_id, "recorded", taken)
    except WorkflowGone:
        if not taken.ended or taken.due is None:
            raise
        await start_pathway(client, PathwayInput(pathway_id, roll_over_at, taken.version))


async def end(client: Client, workflow_id: str, why: str) -> None:
    """End a workflow that nobody could ever finish."""
    try:
        await client.get_workflow_handle(workflow_id).terminate(why, rpc_timeout=PATIENCE)
    except RPCError as error:
        raise Unavailable("the workflow could not be ended") from error


async def look(client: Client, pathway_id: str) -> None:
    """Have a pathway look at what is due now. Raises WorkflowGone or Unavailable."""
    await _signal(client, pathway_id, "look")


async def roll_over(client: Client, pathway_id: str) -> None:
    """Have a pathway hand over to a fresh run. Raises WorkflowGone or Unavailable."""
    await _signal(client, pathway_id, "roll-over")


async def _signal(client: Client, pathway_id: str, name: str, *says: Taken) -> None:
    handle = client.get_workflow_handle(pathway_workflow_id(pathway_id))
    try:
        await handle.signal(name, args=says, rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise WorkflowGone("no workflow is running for this pathway") from error
        raise Unavailable("the pathway's workflow could not be reached") from error
