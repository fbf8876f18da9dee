"""Can a wish be meant? Looked at before the inbox: what it names is there, and its times are past.

Whether it may be done is the domain's to say, in the workflow. Nothing that was sent is repeated
here: an id may have been typed into the wrong field.
"""

from datetime import datetime

from api.edge.access import nothing_there
from domain.checks import check_open
from domain.language import (
    commands,
    holds,
    observations,
    overrides,
    phases,
    release,
    tasks,
    treatment,
    visits,
)
from domain.language.clocks import check_instant, check_wall
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.findings import blocks_of
from domain.language.names import VisitId
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from store import codec
from store.tables import PathwayRow


def check_meant(
    row: PathwayRow, protocol: CombinedProtocol, wish: commands.Wish, now: datetime
) -> None:
    """Raise a problem unless the wish names what is there, at times that have been."""
    pathway = codec.pathway_from_json(row.projection)
    if not pathway.phases:
        raise Conflict("the pathway is still being started; look again in a moment")
    ended = blocks_of(check_open(pathway))
    if ended:
        raise Refused(f"may not record anything more: {ended[0].sentence()}", ended)
    for what, at in _times(wish):
        check_wall(at, now, pathway.zone, what)
        check_instant(at, now, what)
    _check_names(wish, pathway, protocol)


def _times(wish: commands.Wish) -> tuple[tuple[str, datetime], ...]:
    """The times that a wish names, each with the name of its field."""
    match wish:
        case observations.RecordReadings(measured_at=at):
            return (("measured_at", at),)
        case observations.RecordAssessment(assessed_at=at):
            return (("assessed_at", at),)
        case treatment.RecordDose(first_device_at=at):
            return (("first_device_at", at),)
        case treatment.RecordStimulation(started_at=start, ended_at=end):
            return (("started_at", start), ("ended_at", end))
        case release.ReleaseVisit(left_at=at) if at is not None:
            return (("left_at", at),)
    return ()


def _check_names(  # noqa: C901  one case a kind of name
    wish: commands.Wish, pathway: Pathway, protocol: CombinedProtocol
) -> None:
    match wish:
        case (
            visits.BookVisit()
            | visits.MoveVisit()
            | visits.CheckIn()
            | visits.MissVisit()
            | visits.CancelVisit()
            | release.ReleaseVisit()
        ):
            if wish.visit not in pathway.visits:
                raise nothing_there()
        case holds.LiftHold(hold=hold):
            if hold not in pathway.holds:
                raise nothing_there()
        case tasks.AcknowledgeTask(task=task):
            if task not in pathway.tasks:
                raise nothing_there()
        case observations.RecordReadings(visit=visit) if visit is not None:
            _insist_visit(pathway, visit)
        case treatment.RecordDose(visit=visit) | treatment.RecordStimulation(visit=visit):
            _insist_visit(pathway, visit)
        case overrides.OverrideGate(visit=visit, gate=gate):
            _insist_visit(pathway, visit)
            known = _rules(protocol, pathway.visits[visit].phase)
            if gate not in known:
                raise Malformed(f"no such gate in this phase; known are {', '.join(known)}")
        case phases.SignOrder(phase=phase) | phases.Decide(phase=phase):
            if phase not in pathway.phases:
                entered = ", ".join(sorted(pathway.phases))
                raise Malformed(f"that phase was not entered; entered are {entered}")


def _insist_visit(pathway: Pathway, visit: VisitId) -> None:
    if visit not in pathway.visits:
        raise Malformed("there is no such visit on this pathway; its visits are listed with it")


def _rules(protocol: CombinedProtocol, phase: str) -> list[str]:
    """What may be named in an override: the gates and timed checks of the visit's phase."""
    found = next(each for each in protocol.phases if each.id == phase)
    return sorted({gate.id for gate in found.gates} | {check.id for check in found.timed_checks})
