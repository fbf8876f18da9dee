"""One patient's pathway, from enrolment to its end: a durable loop that keeps time.

It decides nothing and holds nothing of care. When something is due it has a turn taken: one local
activity that locks the pathway in the store, decides and records in one transaction. What people
ask is settled where it is received, under the same lock; the run is told what that left. Either way
it knows a version, a time and whether it is over. So a mended rule reaches every pathway with its
next turn, and no rule is ever replayed.
"""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError
from temporalio.workflow import ContinueAsNewVersioningBehavior

with workflow.unsafe.imports_passed_through():
    from workflows.effects import take_turn
    from workflows.messages import PathwayInput, PathwayResult, Taken, Turn

LOOK_AGAIN_AFTER = timedelta(minutes=1)
"""After a turn that could not be taken: the store is away, or a rule of ours is broken."""


@workflow.defn(name="CarePathway")
class CarePathway:
    """The entity workflow of an episode of care. Its id is `pathway/<random id>`."""

    @workflow.init
    def __init__(self, start: PathwayInput) -> None:
        """Have the state ready before the first handler runs."""
        self._start = start
        self._version = start.version
        self._due: datetime | None = None  # by the clinic's clock
        self._wake_at: datetime | None = None
        self._outcome: str | None = None
        self._looked = False
        self._asked_to_roll_over = False

    @workflow.run
    async def run(self, start: PathwayInput) -> PathwayResult:
        """Record what is due, wait for people or time; until it ends."""
        del start
        while True:
            if self._is_due():
                await self._look()
            if self._outcome is not None:
                return PathwayResult(self._outcome)
            if self._should_roll_over():
                self._roll_over()
            await self._wait_for_people_or_time()

    @workflow.signal(name="recorded")
    def recorded(self, taken: Taken) -> None:
        """Know what a turn left that was taken for a person's command."""
        self._learn(taken, anew=False)

    @workflow.signal(name="look")
    def look(self) -> None:
        """Look now at what is due: rules or the clinic's clock may say otherwise than before."""
        self._looked = False

    @workflow.signal(name="roll-over")
    def roll_over(self) -> None:
        """Hand over to a fresh run, which the newest build of the workers takes."""
        self._asked_to_roll_over = True

    @workflow.query(name="version")
    def version(self) -> int:
        """How many events are stored, as far as this run knows. For operators."""
        return self._version

    async def _look(self) -> None:
        """Take a turn for what is due. One that fails is taken again later."""
        self._looked = True
        try:
            taken = await take_turn(Turn(self._start.pathway_id, None, self._version))
        except FailureError:  # a defect comes as it is, not as an activity's error
            self._look_soon()
        else:
            self._learn(taken, anew=True)

    def _learn(self, taken: Taken, *, anew: bool) -> None:
        """Know what a turn left. A look and a command may pass each other: the later knows better.

        `anew` sets the timer to the turn's due time, be that later than it was thought.
        """
        if taken.version >= self._version or taken.restored:
            self._version, self._outcome = taken.version, taken.outcome
            self._set_timer(taken, anew=anew)

    def _look_soon(self) -> None:
        """Look in a minute, unless it is due sooner: nobody knows what the last turn left."""
        soon = workflow.now() + LOOK_AGAIN_AFTER
        if self._wake_at is None or not workflow.now() < self._wake_at < soon:
            self._wake_at, self._due = soon, None

    def _set_timer(self, taken: Taken, *, anew: bool) -> None:
        """Wake when it is due. A later time leaves the timer: to look too early does no harm."""
        if taken.due is None or taken.wait is None:
            self._due = self._wake_at = None
        elif anew or self._due is None or taken.due < self._due:
            self._due, self._wake_at = taken.due, workflow.now() + taken.wait

    def _is_due(self) -> bool:
        """Say whether to look."""
        return not self._looked or (self._wake_at is not None and self._wake_at <= workflow.now())

    def _should_roll_over(self) -> bool:
        long = workflow.info().get_current_history_length() >= self._start.roll_over_at
        return long or self._asked_to_roll_over

    async def _wait_for_people_or_time(self) -> None:
        """Sleep until it is due, and on while commands leave that where it is: the timer stays."""
        wake_at = self._wake_at
        try:
            await workflow.wait_condition(
                lambda: (
                    self._is_due()
                    or self._wake_at != wake_at
                    or self._outcome is not None
                    or self._should_roll_over()
                ),
                timeout=None if wake_at is None else max(wake_at - workflow.now(), _AN_INSTANT),
                timeout_summary="until the next due time",
            )
        except TimeoutError:
            return

    def _roll_over(self) -> None:
        """Begin a fresh run, with workers of the newest shape where there are several."""
        workflow.continue_as_new(
            PathwayInput(self._start.pathway_id, self._start.roll_over_at, self._version),
            initial_versioning_behavior=ContinueAsNewVersioningBehavior.AUTO_UPGRADE,
        )


_AN_INSTANT = timedelta(milliseconds=1)
