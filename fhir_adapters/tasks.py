"""What a person is to do, as a Task: requested, received when seen, completed when done.

`Task.description` names rules and visits, never the patient; roles are words, because whoever has
the role may do it. Kairos asks and never orders, so the intent is `plan`.
"""

from typing import Any

from domain.events import TaskOpened
from domain.names import TaskId
from fhir_adapters import elements, identifiers
from fhir_adapters.drafts import Draft, Scene, changed, created
from fhir_adapters.vendors import Artefact


def open_task(scene: Scene, fact: TaskOpened) -> Draft:
    """Ask for something."""
    body: dict[str, Any] = {
        "status": "requested",
        "intent": "plan",
        "code": elements.concept(fact.rule),
        "description": fact.says,
        "for": scene.patient,
        "authoredOn": scene.at,
        "requester": elements.kairos(),
        "performerType": [elements.concept(str(role)) for role in fact.roles],
    }
    says = f"To do ({', '.join(fact.roles)}): {fact.says}"
    if fact.due is not None:
        due = elements.moment(fact.due)
        body["restriction"] = {"period": {"end": due}}
        says = f"{says} Due {due}."
    if not fact.roles:
        del body["performerType"]
    return created(Artefact.TASK, identifiers.task(scene.after.id, fact.task), body, says)


def follow(scene: Scene, task: TaskId) -> Draft:
    """Bring the Task to where it stands: seen, or done."""
    known = scene.after.tasks[task]
    status = "completed" if known.closed else "received" if known.acknowledged else "requested"
    says = f"Task {status}: {known.says}"
    artefact = identifiers.task(scene.after.id, task)
    return changed(Artefact.TASK, artefact, {"status": status}, says)
