"""Does a payer's authorization cover a session on a day, and how much of it is left? Pure.

What was given uses up the authorization that ends first of those that cover its day. A session
that none covered uses none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from domain.language.authorizations import (
    Authorization,
    AuthorizationRecorded,
    AuthorizedUnit,
    RecordAuthorization,
)
from domain.language.clocks import instant, local_day
from domain.language.names import EventId, Treatment, VisitStatus
from domain.language.pathway import Pathway, Session
from domain.language.protocol import CombinedProtocol
from domain.rules.steps import Ask, AskPerson


@dataclass(frozen=True, slots=True)
class Covers:
    """An authorization with what is left of it, in its units."""

    entry: EventId
    authorization: Authorization
    left: int
    last_day: date | None = None  # on which a session used it

    def on(self, day: date) -> bool:
        """Say whether a day is within it."""
        says = self.authorization.says
        return says.starts <= day <= says.ends

    def lasts(self, protocol: CombinedProtocol, day: date) -> bool:
        """Say whether what is left is enough for one more session on a day."""
        unit = self.authorization.says.unit
        same_day = unit is AuthorizedUnit.DAY and day == self.last_day
        return same_day or self.left >= _units(unit, protocol, None)


def of_treatment(
    protocol: CombinedProtocol, pathway: Pathway, treatment: Treatment
) -> tuple[Covers, ...]:
    """List the authorizations of a treatment with what is left of each, the first to end first."""
    known = sorted(
        (
            (entry, each)
            for entry, each in pathway.authorizations.items()
            if each.says.treatment is treatment
        ),
        key=lambda found: (found[1].says.ends, found[1].says.starts, found[0]),
    )
    covers = [Covers(entry, each, each.says.units) for entry, each in known]
    for session in _given(protocol, pathway, treatment):
        day = local_day(session.started, pathway.zone)
        covers = _used(covers, day, protocol, session)
    return tuple(covers)


def lacking(
    protocol: CombinedProtocol, covers: Sequence[Covers], day: date
) -> tuple[EventId, str] | None:
    """Say what keeps authorizations from covering one more session on a day; None if one does.

    The entry named is the one of which that is said: of several the last to end.
    """
    others = {phase.treatment for phase in protocol.phases}
    found = None
    for each in covers:
        says = each.authorization.says
        excluded = sorted(set(says.excludes) & others - {says.treatment})
        if excluded:
            why = f"excludes {', '.join(excluded)}, which this pathway gives too"
        elif day < says.starts:
            why = f"begins on {says.starts}"
        elif day > says.ends:
            why = f"ended on {says.ends}"
        elif not each.lasts(protocol, day):
            why = f"is used up ({says.units} {_units_of(says)})"
        else:
            return None
        found = (each.entry, f"{says.number} {why}")
    return found


def first_without(
    protocol: CombinedProtocol, pathway: Pathway, treatment: Treatment, ahead: Sequence[date]
) -> tuple[date, EventId, str] | None:
    """Find the first of the sessions ahead that no authorization will cover, and why not.

    `ahead` are their local days in order. None where all are covered, or none was recorded.
    """
    covers = list(of_treatment(protocol, pathway, treatment))
    if not covers:
        return None
    for day in ahead:
        why = lacking(protocol, covers, day)
        if why is not None:
            return day, *why
        covers = _used(covers, day, protocol, None)
    return None


def _units_of(says: AuthorizationRecorded) -> str:
    one = says.units == 1 or says.unit is AuthorizedUnit.MILLIGRAM
    return str(says.unit) if one else f"{says.unit}s"


def to_renew(protocol: CombinedProtocol, pathway: Pathway) -> Iterator[AskPerson]:
    """Ask for another authorization before the first planned session that none will cover."""
    phase = protocol.phase(pathway.phase)
    ahead = [
        visit.at
        for visit in pathway.visits_in(phase.id)
        if visit.status in (VisitStatus.PROPOSED, VisitStatus.BOOKED)
        for _ in range(phase.schedule.stages[visit.stage].per_visit)
    ]
    found = first_without(protocol, pathway, phase.treatment, [at.day for at in ahead])
    if found is None:
        return
    day, entry, why = found
    says = f"Record another authorization of {phase.title}: on {day} {why}."
    at = next(at for at in ahead if at.day == day)
    yield AskPerson(
        Ask.RENEW_AUTHORIZATION,
        f"{phase.treatment}/{entry}",
        RecordAuthorization.MAY,
        says,
        "authorization",
        due=instant(at, pathway.zone),
    )


def _given(protocol: CombinedProtocol, pathway: Pathway, treatment: Treatment) -> list[Session]:
    known = (s for s in pathway.sessions.values() if protocol.phase(s.phase).treatment is treatment)
    return sorted(known, key=lambda session: (session.started, session.number))


def _used(
    covers: Sequence[Covers], day: date, protocol: CombinedProtocol, session: Session | None
) -> list[Covers]:
    """Take one session from the first authorization that covers its day and has some left."""
    after = list(covers)
    for place, each in enumerate(after):
        unit = each.authorization.says.unit
        if each.on(day) and each.lasts(protocol, day):
            same_day = unit is AuthorizedUnit.DAY and day == each.last_day
            used = 0 if same_day else _units(unit, protocol, session)
            left = max(0, each.left - used)
            after[place] = Covers(each.entry, each.authorization, left, day)
            break
    return after


def _units(unit: AuthorizedUnit, protocol: CombinedProtocol, session: Session | None) -> int:
    """How much a session uses; of one that is still to come, as little as it can."""
    if unit in (AuthorizedUnit.SESSION, AuthorizedUnit.DAY):
        return 1
    doses = [phase.dose for phase in protocol.phases if phase.dose is not None]
    devices = {mg: number for dose in doses for mg, number in dose.devices.items()}
    mg = min(devices) if session is None or session.mg is None else session.mg
    return mg if unit is AuthorizedUnit.MILLIGRAM else devices.get(mg, min(devices.values()))
