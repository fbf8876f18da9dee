"""Fold events into the pathway: `apply` is pure, and applying an event twice equals once."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar, assert_never

from domain.language.authorizations import Authorization, AuthorizationRecorded
from domain.language.baselines import BaselineNamed
from domain.language.chart import Chart, ChartRead
from domain.language.corrections import ActQuestioned, EntryVoided
from domain.language.events import Event
from domain.language.holds import HoldLifted, HoldPlaced
from domain.language.names import ObservationName, Role, VisitId, VisitStatus
from domain.language.observations import ReadingsTaken, ScaleAssessed
from domain.language.overrides import GateOverridden
from domain.language.pathway import (
    READINGS_KEPT,
    READINGS_KEPT_FOR,
    Baseline,
    Elsewhere,
    Hold,
    Observed,
    Pathway,
    Phase,
    Questioned,
    Session,
    Standing,
    Task,
    Visit,
)
from domain.language.phases import (
    DecisionMade,
    FirstVisitHastened,
    OrderSigned,
    PathwayFinished,
    PathwayStarted,
    PhaseEntered,
    ProtocolChanged,
)
from domain.language.release import VisitReleased
from domain.language.standing import DecidedAhead, DecisionEnded
from domain.language.tasks import TaskAcknowledged, TaskClosed, TaskOpened, TaskRaised
from domain.language.treatment import DoseGiven, StimulationGiven
from domain.language.trials import TrialRecorded
from domain.language.visits import (
    VisitBooked,
    VisitCancelled,
    VisitCheckedIn,
    VisitMissed,
    VisitMoved,
    VisitProposed,
)
from domain.language.vocabulary import Vocabulary
from domain.rules import visit_states
from domain.rules.standing import is_beyond
from domain.rules.tiers import ONE_SITTING, brought_by, sitting_of

K = TypeVar("K")
V = TypeVar("V")


def fold(pathway: Pathway, events: Iterable[Event], vocabulary: Vocabulary) -> Pathway:
    """Apply events one after another."""
    for event in events:
        pathway = apply(pathway, event, vocabulary)
    return pathway


def apply(pathway: Pathway, event: Event, vocabulary: Vocabulary) -> Pathway:  # noqa: C901, PLR0911, PLR0912, PLR0915  one case a fact, each a line or two
    """Return the pathway after the event. Knows no rule: what happened, happened."""
    match event.fact:
        case PathwayStarted() as fact:
            return replace(
                pathway,
                patient=fact.patient,
                connection=fact.connection,
                site=fact.site,
                zone=fact.zone,
                treated_on=fact.treated_on,
                referred_on=fact.referred_on,
            )
        case PhaseEntered() as fact:
            phase = pathway.phases.get(fact.phase) or Phase(event.at, fact.first_visit, fact.number)
            return replace(pathway, phases=_put(pathway.phases, fact.phase, phase))
        case FirstVisitHastened() as fact:
            if fact.phase not in pathway.phases:
                return pathway  # it was entered in error
            phase = pathway.phases[fact.phase]
            sooner = min(phase.first_visit, fact.first_visit, key=lambda at: (at.day, at.hour))
            phase = replace(phase, first_visit=sooner)
            return replace(pathway, phases=_put(pathway.phases, fact.phase, phase))
        case OrderSigned() as fact:
            phase = replace(pathway.phases[fact.phase], signed=event.at, order=fact.number)
            return replace(pathway, phases=_put(pathway.phases, fact.phase, phase))
        case DecisionMade() as fact:
            phase = pathway.phases[fact.phase]
            decisions = _put(phase.decisions, event.id, (event.at, fact.decision))
            phase = replace(phase, decisions=decisions)
            return replace(pathway, phases=_put(pathway.phases, fact.phase, phase))
        case VisitProposed() as fact:
            if fact.visit in pathway.visits:
                return pathway
            visit = Visit(
                fact.visit,
                fact.phase,
                fact.stage,
                fact.batch,
                fact.at,
                fact.at,
                VisitStatus.PROPOSED,
                replaces=fact.replaces,
            )
            return replace(pathway, visits=_put(pathway.visits, fact.visit, visit))
        case VisitBooked() as fact:
            booked = visit_states.advanced(pathway.visits[fact.visit], VisitStatus.BOOKED)
            return _of_visit(pathway, visit_states.retimed(booked, fact.at, event.id))
        case VisitMoved() as fact:
            visit = visit_states.retimed(pathway.visits[fact.visit], fact.at, event.id)
            return _of_visit(pathway, visit)
        case VisitCheckedIn() as fact:
            return _of_visit(pathway, visit_states.came(pathway.visits[fact.visit], event.at))
        case VisitMissed() as fact:
            missed = visit_states.advanced(pathway.visits[fact.visit], VisitStatus.MISSED)
            return _of_visit(pathway, missed)
        case VisitCancelled() as fact:
            cancelled = visit_states.advanced(pathway.visits[fact.visit], VisitStatus.CANCELLED)
            return _of_visit(pathway, cancelled)
        case VisitReleased() as fact:
            visit = pathway.visits[fact.visit]
            return _of_visit(pathway, visit_states.left(visit, fact, event.at, event.id))
        case ReadingsTaken() as fact:
            for reading in fact.readings:
                found = Observed(event.id, event.at, reading.value, reading.answer, fact.visit)
                pathway = _observe(pathway, reading.observation, found, vocabulary)
                pathway = _ended(pathway, reading.observation, found)
            return _screened(pathway, event, fact, vocabulary)
        case ScaleAssessed() as fact:
            return _assess(pathway, event, fact, vocabulary)
        case DoseGiven() as fact:
            phase_id = pathway.visits[fact.visit].phase
            dose = Session(
                fact.visit,
                phase_id,
                fact.session,
                event.at,
                None,
                fact.mg,
                bool(fact.deviation),
                fact.authorized,
                event.id,
            )
            key = f"{phase_id}/{fact.session}"
            return replace(pathway, sessions=_put(pathway.sessions, key, dose))
        case StimulationGiven() as fact:
            phase_id = pathway.visits[fact.visit].phase
            given = Session(
                fact.visit,
                phase_id,
                fact.session,
                event.at,
                fact.ended,
                None,
                bool(fact.deviation),
                fact.authorized,
                event.id,
            )
            key = f"{phase_id}/{fact.session}"
            return replace(pathway, sessions=_put(pathway.sessions, key, given))
        case HoldPlaced() as fact:
            if fact.hold in pathway.holds:
                return pathway
            hold = Hold(fact.reason, event.at, event.by, note=fact.note)
            return replace(pathway, holds=_put(pathway.holds, fact.hold, hold))
        case HoldLifted() as fact:
            if fact.hold not in pathway.holds:
                return pathway  # it was placed in error
            hold = replace(pathway.holds[fact.hold], lifted_at=event.at)
            return replace(pathway, holds=_put(pathway.holds, fact.hold, hold))
        case GateOverridden() as fact:
            key = override_key(fact.visit, fact.gate)
            known = dict(pathway.overrides.get(key, {}))
            for evidence in fact.evidence:
                known[evidence] = min(event.at, known.get(evidence, event.at))
            return replace(pathway, overrides=_put(pathway.overrides, key, known))
        case TrialRecorded() as fact:
            return replace(pathway, trials=_put(pathway.trials, event.id, fact))
        case AuthorizationRecorded() as fact:
            made = Authorization(fact, event.at)
            return replace(pathway, authorizations=_put(pathway.authorizations, event.id, made))
        case ChartRead() as fact:
            return _charted(pathway, event, fact, vocabulary)
        case DecidedAhead() as fact:
            decided = Standing(
                fact.phase,
                fact.gate,
                event.at,
                fact.until,
                event.by,
                fact.words,
                fact.allows,
                fact.limits,
            )
            known_ahead = pathway.standing.get(event.id, decided)
            return replace(pathway, standing=_put(pathway.standing, event.id, known_ahead))
        case DecisionEnded() as fact:
            if fact.decision not in pathway.standing:
                return pathway  # it was made in error
            ahead = pathway.standing[fact.decision]
            first = min(event.at, ahead.ended or event.at)
            ahead = replace(ahead, ended=first, why=fact.reason)
            return replace(pathway, standing=_put(pathway.standing, fact.decision, ahead))
        case TaskOpened() as fact:
            if fact.task in pathway.tasks:
                return pathway
            task = Task(fact.rule, fact.roles, fact.says, event.at, fact.due)
            return replace(pathway, tasks=_put(pathway.tasks, fact.task, task))
        case TaskRaised() as fact:
            task = pathway.tasks[fact.task]
            if task.due is not None and fact.due <= task.due:
                return pathway
            roles = tuple(dict.fromkeys((*task.roles, *fact.to)))
            first = min(fact.was_due, task.was_due or fact.was_due)
            task = replace(task, roles=roles, due=fact.due, raised=task.raised + 1, was_due=first)
            return replace(pathway, tasks=_put(pathway.tasks, fact.task, task))
        case TaskAcknowledged() as fact:
            task = pathway.tasks[fact.task]
            first = min(event.at, task.acknowledged_at or event.at)
            task = replace(task, acknowledged=True, acknowledged_at=first)
            return replace(pathway, tasks=_put(pathway.tasks, fact.task, task))
        case TaskClosed() as fact:
            task = replace(pathway.tasks[fact.task], closed=True)
            return replace(pathway, tasks=_put(pathway.tasks, fact.task, task))
        case BaselineNamed() as fact:
            key = f"{fact.phase}/{fact.score}"
            if key in pathway.baselines and pathway.baselines[key].times > fact.number:
                return pathway  # a later one was named already
            by_person = event.by.role is not Role.KAIROS
            there = pathway.readings.get(fact.score, ()) if by_person else ()
            beside = frozenset(each.evidence for each in there)
            made_it = fact.since_number or fact.number
            named = Baseline(fact.event, fact.since, by_person, fact.number, made_it, beside)
            return replace(pathway, baselines=_put(pathway.baselines, key, named))
        case EntryVoided() as fact:  # what it takes away, `corrected.refold` leaves out
            pathway = replace(pathway, voided=_put(pathway.voided, fact.event, fact.reason))
            if fact.order is not None:
                unsigned = _put(pathway.orders_in_error, fact.event, fact.order)
                pathway = replace(pathway, orders_in_error=unsigned)
            if fact.what is None:
                return pathway
            moved = Elsewhere(fact.about, event.at, fact.moved_to, fact.what)
            return replace(pathway, elsewhere=_put(pathway.elsewhere, fact.event, moved))
        case ActQuestioned() as fact:
            question = Questioned(fact.about, fact.findings, event.at)
            return replace(pathway, questioned=_put(pathway.questioned, fact.event, question))
        case ProtocolChanged():  # the protocol is not of the state: it is what the state is held to
            return pathway
        case PathwayFinished() as fact:
            return replace(pathway, outcome=fact.outcome)
        case unknown:
            assert_never(unknown)


def override_key(visit: VisitId, gate: str) -> str:
    """Name the place where an override of a gate at a visit is kept."""
    return f"{visit}/{gate}"


def _of_visit(pathway: Pathway, visit: Visit) -> Pathway:
    return replace(pathway, visits=_put(pathway.visits, visit.id, visit))


def _put(items: Mapping[K, V], key: K, value: V) -> dict[K, V]:
    return {**items, key: value}


def _observe(
    pathway: Pathway,
    name: ObservationName,
    found: Observed,
    vocabulary: Vocabulary,
    *,
    moves: bool = False,
) -> Pathway:
    """Keep what may still be asked about, whatever the order in which readings come.

    That is the latest few, those of the day before the latest, each that a prescriber must have
    seen, and all of a score whose fall is judged. One that `moves` may be known at another time.
    """
    known = pathway.readings.get(name, ())
    in_order = known and known[-1].at < found.at and not moves
    if in_order:  # as nearly all come
        by_age = (*known, found)
    else:
        each_once = {(o.evidence, o.answer): o for o in (*known, found)}
        by_age = tuple(sorted(each_once.values(), key=_age))
    since = by_age[-1].at - READINGS_KEPT_FOR
    old = next(place for place, each in enumerate(by_age) if each.at >= since)
    old = min(old, max(len(by_age) - READINGS_KEPT, 0))
    alert = vocabulary.kind(name).alert
    alerting = pathway.alerting
    if alert is not None:
        known_alerts = alerting.get(name, ()) if in_order else ()
        others = (found,) if in_order else by_age
        met = (*known_alerts, *(o for o in others if alert.met(o.value, o.answer)))
        alerting = _put(alerting, name, met) if met else alerting
    all_of_them = name in vocabulary.judged()
    kept = tuple(
        each
        for each in by_age[:old]
        if all_of_them or (alert is not None and alert.met(each.value, each.answer))
    )
    readings = _put(pathway.readings, name, kept + by_age[old:])
    return replace(pathway, readings=readings, alerting=alerting)


def _screened(
    pathway: Pathway, event: Event, fact: ReadingsTaken, vocabulary: Vocabulary
) -> Pathway:
    """Keep the tier that answers come to, together with those around them."""
    sitting = sitting_of(vocabulary, pathway.readings, event.at)
    known = {name: found.answer or "" for name, found in sitting.items()}
    last = max((each.at for each in sitting.values()), default=event.at)
    alone = brought_by(vocabulary, fact.readings)
    for name, tier in brought_by(vocabulary, fact.readings, known).items():
        before = pathway.readings.get(name, ())[-1:]
        same = [o for o in before if o.value == tier and abs(o.at - event.at) <= ONE_SITTING]
        if same and name not in alone:
            continue  # the rest of a screener that came to this already
        found = Observed(event.id, max(last, event.at), tier, None, fact.visit)
        pathway = _observe(pathway, name, found, vocabulary, moves=True)
        pathway = _ended(pathway, name, found)
    return pathway


def _age(found: Observed) -> tuple[float, str]:
    return (found.at.timestamp(), found.evidence)


def _assess(pathway: Pathway, event: Event, fact: ScaleAssessed, vocabulary: Vocabulary) -> Pathway:
    scale = vocabulary.scales[fact.scale]
    for name, value in scale.brings(fact.items, fact.total).items():
        found = Observed(event.id, event.at, value, None, None)
        pathway = _observe(pathway, name, found, vocabulary)
        pathway = _ended(pathway, name, found)
    return pathway


def _charted(pathway: Pathway, event: Event, fact: ChartRead, vocabulary: Vocabulary) -> Pathway:
    """Keep what the chart says now, and the answers that count from here on."""
    before, reading = pathway.chart, fact.reading
    if before is None or before.read <= event.at:
        kept = () if before is None else before.entries
        unread = tuple(each for each in kept if each.type in reading.unread)
        entries = {each.key: each for each in (*unread, *reading.entries)}
        now = Chart(event.at, tuple(entries.values()), reading.unread)
        pathway = replace(pathway, chart=now)
    for entry in reading.entries:
        if entry.key in fact.counted:
            found = Observed(event.id, event.at, None, entry.answer, None)
            pathway = _observe(pathway, entry.observation, found, vocabulary)
            pathway = _ended(pathway, entry.observation, found)
    return pathway


def _ended(pathway: Pathway, name: ObservationName, found: Observed) -> Pathway:
    """Note a reading that is beyond a standing decision, from when it was taken.

    What was recorded before the decision was made was known to whoever made it.
    """
    changed = {
        key: replace(
            decision, beyond=_put(decision.beyond, found.evidence, (found.at, found.visit))
        )
        for key, decision in pathway.standing.items()
        if is_beyond(decision.limits.allows, decision.limits.void_if, name, found)
    }
    return replace(pathway, standing={**pathway.standing, **changed}) if changed else pathway
