"""After a restore nothing counts as unsent."""

from datetime import timedelta

import pytest

from domain.delivery.after import looks_first, may_move
from domain.delivery.resolve import Retry, possible, resolve
from domain.delivery.restored import distrusted
from domain.delivery.words import Action, Delivery, DeliveryState
from tests.domain.delivery.a_delivery import NOW, OPERATOR, a_delivery

S = DeliveryState
LATER = NOW + timedelta(hours=1)
EVERY = [
    a_delivery(state, attempts=attempts, needs_person=asks, action=action, reason="waits")
    for state in S
    for attempts in (0, 1)
    for asks in (False, True)
    for action in Action
]


@pytest.mark.parametrize("delivery", EVERY, ids=lambda d: f"{d.state}-{d.action}-{d.attempts}")
def test_whatever_is_sent_after_a_restore_is_looked_for_first(delivery: Delivery):
    """Neither the lane nor a person can have anything sent that a backup calls unsent."""
    after = distrusted(delivery, LATER)
    assert may_move(delivery.state, after.state)
    if after.action is Action.PERSON:
        return
    assert looks_first(after) or after.state not in (S.INTENT, S.SENT, S.UNKNOWN)
    if Retry in possible(after):
        decision = resolve(after, Retry("look again"), OPERATOR)
        assert decision.state is S.UNKNOWN


def test_who_waited_for_a_person_still_does():
    """One that waited for what nothing brings is a person's still, who may have it looked for."""
    waiting = a_delivery(S.INTENT, needs_person=True, reason="waits for delivery 12")
    after = distrusted(waiting, LATER)
    assert (after.state, after.needs_person) == (S.UNKNOWN, True)
    assert "waits for delivery 12" in (after.reason or "")
    assert Retry in possible(after)


def test_an_attempt_under_way_is_overtaken():
    """What was being sent at that moment is looked for, whatever the attempt comes to."""
    sent = a_delivery(S.SENT, attempts=1)
    assert distrusted(sent, LATER).changed_at == LATER


def test_what_is_entered_by_hand_is_looked_for_by_hand():
    """A person who enters a delivery is told to look whether it was entered already."""
    by_hand = a_delivery(S.INTENT, action=Action.PERSON, needs_person=True)
    after = distrusted(by_hand, LATER)
    assert (after.state, after.needs_person) == (S.INTENT, True)
    assert "already in the EHR" in (after.reason or "")
