"""Recorded histories still replay, whatever the rules say by now: no replay asks one.

A change of what the workflows themselves do fails here. Replay compares the sequence of commands
only; what activities are called with is compared here too.
"""

import ast
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHistory
from temporalio.worker import (
    Interceptor,
    Replayer,
    StartLocalActivityInput,
    UnsandboxedWorkflowRunner,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
    WorkflowRunner,
)
from temporalio.workflow import ActivityHandle, NondeterminismError

import domain.automatic
import domain.decide
import domain.due
import domain.planner
import domain.rules.fold
import workflows
from temporal.converter import DATA_CONVERTER
from workflows import care_pathway
from workflows.messages import Taken, Turn
from workflows.runner import WORKFLOWS, runner

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json.gz"))
MARKER = EventType.EVENT_TYPE_MARKER_RECORDED

_called: list[object] = []


class _Outbound(WorkflowOutboundInterceptor):
    def start_local_activity(
        self,
        input: StartLocalActivityInput,  # noqa: A002  the SDK's name
    ) -> ActivityHandle[Any]:
        """Note what the local activity is called with."""
        _called.extend(input.args)
        return super().start_local_activity(input)


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


async def _replay(*histories: WorkflowHistory, within: WorkflowRunner | None = None) -> None:
    _called.clear()
    replayer = Replayer(
        workflows=WORKFLOWS,
        workflow_runner=within or runner(),
        data_converter=DATA_CONVERTER,
        interceptors=[NoteInputs()],
    )
    for history in histories:
        await replayer.replay_workflow(history)


def test_there_are_histories_of_every_kind() -> None:
    """There are runs that began a pathway, that handed over, and that ended it."""
    runs = [_history(file) for file in HISTORIES if "-run-" in file.name]
    ended = [run.events[-1].event_type for run in runs]
    assert ended.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED) == 2
    assert ended.count(EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW) >= 2


@pytest.mark.parametrize("file", HISTORIES, ids=lambda file: file.name.removesuffix(".json.gz"))
async def test_a_recorded_history_replays_with_the_same_inputs(file: Path) -> None:
    """The history replays without non-determinism, as many turns taken, each knowing the last."""
    history = _history(file)
    await _replay(history)
    convert = DATA_CONVERTER.payload_converter
    left = [
        convert.from_payloads(
            event.marker_recorded_event_attributes.details["result"].payloads, [Taken]
        )[0]
        for event in history.events
        if event.event_type == MARKER
    ]
    turns = [each for each in _called if isinstance(each, Turn)]
    assert len(turns) == len(left) > 0
    for before, turn in zip(left, turns[1:], strict=False):
        assert turn.seen >= before.version


CHANGES: dict[str, tuple[object, str]] = {
    "what a command means": (domain.decide, "decide"),
    "what Kairos adds by itself": (domain.automatic, "automatic"),
    "the order of tasks": (domain.planner, "wanted_tasks"),
    "when it is due": (domain.due, "next_due"),
    "what comes next": (domain.planner, "steps"),
    "how events are folded": (domain.rules.fold, "apply"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_no_replay_asks_a_rule(change: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a rule that no longer answers at all, every recorded history replays as before."""

    def gone(*_: object) -> None:
        raise AssertionError(change)

    monkeypatch.setattr(*CHANGES[change], gone)
    await _replay(*map(_history, HISTORIES))


def test_what_is_replayed_imports_nothing_of_the_domain() -> None:
    """No module that a run replays names the domain, so no rule, event or command can be in it."""
    for file in sorted(Path(workflows.__path__[0]).glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [each.name for each in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name.split(".")[0] == "domain"], file.name


ORDERS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "it never looks": lambda patch: patch.setattr(
        care_pathway.CarePathway, "_is_due", lambda self: False
    ),
    "it rolls over at once": lambda patch: patch.setattr(
        care_pathway.CarePathway, "_should_roll_over", lambda self: True
    ),
}


@pytest.mark.parametrize("order", ORDERS)
async def test_another_order_of_the_workflow_is_caught(
    order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the workflow itself does something else than before, some history does not replay."""
    ORDERS[order](monkeypatch)
    runs = [_history(file) for file in HISTORIES if "-run-" in file.name]
    with pytest.raises(NondeterminismError):
        await _replay(*runs, within=UnsandboxedWorkflowRunner())
