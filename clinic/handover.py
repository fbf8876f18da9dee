"""Gives what waits for a dead worker's memory to another worker, as a real Temporal server does.

A worker that keeps workflows in memory has a task queue of its own, a sticky one, and is offered
their tasks there. When it dies, the real server waits a few seconds and offers them to any worker.
The time-skipping one never does: the task waits for ever, and virtual time with it.

So this relay stands between Kairos and that server. It passes on every byte as it came, notes which
sticky queue is polled over a connection, and when the last such connection has ended takes each
task that still comes to that queue and fails it. The server then offers it to everybody.
Demo and tests only.
"""

import asyncio
import re
from collections import Counter
from contextlib import suppress

from temporalio.api.enums.v1 import TaskQueueKind, WorkflowTaskFailedCause
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    PollWorkflowTaskQueueRequest,
    RespondWorkflowTaskFailedRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

from clinic.ports import LOOPBACK, listening_socket

_READ = 65536
_IDENTITY = "handover"
_NAMESPACE = "default"
_STICKY = TaskQueueKind.TASK_QUEUE_KIND_STICKY

# A `temporal.api.taskqueue.v1.TaskQueue` on the wire: field 1, the name with its length; field 2,
# the kind, sticky. The SDK's core ends such a name with 32 hexadecimal digits.
_POLLED = re.compile(rb"\x0a(.)([!-~]+-[0-9a-f]{32})\x10" + bytes([_STICKY]), re.DOTALL)
_LONGEST = 300
"""Bytes kept of what came before, so that a name on the edge of two reads is seen."""


class Handover:
    """Listens on its own port and relays to a time-skipping server."""

    def __init__(self) -> None:
        self._client: Client | None = None
        self._upstream = 0
        self._server: asyncio.Server | None = None
        self._relaying: set[asyncio.Task[None]] = set()
        self._polling: Counter[str] = Counter()
        self._emptying: dict[str, asyncio.Task[None]] = {}
        self.address = ""

    async def start(self, server: str) -> None:
        """Begin to relay to `server`, as host:port."""
        self._client = await Client.connect(server)
        self._upstream = int(server.rpartition(":")[2])
        listening = listening_socket()
        self.address = f"{LOOPBACK}:{listening.getsockname()[1]}"
        self._server = await asyncio.start_server(self._accepted, sock=listening)

    async def stop(self) -> None:
        """Close every connection and stop taking tasks."""
        if self._server is not None:
            self._server.close()
            self._server = None
        tasks = [*self._relaying, *self._emptying.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._emptying.clear()

    @property
    def emptied(self) -> frozenset[str]:
        """The queues of workers that are gone, whose tasks go to others now."""
        return frozenset(self._emptying)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        relaying = asyncio.create_task(self._relay(reader, writer))
        self._relaying.add(relaying)
        relaying.add_done_callback(self._relaying.discard)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Relay one connection until either side ends it."""
        watch = Watch()
        try:
            up_reader, up_writer = await asyncio.open_connection(LOOPBACK, self._upstream)
        except OSError:
            writer.close()
            return
        ways = {
            asyncio.create_task(self._pass_on(reader, up_writer, watch)),
            asyncio.create_task(self._pass_on(up_reader, writer)),
        }
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            writer.close()
            # At once, so that the server gives no more tasks to polls that nobody reads.
            up_writer.transport.abort()
            if watch.queue is not None:
                self._left(watch.queue)

    async def _pass_on(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        watch: "Watch | None" = None,
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_READ):
                if watch is not None and watch.sees(data):
                    self._polled(watch.queue or "")
                writer.write(data)
                await writer.drain()

    def _polled(self, queue: str) -> None:
        """Leave a queue alone whose worker was not dead, only connected anew."""
        self._polling[queue] += 1
        if (emptying := self._emptying.pop(queue, None)) is not None:
            emptying.cancel()

    def _left(self, queue: str) -> None:
        """Take over a queue when the last connection over which it was polled has ended."""
        self._polling[queue] -= 1
        if self._polling[queue] == 0 and self._server is not None:
            self._emptying[queue] = asyncio.create_task(self._empty(queue))

    async def _empty(self, queue: str) -> None:
        """Fail every task that comes to a queue that nobody polls any more."""
        if self._client is None:
            return
        poll = PollWorkflowTaskQueueRequest(
            namespace=_NAMESPACE,
            task_queue=TaskQueue(name=queue, kind=_STICKY),
            identity=_IDENTITY,
        )
        service = self._client.workflow_service
        while True:
            try:
                task = await service.poll_workflow_task_queue(poll)
                if task.task_token:
                    failed = RespondWorkflowTaskFailedRequest(
                        namespace=_NAMESPACE,
                        task_token=task.task_token,
                        cause=WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_STICKY_TASK_QUEUE,
                        identity=_IDENTITY,
                    )
                    await service.respond_workflow_task_failed(failed)
            except RPCError:
                # A poll that nobody answered in its time, or a task that timed out meanwhile.
                await asyncio.sleep(0.1)


class Watch:
    """Looks for the sticky queue that is polled over one connection: there is one a worker."""

    def __init__(self) -> None:
        self.queue: str | None = None
        self._before = b""

    def sees(self, data: bytes) -> bool:
        """Whether the queue's name is in here for the first time."""
        if self.queue is not None:
            return False
        window = self._before + data
        for length, name in _POLLED.findall(window):
            if len(name) == length[0]:
                self.queue = name.decode()
                return True
        self._before = window[-_LONGEST:]
        return False
