"""Which writes an entry in error asks of an EHR, whatever the EHR takes."""

from dataclasses import replace

import pytest

from domain.delivery.withdrawn import NEVER_SENT
from domain.delivery.words import Action, Delivery, DeliveryState
from fhir_adapters.content import in_error
from fhir_adapters.profile.generic import GENERIC
from fhir_adapters.profile.plan import plan_for
from tests.domain.delivery.a_delivery import a_delivery
from tests.fhir_adapters.fhir_story import statement

EVERYTHING = plan_for(statement(), GENERIC)
NO_UPDATE = plan_for(statement(interactions=("read", "create", "search-type")), GENERIC)
BODY = {"resourceType": "Observation", "status": "final"}


def written(kind: str = "Observation", action: Action = Action.CREATE, **body: object) -> Delivery:
    """A write of an event that is taken back."""
    known = a_delivery()
    whole = {**BODY, "resourceType": kind} if not body else dict(body)
    return replace(known, resource_type=kind, action=action, body=whole)


@pytest.mark.parametrize(
    ("plan", "action"), [(EVERYTHING, Action.UPDATE), (NO_UPDATE, Action.PERSON)]
)
def test_a_mark_is_an_update_or_a_persons(plan, action: Action):
    """Where the EHR takes no update, a person marks it."""
    (mark,) = in_error.void([written()], plan)
    assert (mark.action, mark.body) == (action, {"status": "entered-in-error"})


def test_a_text_that_stands_in_is_marked_by_an_update_too():
    """A DocumentReference that was written in a resource's place is marked where updates go."""
    (mark,) = in_error.void([written("DocumentReference")], EVERYTHING)
    assert mark.action is Action.UPDATE


def test_a_change_of_another_resource_is_not_marked():
    """A visit's status that a person was to enter is no resource in error."""
    change = written("Appointment", Action.PERSON, status="fulfilled")
    assert list(in_error.void([change], NO_UPDATE)) == []


def test_what_never_left_is_written_when_the_void_was_the_error():
    """A withdrawn write is written now, a Provenance too; what was marked is as before."""
    gone = replace(written("Provenance"), state=DeliveryState.SUPERSEDED, reason=NEVER_SENT)
    again, back = in_error.restore([gone, written()], EVERYTHING)
    assert (again.action, again.resource_type) == (Action.CREATE, "Provenance")
    assert (back.action, back.body) == (Action.UPDATE, {"status": "final"})
