"""What a prescriber must have seen, asked until they say so; nothing here clears itself.

A reading that the vocabulary wants seen, a treatment given against a rule, a patient who left too
early, a course that takes too long. All but the last stand in the way of the next treatment.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from domain.language.clocks import local_day
from domain.language.corrections import Astray
from domain.language.findings import Blocked
from domain.language.names import EventId, ObservationName, PhaseId, Role, TaskId, spoken
from domain.language.pathway import Elsewhere, Observed, Pathway, Task
from domain.language.protocol import CombinedProtocol
from domain.language.release import RELEASED, Disposition
from domain.language.remembered import remembered
from domain.language.safety import Holds, SafetyTask
from domain.language.vocabulary import ObservationKind
from domain.rules import course, refusing, risk, standing
from domain.rules.baselines import came_after, renamed
from domain.rules.steps import Ask, AskPerson

SEES = (Role.PRESCRIBER,)
BEFORE_TREATMENT = (
    Ask.REVIEW_RISK,
    Ask.REVIEW_DEVIATION,
    Ask.REVIEW_UNAUTHORIZED,
    Ask.REVIEW_QUESTIONED,
)
REVIEWS = (
    *BEFORE_TREATMENT,
    Ask.REVIEW_LATE,
    Ask.REVIEW_BASELINE,
    Ask.REVIEW_COURSE,
    Ask.BRING_FORWARD,
)
"""What is done once a prescriber has said in words what was found, and what was decided."""

IN_WORDS = (*REVIEWS, Ask.LIFT_HOLD)
"""What is acknowledged in words. A hold stays open all the same."""


def subject(task: TaskId) -> str:
    """What a task is about: its key without the ask before it and the count behind it."""
    return task.partition("/")[2].rpartition("#")[0]


def in_words(task: TaskId) -> bool:
    """Say whether a task is acknowledged in words only."""
    return task.startswith(tuple(f"{ask}/" for ask in IN_WORDS))


@remembered
def unseen(protocol: CombinedProtocol, pathway: Pathway) -> tuple[AskPerson, ...]:
    """List what no prescriber has acknowledged yet and nobody may treat before they have."""
    found = {(step.ask, step.about): step for step in _still_asked(protocol, pathway)}
    asked = (
        *_alerts(protocol, pathway),
        *_deviations(protocol, pathway),
        *_astray(protocol, pathway),
        *_questioned(protocol, pathway),
    )
    for step in asked:
        found.setdefault((step.ask, step.about), step)
    seen, known = _seen(pathway), open_tasks(pathway)
    return tuple(
        as_it_stands(step, known.get(key)) for key, step in found.items() if key not in seen
    )


def open_tasks(pathway: Pathway) -> dict[tuple[str, str], Task]:
    """The open tasks by what they ask and what they are about."""
    return {
        (key.partition("/")[0], subject(key)): task
        for key, task in pathway.tasks.items()
        if not task.closed
    }


def as_it_stands(step: AskPerson, task: Task | None) -> AskPerson:
    """The step with whose it is by now: others too, once nobody had looked in time."""
    if task is None or not task.raised:
        return step
    return replace(step, roles=task.roles, due=task.due)


def in_the_way(
    protocol: CombinedProtocol, pathway: Pathway, holding: Holds = Holds.TREATMENT
) -> Iterator[Blocked]:
    """Find what no prescriber has acknowledged yet and holds treatment, or the patient here."""
    for step in unseen(protocol, pathway):
        risk = step.ask is Ask.REVIEW_RISK
        if holding in step.holds and (risk or holding is Holds.TREATMENT):
            finding = f"a prescriber must review first: {step.says}"
            yield refusing.found("review-first", finding, step.roles, stops=True)


def unseen_then(pathway: Pathway, at: datetime) -> Iterator[str]:
    """Say what was asked by an instant and acknowledged only after it."""
    for key, task in pathway.tasks.items():
        asked = key.startswith(tuple(f"{ask}/" for ask in BEFORE_TREATMENT))
        seen = task.acknowledged_at
        if asked and seen is not None and task.opened <= at < seen:
            yield task.says


def late(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> Iterator[AskPerson]:
    """Ask what to do about a course that is past the days in which it should be finished.

    The days count from the first session; before that from the signature, or from the first visit
    if that is later.
    """
    phase, state = protocol.phase(pathway.phase), pathway.phases[pathway.phase]
    most = phase.schedule.finish_within
    if most is None or state.signed is None:
        return
    given = pathway.sessions_in(phase.id)
    signed = max(local_day(state.signed, pathway.zone), state.first_visit.day)
    begun = local_day(given[0].started, pathway.zone) if given else signed
    days = (local_day(now, pathway.zone) - begun).days
    if days > most and (Ask.REVIEW_LATE, phase.id) not in _seen(pathway):
        says = (
            f"{phase.title} should be finished within {most} days and is not: stop, move on, or "
            "acknowledge to continue."
        )
        yield AskPerson(Ask.REVIEW_LATE, phase.id, SEES, says, "finish-within")


def asked_about(pathway: Pathway, event: EventId) -> bool:
    """Say whether a prescriber is to look at an entry, or has looked."""
    return any(
        f"/{event}/" in f"/{subject(key)}/"
        for key, task in pathway.tasks.items()
        if key.startswith(tuple(f"{ask}/" for ask in REVIEWS))
        and (task.acknowledged or not task.closed)
    )


def was_seen(pathway: Pathway, step: AskPerson) -> bool:
    """Say whether somebody has answered in words what a step asks."""
    return (step.ask, step.about) in _seen(pathway)


def _seen(pathway: Pathway) -> set[tuple[Ask, str]]:
    return {
        (ask, subject(key))
        for key, task in pathway.tasks.items()
        for ask in REVIEWS
        if task.acknowledged and key.startswith(f"{ask}/")
    }


def _still_asked(protocol: CombinedProtocol, pathway: Pathway) -> Iterator[AskPerson]:
    """What was asked stays asked, also when its reading is not among those kept.

    But for a reading that never was.
    """
    ask, phase = Ask.REVIEW_RISK, protocol.phase(pathway.phase)
    for about, task in _open_about(pathway, ask):
        rises = phase.rises(SafetyTask.RISK)
        step = AskPerson(ask, about, task.roles, task.says, task.rule, rises=rises)
        level = phase.level(task.rule)
        yield replace(risk.as_asked(step, level, task.opened), due=task.due)


def _open_about(pathway: Pathway, ask: Ask) -> Iterator[tuple[str, Task]]:
    """The open tasks of an ask about a reading that stands, with what they are about."""
    for key, task in pathway.tasks.items():
        about = subject(key)
        evidence = about.rpartition("/")[0]
        if key.startswith(f"{ask}/") and not task.closed and evidence not in pathway.voided:
            yield about, task


def _alerts(protocol: CombinedProtocol, pathway: Pathway) -> Iterator[AskPerson]:
    phase = protocol.phase(pathway.phase)
    in_levels = risk.named_in_levels(protocol)
    for name in pathway.readings:
        kind = protocol.vocabulary.kind(name)
        alerting = pathway.alerting.get(name, ())
        for found in pathway.readings[name] if name in in_levels else alerting:
            level = None
            if name in in_levels:
                level = risk.level_of(protocol.phase(_phase_of(pathway, found)), name, found)
            at_risk = level is not None or found in alerting
            if not at_risk or standing.known_of(protocol, pathway, name, found):
                continue
            says = f"{_finding(kind, found)}: see the patient, then say what you found and decided."
            about = f"{found.evidence}/{name}"
            due, rises = phase.look_by(SafetyTask.RISK, found.at), phase.rises(SafetyTask.RISK)
            step = AskPerson(
                Ask.REVIEW_RISK, about, SEES, says, "prescriber-sees", due=due, rises=rises
            )
            yield risk.as_asked(step, level, found.at)


def _phase_of(pathway: Pathway, found: Observed) -> PhaseId:
    """The phase in which a reading was taken; the first, of one from before it.

    A level of a later phase is not held against what was read before it.
    """
    phases = sorted(pathway.phases.items(), key=lambda each: each[1].number)
    entered = [name for name, phase in phases if phase.entered <= found.at]
    return entered[-1] if entered else phases[0][0]


def _finding(kind: ObservationKind, found: Observed) -> str:
    if found.answer is not None:
        return f"{kind.title} is {found.answer}"
    return f"{kind.title} is {kind.amount(found.value)}"


def _deviations(protocol: CombinedProtocol, pathway: Pathway) -> Iterator[AskPerson]:
    for session in pathway.sessions.values():
        phase = protocol.phase(session.phase)
        about = session.event or f"{session.phase}/{session.number}"
        what = f"{phase.modality.session.capitalize()} {session.number} of {phase.title}"
        if not session.authorized:
            ask, rule, kind = Ask.REVIEW_UNAUTHORIZED, "not-authorized", SafetyTask.UNAUTHORIZED
            says = (
                f"{what} was given although a rule did not allow it: see the patient, then say "
                "what you found and decided. No further treatment is allowed until then."
            )
        elif session.deviation:
            ask, rule, kind = Ask.REVIEW_DEVIATION, "deviation", SafetyTask.DEVIATION
            says = f"{what} was given against a rule: review it, then say what you found."
        else:
            continue
        due, rises = phase.look_by(kind, session.started), phase.rises(kind)
        yield AskPerson(ask, about, SEES, says, rule, due=due, rises=rises)
    for visit in pathway.visits.values():
        elsewhere = visit.went not in (None, *RELEASED, Disposition.AGAINST_ADVICE)
        if visit.left_at is not None and (visit.left_early or elsewhere):
            which = spoken(visit.id)
            says = (
                f"The patient left {which} before every check was met: follow up, then say what you"
                " found and decided."
            )
            if elsewhere:
                went = spoken(str(visit.went))
                says = f"After {which}: {went}. Follow up, then say what you found and decided."
            phase, kind = protocol.phase(visit.phase), SafetyTask.LEFT_EARLY
            due, rises = phase.look_by(kind, visit.left_at), phase.rises(kind)
            about = visit.left_by or visit.id
            yield AskPerson(
                Ask.REVIEW_DEVIATION, about, SEES, says, "left-early", due=due, rises=rises
            )


def _astray(protocol: CombinedProtocol, pathway: Pathway) -> Iterator[AskPerson]:
    """What was entered here and never was: what did this patient get, and what rests on it?"""
    phase, kind = protocol.phase(pathway.phase), SafetyTask.UNAUTHORIZED
    for event, found in pathway.elsewhere.items():
        due, rises = phase.look_by(kind, found.at), phase.rises(kind)
        about = f"{event}/moved"
        rule = "taken-back" if found.what is Astray.NEVER else "wrong-patient"
        says = _said_of(found)
        yield AskPerson(Ask.REVIEW_DEVIATION, about, SEES, says, rule, due=due, rises=rises)


def _said_of(found: Elsewhere) -> str:
    match found.what:
        case Astray.BACK:
            return (
                f"{found.about} was moved to another patient's record by mistake and counts here "
                "again. Make sure it is marked as entered in error in that patient's record, then "
                "say what you found."
            )
        case Astray.NEVER:
            return (
                f"{found.about} was marked as entered in error, so the patient is not observed "
                "after it. Make sure that it was not given, then say what you found."
            )
        case Astray.ANOTHERS:
            there = (
                "It was sent to the right patient's record; check there too."
                if found.moved_to is not None
                else "That patient has no pathway here: make sure it is recorded where they are "
                "treated."
            )
            return (
                f"{found.about} was entered here but belongs to another patient. {there} Check "
                "what this patient was given and what was decided because of the entry, then say "
                "what you found."
            )
        case unknown:
            assert_never(unknown)


def _questioned(protocol: CombinedProtocol, pathway: Pathway) -> Iterator[AskPerson]:
    """Acts that went, by what is known now, against rules that nobody knew of then."""
    phase = protocol.phase(pathway.phase)
    for event, found in pathway.questioned.items():
        if not found.findings or event in pathway.voided:
            continue
        says = (
            "An entry was corrected or recorded late. By what is known now, there is a problem "
            f"with the {found.about}: {'; '.join(found.findings)}. Review it, then say what you "
            "found."
        )
        about = f"{event}/{found.at:%Y%m%d%H%M%S}"
        due, rises = (
            phase.look_by(SafetyTask.DEVIATION, found.at),
            phase.rises(SafetyTask.DEVIATION),
        )
        yield AskPerson(
            Ask.REVIEW_QUESTIONED, about, SEES, says, "questioned", due=due, rises=rises
        )


def turned(protocol: CombinedProtocol, pathway: Pathway) -> Iterator[AskPerson]:
    """Ask about a score by which the course has turned, as the protocol says: a relapse, say."""
    seen, known = _seen(pathway), open_tasks(pathway)
    phase, kind = protocol.phase(pathway.phase), SafetyTask.COURSE
    found = set()
    for rule, judged in course.to_ask(protocol, pathway):
        about = f"{judged.score.evidence}/{rule.id}"
        found.add(about)
        if (Ask.REVIEW_COURSE, about) in seen:
            continue
        what = str(rule.id).replace("-", " ").capitalize()
        says = f"{what}: {judged.says}. See the patient, then say what you found and decided."
        due, rises = phase.look_by(kind, judged.score.at), phase.rises(kind)
        step = AskPerson(
            Ask.REVIEW_COURSE, about, SEES, says, rule.id, rule.why, rule.source, due, rises=rises
        )
        yield as_it_stands(step, known.get((Ask.REVIEW_COURSE, about)))
    # A phase that ends, or the pathway, leaves what nobody has looked at to be looked at.
    for about, task in _open_about(pathway, Ask.REVIEW_COURSE):
        if about not in found and (Ask.REVIEW_COURSE, about) not in seen:
            rises = phase.rises(kind)
            yield AskPerson(
                Ask.REVIEW_COURSE,
                about,
                task.roles,
                task.says,
                task.rule,
                due=task.due,
                rises=rises,
            )


def late_scores(protocol: CombinedProtocol, pathway: Pathway) -> Iterator[AskPerson]:
    """Ask about a score from before treatment that came after the baseline was named."""
    seen = _seen(pathway)
    for key, named in pathway.baselines.items():
        about = renamed(key, named)
        if named.by_person or named.since_number == 1 or (Ask.REVIEW_BASELINE, about) in seen:
            continue
        phase, _, score = key.rpartition("/")
        title = protocol.vocabulary.kind(ObservationName(score)).title
        says = (
            f"A correction changed the baseline of {spoken(phase)} to another {title}. Benefit is "
            "not judged until you acknowledge it or name another."
        )
        yield AskPerson(Ask.REVIEW_BASELINE, about, SEES, says, "baseline")
    for key, found in came_after(pathway):
        about = f"{key}/{found.evidence}"
        if (Ask.REVIEW_BASELINE, about) not in seen:
            phase, _, score = key.rpartition("/")
            title = protocol.vocabulary.kind(ObservationName(score)).title
            day = local_day(found.at, pathway.zone)
            says = (
                f"{title} of {found.value} from {day} was recorded after the baseline of "
                f"{spoken(phase)} was set and does not change it: name another baseline, or "
                "acknowledge to keep it."
            )
            yield AskPerson(Ask.REVIEW_BASELINE, about, SEES, says, "baseline")
