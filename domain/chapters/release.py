"""Release: a person lets the patient go, or records that they left against advice and why."""

from datetime import UTC, datetime

from domain.language.clocks import check_happened
from domain.language.errors import Malformed
from domain.language.findings import CheckResult, blocks_of, result_of
from domain.language.names import Role, VisitStatus, any_of
from domain.language.pathway import Pathway, Visit
from domain.language.protocol import CombinedProtocol
from domain.language.release import ReleaseFact, ReleaseWish, VisitReleased
from domain.rules.attendance import insist_visit, visit_that_is
from domain.rules.leaving import check_may_release
from domain.rules.refusing import found, insist, insist_reason


def check_meant(pathway: Pathway, wish: ReleaseWish, now: datetime) -> None:
    """Raise Malformed unless there is such a visit, and the time of leaving has been."""
    if wish.left_at is not None:
        check_happened(wish.left_at, now, pathway.zone, "left_at")
    insist_visit(pathway, wish.visit)


def decide(
    protocol: CombinedProtocol, pathway: Pathway, wish: ReleaseWish, role: Role, now: datetime
) -> tuple[datetime, tuple[ReleaseFact, ...]]:
    """Say that the patient has left, and when. Against advice, what was not met goes with it."""
    visit = visit_that_is(pathway, wish.visit, VisitStatus.CHECKED_IN)
    at = _left(pathway, visit, wish.left_at.astimezone(UTC) if wish.left_at is not None else now)
    insist(check_may_let_go(protocol, visit, role), "release")
    why = wish.against_advice.strip()
    if why:
        insist_reason(why)
    result = check_may_release(protocol, pathway, visit.id, at)
    if not why:
        insist(result, "release")
    findings = tuple(block.sentence() for block in blocks_of(result))
    return at, (VisitReleased(visit.id, why, findings),)


def check_may_let_go(protocol: CombinedProtocol, visit: Visit, role: Role) -> CheckResult:
    """May this role let a patient go after this treatment?"""
    modality = protocol.phase(visit.phase).modality
    who = modality.released_by
    if role in who:
        return result_of(())
    return result_of(
        (found("released-by", f"a {modality.session} is watched by {any_of(who)}", who),)
    )


def _left(pathway: Pathway, visit: Visit, at: datetime) -> datetime:
    """Give the time of leaving; Malformed if the patient was not here yet, or still treated."""
    if visit.checked_in is not None and at < visit.checked_in:
        raise Malformed("left_at must be later than the check-in")
    if any(at < (session.ended or session.started) for session in pathway.sessions_at(visit.id)):
        raise Malformed("left_at must be later than the treatment that was given")
    return at
