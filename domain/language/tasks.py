"""Tasks: what waits for a person, and that somebody has seen it."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Literal

from domain.language.names import CARE, Role, Roles, RuleId, TaskId


@dataclass(frozen=True, slots=True)
class AcknowledgeTask:
    """Say that a task was seen. What a prescriber must see is acknowledged in words."""

    MAY: ClassVar[Roles] = (*CARE, Role.MEDICAL_DIRECTOR)

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
class TaskRaised:
    """Nobody had looked by the time that the protocol states: it is these people's too from now on.

    `was_due` is the time that passed, `due` by when it is to be looked at now.
    """

    task: TaskId
    to: tuple[Role, ...]
    was_due: datetime
    due: datetime
    kind: Literal["task-raised"] = "task-raised"


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
TaskFact = TaskOpened | TaskRaised | TaskAcknowledged | TaskClosed
