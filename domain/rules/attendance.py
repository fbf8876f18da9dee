"""Which visit is meant, how far it has come, and whether the patient is here."""

from domain.language.errors import Conflict, Malformed
from domain.language.findings import CheckResult, result_of
from domain.language.names import VisitId, VisitStatus, spoken
from domain.language.pathway import Pathway, Visit
from domain.language.release import Disposition, ReleaseVisit
from domain.rules.refusing import found


def insist_visit(pathway: Pathway, visit: VisitId) -> None:
    """Raise Malformed unless the pathway has such a visit. What was typed is not repeated."""
    if visit not in pathway.visits:
        message = "there is no such visit on this pathway; its visits are listed with it"
        raise Malformed(message, unknown="visit")


def visit_that_is(pathway: Pathway, visit: VisitId, *statuses: VisitStatus) -> Visit:
    """Give a visit of the pathway; Conflict unless it is in one of these states."""
    known = pathway.visits[visit]
    if known.status not in statuses:
        wanted = " or ".join(spoken(status) for status in statuses)
        says = f"{spoken(visit)} is {spoken(known.status)}; this needs a visit that is {wanted}"
        raise Conflict(says)
    return known


def has_died(pathway: Pathway) -> bool:
    """Say whether the patient is recorded as having died at a visit."""
    return any(visit.went is Disposition.DIED for visit in pathway.visits.values())


def check_nobody_is_here(pathway: Pathway) -> CheckResult:
    """Has the patient left every visit they came to?"""
    here = [v for v in pathway.visits.values() if v.status is VisitStatus.CHECKED_IN]
    finding = "the patient is still checked in for {}; discharge them first, as of when they left"
    return result_of(
        tuple(found("released-first", finding.format(spoken(v.id)), ReleaseVisit.MAY) for v in here)
    )
