"""What a person may decide about a delivery: what is offered, what is refused, in which words."""

from itertools import product

import pytest

from domain.delivery.resolve import (
    MAY_RESOLVE,
    Accept,
    Choice,
    Retry,
    Supersede,
    SupersedeAs,
    possible,
    resolve,
)
from domain.delivery.words import NEEDS_PERSON, Action, DeliveryState
from domain.language.errors import Conflict, Refused
from domain.language.names import Author, Role
from tests.domain.delivery.a_delivery import OPERATOR, a_delivery

S = DeliveryState
CHOICES: tuple[Choice, ...] = (
    Retry("again"),
    Accept("as it is"),
    Supersede("not needed"),
    SupersedeAs("by hand", "77"),
)


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("needs_person", [True, False])
@pytest.mark.parametrize(("state", "action"), list(product(S, Action)))
def test_what_is_possible_is_what_is_accepted(
    state: DeliveryState, action: Action, choice: Choice, *, needs_person: bool
):
    """Each choice that is listed is taken, and each that is not is a conflict."""
    delivery = a_delivery(state, action=action, needs_person=needs_person, attempts=1)
    if type(choice) in possible(delivery):
        assert not resolve(delivery, choice, OPERATOR).needs_person
    else:
        with pytest.raises(Conflict, match=f"delivery {delivery.id}"):
            resolve(delivery, choice, OPERATOR)


@pytest.mark.parametrize("role", [role for role in Role if role not in MAY_RESOLVE])
def test_only_those_who_may_decide(role: Role):
    """Any other role is refused, and told whose it is to decide."""
    delivery = a_delivery(S.REFUSED, needs_person=True)
    with pytest.raises(Refused, match="operations staff or an integrator"):
        resolve(delivery, Retry("again"), Author("somebody", role))


@pytest.mark.parametrize(
    ("attempts", "ehr_id", "becomes"),
    [(0, None, S.INTENT), (1, None, S.UNKNOWN), (0, "1", S.UNKNOWN)],
)
def test_a_retry_looks_first_for_what_was_ever_sent(attempts, ehr_id, becomes):
    """Refused before a byte left it is sent; refused by the EHR it may have been done."""
    delivery = a_delivery(S.REFUSED, needs_person=True, attempts=attempts, ehr_id=ehr_id)
    assert resolve(delivery, Retry("again"), OPERATOR).state is becomes


def test_a_retry_has_all_its_attempts_again():
    """After a person had it tried again, as many attempts are made as at first."""
    delivery = a_delivery(S.UNKNOWN, needs_person=True, attempts=12)
    assert resolve(delivery, Retry("again"), OPERATOR).attempts == 0


def test_what_is_accepted_keeps_what_differed():
    """What the EHR made of it is not forgotten: later changes are compared with what stood."""
    delivery = a_delivery(S.DIVERGENT, ehr_id="1", ehr_version="3", differences=("status",))
    decision = resolve(delivery, Accept("staff cancelled it"), OPERATOR)
    kept = (decision.ehr_id, decision.ehr_version, decision.differences)
    assert (decision.state, kept) == (S.CONFIRMED, ("1", "3", ("status",)))


def test_naming_the_resource_lets_others_refer_to_it():
    """Superseded as a resource of the EHR it is a place; superseded alone it is none."""
    delivery = a_delivery(S.REFUSED, needs_person=True)
    named = resolve(delivery, SupersedeAs("by hand", "77"), OPERATOR)
    assert (named.ehr_id, named.linked) == ("77", True)
    assert not resolve(delivery, Supersede("not needed"), OPERATOR).linked


@pytest.mark.parametrize("state", sorted(NEEDS_PERSON))
def test_there_is_always_a_way_out(state: DeliveryState):
    """Whatever waits for a person can at least be superseded."""
    assert Supersede in possible(a_delivery(state))


@pytest.mark.parametrize(
    ("delivery", "choice", "says"),
    [
        (a_delivery(S.SENT), Retry("x"), "is sent; no decision is needed"),
        (a_delivery(S.CONFIRMED), Supersede("x"), "is confirmed; no decision is needed"),
        (a_delivery(S.REFUSED), Accept("x"), "there is nothing in the EHR to accept"),
        (a_delivery(S.DIVERGENT), Retry("x"), "accept what the EHR holds, or supersede it"),
        (
            a_delivery(needs_person=True, action=Action.PERSON),
            Retry("x"),
            "must be entered by hand; supersede it once it is in the EHR",
        ),
        (
            a_delivery(needs_person=True, reason="waits for delivery 3, which was superseded"),
            Retry("x"),
            "cannot be sent yet: waits for delivery 3",
        ),
        (a_delivery(S.SUPERSEDED), Retry("x"), "only its resource in the EHR can still be named"),
    ],
)
def test_a_conflict_says_what_would_be_right(delivery, choice: Choice, says: str):
    """A choice that does not fit is answered with what is so, and what could be done."""
    with pytest.raises(Conflict, match=says):
        resolve(delivery, choice, OPERATOR)
