"""Which of a lane's deliveries is next, and about which a person is asked."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.delivery.waiting import Bringer, InLane, missing_from, next_of, questions
from domain.delivery.words import OPEN, Action, DeliveryState
from tests.domain.wild import courses

S = DeliveryState


def _in_lane(number: int, artefact: str, *needs: str, **also) -> InLane:
    made = InLane(number, artefact, Action.CREATE, S.INTENT, needs, needs_person=False)
    return replace(made, **also)


ARTEFACTS = st.sampled_from("abcd")
ENTRIES = st.builds(
    InLane,
    id=st.just(0),
    artefact=ARTEFACTS,
    action=st.sampled_from((Action.CREATE, Action.UPDATE)),
    state=st.sampled_from((*sorted(OPEN), S.REFUSED)),
    needs=st.lists(ARTEFACTS, max_size=2).map(tuple),
    needs_person=st.booleans(),
)
LANES = st.lists(ENTRIES, max_size=8).map(
    lambda lane: [replace(each, id=place) for place, each in enumerate(lane)]
)


@given(LANES, st.sets(ARTEFACTS), st.sets(st.integers(0, 7)))
@courses(300)
def test_the_next_is_the_first_that_nothing_holds_back(
    lane: list[InLane], in_ehr: set[str], aside: set[int]
):
    """Only its own artefact and its needs hold a delivery back; nothing else ever does."""

    def held(each: InLane) -> bool:
        behind = any(
            other.artefact == each.artefact
            and (other.action is not Action.UPDATE or other.artefact in in_ehr)
            for other in lane[: each.id]
        )
        lacks = set(each.needs) | ({each.artefact} if each.action is Action.UPDATE else set())
        asked = each.needs_person or each.state is S.REFUSED
        return behind or bool(lacks - in_ehr) or asked or each.id in aside

    free = [each.id for each in lane if not held(each)]
    assert next_of(lane, in_ehr, aside) == (free[0] if free else None)


@given(LANES, st.integers(0, 8))
@courses(100)
def test_a_write_on_another_patient_stops_the_whole_lane(lane: list[InLane], place: int):
    """While one is misfiled nothing of that patient is tried, wherever it is in the lane."""
    wrong = _in_lane(99, "x", state=S.MISFILED)
    assert next_of([*lane[:place], wrong, *lane[place:]], set("abcd")) is None


def test_what_is_left_alone_holds_back_its_own_artefact_only():
    """A change behind a create that is tried later waits too; another artefact goes."""
    lane = [
        _in_lane(1, "a", state=S.UNKNOWN),
        _in_lane(2, "a", action=Action.UPDATE),
        _in_lane(3, "b"),
    ]
    assert next_of(lane, {"a"}, {1}) == 3


INSTEAD = "name the EHR resource of delivery 1, or supersede this one too"
ORDER = Bringer(1, "order", Action.CREATE, S.SUPERSEDED)


@pytest.mark.parametrize(
    ("bringers", "says"),
    [
        ([], "waits for order, which no delivery writes to this EHR"),
        (
            [ORDER],
            f"waits for delivery 1, which was superseded; {INSTEAD}",
        ),
        (
            [replace(ORDER, action=Action.PERSON, state=S.INTENT)],
            f"waits for delivery 1, which a person must enter by hand; {INSTEAD}",
        ),
        ([replace(ORDER, state=S.REFUSED)], None),  # that is asked about itself
        ([ORDER, replace(ORDER, id=2, state=S.UNKNOWN)], None),  # the later one may bring it
        ([replace(ORDER, state=S.INTENT), replace(ORDER, id=2, action=Action.PERSON)], None),
    ],
)
def test_what_waits_for_ever_asks_in_plain_words(bringers: list[Bringer], says: str | None):
    """A person is asked only where no delivery will bring what is needed, and told what to do."""
    lane = [_in_lane(5, "dose", "order")]
    asked = questions(lane, missing_from(lane, set()), bringers)
    assert [question.reason for question in asked] == ([says] if says else [])


def test_nobody_is_asked_any_more_once_it_is_there():
    """The place of what it needs is known: the question is withdrawn, once."""
    asked = _in_lane(5, "dose", "order", needs_person=True, reason="waits for delivery 1")
    (question,) = questions([asked], missing_from([asked], {"order"}), [])
    assert (question.id, question.reason) == (5, None)
    assert questions([replace(asked, needs_person=False, reason=None)], (), []) == ()


def test_nothing_is_asked_twice():
    """A question that stands in the ledger is not written down again."""
    lane = [_in_lane(5, "dose", "order")]
    (question,) = questions(lane, ("order",), [ORDER])
    standing = replace(lane[0], needs_person=True, reason=question.reason)
    assert questions([standing], ("order",), [ORDER]) == ()


def test_what_came_to_no_answer_is_not_asked_about_for_its_needs():
    """What may be in the EHR already had what it needed."""
    lane = [_in_lane(5, "dose", "order", state=S.UNKNOWN)]
    assert missing_from(lane, set()) == ()


def test_what_was_never_sent_after_a_restore_may_wait_too():
    """One that counts as sent since a restore asks a person when what it needs will never come."""
    waits = InLane(2, "dose", Action.CREATE, DeliveryState.SENT, ("order",), needs_person=False)
    order = Bringer(1, "order", Action.CREATE, DeliveryState.SUPERSEDED)
    assert missing_from([waits], ()) == ("order",)
    (question,) = questions([waits], ("order",), [order])
    assert question.id == 2
    assert question.reason is not None
