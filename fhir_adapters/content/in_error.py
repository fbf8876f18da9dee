"""Entries made in error, as EHRs are told of them: the status, and nothing else, changes.

`entered-in-error` says that the resource should never have been, though decisions may have rested
on it (FHIR R4, event status). A Provenance has no status: it goes on to say who said what.
"""

from collections.abc import Iterable, Iterator

from domain.delivery.withdrawn import was_withdrawn
from domain.delivery.words import Action, Delivery, Intent
from fhir_adapters.profile.artefacts import ArtefactKind
from fhir_adapters.profile.plan import NATIVE_TYPE, EhrPlan, Native

IN_ERROR = "entered-in-error"
_WITHOUT_STATUS = frozenset({"Provenance", "Basic"})


def void(written: Iterable[Delivery], plan: EhrPlan) -> Iterator[Intent]:
    """Mark what an event brought into the EHR as entered in error."""
    for each in _brought(written):
        yield _status(each, IN_ERROR, plan)


def restore(written: Iterable[Delivery], plan: EhrPlan) -> Iterator[Intent]:
    """Take such a mark back: what was never sent is written now, what was marked is as before."""
    for each in _brought(written):
        if was_withdrawn(each):
            yield Intent(each.artefact, each.resource_type, each.action, each.body, each.needs)
        else:
            yield _status(each, str(each.body["status"]), plan)


def _brought(written: Iterable[Delivery]) -> Iterator[Delivery]:
    for each in written:
        if each.action is not Action.UPDATE and each.resource_type not in _WITHOUT_STATUS:
            yield each


def _status(written: Delivery, status: str, plan: EhrPlan) -> Intent:
    may = written.action is Action.CREATE and _takes_updates(written.resource_type, plan)
    action = Action.UPDATE if may else Action.PERSON
    return Intent(written.artefact, written.resource_type, action, {"status": status})


def _takes_updates(resource_type: str, plan: EhrPlan) -> bool:
    """Say whether the EHR takes changes of a type, as its plan has it for any kind of that type."""
    ways = [plan.ways[kind] for kind in ArtefactKind if NATIVE_TYPE[kind] == resource_type]
    return any(isinstance(way, Native) and way.update for way in ways)
