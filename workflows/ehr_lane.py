"""One lane: drains what the ledger holds for one patient at one EHR, in order, then ends.

An EHR that is away for days stops its lanes, never the pathway. The queue itself is the ledger:
nothing is lost if a lane is, and a new one starts with the next wake-up.
"""

from temporalio import workflow
from temporalio.workflow import ContinueAsNewVersioningBehavior

with workflow.unsafe.imports_passed_through():
    from workflows.effects import deliver
    from workflows.messages import ROLL_OVER_AT, LaneInput


@workflow.defn(name="EhrLane")
class EhrLane:
    """Short-lived: started or woken by whoever committed something to its ledger."""

    @workflow.init
    def __init__(self, lane: LaneInput) -> None:
        """Begin awake: there is something to deliver."""
        self._delivered = lane.delivered
        self._awake = True

    @workflow.run
    async def run(self, lane: LaneInput) -> int:
        """Deliver until the ledger is empty and nobody woke the lane meanwhile; say how many."""
        while self._awake:
            self._awake = False
            progress = await deliver(lane)
            self._delivered += progress.delivered
            if progress.more:
                self._awake = True
            if self._awake and workflow.info().get_current_history_length() >= ROLL_OVER_AT:
                workflow.continue_as_new(
                    LaneInput(lane.connection_id, lane.patient_id, self._delivered),
                    initial_versioning_behavior=ContinueAsNewVersioningBehavior.AUTO_UPGRADE,
                )
        return self._delivered

    @workflow.signal(name="wake")
    def wake(self) -> None:
        """Say that the ledger holds more."""
        self._awake = True
