"""Turn a person's wish into facts, or refuse it. Pure: the same inputs give the same facts.

Raises Refused (a rule said no, naming it), Conflict (already so) or Malformed (never right).
"""

from datetime import datetime, timedelta

from domain import checks
from domain.language.clocks import LocalTime, check_instant, instant, local
from domain.language.commands import Command
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.events import Event, Fact
from domain.language.findings import Answer, Blocked, Missing, answer, blocks_of
from domain.language.holds import HoldLifted, HoldPlaced, LiftHold, PlaceHold
from domain.language.names import (
    Decision,
    EventId,
    HoldId,
    Outcome,
    PhaseId,
    Role,
    TaskId,
    VisitId,
    VisitStatus,
)
from domain.language.observations import (
    ReadingsTaken,
    RecordAssessment,
    RecordReadings,
    ScaleAssessed,
)
from domain.language.overrides import GateOverridden, OverrideGate
from domain.language.pathway import Pathway, Visit
from domain.language.phases import (
    Decide,
    DecisionMade,
    OrderSigned,
    PathwayFinished,
    PathwayStarted,
    PhaseEntered,
    SignOrder,
)
from domain.language.protocol import CombinedProtocol, Protocol
from domain.language.release import ReleaseVisit, VisitReleased
from domain.language.tasks import AcknowledgeTask, TaskAcknowledged
from domain.language.treatment import DoseGiven, RecordDose, RecordStimulation, StimulationGiven
from domain.language.visits import (
    BookVisit,
    CancelVisit,
    CheckIn,
    MissVisit,
    MoveVisit,
    VisitBooked,
    VisitCancelled,
    VisitCheckedIn,
    VisitMissed,
    VisitMoved,
)
from domain.rules.calendar import visits_over
from domain.rules.readings import read_measurements

BOOKABLE = (VisitStatus.PROPOSED, VisitStatus.BOOKED)


def start(
    protocol: CombinedProtocol, started: PathwayStarted, first_visit: LocalTime
) -> tuple[Fact, ...]:
    """Say what a pathway's start means: it exists, and its first phase is entered."""
    instant(first_visit, started.zone)
    return (started, PhaseEntered(protocol.phases[0].id, first_visit))


def decide(
    protocol: CombinedProtocol, pathway: Pathway, command: Command, now: datetime
) -> tuple[Event, ...]:
    """Say what becomes true if this command is accepted now. UTC `now`."""
    at, facts = _facts(protocol, pathway, command, now)
    return tuple(
        Event(EventId(f"{command.id}/{place}"), at, command.by, fact)
        for place, fact in enumerate(facts)
    )


def _facts(  # noqa: C901, PLR0911, PLR0912  one case a wish, each a few lines
    protocol: CombinedProtocol, pathway: Pathway, command: Command, now: datetime
) -> tuple[datetime, tuple[Fact, ...]]:
    _insist(checks.check_open(pathway), "record anything more")
    match command.wish:
        case SignOrder(phase=phase):
            _unsigned(pathway, phase)
            return now, (OrderSigned(phase),)
        case BookVisit(visit=visit_id, at=wanted):
            visit = _visit(pathway, visit_id, VisitStatus.PROPOSED)
            at = wanted or visit.at
            _insist(checks.check_may_be_at(protocol, pathway, visit_id, at, now), "book")
            return now, (VisitBooked(visit_id, at),)
        case MoveVisit(visit=visit_id, to=to):
            _visit(pathway, visit_id, *BOOKABLE)
            _insist(checks.check_may_be_at(protocol, pathway, visit_id, to, now), "move")
            return now, (VisitMoved(visit_id, to),)
        case CheckIn(visit=visit_id):
            visit = _visit(pathway, visit_id, VisitStatus.BOOKED)
            _insist(checks.check_nobody_is_here(pathway), "check in")
            today = local(now, pathway.zone).day
            if visit.at.day != today:
                raise Refused(
                    f"{visit_id} is on {visit.at.day}, not today; move it first",
                    (checks.found("visit-day", f"booked for {visit.at.day}", checks.BOOKERS),),
                )
            return now, (VisitCheckedIn(visit_id),)
        case MissVisit(visit=visit_id):
            visit = _visit(pathway, visit_id, *BOOKABLE)
            if instant(visit.at, pathway.zone) > now:
                raise Refused(
                    f"{visit_id} is not due before {visit.at.day} {visit.at.hour:%H:%M}",
                    (checks.found("visit-due", "the visit is still to come", checks.BOOKERS),),
                )
            return now, (VisitMissed(visit_id),)
        case CancelVisit(visit=visit_id, reason=reason):
            _reason(reason)
            _visit(pathway, visit_id, *BOOKABLE)
            return now, (VisitCancelled(visit_id, reason.strip()),)
        case ReleaseVisit() as wish:
            return _release(protocol, pathway, wish, command.by.role, now)
        case RecordReadings() as wish:
            at_instant = check_instant(wish.measured_at, now, "measured_at")
            if wish.visit is not None:
                here = _visit(pathway, wish.visit, VisitStatus.CHECKED_IN).checked_in or now
                if local(here, pathway.zone).day != local(at_instant, pathway.zone).day:
                    raise Malformed("measured_at is on another day than the visit; leave visit out")
            readings = read_measurements(protocol.vocabulary, wish.readings)
            kinds = [protocol.vocabulary.kind(reading.observation) for reading in readings]
            _insist(checks.check_may_record(command.by.role, kinds), "record")
            return at_instant, (ReadingsTaken(readings, wish.visit),)
        case RecordAssessment() as wish:
            return _assessment(protocol, wish, command.by.role, now)
        case RecordDose() as wish:
            return _dose(protocol, pathway, wish, now)
        case RecordStimulation() as wish:
            return _stimulation(protocol, pathway, wish, now)
        case PlaceHold() as wish:
            return now, (HoldPlaced(HoldId(command.id), wish.reason, wish.note),)
        case LiftHold(hold=hold, reason=reason):
            _reason(reason)
            if hold not in pathway.holds:
                raise Malformed(f"there is no hold {hold} on this pathway")
            if pathway.holds[hold].lifted:
                raise Conflict(f"hold {hold} was lifted already")
            return now, (HoldLifted(hold, reason),)
        case OverrideGate() as wish:
            return now, (_override(protocol, pathway, wish, now),)
        case Decide() as wish:
            return now, _decision(protocol, pathway, wish, now)
        case AcknowledgeTask(task=task):
            _their_task(pathway, task, command.by.role)
            return now, (TaskAcknowledged(task),)


def _insist(result: Answer, doing: str, hint: str = "") -> None:
    """Raise Refused unless passed; held and missing say so differently."""
    blocks = blocks_of(result)
    if not blocks:
        return
    yet = " yet" if isinstance(result, Missing) else ""
    sentences = "; ".join(block.sentence() for block in blocks)
    raise Refused(f"may not {doing}{yet}: {sentences}{hint}", blocks)


def _visit(pathway: Pathway, visit: VisitId, *statuses: VisitStatus) -> Visit:
    known = pathway.visits.get(visit)
    if known is None:
        raise Malformed(f"there is no visit {visit} on this pathway")
    if known.status not in statuses:
        wanted = " or ".join(statuses)
        raise Conflict(f"{visit} is {known.status}; it would have to be {wanted}")
    return known


def _unsigned(pathway: Pathway, phase: PhaseId) -> None:
    """Raise unless this is the phase that the pathway is in, and its order is still to be signed.

    An order for a phase that was left would stay active in the EHR: nothing would end it.
    """
    if phase not in pathway.phases:
        raise Malformed(f"the pathway has not entered a phase {phase}")
    if phase != pathway.phase:
        raise Conflict(f"the pathway is in {pathway.phase}, not in {phase}")
    if pathway.phases[phase].signed is not None:
        raise Conflict(f"the order for {phase} is signed already")


def _their_task(pathway: Pathway, task: TaskId, role: Role) -> None:
    if task not in pathway.tasks:
        raise Malformed(f"there is no task {task} on this pathway")
    roles = pathway.tasks[task].roles
    if role not in roles:
        whose = " or ".join(roles)
        block = checks.found("task-role", f"this task is for {whose}", roles)
        raise Refused(f"this task is for {whose}, not for {role}", (block,))


def _reason(reason: str) -> None:
    if not any(letter.isalnum() for letter in reason):
        raise Malformed("a reason is required, in words")


def _release(
    protocol: CombinedProtocol, pathway: Pathway, wish: ReleaseVisit, role: Role, now: datetime
) -> tuple[datetime, tuple[Fact, ...]]:
    visit = _visit(pathway, wish.visit, VisitStatus.CHECKED_IN)
    at = check_instant(wish.left_at, now, "left_at") if wish.left_at is not None else now
    if visit.checked_in is not None and at < visit.checked_in:
        raise Malformed("left_at must be later than the check-in")
    if any(at < (session.ended or session.started) for session in pathway.sessions_at(visit.id)):
        raise Malformed("left_at must be later than the treatment that was given")
    _insist(checks.check_may_let_go(protocol, visit, role), "release")
    why = wish.against_advice.strip()
    if why:
        _reason(why)
    result = checks.check_may_release(protocol, pathway, visit.id, at)
    if not why:
        _insist(result, "release")
    findings = tuple(block.sentence() for block in blocks_of(result))
    return at, (VisitReleased(visit.id, why, findings),)


def _assessment(
    protocol: CombinedProtocol, wish: RecordAssessment, role: Role, now: datetime
) -> tuple[datetime, tuple[Fact, ...]]:
    scale = protocol.vocabulary.scales.get(wish.scale)
    if scale is None:
        known = ", ".join(sorted(protocol.vocabulary.scales))
        raise Malformed(f"unknown scale; known are {known}")
    if len(wish.items) != len(scale.item_titles):
        count = len(scale.item_titles)
        raise Malformed(f"{scale.title} has {count} items, not {len(wish.items)}")
    if any(not 0 <= item <= scale.item_high for item in wish.items):
        raise Malformed(f"each item of {scale.title} is from 0 to {scale.item_high}")
    _insist(checks.check_may_record(role, [scale]), "record")
    at = check_instant(wish.assessed_at, now, "assessed_at")
    return at, (ScaleAssessed(wish.scale, wish.items, sum(wish.items)),)


def _dose(
    protocol: CombinedProtocol, pathway: Pathway, wish: RecordDose, now: datetime
) -> tuple[datetime, tuple[Fact, ...]]:
    at = check_instant(wish.first_device_at, now, "first_device_at")
    visit = _treated(pathway, wish.visit)
    if not wish.lot.strip():
        raise Malformed("the lot number is required; it is read from the device, never prefilled")
    result = checks.check_may_give_dose(protocol, pathway, wish.visit, wish.mg, at)
    findings = _allowed(result, wish.deviation, "give the dose")
    rule = protocol.phase(visit.phase).dose
    devices = rule.devices_for(wish.mg) if rule else None
    if devices is None:
        raise Malformed("mg must be what a whole number of devices holds")
    number = len(pathway.sessions_in(visit.phase)) + 1
    given = DoseGiven(
        wish.visit, number, wish.mg, devices, wish.lot, wish.deviation.strip(), findings
    )
    return at, (given,)


def _allowed(result: Answer, deviation: str, doing: str) -> tuple[str, ...]:
    """List what a treatment deviated from. Refused if it did and nobody says why, or cannot."""
    blocks = blocks_of(result)
    never = tuple(block for block in blocks if block.rule in checks.NEVER_DEVIATED)
    if deviation.strip():
        _reason(deviation)
        _insist(answer(never), doing)
    else:
        hint = ". If it was given all the same, say why as its deviation"
        _insist(result, doing, "" if never else hint)
    if deviation.strip() and not blocks:
        raise Malformed("no rule stands in the way; leave deviation out")
    return tuple(block.sentence() for block in blocks)


def _stimulation(
    protocol: CombinedProtocol, pathway: Pathway, wish: RecordStimulation, now: datetime
) -> tuple[datetime, tuple[Fact, ...]]:
    at = check_instant(wish.started_at, now, "started_at")
    ended = check_instant(wish.ended_at, now, "ended_at")
    if ended <= at:
        raise Malformed("ended_at must be later than started_at")
    visit = _treated(pathway, wish.visit)
    strength, pulses = wish.intensity_percent_mt, wish.pulses
    if strength <= 0 or pulses <= 0 or not 0 < wish.output_percent <= 100:  # noqa: PLR2004  percent
        raise Malformed("intensity and pulses are above 0, stimulator output is 1 to 100 percent")
    as_given = checks.Strength(strength, pulses, wish.output_percent)
    result = checks.check_may_stimulate(protocol, pathway, wish.visit, at, as_given, ended)
    findings = _allowed(result, wish.deviation, "stimulate")
    number = len(pathway.sessions_in(visit.phase)) + 1
    given = StimulationGiven(
        wish.visit,
        number,
        ended,
        pulses,
        strength,
        wish.output_percent,
        wish.deviation.strip(),
        findings,
    )
    return at, (given,)


def _treated(pathway: Pathway, visit: VisitId) -> Visit:
    """Find a visit at which treatment is recorded; what stops it is for the check to say."""
    known = pathway.visits.get(visit)
    if known is None:
        raise Malformed(f"there is no visit {visit} on this pathway")
    return known


def _override(
    protocol: CombinedProtocol, pathway: Pathway, wish: OverrideGate, now: datetime
) -> GateOverridden:
    _reason(wish.reason)
    _visit(pathway, wish.visit, VisitStatus.CHECKED_IN)
    treat = blocks_of(checks.check_may_treat(protocol, pathway, wish.visit, now))
    leave = blocks_of(checks.check_may_release(protocol, pathway, wish.visit, now))
    known = [block for block in (*treat, *leave) if block.rule == wish.gate]
    here = [block for block in known if block.finding is not None]
    if known and not here:
        raise Refused(f"{wish.gate} has nothing to override yet; record what it asks", tuple(known))
    if not here:
        raise Conflict(f"{wish.gate} holds nothing at {wish.visit} now; nothing to override")
    fixed = tuple(block for block in here if not block.overridable)
    if fixed:
        raise Refused(f"{wish.gate} cannot be overridden", fixed)
    evidence = tuple(sorted({item for block in here for item in block.evidence}))
    findings = tuple(dict.fromkeys(block.sentence() for block in here))
    return GateOverridden(wish.visit, wish.gate, wish.reason, findings, evidence)


def _decision(  # noqa: C901  one guard a way in which a decision is not possible
    protocol: CombinedProtocol, pathway: Pathway, wish: Decide, now: datetime
) -> tuple[Fact, ...]:
    _reason(wish.reason)
    phase = wish.phase
    if phase != pathway.phase:
        raise Conflict(f"the pathway is in {pathway.phase}, not in {phase}")
    blocks: tuple[Blocked, ...] = ()
    early = wish.decision in (Decision.STOP, Decision.MOVE_ON)
    if not early:
        result = checks.check_may_decide(protocol, pathway, phase, now)
        if isinstance(result, Missing):
            _insist(result, "decide")
        blocks = blocks_of(result)
        if any(block.finding is None or not block.overridable for block in blocks):
            _insist(result, "decide")
    made = DecisionMade(
        phase, wish.decision, wish.reason, tuple(block.sentence() for block in blocks)
    )
    following = protocol.after(phase)
    is_open = any(s.sessions is None for s in protocol.phase(phase).schedule.stages)
    nobody = checks.check_nobody_is_here(pathway)
    if wish.decision is Decision.MOVE_ON:
        _insist(nobody, "move on")
        if following is None:
            raise Refused(f"nothing follows {phase}; complete or stop instead")
        return (made, _enter(protocol, pathway, following, now))
    if wish.decision is Decision.CONTINUE:
        if is_open:
            return (made,)
        if following is None:
            raise Refused(f"nothing follows {phase}; complete or stop instead")
        if not visits_over(protocol, pathway, phase):
            block = checks.found("phase-over", f"visits of {phase} are still to come")
            raise Refused(f"{block.finding}; move on if they are not to be given", (block,))
        return (made, _enter(protocol, pathway, following, now))
    _insist(nobody, "end the pathway")
    _insist(checks.check_all_seen(protocol, pathway), "end the pathway")
    if wish.decision is Decision.COMPLETE and following is not None:
        raise Refused(f"{following.id} would follow; continue or stop instead")
    outcome = Outcome.COMPLETED if wish.decision is Decision.COMPLETE else Outcome.STOPPED
    return (made, PathwayFinished(outcome))


def _enter(
    protocol: CombinedProtocol, pathway: Pathway, following: Protocol, now: datetime
) -> PhaseEntered:
    """Enter the next phase: its first visit at the earliest, at the usual hour."""
    given = pathway.sessions_in(pathway.phase)
    last = given[-1].started if given else now
    gap = protocol.days_before(following.id)
    after_gap = local(last, pathway.zone).day + timedelta(days=gap)
    tomorrow = local(now, pathway.zone).day + timedelta(days=1)
    hour = pathway.phases[pathway.phase].first_visit.hour
    first = LocalTime(max(after_gap, tomorrow), hour)
    return PhaseEntered(following.id, first, len(pathway.phases) + 1)
