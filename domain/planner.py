"""What should happen next on a pathway, and why. The heart of Kairos: read this first.

Pure and total: same inputs, same answer, for every state a pathway can be in. It proposes and
asks; it never orders, doses, releases or stops, for that is a named clinician's to decide.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from domain.chapters import phases
from domain.due import LOOK_AGAIN_AFTER, OVERDUE_AFTER, in_a_visit
from domain.language.clocks import instant, local, local_day, wall
from domain.language.findings import Blocked, Held, Missing, Passed, blocks_of
from domain.language.holds import SEEN_AFTER_THE_END, LiftHold
from domain.language.names import HoldId, HoldReason, Role, TaskId, VisitStatus, counted, spoken
from domain.language.pathway import Hold, Pathway, Visit
from domain.language.protocol import CombinedProtocol, Protocol
from domain.language.remembered import remembered
from domain.language.safety import Rise, SafetyTask
from domain.language.visits import BookVisit, CheckIn, MissVisit
from domain.rules import assessments, authorized, leaving, reviews, risk, treating
from domain.rules.attendance import has_died
from domain.rules.calendar import to_propose, visits_over
from domain.rules.in_words import begun, ended, reason_of
from domain.rules.steps import TASKS, Ask, AskPerson, Await, Finished, ProposeVisits, Step

ASKED_ELSEWHERE = frozenset({"hold", "review-first", "finish-within", "order-signed"})
"""Rules in the way of treatment for which there is a step of its own."""

FIXED = "do not treat; nobody can override this. Call the prescriber, or discharge the patient"


@remembered
def steps(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> tuple[Step, ...]:
    """List all that should happen next on this pathway, and why: most pressing first, never empty.

    Same inputs, same answer.
    """
    if pathway.outcome is not None:
        # What came in after the end may still have to be seen by somebody.
        over = Finished(pathway.outcome, f"{begun(ended(pathway.outcome))}.")
        return (*_after_the_end(protocol, pathway, now), over)
    found = tuple(_steps(protocol, pathway, now))
    if found:
        return found
    return (Await(now + LOOK_AGAIN_AFTER, "Nothing is due now.", "look-again"),)


def _after_the_end(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> Iterator[Step]:
    """What came in after the end may still have to be seen, and whoever is here observed."""
    yield from reviews.unseen(protocol, pathway)
    yield from reviews.turned(protocol, pathway)
    for step in _holds(protocol.phase(pathway.phase), pathway):
        reason = pathway.holds[HoldId(step.about)].reason
        if reason in SEEN_AFTER_THE_END:
            says = f"Hold ({spoken(reason)}): see the patient, then lift it, saying what you found."
            yield replace(step, says=says)
    yield from _here(protocol, pathway, now)


def _here(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> Iterator[Step]:
    """What is next for a patient who is here, in whichever phase the visit was planned."""
    for visit in pathway.visits.values():
        if visit.status is VisitStatus.CHECKED_IN:
            yield from _in_visit(protocol, protocol.phase(visit.phase), pathway, visit, now)


def _steps(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> Iterator[Step]:
    phase = protocol.phase(pathway.phase)
    yield from reviews.unseen(protocol, pathway)
    if has_died(pathway):
        says = "The patient is recorded as deceased: stop the pathway."
        yield AskPerson(Ask.DECIDE, phase.id, (Role.PRESCRIBER,), says, "died")
        return
    yield from _holds(phase, pathway)
    known = reviews.open_tasks(pathway)
    for step in (*_hastened(protocol, pathway, now), *risk.to_record(protocol, pathway, now)):
        yield reviews.as_it_stands(step, known.get((step.ask, step.about)))
    yield from _here(protocol, pathway, now)
    yield from _order(phase, pathway)
    proposals = to_propose(protocol, pathway, now)
    if proposals:
        yield ProposeVisits(
            proposals, f"Propose {counted(len(proposals), 'visit')} of {phase.title}.", "schedule"
        )
    late = (
        reviews.late(protocol, pathway, now) if not visits_over(protocol, pathway, phase.id) else ()
    )
    later = (
        *late,
        *reviews.late_scores(protocol, pathway),
        *reviews.turned(protocol, pathway),
        *_coming(phase, pathway, now),
        *assessments.to_finish(protocol, pathway),
        *assessments.to_ask(protocol, pathway, now),
        *authorized.to_renew(protocol, pathway),
        *_deciding(protocol, phase, pathway, now),
    )
    yield from sorted(later, key=lambda step: isinstance(step, Await))


def _holds(phase: Protocol, pathway: Pathway) -> Iterator[AskPerson]:
    known = reviews.open_tasks(pathway)
    for hold in pathway.open_holds():
        found = pathway.holds[hold]
        why = reason_of(found)
        says = f"Treatment is on hold ({why}). Lift the hold with a reason, or stop the pathway."
        due, rises = _look_at(phase, found)
        step = AskPerson(Ask.LIFT_HOLD, hold, LiftHold.MAY, says, "hold", due=due, rises=rises)
        yield reviews.as_it_stands(step, known.get((Ask.LIFT_HOLD, hold)))


def _look_at(phase: Protocol, hold: Hold) -> tuple[datetime | None, tuple[Rise, ...]]:
    """By when a hold is looked at, and by whom then: for suicide risk, as the gravest reading."""
    if hold.reason is HoldReason.SUICIDE_RISK and phase.risk_levels:
        look = min((level.look for level in phase.risk_levels), key=lambda rule: rule.within)
        return hold.placed + look.within, look.then
    return phase.look_by(SafetyTask.HOLD, hold.placed), phase.rises(SafetyTask.HOLD)


def _hastened(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> Iterator[AskPerson]:
    """A first visit that should come sooner, unless somebody has said why it cannot."""
    for step in risk.to_bring_forward(protocol, pathway, now):
        if not reviews.was_seen(pathway, step):
            yield step


def _order(phase: Protocol, pathway: Pathway) -> Iterator[Step]:
    if pathway.phases[phase.id].signed is None:
        says = f"Sign the order for {phase.title}, or stop the pathway."
        yield AskPerson(Ask.SIGN_ORDER, phase.id, phase.ordered_by, says, "order-signed")


def _in_visit(
    protocol: CombinedProtocol, phase: Protocol, pathway: Pathway, visit: Visit, now: datetime
) -> Iterator[Step]:
    """What is next for a patient who is here."""
    given = len(pathway.sessions_at(visit.id))
    today = local_day(now, pathway.zone)
    over = visit.checked_in is not None and local_day(visit.checked_in, pathway.zone) != today
    watched = max(in_a_visit(phase, pathway, visit), default=visit.checked_in or now)
    if over and watched <= now:
        says = (
            f"The patient was not discharged from {spoken(visit.id)}: record when they left, or "
            "that they left against medical advice."
        )
        who = phase.modality.released_by
        yield AskPerson(Ask.RESOLVE_VISIT, visit.id, who, says, "visit-overdue", due=watched)
        return
    planned = visit.phase == pathway.phase and pathway.outcome is None
    due = treating.sessions_due(phase, pathway, visit) if planned else 0
    if due:
        treat = treating.check_may_treat(protocol, pathway, visit.id, now)
        yield from _giving(phase, pathway, visit, given + 1, treat)
        if given == 0:
            return
    leave = leaving.check_may_release(protocol, pathway, visit.id, now)
    blocks = blocks_of(leave)
    waits = [block.until for block in blocks if block.until is not None and block.until > now]
    if isinstance(leave, Passed):
        if not due:
            says = f"Discharge the patient from {spoken(visit.id)}: every check is met."
            yield AskPerson(Ask.RELEASE, visit.id, phase.modality.released_by, says, "release")
        return
    timed = {check.id for check in phase.timed_checks}
    yield from _asks(Ask.RECORD, visit, tuple(b for b in blocks if b.rule in timed and not b.until))
    if waits:
        opens = [b.until for b in blocks if b.rule in timed and b.until and b.until > now]
        if opens:
            first = _wall(pathway, min(opens))
            says = f"Observe the patient at {spoken(visit.id)}; the next readings open at {first}."
            yield Await(min(opens), says, "observation", visit.id, blocks)
        last = _wall(pathway, max(waits))
        says = f"Observe the patient at {spoken(visit.id)}; no discharge before {last}."
        yield Await(max(waits), says, "observation", visit.id, blocks)
    else:
        yield from _asks(Ask.RECORD, visit, tuple(b for b in blocks if b.rule not in timed))
    yield from _gates(visit, tuple(b for b in blocks if b.overridable and b.rule in timed))
    if not waits:
        others = tuple(b for b in blocks if b.rule not in timed)
        yield from _gates(visit, tuple(b for b in others if b.overridable))
        yield from _again(phase, visit, others)


def _again(phase: Protocol, visit: Visit, blocks: tuple[Blocked, ...]) -> Iterator[Step]:
    """What nobody may override is put right and measured again."""
    known = {gate.id for gate in phase.gates}
    held = tuple(b for b in blocks if b.finding and not b.overridable and b.rule in known)
    if held:
        found = "; ".join(block.sentence() for block in held)
        says = f"Keep the patient at {spoken(visit.id)} and measure again: {found}."
        first = held[0]
        who = tuple(dict.fromkeys(role for block in held for role in block.who))
        yield AskPerson(
            Ask.RECORD, visit.id, who, says, first.rule, first.why, first.source, None, held
        )


def _giving(
    phase: Protocol,
    pathway: Pathway,
    visit: Visit,
    number: int,
    treat: Passed | Held | Missing,
) -> Iterator[Step]:
    blocks = blocks_of(treat)
    several = phase.schedule.stages[visit.stage].per_visit > 1
    session = phase.modality.session
    what = begun(f"{session} {number}" if several else f"the {session}")
    if isinstance(treat, Passed):
        says = f"{what} may be given at {spoken(visit.id)}; a clinician decides."
        yield AskPerson(Ask.GIVE, visit.id, phase.modality.given_by, says, "may-treat")
        return
    held = tuple(b for b in blocks if b.finding and not b.until and b.rule not in ASKED_ELSEWHERE)
    yield from _gates(visit, held)
    waits = [block.until for block in blocks if block.until is not None]
    if waits:
        start = _wall(pathway, max(waits))
        says = f"Wait at {spoken(visit.id)}: the next session may start at {start}."
        yield Await(max(waits), says, "gap-between-sessions", visit.id, blocks)
    if all(block.overridable or block.until or block.finding is None for block in blocks):
        yield from _asks(Ask.RECORD, visit, blocks)


def _asks(ask: Ask, visit: Visit, blocks: tuple[Blocked, ...]) -> Iterator[Step]:
    """One step for everything that is missing, for those who can supply it."""
    absent = tuple(block for block in blocks if block.finding is None)
    if absent:
        roles = tuple(dict.fromkeys(role for block in absent for role in block.who))
        needs = "; ".join(str(block.missing) for block in absent)
        says = f"Record at {spoken(visit.id)}: {needs}"
        first = absent[0]
        yield AskPerson(
            ask, visit.id, roles, says, first.rule, first.why, first.source, None, absent
        )


def _gates(visit: Visit, blocks: tuple[Blocked, ...]) -> Iterator[Step]:
    """A held gate is a clinician's to look at: wait, treat, override with a reason, or miss."""
    for rule in dict.fromkeys(block.rule for block in blocks):
        found = tuple(block for block in blocks if block.rule == rule)
        first = found[0]
        may = "override with a reason, or wait" if first.overridable else FIXED
        all_of_it = "; ".join(block.sentence() for block in found)
        says = f'At {spoken(visit.id)}, "{spoken(rule)}" is not met: {all_of_it}. Now: {may}.'
        about = f"{visit.id}/{rule}"
        yield AskPerson(
            Ask.CLEAR_GATE, about, first.who, says, rule, first.why, first.source, None, found
        )


def _coming(phase: Protocol, pathway: Pathway, now: datetime) -> Iterator[Step]:
    """Visits that are to be booked, awaited or followed up."""
    unbooked = [v for v in pathway.visits_in(phase.id) if v.status is VisitStatus.PROPOSED]
    proposed = [v for v in unbooked if now < instant(v.at, pathway.zone)]
    for visit in unbooked:
        if visit not in proposed:
            says = (
                f"Move {spoken(visit.id)} or record a no-show: its proposed time has passed and it"
                " was never booked."
            )
            who, start = MissVisit.MAY, instant(visit.at, pathway.zone)
            yield AskPerson(Ask.RESOLVE_VISIT, visit.id, who, says, "visit-overdue", due=start)
    for batch in sorted({visit.batch for visit in proposed}):
        mine = [visit for visit in proposed if visit.batch == batch]
        due = instant(mine[0].at, pathway.zone)
        many, first = counted(len(mine), "proposed visit"), wall(mine[0].at, pathway.zone)
        one = f"Book the proposed visit of {phase.title} on {first}."
        says = one if len(mine) == 1 else f"Book {many} of {phase.title}; the first is {first}."
        about = f"{phase.id}/{batch}"
        yield AskPerson(Ask.BOOK_VISITS, about, BookVisit.MAY, says, "schedule", due=due)
    booked = [v for v in pathway.visits_in(phase.id) if v.status is VisitStatus.BOOKED]
    today = local_day(now, pathway.zone)
    for visit in booked:
        start = instant(visit.at, pathway.zone)
        if now >= start + OVERDUE_AFTER:
            what = "Check the patient in, move the visit," if today == visit.at.day else "Move it"
            says = (
                f"{begun(spoken(visit.id))} was at {wall(visit.at, pathway.zone)} and the patient"
                f" is not checked in. {what} or record a no-show."
            )
            who = CheckIn.MAY
            yield AskPerson(Ask.RESOLVE_VISIT, visit.id, who, says, "visit-overdue", due=start)
        elif now >= start:
            says = f"Check the patient in for {spoken(visit.id)}."
            yield AskPerson(Ask.CHECK_IN, visit.id, CheckIn.MAY, says, "visit-due", due=start)
        else:
            says = f"Next: {spoken(visit.id)}, {wall(visit.at, pathway.zone)}."
            yield Await(start, says, "visit-booked", visit.id)
            return


def _deciding(
    protocol: CombinedProtocol, phase: Protocol, pathway: Pathway, now: datetime
) -> Iterator[Step]:
    """The end of a phase, or an open phase's review, is a prescriber's decision."""
    made = pathway.phases[phase.id].decisions
    due = assessments.review_due(phase, pathway)
    if due is not None:
        if now < due:
            return
        ask, about, says = (
            Ask.REVIEW,
            f"{phase.id}/{len(made) + 1}",
            f"Review {phase.title}: continue or stop.",
        )
    elif visits_over(protocol, pathway, phase.id):
        ask, about, says = (
            Ask.DECIDE,
            phase.id,
            (f"All visits of {phase.title} are done. Decide: continue, or stop the pathway."),
        )
        due = now
    else:
        return
    blocks = blocks_of(phases.check_may_decide(protocol, pathway, phase.id, now))
    block = blocks[0] if blocks else None
    why, source = (block.why, block.source) if block else ("", "")
    roles = (Role.PRESCRIBER,)
    when = None if ask is Ask.DECIDE else due
    yield AskPerson(ask, about, roles, says, "decision", why, source, when, blocks)
    absent = tuple(block for block in blocks if block.finding is None)
    if absent:
        recorders = tuple(dict.fromkeys(role for block in absent for role in block.who))
        needs = "; ".join(str(block.missing) for block in absent)
        says = f"Record for the decision about {phase.title}: {needs}"
        yield AskPerson(
            Ask.RECORD, phase.id, recorders, says, absent[0].rule, why, source, None, absent
        )


def _wall(pathway: Pathway, at: datetime) -> str:
    """An instant, by the clinic's wall."""
    return wall(local(at, pathway.zone), pathway.zone)


def task_key(step: AskPerson, pathway: Pathway) -> TaskId:
    """Name the task of a step: its ask and subject, and how often that was asked before."""
    base = f"{step.ask}/{step.about}"
    before = [key for key, task in pathway.tasks.items() if key.startswith(f"{base}#")]
    again = sum(pathway.tasks[key].closed for key in before)
    return TaskId(f"{base}#{again + 1}")


def wanted_tasks(pathway: Pathway, planned: Sequence[Step]) -> dict[TaskId, AskPerson]:
    """List the tasks that should be open while these are the steps."""
    asked = [step for step in planned if isinstance(step, AskPerson)]
    return {task_key(step, pathway): step for step in asked if step.ask in TASKS}
