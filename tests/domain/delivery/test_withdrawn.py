"""A write whose entry was made in error: never sent if no byte of it left, else not forgotten."""

from dataclasses import replace

import pytest

from domain.delivery.withdrawn import NEVER_SENT, was_withdrawn, withdrawn
from domain.delivery.words import Action, DeliveryState
from tests.domain.delivery.a_delivery import a_delivery

S = DeliveryState


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("attempts", [0, 1])
@pytest.mark.parametrize("action", Action)
def test_only_what_provably_never_left_is_withdrawn(
    state: DeliveryState, attempts: int, action: Action
):
    """Not begun, not tried and not a person's to enter: anything else may stand in the EHR."""
    write = a_delivery(state, attempts=attempts, action=action)
    never_left = state is S.INTENT and attempts == 0 and action is not Action.PERSON
    assert bool(withdrawn(write)) is never_left
    for one, decision in withdrawn(write):
        assert one is write
        assert (decision.state, decision.attempts) == (S.SUPERSEDED, 0)
        assert (decision.reason, decision.needs_person) == (NEVER_SENT, False)


def test_what_only_tells_of_it_goes_with_it_and_what_needs_it_keeps_it():
    """Changes of it and a Provenance are withdrawn too; a dose keeps the order it refers to."""
    write = a_delivery(S.INTENT, artefact="a")
    change = a_delivery(S.INTENT, action=Action.UPDATE, artefact="a")
    told = a_delivery(S.INTENT, resource_type="Provenance", artefact="p")
    dose = a_delivery(S.INTENT, resource_type="MedicationAdministration", artefact="d")
    gone = withdrawn(write, [change, told])
    assert [one.artefact for one, _ in gone] == ["a", "a", "p"]
    assert {decision.reason for _, decision in gone} == {NEVER_SENT}
    assert withdrawn(write, [change, dose]) == ()
    by_hand = replace(change, action=Action.PERSON)
    assert withdrawn(write, [by_hand]) == ()
    assert withdrawn(write, [replace(told, attempts=1)]) == ()


@pytest.mark.parametrize(
    ("state", "reason", "was"),
    [
        (S.SUPERSEDED, NEVER_SENT, True),
        (S.SUPERSEDED, "entered by hand", False),
        (S.INTENT, NEVER_SENT, False),
        (S.SUPERSEDED, None, False),
    ],
)
def test_it_is_known_afterwards_why_nothing_was_sent(
    state: DeliveryState, reason: str | None, *, was: bool
):
    """Superseded for this reason and no other: then there is nothing in the EHR to mark."""
    assert was_withdrawn(a_delivery(state, reason=reason)) is was
