"""Tasks: Kairos opens and closes them; one of those whom a task is for says that they saw it."""

from domain.language.errors import Conflict, Malformed, Refused
from domain.language.names import Role, any_of
from domain.language.pathway import Pathway
from domain.language.tasks import TaskAcknowledged, TaskFact, TaskWish
from domain.rules import reviews
from domain.rules.refusing import found, insist_account

ACCOUNT = "say in a sentence what you found, what you decided, and when the next contact is"


def check_meant(pathway: Pathway, wish: TaskWish) -> None:
    """Raise Malformed unless there is such a task."""
    if wish.task not in pathway.tasks:
        message = "there is no such task on this pathway; its tasks are listed with it"
        raise Malformed(message, unknown="task")


def decide(pathway: Pathway, wish: TaskWish, role: Role) -> tuple[TaskFact, ...]:
    """Say that the task was seen. Refused for those whom it is not for."""
    if pathway.tasks[wish.task].closed:
        raise Conflict("this task is closed: it was done, or is no longer needed")
    roles = pathway.tasks[wish.task].roles
    if role not in roles:
        whose = f"this task is for {any_of(roles)}"
        raise Refused(f"{whose}, not for {role.spoken}", (found("task-role", whose, roles),))
    if reviews.in_words(wish.task):
        insist_account(wish.words, ACCOUNT)
    return (TaskAcknowledged(wish.task, wish.words.strip()),)
