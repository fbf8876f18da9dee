"""Release: a person lets the patient go, or records where they went and what happened."""

from datetime import UTC, datetime

from domain.language.clocks import CLOCK_SKEW, check_happened, local
from domain.language.errors import Malformed
from domain.language.findings import Blocked, CheckResult, blocks_of, result_of
from domain.language.names import Role, RuleId, VisitStatus, any_of, spoken
from domain.language.pathway import Pathway, Visit
from domain.language.protocol import CombinedProtocol
from domain.language.release import (
    RELEASED,
    Disposition,
    ReleaseFact,
    ReleaseWish,
    VisitReleased,
)
from domain.rules.attendance import insist_visit, visit_that_is
from domain.rules.leaving import check_may_release
from domain.rules.refusing import found, insist, insist_reason


def check_meant(
    pathway: Pathway, wish: ReleaseWish, now: datetime, *, long_ago: bool = False
) -> None:
    """Raise Malformed unless there is such a visit, and the time of leaving has been."""
    if wish.left_at is not None:
        check_happened(wish.left_at, now, pathway.zone, "left_at", long_ago=long_ago)
    insist_visit(pathway, wish.visit)


def decide(
    protocol: CombinedProtocol,
    pathway: Pathway,
    wish: ReleaseWish,
    role: Role,
    now: datetime,
    *,
    was_so: bool = False,
) -> tuple[datetime, tuple[ReleaseFact, ...]]:
    """Say that the patient has left, and when. What was not met then goes with it.

    Where an entry is put right it `was_so`, whatever a rule says of it, and a prescriber looks.
    """
    visit = visit_that_is(pathway, wish.visit, VisitStatus.CHECKED_IN)
    at = _left(pathway, visit, wish.left_at.astimezone(UTC) if wish.left_at is not None else now)
    insist(check_may_let_go(protocol, visit, role), "discharge the patient")
    let_go = wish.went in RELEASED
    words = wish.words.strip()
    if not let_go:
        insist_reason(words, f"words are required, to say what happened: {spoken(wish.went)}")
    given = pathway.sessions_at(visit.id)
    if given and wish.not_treated is not None:
        raise Malformed("a treatment is recorded at this visit: leave not_treated out")
    blocks = blocks_of(check_may_release(protocol, pathway, visit.id, at))
    if let_go:
        why = () if given or wish.not_treated is not None else (_was_one_given(protocol, visit),)
        blocks = tuple(dict.fromkeys((*blocks, *_since(protocol, pathway, visit, at, now))))
        insist(result_of(why if was_so else (*blocks, *why)), "discharge the patient")
    against = words if wish.went is Disposition.AGAINST_ADVICE else ""
    findings = tuple(block.sentence() for block in blocks)
    left = VisitReleased(visit.id, against, findings, wish.went, words, wish.not_treated)
    return at, (left,)


def _was_one_given(protocol: CombinedProtocol, visit: Visit) -> Blocked:
    """Ask why nothing is recorded: a dose that nobody recorded is observed by nobody."""
    modality = protocol.phase(visit.phase).modality
    missing = f"the {modality.session}, if one was given; if none was, say why (not_treated)"
    return Blocked(RuleId("not-treated"), modality.released_by, missing=missing)


def check_may_let_go(protocol: CombinedProtocol, visit: Visit, role: Role) -> CheckResult:
    """May this role let a patient go after this treatment?"""
    modality = protocol.phase(visit.phase).modality
    who = modality.released_by
    if role in who:
        return result_of(())
    finding = f"after a {modality.session} this is for {any_of(who)}"
    return result_of((found("released-by", finding, who),))


def _left(pathway: Pathway, visit: Visit, at: datetime) -> datetime:
    """Give the time of leaving; Malformed if the patient was not here yet, or still treated."""
    if visit.checked_in is not None and at < visit.checked_in:
        raise Malformed("left_at must be later than the check-in")
    if any(at < (session.ended or session.started) for session in pathway.sessions_at(visit.id)):
        raise Malformed("left_at must be later than the treatment that was given")
    known = (each for found in pathway.readings.values() for each in found)
    last = max((each.at for each in known if each.visit == visit.id), default=at)
    if at < last - CLOCK_SKEW:
        hour = local(last, pathway.zone).hour
        raise Malformed(f"left_at must be later than the last reading here, at {hour:%H:%M}")
    return at


def _since(
    protocol: CombinedProtocol, pathway: Pathway, visit: Visit, at: datetime, now: datetime
) -> tuple[Blocked, ...]:
    """Find what speaks against leaving and was found after the time of it that is typed.

    A time that lies back gets no more than one typed now.
    """
    later = {
        each.evidence
        for known in pathway.readings.values()
        for each in known
        if at < each.at <= now
    }
    blocks = blocks_of(check_may_release(protocol, pathway, visit.id, now))
    return tuple(block for block in blocks if set(block.evidence) & later)
