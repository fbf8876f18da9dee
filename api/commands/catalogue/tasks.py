"""Tasks, as people say that they have seen them."""

from typing import ClassVar

from pydantic import Field

from api.commands.catalogue.entry import Entry
from api.commands.words import Body, Example, Words
from api.reading.rendering import task_at
from domain.language import tasks as wishes


class AcknowledgeTask(Body):
    """Say that a task was seen."""

    EXAMPLE: ClassVar[Example] = {
        "words": "Seen at 14:20: passive thoughts, no plan. Safety plan reviewed; call on Friday."
    }

    words: Words | None = Field(
        default=None,
        description="what was found and decided, and the next contact, in a sentence; required of"
        " tasks that a prescriber must review (`review-…`) and of an open hold (`lift-hold`)",
    )


ENTRIES = (
    Entry(
        path="/tasks/{task}/acknowledgement",
        tag="course",
        summary="Acknowledge a task",
        says="Acknowledge a task, by its id in the task lists. It stays open until it is done. A"
        " task that a prescriber must review is acknowledged in words.",
        body=AcknowledgeTask,
        wish=wishes.AcknowledgeTask,
        make=lambda body, task: wishes.AcknowledgeTask(task_at(task), body.words or ""),
    ),
)
