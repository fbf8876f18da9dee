"""What readings say of risk, by the levels that a protocol states, and what that hastens. Pure.

Each level says what it holds, what it asks and by when. The level of a pathway is the most severe
one that any reading means which still counts: the last of its kind, and not too old for the level.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from domain.language.clocks import LocalTime, instant, local_day, wall
from domain.language.names import LIVE, ObservationName, Role, Roles, VisitStatus, spoken
from domain.language.pathway import Observed, Pathway, Visit
from domain.language.phases import FirstVisitHastened
from domain.language.protocol import CombinedProtocol, Protocol
from domain.language.remembered import remembered
from domain.language.safety import RiskLevel
from domain.language.visits import MoveVisit
from domain.rules.calendar import SEARCH_DAYS, hour_on, treatment_day
from domain.rules.spacing import too_close, too_soon
from domain.rules.standing import reading
from domain.rules.steps import Ask, AskPerson

BRINGS_FORWARD: Roles = (*MoveVisit.MAY, Role.PRESCRIBER)
"""Those who move visits, and a prescriber, who may say why it is not brought forward."""


@dataclass(frozen=True, slots=True)
class Risk:
    """The level of risk now, the readings that mean it, and the latest of their times."""

    level: RiskLevel
    readings: tuple[tuple[ObservationName, Observed], ...]
    since: datetime
    says: str


@remembered
def named_in_levels(protocol: CombinedProtocol) -> frozenset[ObservationName]:
    """Name the observations that mean a level of risk in any phase: no other reading can."""
    levels = (level for phase in protocol.phases for level in phase.risk_levels)
    return frozenset(need.observation for level in levels for need in level.any_of)


def level_of(phase: Protocol, name: ObservationName, found: Observed) -> RiskLevel | None:
    """Find the most severe level that a reading means."""
    for level in phase.risk_levels:
        if any(n.observation == name and n.met(found.value, found.answer) for n in level.any_of):
            return level
    return None


def risk_now(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> Risk | None:
    """Say at which level a pathway is, by the last reading of each kind; None at none of them."""
    phase = protocol.phase(pathway.phase)
    for level in phase.risk_levels:
        met = tuple(
            (need.observation, found)
            for need in level.any_of
            for found in pathway.latest(need.observation, now)
            if now < found.at + level.counts_for and need.met(found.value, found.answer)
        )
        if met:
            kinds = [(protocol.vocabulary.kind(name), found) for name, found in met]
            says = "; ".join(f"{kind.title} {reading(kind, found)}" for kind, found in kinds)
            return Risk(level, met, max(found.at for _, found in met), says)
    return None


def hastened(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> Risk | None:
    """Say which risk asks for the earliest possible first treatment, if one does.

    Nothing is hastened once a session of the phase was given.
    """
    if pathway.outcome is not None or pathway.sessions_in(pathway.phase):
        return None
    risk = risk_now(protocol, pathway, now)
    return risk if risk is not None and risk.level.hastens else None


def earliest(
    protocol: CombinedProtocol, pathway: Pathway, now: datetime, moving: Visit | None = None
) -> LocalTime | None:
    """Find the first time from now on at which the rules let the phase's first visit be.

    At the hour of the phase's visits; None if no day will do. `moving` is the visit that would be
    there, and so is in nobody's way.
    """
    phase = pathway.phase
    anchor = pathway.phases[phase].first_visit
    days = protocol.phase(phase).schedule.days
    today = local_day(now, pathway.zone)
    gone = (VisitStatus.CANCELLED, VisitStatus.MISSED)
    others = [v for v in pathway.visits.values() if v.status not in gone and v != moving]
    for ahead in range(SEARCH_DAYS):
        at = hour_on(today + timedelta(days=ahead), anchor, pathway.zone)
        near = (too_close(protocol, phase, at.day, v.phase, v.at.day, v.id) for v in others)
        free = treatment_day(at.day, days) and instant(at, pathway.zone) > now
        if free and not any(map(list, near)) and not list(too_soon(protocol, pathway, at.day)):
            return at
    return None


def to_hasten(
    protocol: CombinedProtocol, pathway: Pathway, now: datetime
) -> FirstVisitHastened | None:
    """Say from when on visits are to be proposed instead, while none is proposed yet."""
    here = pathway.phases[pathway.phase]
    if here.signed is None or pathway.open_holds() or pathway.visits_in(pathway.phase):
        return None
    risk = hastened(protocol, pathway, now)
    at = None if risk is None else earliest(protocol, pathway, now)
    if risk is None or at is None or at.day >= here.first_visit.day:
        return None
    return FirstVisitHastened(pathway.phase, at, risk.level.rule)


def may_come_sooner(
    protocol: CombinedProtocol, pathway: Pathway, visit: Visit, now: datetime
) -> bool:
    """Say whether a visit may be moved forward without a new order: the first one, at high risk."""
    mine = [v for v in pathway.visits_in(pathway.phase) if v.status in LIVE]
    return bool(mine) and mine[0] == visit and hastened(protocol, pathway, now) is not None


def to_bring_forward(
    protocol: CombinedProtocol, pathway: Pathway, now: datetime
) -> Iterator[AskPerson]:
    """Ask for the first visit to be moved to the earliest possible time, or for why it cannot."""
    risk = hastened(protocol, pathway, now)
    coming = [v for v in pathway.visits_in(pathway.phase) if v.status in LIVE]
    if risk is None or not coming or coming[0].status is VisitStatus.CHECKED_IN:
        return
    first, level = coming[0], risk.level
    at = earliest(protocol, pathway, now, moving=first)
    if at is None or at.day >= first.at.day:
        return
    says = (
        f"Risk is {level.id} ({risk.says}): move {spoken(first.id)} up from {first.at.day:%A} "
        f"{first.at.day} to {wall(at, pathway.zone)}, the earliest that the rules "
        "allow, or say why that is not possible."
    )
    yield AskPerson(
        Ask.BRING_FORWARD,
        first.id,
        BRINGS_FORWARD,
        says,
        level.rule,
        level.why,
        level.source,
        level.look_by(risk.since),
        rises=level.look.then,
    )


def to_record(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> Iterator[AskPerson]:
    """Ask for what the level of now wants recorded after the readings that mean it."""
    risk = risk_now(protocol, pathway, now)
    if risk is None:
        return
    for name in risk.level.record:
        known = pathway.readings.get(name, ())
        if any(found.at >= risk.since for found in known):
            continue
        kind = protocol.vocabulary.kind(name)
        told = {rise.to for rise in risk.level.look.then}  # only once nobody has in time
        says = f"Risk is {risk.level.id} ({risk.says}): record {kind.title}."
        yield AskPerson(
            Ask.ASSESS,
            f"{risk.readings[0][1].evidence}/{name}",
            tuple(role for role in kind.recorded_by if role not in told),
            says,
            risk.level.rule,
            risk.level.why,
            risk.level.source,
            risk.level.look_by(risk.since),
            rises=risk.level.look.then,
        )


def as_asked(step: AskPerson, level: RiskLevel | None, taken: datetime) -> AskPerson:
    """A question about a reading, with the time, the roles and the holds of its level."""
    if level is None:
        return step
    return replace(
        step,
        rule=level.rule,
        why=level.why,
        source=level.source,
        due=level.look_by(taken),
        rises=level.look.then,
        holds=level.holds,
    )
