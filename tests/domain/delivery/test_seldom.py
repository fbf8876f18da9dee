"""A lane's order, an EHR busy with one alone, and how a delivery begins after a restore."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from domain.delivery import outcomes as o
from domain.delivery.after import MOST_ATTEMPTS, after
from domain.delivery.restored import (
    DISTRUSTED_FOR,
    LOOK_BY_HAND,
    LOOK_FIRST,
    begins,
    is_fresh,
)
from domain.delivery.waiting import InLane, may_go, missing_from, next_of, questions
from domain.delivery.words import Action, DeliveryState
from tests.domain.delivery.a_delivery import NOW, a_delivery

S = DeliveryState


def in_lane(number: int, artefact: str, *needs: str, **also: object) -> InLane:
    """A create that nothing was tried of yet, unless said otherwise."""
    made = InLane(number, artefact, Action.CREATE, S.INTENT, needs, needs_person=False)
    return replace(made, **also)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lane", "in_ehr", "aside", "first"),
    [
        ([], set(), set(), None),
        ([in_lane(1, "a"), in_lane(2, "b")], set(), set(), 1),
        ([in_lane(1, "a"), in_lane(2, "b")], set(), {1}, 2),
        ([in_lane(1, "a", "order")], set(), set(), None),
        ([in_lane(1, "a", "order")], {"order"}, set(), 1),
        ([in_lane(1, "a", action=Action.UPDATE)], set(), set(), None),
        ([in_lane(1, "a", action=Action.UPDATE)], {"a"}, set(), 1),
        ([in_lane(1, "a", state=S.REFUSED), in_lane(2, "a"), in_lane(3, "b")], set(), set(), 3),
        ([in_lane(1, "a", needs_person=True), in_lane(2, "b")], set(), set(), 2),
        ([in_lane(1, "a"), in_lane(2, "b", state=S.MISFILED)], set(), set(), None),
    ],
)
def test_the_next_of_a_lane_by_the_table(
    lane: list[InLane], in_ehr: set[str], aside: set[int], first: int | None
):
    """What it needs, its artefact's earlier writes and a person hold one back; a misfiled, all."""
    assert next_of(lane, in_ehr, aside) == first


@pytest.mark.parametrize(
    ("lane", "in_ehr", "aside", "most", "going"),
    [
        ([], set(), set(), 9, ()),
        ([in_lane(1, "a"), in_lane(2, "b", "a"), in_lane(3, "c", "b")], set(), set(), 9, (1, 2, 3)),
        ([in_lane(1, "a"), in_lane(2, "b", "a"), in_lane(3, "c", "b")], set(), set(), 2, (1, 2)),
        ([in_lane(1, "a", state=S.REFUSED), in_lane(2, "b", "a")], set(), set(), 9, ()),
        ([in_lane(1, "a"), in_lane(2, "b", "a"), in_lane(3, "c")], set(), {1}, 9, (3,)),
        ([in_lane(1, "b", "a"), in_lane(2, "a")], set(), set(), 9, (2, 1)),
        ([in_lane(1, "a", needs_person=True), in_lane(2, "a")], set(), set(), 9, ()),
        ([in_lane(1, "a", action=Action.UPDATE), in_lane(2, "b")], {"a"}, set(), 9, (1, 2)),
        ([in_lane(1, "a"), in_lane(2, "b", state=S.MISFILED)], set(), set(), 9, ()),
    ],
)  # fmt: skip
def test_what_waits_for_nothing_but_what_goes_before_it(
    lane: list[InLane], in_ehr: set[str], aside: set[int], most: int, going: tuple[int, ...]
):
    """In the order in which they would go; nothing that a person or a refusal holds back."""
    assert may_go(lane, in_ehr, aside, most) == going


def test_a_change_that_has_not_begun_needs_what_it_changes():
    """What is missing is named once, and what has begun or is a person's misses nothing."""
    change = in_lane(1, "dose", "order", action=Action.UPDATE)
    begun = in_lane(2, "score", "visit", state=S.UNKNOWN)
    by_hand = in_lane(3, "note", "chart", action=Action.PERSON)
    lane = [change, begun, by_hand, in_lane(4, "more", "order")]
    assert missing_from(lane, set()) == ("dose", "order")
    assert missing_from(lane, {"dose"}) == ("order",)
    asked = questions(lane, ("dose", "order"), ())
    assert [question.id for question in asked] == [1, 4]
    assert asked[0].reason == (
        "waits for dose, which no delivery writes to this EHR; "
        "waits for order, which no delivery writes to this EHR"
    )


def test_an_ehr_that_is_busy_with_this_one_alone_keeps_no_lane_waiting():
    """It is tried again after a pause that doubles, and a person is asked after the last."""
    busy = o.Busy("429", None, alone=True)
    decision = after(a_delivery(attempts=3), busy, NOW)
    assert (decision.state, decision.attempts) == (S.UNKNOWN, 4)
    assert (decision.wait, decision.ehr_away) == (timedelta(seconds=8), False)
    last = after(a_delivery(attempts=MOST_ATTEMPTS - 1), busy, NOW)
    assert (last.state, last.needs_person) == (S.UNKNOWN, True)
    assert last.reason == f"429; {MOST_ATTEMPTS} attempts"


@pytest.mark.parametrize(
    ("restored_at", "fresh"),
    [
        (None, False),
        (NOW, True),
        (NOW - DISTRUSTED_FOR + timedelta(seconds=1), True),
        (NOW - DISTRUSTED_FOR, False),
    ],
)
def test_a_delivery_meant_within_a_day_of_a_restore_is_looked_for_first(
    restored_at: datetime | None, *, fresh: bool
):
    """For 24 hours what is new may have been sent before the restore; by hand somebody looks."""
    assert is_fresh(restored_at, NOW) is fresh
    sent = begins(Action.CREATE, NOW, restored_at)
    assert sent == ((S.SENT, LOOK_FIRST) if fresh else (S.INTENT, None))
    state, why = begins(Action.PERSON, NOW, restored_at)
    assert state is S.INTENT
    assert str(why).startswith("this EHR cannot take it; a person must enter it by hand")
    assert str(why).endswith(LOOK_BY_HAND) is fresh


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("asks", [False, True])
def test_who_is_waited_for(state: DeliveryState, *, asks: bool):
    """A person is where one was asked, and wherever it was refused, differs or is misfiled."""
    delivery = a_delivery(state, needs_person=asks)
    by_state = state in (S.REFUSED, S.DIVERGENT, S.MISFILED)
    assert delivery.waits_for_person is (asks or by_state)
    assert delivery.intent.artefact == delivery.artefact
