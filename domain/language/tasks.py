"""Tasks: what waits for a person, and that somebody has seen it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from domain.language.names import CARE, Role, Roles, RuleId, TaskId


@dataclass(frozen=True, slots=True)
class AcknowledgeTask:
    """Say that a task was seen. What a prescriber must see is acknowledged in words."""

    MAY: ClassVar[Roles] = CARE

    task: TaskId
    words: str = ""  # what was found, what was decided, when the next contact is
    kind: Literal["acknowledge-task"] = "acknowledge-task"


@dataclass(frozen=True, slots=True)
class TaskOpened:
    """Something became a person's to do. `says` names rules, visits and findings, never who."""

    task: TaskId
    rule: RuleId
    roles: tuple[Role, ...]
    says: str
    due: datetime | None
    kind: Literal["task-opened"] = "task-opened"


@dataclass(frozen=True, slots=True)
class TaskAcknowledged:
    """A person said that they have seen a task."""

    task: TaskId
    words: str = ""
    kind: Literal["task-acknowledged"] = "task-acknowledged"


@dataclass(frozen=True, slots=True)
class TaskClosed:
    """What the task asked for is done, or is no longer wanted."""

    task: TaskId
    kind: Literal["task-closed"] = "task-closed"


TaskWish = AcknowledgeTask
TaskFact = TaskOpened | TaskAcknowledged | TaskClosed
