"""Which build of the workers takes which run: a run stays with workers of the shape it began in.

A build's name is the fingerprint of what is replayed (`build.SHAPE`), so a release that changes
only rules is the same build to Temporal, and takes every run over. One that changes the workflows
is another: its runs begin anew there, and those of the old one hand over or are started again
from the store. The time-skipping test server knows no versions.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType, VersionDrainageStatus
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
)
from temporalio.client import Client
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import WorkerDeploymentConfig

from build import SHAPE
from domain.language.errors import Unavailable
from workflows.messages import PATHWAYS_QUEUE

DEPLOYMENT = "kairos"

SEEN_WITHIN = timedelta(seconds=75)
"""A poll lasts a minute: a worker that has not asked for this long is not there."""

_PATIENCE = timedelta(seconds=2)
_KNOWN_WITHIN = 30
_NEITHER_HERE = (RPCStatusCode.NOT_FOUND, RPCStatusCode.UNIMPLEMENTED)


@dataclass(frozen=True, slots=True)
class Builds:
    """The builds that Temporal knows: those with a worker, those with runs, the current one.

    `newest` is the one with a worker that was first seen last: it is to be current. So an old
    worker that starts again during a release takes nothing back, and one that is left alone does.
    """

    with_worker: frozenset[str]
    with_runs: frozenset[str]
    current: str
    newest: str

    @property
    def stranded(self) -> frozenset[str]:
        """Builds whose runs, or to come runs, nobody takes."""
        return (self.with_runs | ({self.current} if self.current else set())) - self.with_worker


def deployment(shape: str | None = None) -> WorkerDeploymentConfig:
    """What a worker says of itself, so that it is given runs of its shape and no others."""
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(DEPLOYMENT, shape or SHAPE),
        use_worker_versioning=True,
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


async def make_current(client: Client, shape: str | None = None) -> None:
    """Have new runs begin with workers of this shape, ours by default.

    Waits until the server has seen one of them. Raises Unavailable if that does not come to be.
    """
    request = SetWorkerDeploymentCurrentVersionRequest(
        namespace=client.namespace,
        deployment_name=DEPLOYMENT,
        build_id=shape or SHAPE,
        identity=client.identity,
    )
    for _ in range(_KNOWN_WITHIN):
        try:
            await client.workflow_service.set_worker_deployment_current_version(request)
        except RPCError:  # it has not polled yet, or another is just being made current
            await asyncio.sleep(1)
        else:
            return
    raise Unavailable("the server does not know this build of the workers")


async def builds(client: Client) -> Builds | None:
    """The builds that there are. None on a server that knows no versions, or has seen none yet.

    Raises Unavailable if Temporal does not answer.
    """
    queue = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=PATHWAYS_QUEUE),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    whole = DescribeWorkerDeploymentRequest(namespace=client.namespace, deployment_name=DEPLOYMENT)
    service = client.workflow_service
    try:
        answer = await service.describe_worker_deployment(whole, timeout=_PATIENCE)
        polled = (await service.describe_task_queue(queue, timeout=_PATIENCE)).pollers
    except RPCError as error:
        if error.status in _NEITHER_HERE:
            return None
        raise Unavailable("Temporal could not list the workers") from error
    described = answer.worker_deployment_info
    since = _seen_since()
    current = described.routing_config.current_deployment_version.build_id
    with_worker = frozenset(
        each.deployment_options.build_id
        for each in polled
        if each.last_access_time.ToDatetime(tzinfo=UTC) >= since
    )
    first_seen = {
        each.deployment_version.build_id: each.create_time.ToNanoseconds()
        for each in described.version_summaries
        if each.deployment_version.build_id in with_worker
    }
    return Builds(
        with_worker=with_worker,
        newest=max(first_seen, key=lambda build: first_seen[build], default=""),
        with_runs=frozenset(
            each.deployment_version.build_id
            for each in described.version_summaries
            if each.drainage_info.status == _DRAINING
        ),
        current=current,
    )


def _seen_since() -> datetime:
    return datetime.now(UTC) - SEEN_WITHIN


async def running_of_build(client: Client, build: str) -> list[str]:
    """List the ids of workflows whose runs are pinned to a build; of none, those begun before.

    A run that has just been started belongs to no build until a worker has taken it.
    """
    pinned = f"TemporalWorkerDeploymentVersion = '{DEPLOYMENT}:{build}'"
    before = (datetime.now(UTC) - timedelta(minutes=5)).isoformat()
    unversioned = f"TemporalWorkerDeploymentVersion IS NULL AND StartTime < '{before}'"
    query = f"ExecutionStatus = 'Running' AND {pinned if build else unversioned}"
    try:
        return [each.id async for each in client.list_workflows(query)]
    except RPCError as error:
        raise Unavailable("Temporal could not list the workflows") from error


_DRAINING = VersionDrainageStatus.VERSION_DRAINAGE_STATUS_DRAINING
