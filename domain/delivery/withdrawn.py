"""What becomes of a write whose entry was made in error. Pure.

Not a byte of it has left: it is never sent. Else it may stand in the EHR, and is marked there.
"""

from domain.delivery.words import Action, Delivery, DeliveryDecision, DeliveryState

NEVER_SENT = "entered in error before it was sent"


def withdrawn(delivery: Delivery) -> DeliveryDecision | None:
    """Say what becomes of a write that never left; None for one that may stand in the EHR."""
    unsent = delivery.state is DeliveryState.INTENT and not delivery.attempts
    if not unsent or delivery.action is Action.PERSON:
        return None  # what a person enters may have been entered
    return DeliveryDecision(
        DeliveryState.SUPERSEDED, delivery.attempts, NEVER_SENT, needs_person=False
    )


def was_withdrawn(delivery: Delivery) -> bool:
    """Say whether it was never sent for that reason."""
    return delivery.state is DeliveryState.SUPERSEDED and delivery.reason == NEVER_SENT
