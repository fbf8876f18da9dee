"""Entries made in error, as EHRs are told of them: the status, and nothing else, changes.

`entered-in-error` says that the resource should never have been, though decisions may have rested
on it (FHIR R4, event status). A Provenance has no status: it goes on to say who said what.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from domain.delivery.withdrawn import was_withdrawn
from domain.delivery.words import Action, Delivery, Intent
from domain.language.events import Event
from domain.language.tasks import TaskAcknowledged
from fhir_adapters.profile.plan import EhrPlan

IN_ERROR = "entered-in-error"
_WITHOUT_STATUS = frozenset({"Provenance", "Basic"})


def void(written: Iterable[Delivery], plan: EhrPlan) -> Iterator[Intent]:
    """Mark what an event brought into the EHR as entered in error."""
    for each in written:
        if _brought(each) and each.resource_type not in _WITHOUT_STATUS:
            yield _status(each, IN_ERROR, plan)


def restore(written: Iterable[Delivery], plan: EhrPlan) -> Iterator[Intent]:
    """Take such a mark back: what was never sent is written now, what was marked is as before."""
    for each in written:
        if was_withdrawn(each):
            yield Intent(each.artefact, each.resource_type, each.action, each.body, each.needs)
        elif _brought(each) and each.resource_type not in _WITHOUT_STATUS:
            yield _status(each, str(each.body["status"]), plan)


def unsaid(event: Event) -> Event:
    """The event without the words of an acknowledgement, which are not said again when voided."""
    if isinstance(event.fact, TaskAcknowledged):
        return replace(event, fact=replace(event.fact, words=""))
    return event


def is_change(intent: Intent) -> bool:
    """Say whether it changes a resource, by an update or by a person's hand, and brings none."""
    return "resourceType" not in intent.body


def _brought(written: Delivery) -> bool:
    return written.action is not Action.UPDATE and not is_change(written.intent)


def _status(written: Delivery, status: str, plan: EhrPlan) -> Intent:
    updates = plan.support(written.resource_type).update
    may = written.action is Action.CREATE and updates
    action = Action.UPDATE if may else Action.PERSON
    return Intent(written.artefact, written.resource_type, action, {"status": status})
