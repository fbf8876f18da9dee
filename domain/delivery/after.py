"""What follows when a delivery was tried: its state, whether a person is asked, how long to wait.

Pure. Two rules matter more than all others: what may stand in the EHR is never called refused, and
nothing is sent again before it was looked for and proved absent.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import assert_never

from domain.delivery.outcomes import (
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
from domain.delivery.words import MOVES, Delivery, DeliveryDecision, DeliveryState

SURFACING = timedelta(seconds=60)
"""How long after it left a create whose answer was lost may still surface in the EHR. Only after
that does an empty search prove that it never arrived. Conditional create is no such proof: an EHR
may look for the condition first and commit later, so that two which meet both stand."""

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
        return replace(tried, state=DeliveryState.SENT, changed_at=at, sent_at=at)
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
            left = _unchanged(delivery, why, wait=pause(delivery.attempts))
            return replace(left, attempts=delivery.attempts + 1)
        case Busy(why=why, seconds=seconds):
            wait = None if seconds is None else min(timedelta(seconds=seconds), LONGEST_PAUSE)
            return replace(_unchanged(delivery, why), wait=wait)
        case Lost(ehr_answers=answers):
            return _lost(delivery, ehr_answers=answers)
        case Silent(ehr_answers=answers, why=why):
            return _silent(delivery, why, ehr_answers=answers)
        case Absent(early=early):
            # Sending again is harmless where a late arrival is; calling it refused is not.
            early = early and not _last(delivery)
            if not (early or _surfaced(delivery, now)):
                why = "waiting to see whether an unanswered write still appears in the EHR"
                return _unchanged(delivery, why, wait=_left_at(delivery) + SURFACING - now)
            return _again(delivery, "not found in the EHR")
        case Ambiguous(count=count):
            return _ask(delivery, f"{count} resources in the EHR could be this one")
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
    return DeliveryDecision(state, attempts, reason, needs_person, delivery.ehr_id, wait=wait)


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
    return delivery.state is not DeliveryState.INTENT and now - _left_at(delivery) >= SURFACING


def _left_at(delivery: Delivery) -> datetime:
    """Since when it may be on its way. What a person decided since does not begin it anew."""
    return delivery.sent_at or delivery.changed_at
