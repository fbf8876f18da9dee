"""What becomes of a write whose entry was made in error. Pure.

Not a byte of it has left: it is never sent. Else it may stand in the EHR, and is marked there.
"""

from collections.abc import Sequence

from domain.delivery.words import Action, Delivery, DeliveryDecision, DeliveryState

NEVER_SENT = "entered in error before it was sent"


def withdrawn(
    delivery: Delivery, later: Sequence[Delivery] = ()
) -> tuple[tuple[Delivery, DeliveryDecision], ...]:
    """Say what becomes of a write that never left; nothing for one that may stand in the EHR.

    `later` are the open deliveries of its lane that need what it brings. Changes of it and the
    Provenance of those go with it. What is a thing of its own still has to be sent, and so does
    what it refers to, which is marked there afterwards.
    """
    if not _never_left(delivery):
        return ()
    if not all(_never_left(each) and _is_about(each, delivery) for each in later):
        return ()
    never = DeliveryDecision(DeliveryState.SUPERSEDED, 0, NEVER_SENT, needs_person=False)
    return tuple((each, never) for each in (delivery, *later))


def _never_left(delivery: Delivery) -> bool:
    """Say whether not a byte has left; what a person enters may have been entered."""
    unsent = delivery.state is DeliveryState.INTENT and not delivery.attempts
    return unsent and delivery.action is not Action.PERSON


def _is_about(other: Delivery, delivery: Delivery) -> bool:
    return other.artefact == delivery.artefact or other.resource_type == "Provenance"


def was_withdrawn(delivery: Delivery) -> bool:
    """Say whether it was never sent for that reason."""
    return delivery.state is DeliveryState.SUPERSEDED and delivery.reason == NEVER_SENT
