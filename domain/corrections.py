"""Corrections: an entry made in error is voided, with who says so and why, and what was so instead.

The entry stays in the record and counts no more. What was so is judged as of when the entry was
made, and is never refused for what a rule says of it: it has happened. Acts of people that rested
on the entry are not undone; they are looked at again (`second_look.py`).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from domain.chapters import observations, release, treatment
from domain.language.corrections import CorrectEntry, EntryVoided, Instead
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.events import Event, Fact
from domain.language.holds import HoldPlaced, LiftHold
from domain.language.names import CARE, EventId, Role, Roles, any_of
from domain.language.observations import (
    Reading,
    ReadingsTaken,
    RecordAssessment,
    RecordReadings,
    ScaleAssessed,
)
from domain.language.overrides import GateOverridden, OverrideGate
from domain.language.pathway import Pathway
from domain.language.phases import Decide, DecisionMade
from domain.language.protocol import CombinedProtocol
from domain.language.release import ReleaseVisit, VisitReleased
from domain.language.tasks import TaskAcknowledged
from domain.language.treatment import (
    DoseGiven,
    RecordDose,
    RecordStimulation,
    ReportDose,
    ReportStimulation,
    StimulationGiven,
    TreatmentFact,
)
from domain.language.visits import CheckIn, MissVisit, VisitCheckedIn, VisitMissed
from domain.rules.corrected import standing, voided
from domain.rules.refusing import found, insist_reason
from domain.second_look import as_of

MAY_VOID: dict[type[Fact], Roles] = {
    ReadingsTaken: CARE,
    ScaleAssessed: CARE,
    DoseGiven: RecordDose.MAY,
    StimulationGiven: RecordStimulation.MAY,
    VisitCheckedIn: CheckIn.MAY,
    VisitMissed: MissVisit.MAY,
    VisitReleased: ReleaseVisit.MAY,
    HoldPlaced: LiftHold.MAY,
    GateOverridden: OverrideGate.MAY,
    DecisionMade: Decide.MAY,
    TaskAcknowledged: CARE,
    EntryVoided: CARE,
}
"""What can have been entered in error, and who may say so: those who may do it, or undo it."""

INSTEAD_OF: dict[type[Fact], type[Instead]] = {
    ReadingsTaken: RecordReadings,
    ScaleAssessed: RecordAssessment,
    DoseGiven: RecordDose,
    StimulationGiven: RecordStimulation,
    VisitReleased: ReleaseVisit,
}


def check_meant(pathway: Pathway, wish: CorrectEntry, now: datetime) -> None:
    """Raise unless a reason is given and what was so instead can have been."""
    insist_reason(wish.reason)
    match wish.instead:
        case None:
            pass
        case RecordReadings() | RecordAssessment() as instead:
            observations.check_meant(pathway, instead, now)
        case RecordDose() | RecordStimulation() as instead:
            treatment.check_meant(pathway, instead, now)
        case ReleaseVisit() as instead:
            release.check_meant(pathway, instead, now)
        case unknown:
            assert_never(unknown)


def correct(
    protocol: CombinedProtocol,
    pathway: Pathway,
    history: Sequence[Event],
    wish: CorrectEntry,
    by: tuple[EventId, EventId],
    role: Role,
    now: datetime,
) -> tuple[tuple[datetime, Fact], ...]:
    """Say what becomes true, and when it was so. `by` are the ids that the two facts will have."""
    original = next((event for event in history if event.id == wish.event), None)
    if original is None:
        message = "there is no such entry on this pathway; its timeline lists them"
        raise Malformed(message, unknown="event")
    _insist_may_void(protocol, pathway, original, role)
    if original.id in voided(history):
        raise Conflict("this was marked as entered in error already")
    _insist_nothing_rests_on_it(pathway, original)
    _, instead_id = by
    instead = None if wish.instead is None else instead_id
    void: tuple[datetime, Fact] = (now, EntryVoided(wish.event, wish.reason.strip(), instead))
    if wish.instead is None:
        return (void,)
    wanted = INSTEAD_OF.get(type(original.fact))
    if not isinstance(wish.instead, wanted or ()):
        what = original.fact.kind.replace("-", " ")
        raise Malformed(f"what was so instead must be of the same kind as the entry: {what}")
    return void, _in_truth(protocol, pathway, history, original, wish, role, now)


def _insist_may_void(
    protocol: CombinedProtocol, pathway: Pathway, original: Event, role: Role
) -> None:
    """Refuse those who may not say that this was in error."""
    fact = original.fact
    who = MAY_VOID.get(type(fact))
    if who is None:
        raise Malformed(f"a {fact.kind.replace('-', ' ')} is not taken back by a correction")
    if isinstance(fact, TaskAcknowledged):
        who = pathway.tasks[fact.task].roles
    # Otherwise a nurse could take back what stops the dose, and nobody would have seen it.
    if isinstance(fact, ReadingsTaken | ScaleAssessed) and _is_at_risk(protocol, fact):
        who = (Role.PRESCRIBER,)
    if role not in who:
        says = f"only {any_of(who)} may say that this was entered in error"
        raise Refused(says, (found("may-correct", says, who),))


def _is_at_risk(protocol: CombinedProtocol, fact: ReadingsTaken | ScaleAssessed) -> bool:
    """Say whether it is something that a prescriber must have seen."""
    vocabulary = protocol.vocabulary
    if isinstance(fact, ScaleAssessed):
        brought = vocabulary.scales[fact.scale].brings(fact.items, fact.total)
        readings = [Reading(name, value) for name, value in brought.items()]
    else:
        readings = list(fact.readings)
    alerts = ((vocabulary.kind(each.observation).alert, each) for each in readings)
    return any(alert is not None and alert.met(x.value, x.answer) for alert, x in alerts)


def _insist_nothing_rests_on_it(pathway: Pathway, original: Event) -> None:
    """Refuse where something stands that could not be without it."""
    fact = original.fact
    if isinstance(fact, VisitCheckedIn) and pathway.sessions_at(fact.visit):
        says = f"a treatment is recorded at {fact.visit}: correct that first"
        raise Refused(says, (found("treated-here", says, CARE),))
    if isinstance(fact, DecisionMade) and fact.phase != pathway.phase:
        says = f"the pathway has moved on to {pathway.phase} by this decision"
        raise Refused(says, (found("phase", says),))


def _in_truth(
    protocol: CombinedProtocol,
    pathway: Pathway,
    history: Sequence[Event],
    original: Event,
    wish: CorrectEntry,
    role: Role,
    now: datetime,
) -> tuple[datetime, Fact]:
    """Say what was so, judged as of when the entry was made."""
    known = standing(history)
    then = as_of(protocol, pathway.id, known, known.index(original))
    match wish.instead:
        case RecordReadings() | RecordAssessment() as instead:
            at, (seen,) = observations.decide(protocol, then, instead, role, now)
            return at, seen
        case ReleaseVisit() as instead:
            at, (left,) = release.decide(protocol, then, instead, role, now)
            return at, left
        case RecordDose() | RecordStimulation() as instead:
            at, given = _given(protocol, then, instead, wish.reason, role)
            assert isinstance(original.fact, DoseGiven | StimulationGiven)  # noqa: S101
            return at, replace(given, session=original.fact.session)
        case _:
            raise AssertionError(wish.instead)


def _given(
    protocol: CombinedProtocol,
    then: Pathway,
    instead: RecordDose | RecordStimulation,
    reason: str,
    role: Role,
) -> tuple[datetime, TreatmentFact]:
    """Say what was given; if a rule stood in the way, that too, in the words of the correction."""
    try:
        at, facts = treatment.decide(protocol, then, instead, role)
    except Refused:
        at, facts = treatment.decide(protocol, then, _reported(instead, reason), role)
    (given,) = (fact for fact in facts if not isinstance(fact, VisitCheckedIn))
    return at, given


def _reported(instead: RecordDose | RecordStimulation, why: str) -> ReportDose | ReportStimulation:
    match instead:
        case RecordDose():
            return ReportDose(instead.visit, instead.first_device_at, instead.mg, instead.lot, why)
        case RecordStimulation():
            return ReportStimulation(
                instead.visit,
                instead.started_at,
                instead.ended_at,
                instead.pulses,
                instead.intensity_percent_mt,
                instead.output_percent,
                why,
            )
