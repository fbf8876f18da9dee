"""Observations: readings and rating scales, recorded by those whom the vocabulary names."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import assert_never

from domain.language.clocks import check_happened, local, local_day
from domain.language.errors import Malformed
from domain.language.findings import Blocked, CheckResult, result_of
from domain.language.names import Role, VisitStatus, any_of
from domain.language.observations import (
    ObservationFact,
    ObservationWish,
    Reading,
    ReadingsTaken,
    RecordAssessment,
    RecordReadings,
    ScaleAssessed,
)
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from domain.language.vocabulary import ObservationKind, Scale
from domain.rules import chart
from domain.rules.attendance import insist_visit, visit_that_is
from domain.rules.gates import says_stop
from domain.rules.readings import read_measurements
from domain.rules.refusing import found, insist
from domain.rules.standing import reading

LONGEST_VISIT = timedelta(hours=12)
"""A visit may run past midnight; what is measured so long after its check-in is not of it."""


def check_meant(
    pathway: Pathway, wish: ObservationWish, now: datetime, *, long_ago: bool = False
) -> None:
    """Raise Malformed unless its time has been, and the visit that it names is there."""
    match wish:
        case RecordReadings(measured_at=at, visit=visit):
            check_happened(at, now, pathway.zone, "measured_at", long_ago=long_ago)
            if visit is not None:
                insist_visit(pathway, visit)
        case RecordAssessment(assessed_at=at):
            check_happened(at, now, pathway.zone, "assessed_at", long_ago=long_ago)
        case unknown:
            assert_never(unknown)


def decide(
    protocol: CombinedProtocol, pathway: Pathway, wish: ObservationWish, role: Role, now: datetime
) -> tuple[datetime, tuple[ObservationFact, ...]]:
    """Say what was observed, and when."""
    match wish:
        case RecordReadings():
            at = wish.measured_at.astimezone(UTC)
            return at, (_readings(protocol, pathway, wish, role, now),)
        case RecordAssessment():
            return wish.assessed_at.astimezone(UTC), (_assessment(protocol, wish, role),)
        case unknown:
            assert_never(unknown)


def check_may_record(role: Role, what: Sequence[ObservationKind | Scale]) -> CheckResult:
    """May this role record all of these? The vocabulary says who may record each."""
    return result_of(tuple(_not_for(role, kind) for kind in what if role not in kind.recorded_by))


def _not_for(role: Role, kind: ObservationKind | Scale) -> Blocked:
    finding = f"{kind.title} is recorded by {any_of(kind.recorded_by)}, not by {role.spoken}"
    return found("recorded-by", finding, kind.recorded_by)


def check_may_say_otherwise(
    protocol: CombinedProtocol, pathway: Pathway, readings: Sequence[Reading], role: Role
) -> CheckResult:
    """May this role record what lets treatment go on, where the last answer stops it?

    Of what does not change by itself the vocabulary names who may.
    """
    blocks = []
    for said in readings:
        kind = protocol.vocabulary.kind(said.observation)
        who = kind.said_otherwise_by
        if not who or role in who or says_stop(protocol, kind.name, said.value, said.answer):
            continue
        for known in pathway.readings.get(kind.name, ())[-1:]:
            if says_stop(protocol, kind.name, known.value, known.answer):
                finding = (
                    f"{kind.title} {reading(kind, known)} is recorded, which stops treatment; "
                    f"only {any_of(who)} may record otherwise"
                )
                blocks.append(found("said-otherwise", finding, who))
    return result_of(tuple(blocks))


def _readings(
    protocol: CombinedProtocol, pathway: Pathway, wish: RecordReadings, role: Role, now: datetime
) -> ReadingsTaken:
    if wish.visit is not None:
        visit = visit_that_is(pathway, wish.visit, VisitStatus.CHECKED_IN, VisitStatus.RELEASED)
        here = visit.checked_in or now
        another = local_day(here, pathway.zone) != local_day(wish.measured_at, pathway.zone)
        if another and not here <= wish.measured_at <= here + LONGEST_VISIT:
            raise Malformed("measured_at is on a different day from the visit; leave visit out")
        if visit.left_at is not None and wish.measured_at > visit.left_at:
            left = local(visit.left_at, pathway.zone).hour
            raise Malformed(
                f"the patient left at {left:%H:%M}; leave visit out, or correct the discharge"
            )
    readings = read_measurements(protocol.vocabulary, wish.readings)
    kinds = [protocol.vocabulary.kind(reading.observation) for reading in readings]
    insist(check_may_record(role, kinds), "record")
    insist(chart.check_may_contradict(protocol, pathway, readings, role), "record")
    insist(check_may_say_otherwise(protocol, pathway, readings, role), "record")
    return ReadingsTaken(readings, wish.visit)


def _assessment(protocol: CombinedProtocol, wish: RecordAssessment, role: Role) -> ScaleAssessed:
    scale = protocol.vocabulary.scales.get(wish.scale)
    if scale is None:
        known = ", ".join(sorted(protocol.vocabulary.scales))
        raise Malformed(f"unknown scale; known scales: {known}")
    if len(wish.items) != len(scale.item_titles):
        count = len(scale.item_titles)
        raise Malformed(f"{scale.title} has {count} items, not {len(wish.items)}")
    if any(not 0 <= item <= scale.item_high for item in wish.items):
        raise Malformed(f"each item of {scale.title} must be from 0 to {scale.item_high}")
    insist(check_may_record(role, [scale]), "record")
    return ScaleAssessed(wish.scale, wish.items, sum(wish.items))
