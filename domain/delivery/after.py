"""What follows when a delivery was tried: its state, whether a person is asked, how long to wait.

Pure. Two rules matter more than all others: what may stand in the EHR is never called refused, and
nothing is sent again before it was looked for and proved absent. An order or a treatment whose
answer was lost is not sent again at all, unless a person says so.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from domain.delivery.outcomes import (
    SETTLING,
    Absent,
    Ambiguous,
    AttemptOutcome,
    Broke,
    Busy,
    Claimed,
    Differs,
    Equal,
    Lost,
    NeverLeft,
    NotReadBack,
    RefusedByEhr,
    Silent,
    Stale,
    Unproven,
    WrongPatient,
)
from domain.delivery.urgency import is_treatment
from domain.delivery.words import MOVES, Action, Delivery, DeliveryDecision, DeliveryState

LAGS = 2
"""So many times the lag that was seen of an EHR's search may pass before a write is found."""

LONGEST_BEHIND = timedelta(hours=2)
"""How long an EHR's search may be behind before a person is asked about what waits for it."""

MOST_ATTEMPTS = 12
"""Attempts after which a person is asked, and as many again once that person has it sent again.
With the pauses between them this is about half an hour: longer than an EHR's gateway takes to
restart, short enough that somebody looks on the same day."""

LONGEST_PAUSE = timedelta(minutes=15)
"""Pauses between the attempts of one delivery double from a second up to this."""


def begun(delivery: Delivery, at: datetime) -> Delivery:
    """The delivery as it is committed before it is tried.

    `sent` stands in the ledger before the first byte leaves, so that a crash cannot hide it.
    """
    tried = replace(delivery, attempts=delivery.attempts + 1)
    if delivery.state is DeliveryState.INTENT:
        left = replace(tried, state=DeliveryState.SENT, changed_at=at, sent_at=at)
        return replace(left, refusal=None, put_off=False)
    return tried


def looks_first(delivery: Delivery) -> bool:
    """Say whether it may be in the EHR already, so that it is looked for and not sent."""
    return delivery.state is not DeliveryState.INTENT or delivery.ehr_id is not None


def given_up(delivery: Delivery) -> DeliveryDecision | None:
    """Ask a person about a delivery whose attempts are used up, and of which none is known.

    `after` asks at the last attempt that comes to an end; this is for attempts that end with their
    process. A last write whose answer was lost is still looked for once.
    """
    if delivery.attempts <= MOST_ATTEMPTS or delivery.state is DeliveryState.INTENT:
        return None
    asks = _ask(delivery, f"{delivery.attempts} attempts, and the last did not finish")
    return replace(asks, attempts=delivery.attempts)


def after(  # noqa: C901, PLR0911, PLR0912  one case an outcome, each a line or two
    delivery: Delivery, outcome: AttemptOutcome, now: datetime
) -> DeliveryDecision:
    """Decide what follows. `delivery` is as it was found in the ledger before this attempt.

    Its `ehr_id` is set also if this very attempt learned it from the EHR.
    """
    match outcome:
        case Equal(version=version):
            return _in_ehr(delivery, DeliveryState.CONFIRMED, None, version)
        case Differs(differences=differences, version=version, why=why):
            return _in_ehr(delivery, DeliveryState.DIVERGENT, why, version, differences)
        case WrongPatient(differences=differences, version=version):
            why = "the EHR shows it in another patient's chart"
            state = DeliveryState.MISFILED
            return _in_ehr(delivery, state, why, version, differences, linked=False)
        case Claimed(why=why):
            # Reading it again as the same resource would only come to the same end.
            return _ask(replace(delivery, ehr_id=None), why)
        case NotReadBack(why=why, gone=gone):
            # A read may not see yet what was written a moment ago.
            why = f"written, but it could not be read back: {why}"
            early = gone and not _surfaced(delivery, now)
            return _look_again(delivery, why) if early else _ask(delivery, why)
        case RefusedByEhr(why=why, sent=sent, early=early):
            if looks_first(delivery):
                return _ask(delivery, why)
            if sent:  # whoever refuses may have done it all the same
                left = _decision(delivery, DeliveryState.UNKNOWN, why, wait=timedelta())
                return replace(left, refusal=why)
            if early and delivery.attempts:
                return _ask(delivery, f"{why}; an earlier attempt may have succeeded")
            state = DeliveryState.REFUSED
            return _decision(delivery, state, why, needs_person=True, counts=sent)
        case Stale():
            return _not_done(delivery, "someone else changed it in the EHR")
        case NeverLeft(why=why, ours=ours):
            return _unchanged(delivery, why, wait=timedelta() if ours else None)
        case Busy(why=why, alone=True):
            # It is not the EHR that is busy: a right may be missing for this one.
            if _last(delivery):
                return _ask(delivery, f"{why}; {delivery.attempts + 1} attempts")
            left = _put_off(delivery, why, wait=pause(delivery.attempts))
            return replace(left, attempts=delivery.attempts + 1)
        case Busy(why=why, seconds=seconds):
            wait = None if seconds is None else min(timedelta(seconds=seconds), LONGEST_PAUSE)
            return replace(_put_off(delivery, why), wait=wait)
        case Lost(ehr_answers=answers):
            return _lost(delivery, ehr_answers=answers)
        case Silent(ehr_answers=answers, why=why):
            return _silent(delivery, why, ehr_answers=answers)
        case Absent():
            return _absent(delivery, outcome, now)
        case Ambiguous(count=count):
            return _ask(delivery, f"{count} resources in the EHR could be this one")
        case Unproven() if delivery.is_vouched and delivery.action is Action.CREATE:
            return _again(delivery, "a person looked, and it is not in the EHR")
        case Unproven(why=why):
            return _ask(delivery, why)
        case Broke(error=error):
            return _look_again(delivery, f"an error in Kairos: {error}")
    assert_never(outcome)


def pause(times: int) -> timedelta:
    """How long to wait before trying again what came to nothing so often before."""
    return min(timedelta(seconds=2 ** min(times, 20)), LONGEST_PAUSE)


def may_move(begins: DeliveryState, ends: DeliveryState) -> bool:
    """Say whether a delivery may come from one state to another, or stay where it is."""
    return begins is ends or ends in MOVES[begins]


def _absent(delivery: Delivery, absent: Absent, now: datetime) -> DeliveryDecision:
    """It was not found. What that proves depends on the EHR's search, and on how long ago it left.

    A late arrival of a change does no harm, but one that is called refused must not arrive at all.
    """
    early = absent.early and not _last(delivery)
    if delivery.refusal is not None and delivery.attempts > 1:
        early = False
    since = now - _left_at(delivery)
    settles = _settles(delivery, absent)
    if not early and since < settles:
        why = "waiting to see whether an unanswered write still appears in the EHR"
        return _unchanged(delivery, why, wait=settles - since)
    created = delivery.action is Action.CREATE and not delivery.is_vouched
    if created and (asks := _doubted(delivery, absent, since)):
        return asks
    if delivery.refusal is not None:
        state = DeliveryState.REFUSED
        return _decision(delivery, state, delivery.refusal, needs_person=True)
    if delivery.put_off and not early:
        return _decision(delivery, DeliveryState.INTENT, "not found in the EHR", counts=False)
    return _again(delivery, "not found in the EHR")


def _doubted(delivery: Delivery, absent: Absent, since: timedelta) -> DeliveryDecision | None:
    """Say why a create that was not found is not sent again for all that; None if it may be."""
    if absent.behind and since < LONGEST_BEHIND:
        why = "waiting: the EHR's search does not show yet what was written to it lately"
        return _unchanged(delivery, why, wait=min(max(since, pause(0)), LONGEST_PAUSE))
    before = "" if delivery.refusal is None else f"{delivery.refusal}; "
    if absent.behind:
        return _ask(delivery, f"{before}not found, but the EHR's search does not show new entries")
    if not absent.proved:
        why = "not found, but nothing proves that the EHR's search would show it"
        return _ask(delivery, before + why)
    lost = delivery.refusal is None and not delivery.put_off and not _never_left(delivery)
    if lost and is_treatment(delivery):
        why = "the EHR's answer was lost and it is not found"
        return _ask(delivery, f"{why}; an order or a treatment is not sent twice without a person")
    return None


def _settles(delivery: Delivery, absent: Absent) -> timedelta:
    """How long after a write left a search is looked at in earnest.

    One that was answered is not on its way any more: only the search may be late.
    """
    if absent.early or absent.lag is None:
        return absent.settling
    answered = delivery.refusal is not None or delivery.put_off
    return LAGS * absent.lag + (timedelta() if answered else absent.settling)


def _never_left(delivery: Delivery) -> bool:
    """Say whether it counts as sent only because the database was restored."""
    return delivery.state is DeliveryState.SENT and not delivery.attempts


def _put_off(delivery: Delivery, why: str, *, wait: timedelta | None = None) -> DeliveryDecision:
    """The EHR says that it did not do it now. A create is looked for before it is sent again."""
    left = _unchanged(delivery, why, wait=wait)
    if delivery.action is not Action.CREATE or looks_first(delivery):
        return left
    return replace(left, state=DeliveryState.UNKNOWN, put_off=True)


def _lost(delivery: Delivery, *, ehr_answers: bool) -> DeliveryDecision:
    """The write may have been done. It is looked for next, even at the last attempt."""
    if looks_first(delivery):  # then nothing was written but what is looked for anyhow
        return _silent(delivery, "the EHR did not answer", ehr_answers=ehr_answers)
    wait = pause(delivery.attempts) if ehr_answers else None
    lost = _decision(delivery, DeliveryState.UNKNOWN, "the EHR's answer was lost", wait=wait)
    return replace(lost, ehr_away=not ehr_answers)


def _silent(delivery: Delivery, why: str, *, ehr_answers: bool) -> DeliveryDecision:
    """Nothing came of a read. That counts only if the EHR is there and answers others."""
    return _not_done(delivery, why) if ehr_answers else _unchanged(delivery, why)


def _not_done(delivery: Delivery, why: str) -> DeliveryDecision:
    """This attempt changed nothing in the EHR; an earlier one may have."""
    if looks_first(delivery):
        return _look_again(delivery, why)
    return _again(delivery, why, pause(delivery.attempts))


def _decision(
    delivery: Delivery,
    state: DeliveryState,
    reason: str | None,
    *,
    needs_person: bool = False,
    counts: bool = True,
    wait: timedelta | None = None,
) -> DeliveryDecision:
    attempts = delivery.attempts + counts
    made = DeliveryDecision(state, attempts, reason, needs_person, delivery.ehr_id, wait=wait)
    if state is not DeliveryState.UNKNOWN:
        return made
    return replace(made, refusal=delivery.refusal, put_off=delivery.put_off)


def _in_ehr(
    delivery: Delivery,
    state: DeliveryState,
    reason: str | None,
    version: str | None,
    differences: tuple[str, ...] = (),
    *,
    linked: bool = True,
) -> DeliveryDecision:
    asks = state is not DeliveryState.CONFIRMED
    known = _decision(delivery, state, reason, needs_person=asks)
    return replace(known, ehr_version=version, differences=differences, linked=linked)


def _ask(delivery: Delivery, reason: str) -> DeliveryDecision:
    """Ask a person what became of it; until then it is neither sent nor looked for."""
    return _decision(delivery, DeliveryState.UNKNOWN, reason, needs_person=True)


def _look_again(delivery: Delivery, reason: str) -> DeliveryDecision:
    """Look for it later, or ask a person after too many attempts."""
    if _last(delivery):
        return _ask(delivery, f"{reason}; {delivery.attempts + 1} attempts")
    return _decision(delivery, DeliveryState.UNKNOWN, reason, wait=pause(delivery.attempts))


def _again(delivery: Delivery, reason: str, wait: timedelta | None = None) -> DeliveryDecision:
    """Put back what provably is not in the EHR, or ask a person after too many attempts."""
    if _last(delivery):
        reason = f"{reason}; {delivery.attempts + 1} attempts"
        return _decision(delivery, DeliveryState.REFUSED, reason, needs_person=True)
    return _decision(delivery, DeliveryState.INTENT, reason, wait=wait)


def _unchanged(
    delivery: Delivery, reason: str, *, wait: timedelta | None = None
) -> DeliveryDecision:
    """Leave it as it was found, for nothing happened; but what stands in the EHR stands.

    Without a time to wait for it is the EHR that is away, and its lane with it.
    """
    state = delivery.state if delivery.ehr_id is None else DeliveryState.UNKNOWN
    left = _decision(delivery, state, reason, counts=False, wait=wait)
    return replace(left, ehr_away=wait is None)


def _last(delivery: Delivery) -> bool:
    return delivery.attempts + 1 >= MOST_ATTEMPTS


def _surfaced(delivery: Delivery, now: datetime) -> bool:
    """Say whether a write that was lost would be seen by now."""
    return delivery.state is not DeliveryState.INTENT and now - _left_at(delivery) >= SETTLING


def _left_at(delivery: Delivery) -> datetime:
    """Since when it may be on its way. What a person decided since does not begin it anew."""
    return delivery.sent_at or delivery.changed_at
