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
from domain.language.clocks import LocalTime, instant, local_day
from domain.language.names import EventId, Treatment, VisitStatus, spoken
from domain.language.pathway import Pathway, Session
from domain.language.protocol import CombinedProtocol, Protocol
from domain.language.vocabulary import NOT_REQUIRED
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

    def lasts(self, protocol: CombinedProtocol, day: date, mg: int | None = None) -> bool:
        """Say whether what is left is enough for one more session on a day, of so much."""
        unit = self.authorization.says.unit
        same_day = unit is AuthorizedUnit.DAY and day == self.last_day
        return same_day or self.left >= _units(unit, protocol, mg)

    def excludes(self, protocol: CombinedProtocol) -> list[Treatment]:
        """List what the pathway gives too and it does not pay beside."""
        says = self.authorization.says
        given = {phase.treatment for phase in protocol.phases} if says.excludes else set()
        return sorted(set(says.excludes) & given - {says.treatment})


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
        covers = _used(covers, day, protocol, session.mg)
    return tuple(covers)


def lacking(
    protocol: CombinedProtocol, covers: Sequence[Covers], day: date, mg: int | None = None
) -> tuple[EventId, str] | None:
    """Say what keeps authorizations from covering one more session on a day; None if one does.

    The entry named is the one of which that is said: of several the last to end.
    """
    found = None
    for each in covers:
        says = each.authorization.says
        if excluded := each.excludes(protocol):
            others = ", ".join(spoken(each) for each in excluded)
            why = f"excludes {others}, which is also part of this pathway"
        elif day < says.starts:
            why = f"begins on {says.starts}"
        elif day > says.ends:
            why = f"ended on {says.ends}"
        elif not each.lasts(protocol, day, mg):
            why = f"is used up: {each.left} left of {says.units} {_units_of(says)}"
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
    if _not_required(protocol, pathway, phase.treatment):
        return
    ahead = list(_ahead(phase, pathway))
    found = first_without(protocol, pathway, phase.treatment, [at.day for at in ahead])
    if found is None:
        return
    day, entry, why = found
    says = f"Record another authorization for {phase.title}: on {day}, {why}."
    at = next(at for at in ahead if at.day == day)
    yield AskPerson(
        Ask.RENEW_AUTHORIZATION,
        f"{phase.treatment}/{entry}",
        RecordAuthorization.MAY,
        says,
        "authorization",
        due=instant(at, pathway.zone),
    )


def _ahead(phase: Protocol, pathway: Pathway) -> Iterator[LocalTime]:
    """When the sessions that are still to come will be, by the visits that are planned."""
    lacks = {
        place: None
        if stage.sessions is None
        else stage.sessions - len(pathway.sessions_of_stage(phase.id, place))
        for place, stage in enumerate(phase.schedule.stages)
    }
    for visit in pathway.visits_in(phase.id):
        if visit.status not in (VisitStatus.PROPOSED, VisitStatus.BOOKED, VisitStatus.CHECKED_IN):
            continue
        most = phase.schedule.stages[visit.stage].per_visit - len(pathway.sessions_at(visit.id))
        left = lacks[visit.stage]
        here = max(0, most if left is None else min(most, left))
        lacks[visit.stage] = None if left is None else left - here
        yield from (visit.at for _ in range(here))


def _not_required(protocol: CombinedProtocol, pathway: Pathway, treatment: Treatment) -> bool:
    """Say whether somebody said, later than any letter, that none is needed."""
    letters = [
        each.recorded
        for each in pathway.authorizations.values()
        if each.says.treatment is treatment
    ]
    for kind in protocol.vocabulary.observations.values():
        said = pathway.readings.get(kind.name)
        if kind.authorizes is treatment and said and letters and said[-1].at > max(letters):
            return said[-1].answer == NOT_REQUIRED
    return False


def _given(protocol: CombinedProtocol, pathway: Pathway, treatment: Treatment) -> list[Session]:
    known = (s for s in pathway.sessions.values() if protocol.phase(s.phase).treatment is treatment)
    return sorted(known, key=lambda session: (session.started, session.number))


def _used(
    covers: Sequence[Covers], day: date, protocol: CombinedProtocol, mg: int | None
) -> list[Covers]:
    """Take one session from the first authorization that pays for it and has enough left.

    Where none has enough, from the first that has any: what was given was given.
    """
    after = list(covers)
    here = [p for p, each in enumerate(after) if each.on(day) and not each.excludes(protocol)]
    enough = [place for place in here if after[place].lasts(protocol, day, mg)]
    some = [place for place in here if after[place].left > 0]
    for place in (enough or some)[:1]:
        each = after[place]
        unit = each.authorization.says.unit
        same_day = unit is AuthorizedUnit.DAY and day == each.last_day
        used = 0 if same_day else _units(unit, protocol, mg)
        after[place] = Covers(each.entry, each.authorization, max(0, each.left - used), day)
    return after


def _units(unit: AuthorizedUnit, protocol: CombinedProtocol, mg: int | None) -> int:
    """How much a session uses; of one that is still to come, as little as it can."""
    if unit in (AuthorizedUnit.SESSION, AuthorizedUnit.DAY):
        return 1
    doses = [phase.dose for phase in protocol.phases if phase.dose is not None]
    devices = {mg: number for dose in doses for mg, number in dose.devices.items()}
    given = min(devices) if mg is None else mg
    return given if unit is AuthorizedUnit.MILLIGRAM else devices.get(given, max(devices.values()))
