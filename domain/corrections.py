"""Corrections: an entry made in error is voided, with who says so and why, and what was so instead.

The entry stays in the record and counts no more. What was so is judged as of when the entry was
made, and is never refused for what a rule says of it: it has happened. Acts of people that rested
on the entry are not undone; they are looked at again (`second_look.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from domain.chapters import observations, release, treatment
from domain.language.authorizations import AuthorizationRecorded, RecordAuthorization
from domain.language.clocks import OLDEST_ENTRY
from domain.language.corrections import Astray, CorrectEntry, EntryVoided, Instead
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.events import Event, Fact
from domain.language.holds import HoldLifted, HoldPlaced, LiftHold
from domain.language.names import CARE, EventId, Role, Roles, any_of, spoken
from domain.language.observations import (
    Reading,
    ReadingsTaken,
    RecordAssessment,
    RecordReadings,
    ScaleAssessed,
)
from domain.language.overrides import GateOverridden, OverrideGate
from domain.language.pathway import Pathway
from domain.language.phases import (
    Decide,
    DecisionMade,
    OrderSigned,
    SignOrder,
)
from domain.language.protocol import CombinedProtocol
from domain.language.release import RELEASED, ReleaseVisit, VisitReleased
from domain.language.standing import DecideAhead, DecidedAhead, DecisionEnded, EndDecision
from domain.language.tasks import TaskAcknowledged
from domain.language.treatment import (
    DoseGiven,
    RecordDose,
    RecordStimulation,
    ReportDose,
    ReportStimulation,
    StimulationGiven,
)
from domain.language.trials import RecordTrial, TrialRecorded
from domain.language.visits import CheckIn, MissVisit, VisitCheckedIn, VisitMissed
from domain.rules import chart, late, leaving, moves, rests_on, reviews
from domain.rules.corrected import standing, voided
from domain.rules.gates import says_stop
from domain.rules.refusing import PRESCRIBER, found, insist, insist_reason
from domain.rules.tiers import brought_by
from domain.second_look import as_of, rules_of_then

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
    HoldLifted: LiftHold.MAY,
    OrderSigned: SignOrder.MAY,
    DecisionMade: Decide.MAY,
    DecidedAhead: DecideAhead.MAY,
    TrialRecorded: RecordTrial.MAY,
    AuthorizationRecorded: RecordAuthorization.MAY,
    DecisionEnded: EndDecision.MAY,
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
    moves.check_meant(pathway, wish)
    match wish.instead:
        case None:
            pass
        case RecordReadings() | RecordAssessment() as instead:
            observations.check_meant(pathway, instead, now, long_ago=True)
        case RecordDose() | RecordStimulation() as instead:
            treatment.check_meant(pathway, instead, now, long_ago=True)
        case ReleaseVisit() as instead:
            release.check_meant(pathway, instead, now, long_ago=True)
        case unknown:
            assert_never(unknown)


def correct(
    protocol: CombinedProtocol,
    pathway: Pathway,
    history: Sequence[Event],
    wish: CorrectEntry,
    name: Callable[[int], EventId],
    role: Role,
    now: datetime,
    earlier: Mapping[str, CombinedProtocol],
) -> tuple[tuple[datetime, Fact], ...]:
    """Say what becomes true, and when it was so. `name` gives the id of the fact at a place.

    `earlier` are the versions of the protocol until each change of it, by the names they have.
    """
    original = next((event for event in history if event.id == wish.event), None)
    if original is None:
        message = "there is no such entry on this pathway; its timeline lists them"
        raise Malformed(message, unknown="event")
    _insist_may_void(protocol, pathway, history, original, role)
    if original.id in voided(history):
        raise Conflict("this entry is already marked as entered in error")
    block = rests_on.in_the_way(
        protocol, pathway, history, original, amended=wish.instead is not None
    )
    if block is not None:
        raise Refused(str(block.finding), (block,))
    reason = wish.reason.strip()
    brought = rests_on.follows(history, original) or rests_on.came_by(history, original)
    also = () if brought is None else ((now, EntryVoided(brought.id, reason)),)
    if wish.wrong_patient is not None:
        about = moves.said(protocol, original)
        void = EntryVoided(
            wish.event, reason, None, about, wish.wrong_patient.pathway, what=Astray.ANOTHERS
        )
        return ((now, void), *also)
    if wish.instead is None:
        return ((now, _taken_back(protocol, original, reason, role)), *also)
    _insist_same_kind(protocol, original.fact, wish.instead)
    at, truth = _in_truth(protocol, pathway, history, original, wish, role, now, earlier)
    if abs(at - original.at) > OLDEST_ENTRY:
        raise Malformed(f"that is over {OLDEST_ENTRY.days} days from the entry; check the date")
    for fact in truth:
        if isinstance(fact, ReadingsTaken):
            told = chart.check_may_contradict(protocol, pathway, fact.readings, role)
            insist(told, "record")
            last = _from_then_on(pathway, fact, at)
            insist(observations.check_may_say_otherwise(protocol, pathway, last, role), "record")
    void = EntryVoided(wish.event, reason, name(len(truth)))
    elsewhere = getattr(wish.instead, "visit", None) != getattr(original.fact, "visit", None)
    return (now, void), *((at, fact) for fact in truth), *(also if elsewhere else ())


def _from_then_on(pathway: Pathway, fact: ReadingsTaken, at: datetime) -> tuple[Reading, ...]:
    """Those readings of an instant after which nothing of their kind was taken: they count now."""
    return tuple(
        each
        for each in fact.readings
        if all(known.at <= at for known in pathway.readings.get(each.observation, ()))
    )


def _insist_same_kind(protocol: CombinedProtocol, fact: Fact, instead: Instead) -> None:
    """Raise Malformed unless what was so instead can be said in place of the entry."""
    what = ""
    if not isinstance(instead, INSTEAD_OF.get(type(fact)) or ()):
        what = spoken(fact.kind)
    elif (
        isinstance(instead, RecordAssessment)
        and isinstance(fact, ScaleAssessed)
        and fact.scale != instead.scale
    ):
        what = f"a score of {protocol.vocabulary.scales[fact.scale].title}"
    if what:
        raise Malformed(f"the correct entry must be of the same kind as this one: {what}")


def _taken_back(
    protocol: CombinedProtocol, original: Event, reason: str, role: Role
) -> EntryVoided:
    """Say that an entry was made in error, with what whoever reads on must know of it.

    That somebody was not treated after all lets them go at once: a prescriber looks, if none says
    so. So does one where what went to another patient's record counts here again.
    """
    match original.fact:
        case OrderSigned(phase=phase):
            return EntryVoided(original.id, reason, order=phase)
        case EntryVoided(about=about, moved_to=there, what=Astray.ANOTHERS):
            return EntryVoided(original.id, reason, None, about, there, what=Astray.BACK)
        case DoseGiven() | StimulationGiven() if role is not Role.PRESCRIBER:
            about = moves.said(protocol, original)
            return EntryVoided(original.id, reason, None, about, what=Astray.NEVER)
    return EntryVoided(original.id, reason)


def _insist_may_void(
    protocol: CombinedProtocol,
    pathway: Pathway,
    history: Sequence[Event],
    original: Event,
    role: Role,
) -> None:
    """Refuse those who may not say that this was in error."""
    who = _who_may_void(protocol, pathway, history, original)
    if role not in who:
        says = f"only {any_of(who)} may mark this as entered in error"
        raise Refused(says, (found("may-correct", says, who),))


def _who_may_void(  # noqa: C901, PLR0911  one answer a kind
    protocol: CombinedProtocol, pathway: Pathway, history: Sequence[Event], original: Event
) -> Roles:
    """Name those who may take this back: those who may do it, or a prescriber alone.

    What a prescriber must see is taken back by one only: otherwise somebody could take back what
    stops the dose, and nobody would know.
    """
    fact = original.fact
    if isinstance(fact, EntryVoided):  # as for what it is about
        names = (fact.event, fact.instead)  # and who may take back what stands instead of it
        about = [event for event in history if event.id in names]
        may = [_who_may_void(protocol, pathway, history, event) for event in about]
        return tuple(role for role in may[0] if all(role in each for each in may))
    who = MAY_VOID.get(type(fact))
    if who is None:
        raise Malformed(f"an entry of this kind ({spoken(fact.kind)}) cannot be corrected")
    match fact:
        case TaskAcknowledged():
            return pathway.tasks[fact.task].roles
        case OrderSigned(phase=phase):
            return protocol.phase(phase).ordered_by
        case ReadingsTaken() | ScaleAssessed():
            readings = fact.readings if isinstance(fact, ReadingsTaken) else ()
            stops = any(says_stop(protocol, x.observation, x.value, x.answer) for x in readings)
            if stops or _is_at_risk(protocol, fact):
                return PRESCRIBER
            if any(named.event == original.id for named in pathway.baselines.values()):
                return PRESCRIBER
            if reviews.asked_about(pathway, original.id):
                return PRESCRIBER
            if any(original.id in each.beyond for each in pathway.standing.values()):
                return PRESCRIBER  # else a decision that it ended would hold again unseen
            return _recorders(protocol, fact)
        case DoseGiven() | StimulationGiven() if fact.deviation or not fact.authorized:
            return PRESCRIBER
        case VisitCheckedIn() if any(leaving.unsafe(protocol, pathway)):
            return PRESCRIBER  # else who is at risk is not here any more, and nobody let them go
        case VisitReleased() if fact.findings or fact.disposition not in RELEASED:
            return PRESCRIBER
    return who


def _recorders(protocol: CombinedProtocol, fact: ReadingsTaken | ScaleAssessed) -> Roles:
    """Those who may record all of it, and a prescriber."""
    vocabulary = protocol.vocabulary
    if isinstance(fact, ScaleAssessed):
        recorded_by = [vocabulary.scales[fact.scale].recorded_by]
    else:
        recorded_by = [vocabulary.kind(each.observation).recorded_by for each in fact.readings]
    may = (role for role in CARE if all(role in roles for roles in recorded_by))
    return tuple(dict.fromkeys((*may, *PRESCRIBER)))


def _is_at_risk(protocol: CombinedProtocol, fact: ReadingsTaken | ScaleAssessed) -> bool:
    """Say whether it is something that a prescriber must have seen."""
    vocabulary = protocol.vocabulary
    if isinstance(fact, ScaleAssessed):
        brought = vocabulary.scales[fact.scale].brings(fact.items, fact.total)
        readings = [Reading(name, value) for name, value in brought.items()]
    else:
        tiers = brought_by(vocabulary, fact.readings).items()
        readings = [*fact.readings, *(Reading(name, value) for name, value in tiers)]
    alerts = ((vocabulary.kind(each.observation).alert, each) for each in readings)
    return any(alert is not None and alert.met(x.value, x.answer) for alert, x in alerts)


def _in_truth(
    protocol: CombinedProtocol,
    pathway: Pathway,
    history: Sequence[Event],
    original: Event,
    wish: CorrectEntry,
    role: Role,
    now: datetime,
    earlier: Mapping[str, CombinedProtocol],
) -> tuple[datetime, tuple[Fact, ...]]:
    """Say what was so, judged as of when the entry was made, by the rules that held then."""
    assert wish.instead is not None  # noqa: S101
    known = standing(history)
    place = known.index(original)
    rules = rules_of_then(protocol, known, place, earlier)
    then = as_of(rules, pathway.id, known, place, getattr(wish.instead, "visit", None))
    match wish.instead:
        case RecordReadings() | RecordAssessment() as instead:
            return observations.decide(protocol, then, instead, role, now)
        case ReleaseVisit() as instead:
            return release.decide(rules, then, instead, role, now, was_so=True)
        case RecordDose() | RecordStimulation() as instead:
            assert isinstance(original.fact, DoseGiven | StimulationGiven)  # noqa: S101
            at = late.happened_at(instead) or now
            # Holds that people placed since the entry, if they were there at the time said now.
            holds = {key: hold for key, hold in pathway.holds.items() if hold.placed <= at}
            then = replace(then, holds=holds)
            return _given(rules, pathway, then, instead, wish.reason, original.fact, now)
        case unknown:
            assert_never(unknown)


def _given(
    protocol: CombinedProtocol,
    pathway: Pathway,
    then: Pathway,
    instead: RecordDose | RecordStimulation,
    reason: str,
    before: DoseGiven | StimulationGiven,
    now: datetime,
) -> tuple[datetime, tuple[Fact, ...]]:
    """Say what was given; if a rule stood in the way, that too.

    Who answers for it, and in which words, is not changed by who corrects the lot; and it is never
    authorized by its correction.
    """
    try:
        at, facts = treatment.decide(protocol, then, instead, Role.NURSE, now)
    except Refused:
        why = before.deviation or reason
        at, facts = treatment.decide(protocol, then, _reported(instead, why), Role.NURSE, now)
    (given,) = (fact for fact in facts if not isinstance(fact, VisitCheckedIn))
    phase = pathway.visits[given.visit].phase
    same = phase == pathway.visits[before.visit].phase
    number = before.session if same else treatment.next_number(pathway, phase)
    answered = bool(before.deviation) and before.authorized
    given = replace(given, session=number, authorized=given.authorized or answered)
    if pathway.visits[given.visit].checked_in is None:
        return at, (VisitCheckedIn(given.visit), given)
    return at, (given,)


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
        case unknown:
            assert_never(unknown)
