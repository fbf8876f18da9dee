"""One patient's pathway, from enrolment to its end: a durable loop around the domain.

People's input comes as Updates, is decided by the domain, and is true at once; the loop stores it
and does what Kairos may do by itself. There is no rule about medicine here: see `domain/`.
"""

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

with workflow.unsafe.imports_passed_through():
    from domain.automatic import automatic
    from domain.decide import decide
    from domain.language.commands import Command
    from domain.language.errors import Conflict, Malformed, Refused
    from domain.language.events import Event
    from domain.language.names import RequestId
    from domain.planner import next_due
    from domain.rules.fold import fold
    from workflows.effects import record_events
    from workflows.messages import Ack, PathwayInput, PathwayResult, Recorded, RecordInput, Refusal

SEEN_KEPT = 200
"""Request ids remembered for de-duplication. Only requests in flight can come again (10 at most),
for the inbox settles the others; the rest is margin."""


@workflow.defn(name="CarePathway")
class CarePathway:
    """The entity workflow of an episode of care. Its id is `pathway/<random id>`."""

    @workflow.init
    def __init__(self, start: PathwayInput) -> None:
        """Have the state ready before the first handler runs."""
        self._protocol = start.protocol
        self._pathway = start.pathway
        self._version = start.version
        self._seen = dict(start.seen)
        self._roll_over_at = start.roll_over_at
        self._pending: list[Recorded] = []
        self._take(start.begin, start.first_request)

    @workflow.run
    async def run(self, start: PathwayInput) -> PathwayResult:
        """Do what is due, store what happened, wait for people or time; until it ends."""
        del start
        while True:
            self._do_what_is_ours()
            await self._store_what_happened()
            if self._pending:
                continue
            if self._pathway.outcome is not None:
                await workflow.wait_condition(workflow.all_handlers_finished)
                return PathwayResult(self._pathway.outcome)
            if workflow.info().get_current_history_length() >= self._roll_over_at:
                await workflow.wait_condition(workflow.all_handlers_finished)
                workflow.continue_as_new(self._carried_over())
            await self._wait_for_people_or_time()

    @workflow.update(name="command")
    async def command(self, command: Command) -> Ack:
        """Record what a person did or wants. Refused commands change nothing."""
        if command.id in self._seen:
            return Ack(self._seen[command.id])
        events = self._decide(command)
        self._take(events, command.id)
        return Ack(self._version + len(self._pending))

    @command.validator
    def _may(self, command: Command) -> None:
        """Refuse before anything is written to history."""
        if command.id not in self._seen:
            self._decide(command)

    @workflow.query(name="version")
    def version(self) -> int:
        """How many events are stored. For operators; lists and screens read the store."""
        return self._version

    def _decide(self, command: Command) -> tuple[Event, ...]:
        """Ask the domain. A bug in there fails this one command, never the pathway."""
        try:
            if command.expects is not None and command.expects != self._reached():
                message = f"the pathway is at version {self._reached()}, not {command.expects}"
                raise Conflict(message)  # noqa: TRY301
            return decide(self._protocol, self._pathway, command, workflow.now())
        except (Refused, Conflict, Malformed) as error:
            blocked_by = error.blocked_by if isinstance(error, Refused) else ()
            refusal = Refusal(type(error).__name__, str(error), blocked_by)
            raise ApplicationError(
                "the command was refused", refusal, type=refusal.kind, non_retryable=True
            ) from None
        except FailureError:
            raise
        except Exception as error:  # noqa: BLE001  whatever it is, it fails this command only
            workflow.logger.error("command_failed", extra={"error_type": type(error).__name__})
            message = "the command could not be handled"
            raise ApplicationError(message, type="Defect", non_retryable=True) from None

    def _reached(self) -> int:
        """The version including what is not stored yet."""
        return self._version + len(self._pending)

    def _take(self, events: tuple[Event, ...], request: RequestId | None = None) -> None:
        """Make events true here; the loop stores them."""
        self._pathway = fold(self._pathway, events, self._protocol.vocabulary)
        self._pending.extend(Recorded(event, request) for event in events)
        if request is not None:
            self._seen[request] = self._reached()
            for oldest in list(self._seen)[:-SEEN_KEPT]:
                del self._seen[oldest]

    def _do_what_is_ours(self) -> None:
        """Propose visits, open and close tasks, until nothing of the kind is left to do."""
        while events := automatic(self._protocol, self._pathway, workflow.now()):
            self._take(events)

    async def _store_what_happened(self) -> None:
        """Store pending events in order. What comes meanwhile is stored in the next round."""
        if not self._pending:
            return
        batch = tuple(self._pending)
        self._version = await record_events(
            RecordInput(self._pathway.id, self._version, batch, workflow.now())
        )
        del self._pending[: len(batch)]

    async def _wait_for_people_or_time(self) -> None:
        """Sleep until a command came or the domain's next due time."""
        now = workflow.now()
        due = next_due(self._protocol, self._pathway, now)
        try:
            await workflow.wait_condition(
                lambda: bool(self._pending),
                timeout=max(due - now, timedelta(milliseconds=1)),
                timeout_summary="until the next due time",
            )
        except TimeoutError:
            return

    def _carried_over(self) -> PathwayInput:
        return PathwayInput(
            self._pathway,
            self._protocol,
            self._version,
            self._seen,
            roll_over_at=self._roll_over_at,
        )
