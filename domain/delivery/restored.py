"""What may be believed of a delivery after the database was restored from a backup. Pure.

A backup knows nothing of what was sent, entered by hand or released to be sent since it was made.
So nothing that it calls unsent is sent, and nothing entered, before somebody looked.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from domain.delivery.words import Action, Delivery, DeliveryState

DISTRUSTED_FOR = timedelta(hours=24)
"""How long after a restore new writes are distrusted too. Each pathway looks at least once a day,
and what it then adds by itself it may have added, and sent, after the backup was made."""

LOOK_FIRST = "the database was restored: Kairos looks for it in the EHR before sending it"
LOOK_BY_HAND = "the database was restored: check whether it is already in the EHR"


def distrusted(delivery: Delivery, at: datetime) -> Delivery:
    """The delivery as it stands after a restore noticed at `at`; the same if nothing changes.

    An attempt that is under way is overtaken by the new time: what it comes to changes nothing.
    """
    match delivery.state:
        case DeliveryState.INTENT if delivery.action is Action.PERSON:
            return replace(delivery, reason=LOOK_BY_HAND)
        case DeliveryState.INTENT if delivery.needs_person:
            # It waited for what nothing would bring; since then that may have come, and it may
            # have been sent. As unknown it is looked for when a person has it sent again.
            unknown = DeliveryState.UNKNOWN
            reason = f"{LOOK_FIRST}; before that it {delivery.reason}"
            return replace(delivery, state=unknown, reason=reason, changed_at=at, sent_at=at)
        case DeliveryState.INTENT | DeliveryState.SENT:
            sent = DeliveryState.SENT
            return replace(delivery, state=sent, reason=LOOK_FIRST, changed_at=at, sent_at=at)
        case DeliveryState.REFUSED if not delivery.attempts:
            # Refused before a byte left; a person may have had it sent since. One attempt says so.
            return replace(delivery, attempts=1)
    return delivery


def is_fresh(restored_at: datetime | None, at: datetime) -> bool:
    """Say whether a restore is so recent that what is meant now may have been sent before."""
    return restored_at is not None and at - restored_at < DISTRUSTED_FOR


def begins(
    action: Action, at: datetime, restored_at: datetime | None
) -> tuple[DeliveryState, str | None]:
    """Say in which state a new delivery begins, and why if that is not plain.

    One that begins as sent may have left until `restored_at`, and not since.
    """
    fresh = is_fresh(restored_at, at)
    if action is Action.PERSON:
        by_hand = "this EHR cannot take it; a person must enter it by hand"
        return DeliveryState.INTENT, f"{by_hand}; {LOOK_BY_HAND}" if fresh else by_hand
    return (DeliveryState.SENT, LOOK_FIRST) if fresh else (DeliveryState.INTENT, None)
