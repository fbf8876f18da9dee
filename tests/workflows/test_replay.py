"""Recorded histories still replay: a change that would strand running pathways fails here.

Replay compares the sequence of commands only. What activities are called with is compared here
too, since a changed patient or batch would replay without a word.
"""

import gzip
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.worker import (
    Interceptor,
    Replayer,
    StartActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)
from temporalio.workflow import ActivityHandle

from domain.language.protocol import CombinedProtocol
from temporal.converter import DATA_CONVERTER
from tests.workflows.record import treated
from workflows.runner import WORKFLOWS, runner

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json.gz"))
SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED

_called: list[bytes] = []


class _Outbound(WorkflowOutboundInterceptor):
    def start_activity(self, input: StartActivityInput) -> ActivityHandle[Any]:  # noqa: A002  the SDK's name
        """Note what the activity is called with."""
        payloads = DATA_CONVERTER.payload_converter.to_payloads(list(input.args))
        _called.extend(payload.data for payload in payloads)
        return super().start_activity(input)


class _Inbound(WorkflowInboundInterceptor):
    def init(self, outbound: WorkflowOutboundInterceptor) -> None:
        """Put ours before the SDK's."""
        super().init(_Outbound(outbound))


class NoteInputs(Interceptor):
    """Notes what every activity is called with while a history is replayed."""

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002  the SDK's name
    ) -> type[WorkflowInboundInterceptor]:
        """Name our inbound interceptor."""
        return _Inbound


def _history(file: Path) -> WorkflowHistory:
    text = gzip.decompress(file.read_bytes()).decode()
    return WorkflowHistory.from_json(file.stem, text)


def test_there_are_histories_of_every_phase(protocol: CombinedProtocol) -> None:
    """Each phase is treated in some recorded run; there are lanes, and pathways that ended."""
    runs = [_history(file) for file in HISTORIES if "-run-" in file.name]
    assert set().union(*map(treated, runs)) == {phase.id for phase in protocol.phases}
    ended = [run.events[-1].event_type for run in runs]
    assert ended.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED) == 2
    assert any("-lane-" in file.name for file in HISTORIES)


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.name.removesuffix(".json.gz"))
async def test_a_recorded_history_replays_with_the_same_inputs(file: Path) -> None:
    """The history replays without non-determinism, each activity called as it was then."""
    history = _history(file)
    _called.clear()
    replayer = Replayer(
        workflows=WORKFLOWS,
        workflow_runner=runner(),
        data_converter=DATA_CONVERTER,
        interceptors=[NoteInputs()],
    )
    await replayer.replay_workflow(history)
    then = [
        payload.data
        for event in history.events
        if event.event_type == SCHEDULED
        for payload in event.activity_task_scheduled_event_attributes.input.payloads
    ]
    assert then
    assert _called[: len(then)] == then
