"""Tasks, as people say that they have seen them."""

from api.commands.bodies import Nothing
from api.commands.catalogue.entry import Entry
from api.reading.rendering import task_at
from domain.language import tasks as wishes

ENTRIES = (
    Entry(
        path="/tasks/{task}/acknowledgement",
        tag="course",
        summary="Acknowledge a task",
        says="Acknowledge a task, by the id that lists of tasks give it. It stays open until done.",
        body=Nothing,
        wish=wishes.AcknowledgeTask,
        make=lambda _, task: wishes.AcknowledgeTask(task_at(task)),
    ),
)
