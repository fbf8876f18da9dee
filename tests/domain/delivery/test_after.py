"""What follows an attempt: the table of outcomes, the moves, and that it all comes to an end."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.delivery import outcomes as o
from domain.delivery.after import (
    LONGEST_BEHIND,
    LONGEST_PAUSE,
    MOST_ATTEMPTS,
    after,
    begun,
    given_up,
    looks_first,
    may_move,
)
from domain.delivery.resolve import NotThere, possible, resolve
from domain.delivery.restored import distrusted
from domain.delivery.words import MOVES, OPEN, Action, Delivery, DeliveryState
from tests.domain.delivery.a_delivery import (
    EACH,
    NOW,
    OF_A_LOOK,
    OF_A_SEND,
    OPERATOR,
    a_delivery,
    chosen,
    settled,
)
from tests.domain.wild import courses

S = DeliveryState
LATER = NOW + o.SETTLING
PUT_OFF = (o.NeverLeft(), o.Busy("429", None), o.Busy("429", 120), o.Silent(ehr_answers=False))

AFTER_A_SEND = [
    (o.Equal("2"), S.CONFIRMED, False),
    (o.Differs(("status",)), S.DIVERGENT, True),
    (o.WrongPatient(), S.MISFILED, True),
    (o.RefusedByEhr("422", sent=True), S.UNKNOWN, False),
    (o.RefusedByEhr("no update is advertised", sent=False), S.REFUSED, True),
    (o.Stale(), S.INTENT, False),
    (o.NeverLeft(), S.INTENT, False),
    (o.NeverLeft(ours=True), S.INTENT, False),
    (o.Busy("429", 120), S.UNKNOWN, False),
    (o.Lost(ehr_answers=True), S.UNKNOWN, False),
    (o.Lost(ehr_answers=False), S.UNKNOWN, False),
    (o.Silent(ehr_answers=True), S.INTENT, False),
    (o.Broke("KeyError"), S.UNKNOWN, False),
]


@pytest.mark.parametrize(("outcome", "state", "asks"), AFTER_A_SEND)
def test_what_follows_a_write(outcome: o.AttemptOutcome, state: DeliveryState, *, asks: bool):
    """Each outcome of sending has its state, and a person is asked or not."""
    decision = after(a_delivery(), outcome, NOW)
    assert (decision.state, decision.needs_person) == (state, asks)


AFTER_A_LOOK = [
    (o.Equal("2"), S.CONFIRMED, False),
    (o.Absent(early=True), S.INTENT, False),
    (o.Absent(early=False), S.INTENT, False),
    (o.Absent(early=False, proved=False), S.UNKNOWN, True),
    (o.Absent(early=False, behind=True), S.UNKNOWN, False),
    (o.Absent(early=False, lag=timedelta()), S.INTENT, False),
    (o.Absent(early=False, lag=timedelta(seconds=1)), S.UNKNOWN, False),
    (o.Ambiguous(2), S.UNKNOWN, True),
    (o.Unproven("the search did not come to its end"), S.UNKNOWN, True),
    (o.Silent(ehr_answers=True), S.UNKNOWN, False),
    (o.RefusedByEhr("403", sent=True), S.UNKNOWN, True),
    (o.Stale(), S.UNKNOWN, False),
    (o.Broke("KeyError"), S.UNKNOWN, False),
]


@pytest.mark.parametrize(("outcome", "state", "asks"), AFTER_A_LOOK)
def test_what_follows_a_look(outcome: o.AttemptOutcome, state: DeliveryState, *, asks: bool):
    """What may stand is unknown until it is found, proved absent, or a person's; never refused."""
    decision = after(a_delivery(S.UNKNOWN, attempts=1), outcome, LATER)
    assert (decision.state, decision.needs_person) == (state, asks)


def test_an_empty_search_proves_nothing_until_the_write_has_settled():
    """One second before the settling time it is still unknown, and left alone until then."""
    lost = a_delivery(S.UNKNOWN, attempts=1)
    early = after(lost, o.Absent(early=False), LATER - timedelta(seconds=1))
    assert (early.state, early.wait, early.attempts) == (S.UNKNOWN, timedelta(seconds=1), 1)
    assert after(lost, o.Absent(early=False), LATER).state is S.INTENT


def test_the_time_to_surface_begins_when_it_left():
    """A person who has it sent again, or a late change of its state, begins no new minute."""
    asked = a_delivery(S.UNKNOWN, sent_at=NOW, changed_at=LATER)
    assert after(asked, o.Absent(early=False), LATER).state is S.INTENT
    again = begun(a_delivery(sent_at=NOW), LATER)
    lost = replace(again, state=S.UNKNOWN)
    assert after(lost, o.Absent(early=False), LATER).state is S.UNKNOWN


@pytest.mark.parametrize("early", [True, False])
def test_a_refusal_is_one_once_it_was_looked_for_in_vain(*, early: bool):
    """Whoever says no may have done it: it is looked for at once, and only then refused."""
    delivery = a_delivery(action=Action.UPDATE if early else Action.CREATE)
    refused = after(delivery, o.RefusedByEhr("403", sent=True, early=early), NOW)
    assert (refused.state, refused.needs_person, refused.wait) == (S.UNKNOWN, False, timedelta())
    looked = settled(begun(delivery, NOW), refused, NOW)
    decision = after(looked, o.Absent(early=early, lag=None if early else timedelta()), NOW)
    assert (decision.state, decision.needs_person, decision.reason) == (S.REFUSED, True, "403")
    unsure = after(looked, o.Absent(early=False), LATER)
    assert unsure.state is S.REFUSED


def test_a_refusal_is_none_of_an_earlier_write():
    """A change may be sent early; refused then, the first may still arrive for a while."""
    lost = a_delivery(action=Action.UPDATE, attempts=1)
    refused = after(lost, o.RefusedByEhr("403", sent=True, early=True), NOW)
    looked = settled(begun(lost, NOW), refused, NOW)
    assert after(looked, o.Absent(early=True), NOW).state is S.UNKNOWN
    assert after(looked, o.Absent(early=True), LATER).state is S.REFUSED
    unsafe = after(lost, o.RefusedByEhr("no version", sent=False, early=True), NOW)
    assert (unsafe.state, unsafe.needs_person) == (S.UNKNOWN, True)


@pytest.mark.parametrize("lag", [None, timedelta(minutes=5)])
def test_what_an_ehr_put_off_is_looked_for_before_it_is_sent_again(lag: timedelta | None):
    """Too busy, it may have done it; it is on its way no more, so only a late search is waited for.

    Nobody knows how late that is where nobody has seen it.
    """
    put_off = after(a_delivery(), o.Busy("429", 1), NOW)
    assert (put_off.state, put_off.attempts, put_off.ehr_away) == (S.UNKNOWN, 0, True)
    looked = settled(begun(a_delivery(), NOW), put_off, NOW)
    at_once = after(looked, o.Absent(early=False, lag=timedelta()), NOW)
    assert at_once.state is S.INTENT
    waits = after(looked, o.Absent(early=False, lag=lag), NOW)
    assert (waits.state, waits.wait) == (S.UNKNOWN, o.SETTLING if lag is None else 2 * lag)


TREATMENTS = [
    {"resource_type": "MedicationAdministration"},
    {"resource_type": "MedicationRequest"},
    {"resource_type": "Procedure"},
    {"resource_type": "ServiceRequest"},
    {"resource_type": "DocumentReference", "artefact": "p1/treatment/e1"},
    {"resource_type": "Communication", "artefact": "p1/order/induction"},
]


@pytest.mark.parametrize("what", TREATMENTS)
def test_an_order_or_a_treatment_that_was_lost_is_not_sent_twice_without_a_person(
    what: dict[str, str],
):
    """Not found at the end of its time it is a person's; once that person says so, it is sent."""
    lost = a_delivery(S.UNKNOWN, attempts=1, sent_at=NOW, **what)
    asks = after(lost, o.Absent(early=False), LATER)
    assert (asks.state, asks.needs_person) == (S.UNKNOWN, True)
    asked = settled(lost, asks, LATER)
    vouched = settled(asked, resolve(asked, NotThere("looked"), OPERATOR), LATER)
    assert after(vouched, o.Absent(early=False, proved=False), LATER).state is S.INTENT
    assert after(vouched, o.Unproven("nothing can be searched for"), LATER).state is S.INTENT
    assert after(lost, o.Unproven("nothing can be searched for"), LATER).needs_person
    at_once = replace(vouched, sent_at=LATER)  # it left again: the word was of the one before
    assert after(at_once, o.Unproven("nothing can be searched for"), LATER).needs_person
    again = begun(replace(vouched, state=S.INTENT), LATER + timedelta(seconds=1))
    later = again.sent_at + o.SETTLING if again.sent_at else LATER
    assert after(replace(again, state=S.UNKNOWN), o.Absent(early=False), later).needs_person


@pytest.mark.parametrize("said", [{"refusal": "422"}, {"put_off": True}])
def test_a_treatment_that_the_ehr_answered_is_not_a_lost_one(said: dict[str, Any]):
    """Refused it stays refused, and put off it is sent: the EHR said that it had not done it."""
    dose = a_delivery(S.UNKNOWN, attempts=1, resource_type="Procedure", **said)
    becomes = after(dose, o.Absent(early=False), LATER)
    assert becomes.state is (S.REFUSED if "refusal" in said else S.INTENT)


def test_a_treatment_that_a_restore_distrusts_was_not_lost():
    """Nobody sent it as far as is known: looked for, not found, it is sent."""
    restored = distrusted(a_delivery(resource_type="Procedure"), NOW)
    assert after(restored, o.Absent(early=False), LATER).state is S.INTENT


def test_a_search_that_is_behind_is_waited_for_and_then_a_persons():
    """While it does not show what stands there an empty answer says nothing; not for ever."""
    lost = a_delivery(S.UNKNOWN, attempts=1, sent_at=NOW)
    behind = o.Absent(early=False, behind=True)
    waits = after(lost, behind, LATER)
    assert (waits.state, waits.needs_person, waits.wait) == (S.UNKNOWN, False, o.SETTLING)
    asks = after(lost, behind, NOW + LONGEST_BEHIND)
    assert (asks.state, asks.needs_person) == (S.UNKNOWN, True)


def test_what_may_still_arrive_is_not_given_up_as_refused():
    """At the last attempt an empty search counts only once a late write would have surfaced."""
    last = a_delivery(S.UNKNOWN, attempts=MOST_ATTEMPTS - 1)
    assert after(last, o.Absent(early=True), NOW).state is S.UNKNOWN
    assert after(last, o.Absent(early=True), LATER).state is S.REFUSED


@pytest.mark.parametrize("outcome", PUT_OFF)
@pytest.mark.parametrize("state", sorted(OPEN))
def test_an_ehr_that_is_away_is_no_attempt(outcome: o.AttemptOutcome, state: DeliveryState):
    """Not reached, put off, or silent altogether: it does not count, and the lane waits."""
    decision = after(a_delivery(state, attempts=11), outcome, NOW)
    sent = isinstance(outcome, o.Busy) and state is S.INTENT
    assert (decision.state, decision.attempts) == (S.UNKNOWN if sent else state, 11)
    assert decision.ehr_away
    assert not decision.needs_person


@pytest.mark.parametrize("answers", [True, False])
def test_a_lost_look_is_silence(*, answers: bool):
    """Nothing new left while it was looked for, so a lost answer then is none of a write."""
    looked = a_delivery(S.UNKNOWN, attempts=1)
    silent = after(looked, o.Silent(ehr_answers=answers), NOW)
    assert after(looked, o.Lost(ehr_answers=answers), NOW) == silent


def test_a_process_that_stood_still_says_nothing_of_the_ehr():
    """Nothing left, and that was us: it goes at once, and the EHR does not count as away."""
    ours = after(a_delivery(), o.NeverLeft("Kairos was paused", ours=True), NOW)
    assert (ours.ehr_away, ours.wait) == (False, timedelta())
    assert after(a_delivery(), o.NeverLeft(), NOW).ehr_away


@pytest.mark.parametrize("outcome", [o.NeverLeft(), o.Lost(ehr_answers=True), o.Broke("KeyError")])
def test_what_the_ehr_took_is_kept_whatever_the_reading_back_meets(outcome: o.AttemptOutcome):
    """Written, then not read: unknown, with the id under which it is read again and not sent."""
    decision = after(a_delivery(ehr_id="1"), outcome, NOW)
    assert (decision.state, decision.ehr_id) == (S.UNKNOWN, "1")


@pytest.mark.parametrize(
    "outcome",
    [o.Stale(), o.Silent(ehr_answers=True), o.Broke("KeyError"), o.Absent(early=True)],
)
@pytest.mark.parametrize("before", range(MOST_ATTEMPTS - 3, MOST_ATTEMPTS + 3))
def test_a_person_is_asked_from_the_last_attempt_on(outcome: o.AttemptOutcome, before: int):
    """Whichever outcome meets the last attempt, and in whatever rhythm they came before it."""
    decision = after(a_delivery(S.UNKNOWN, attempts=before), outcome, LATER)
    assert decision.needs_person == (before + 1 >= MOST_ATTEMPTS)


def test_pauses_double_up_to_the_longest():
    """An attempt that came to nothing is repeated after 1, 2, 4 … seconds, up to 15 minutes."""
    waits = [
        after(a_delivery(S.UNKNOWN, attempts=tried), o.Broke("KeyError"), NOW).wait
        for tried in range(MOST_ATTEMPTS - 1)
    ]
    assert waits[:3] == [timedelta(seconds=1), timedelta(seconds=2), timedelta(seconds=4)]
    assert waits[-1] == LONGEST_PAUSE


def test_an_error_in_kairos_is_named():
    """The reason of an unforeseen error is its type, so that it is found in the log."""
    decision = after(a_delivery(), o.Broke("KeyError"), NOW)
    assert decision.reason == "an error in Kairos: KeyError"


def test_what_kills_its_process_each_time_becomes_a_persons():
    """Attempts of which none comes to an end are counted when they begin, and end with a person."""
    delivery, tried = a_delivery(), 0
    while given_up(delivery) is None:
        delivery, tried = begun(delivery, NOW), tried + 1
    assert tried == MOST_ATTEMPTS + 1
    asks = given_up(delivery)
    assert asks is not None
    assert (asks.state, asks.needs_person) == (S.UNKNOWN, True)


@given(st.lists(st.tuples(st.integers(0, 99), st.booleans()), min_size=40, max_size=40))
@courses(300)
def test_every_path_ends_settled_or_with_a_person(drawn: list[tuple[int, bool]]):
    """Any outcomes in any order: after so many attempts that count, it is no longer the lane's."""
    delivery, now, counted = a_delivery(), NOW, 0
    for number, learned in drawn:
        if delivery.waits_for_person or delivery.state not in OPEN:
            break
        asks = given_up(delivery)
        if asks is not None:
            delivery = settled(delivery, asks, now)
            break
        fit = OF_A_LOOK if looks_first(delivery) else OF_A_SEND
        known = replace(delivery, ehr_id="1") if learned else delivery
        decision = after(known, fit[number % len(fit)], now)
        counted += decision.attempts > delivery.attempts
        delivery = settled(begun(delivery, now), decision, now)
        now += o.SETTLING
    put_off = len(drawn) - counted
    assert counted <= MOST_ATTEMPTS + 1
    assert put_off or delivery.waits_for_person or delivery.state not in OPEN


def test_the_moves_are_those_of_the_table():
    """Whatever is tried or chosen, a delivery moves as MOVES says; and each of MOVES is made."""
    made: dict[tuple[DeliveryState, DeliveryState], None] = {}
    for delivery in _every_delivery():
        if delivery.state in OPEN and not delivery.waits_for_person:
            stands = begun(delivery, LATER)
            made[delivery.state, stands.state] = None
            for outcome in OF_A_LOOK if looks_first(delivery) else OF_A_SEND:
                decision = after(delivery, outcome, LATER)
                assert may_move(stands.state, decision.state), (delivery, outcome)
                made[stands.state, decision.state] = None
        made[delivery.state, distrusted(delivery, LATER).state] = None
        for kind in possible(delivery):
            decision = resolve(delivery, chosen(kind), OPERATOR)
            assert may_move(delivery.state, decision.state), (delivery, kind)
            made[delivery.state, decision.state] = None
    moved = {(begins, ends) for begins, ends in made if begins is not ends}
    assert moved == {(begins, ends) for begins, all_ends in MOVES.items() for ends in all_ends}


def test_every_outcome_has_its_answer_in_every_state():
    """No combination, not even one that cannot come, is without a decision or sent untested."""
    for delivery in _every_delivery():
        for outcome in EACH:
            decision = after(delivery, outcome, LATER)
            sent_again = decision.state is S.INTENT and looks_first(delivery)
            assert not sent_again or isinstance(outcome, o.Absent) or delivery.state is S.INTENT


def _every_delivery() -> list[Delivery]:
    return [
        a_delivery(
            state, attempts=attempts, ehr_id=ehr_id, needs_person=needs_person, action=action
        )
        for state in DeliveryState
        for attempts in (0, 1, MOST_ATTEMPTS - 1, MOST_ATTEMPTS)
        for ehr_id in (None, "1")
        for needs_person in (False, True)
        for action in Action
    ]
