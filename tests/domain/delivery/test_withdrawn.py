"""A write whose entry was made in error: never sent if no byte of it left, else not forgotten."""

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
    decision = withdrawn(a_delivery(state, attempts=attempts, action=action))
    never_left = state is S.INTENT and attempts == 0 and action is not Action.PERSON
    assert (decision is not None) is never_left
    if decision is not None:
        assert (decision.state, decision.attempts) == (S.SUPERSEDED, 0)
        assert (decision.reason, decision.needs_person) == (NEVER_SENT, False)


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
