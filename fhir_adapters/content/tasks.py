"""What a person is to do, as a Task: requested, received when seen, completed when done.

`Task.description` names rules and visits, never the patient; roles are words, because whoever has
the role may do it. Kairos asks and never orders, so the intent is `plan`. A task that is not wanted
any more is completed only if the pathway shows that somebody did it; else it is cancelled.
"""

from datetime import datetime
from typing import Any

from domain.language.clocks import instant
from domain.language.names import HoldId, PhaseId, Roles, TaskId, VisitId, VisitStatus, spoken
from domain.language.pathway import Pathway, Visit
from domain.language.tasks import TaskAcknowledged, TaskOpened, TaskRaised
from domain.rules.steps import Ask
from fhir_adapters.content import elements, identifiers
from fhir_adapters.content.drafts import Draft, Scene, changed, created
from fhir_adapters.profile.artefacts import ArtefactKind


def open_task(scene: Scene, fact: TaskOpened) -> Draft:
    body: dict[str, Any] = {
        "status": "requested",
        "intent": "plan",
        "code": elements.concept(spoken(fact.rule)),
        "description": fact.says,
        "for": scene.patient,
        "authoredOn": scene.at,
        "lastModified": scene.at,
        "requester": elements.kairos(),
        "performerType": [elements.concept(spoken(role)) for role in fact.roles],
    }
    says = f"To do ({_whose(fact.roles)}): {fact.says}"
    if fact.due is not None:
        body["restriction"] = {"period": {"end": elements.moment(fact.due)}}
        says = f"{says} Due {scene.wall(fact.due)}."
    if not fact.roles:
        del body["performerType"]
    focus = _focus(scene, fact.task)
    if focus is not None:
        body["focus"] = focus
    return created(ArtefactKind.TASK, identifiers.task(scene.after.id, fact.task), body, says)


def rise(scene: Scene, fact: TaskRaised) -> Draft:
    """Nobody looked in time: say whose it is too, by when, and that it is pressing."""
    known = scene.after.tasks[fact.task]
    body: dict[str, Any] = {
        "lastModified": scene.at,
        "priority": "asap",
        "performerType": [elements.concept(spoken(role)) for role in known.roles],
        "restriction": {"period": {"end": elements.moment(fact.due)}},
    }
    was_due, due = scene.wall(fact.was_due), scene.wall(fact.due)
    says = f"Not reviewed by {was_due}; now for {_whose(known.roles)}: {known.says} Due {due}."
    artefact = identifiers.task(scene.after.id, fact.task)
    return changed(ArtefactKind.TASK, artefact, body, says)


def _whose(roles: Roles) -> str:
    return ", ".join(spoken(role) for role in roles)


def follow(scene: Scene, task: TaskId, words: str = "") -> Draft:
    """Bring the Task to where it stands: seen (in these words), done, or not wanted any more."""
    pathway = scene.after
    known = pathway.tasks[task]
    status = "received" if known.acknowledged else "requested"
    body: dict[str, Any] = {"lastModified": scene.at}
    if known.closed:
        done = _done(pathway, task, scene.event.at)
        status = "completed" if done else "cancelled"
        if not done:
            over = pathway.outcome is not None
            why = "the care pathway ended" if over else "no longer needed"
            if isinstance(scene.event.fact, TaskAcknowledged):  # closed by words that were voided
                why = "acknowledged in error; opened again"
            body["statusReason"] = elements.concept(why)
    says = f"Task {status}: {known.says}"
    if words:
        body["note"] = [{"authorReference": scene.author, "time": scene.at, "text": words}]
        says = f"{says} {words}"
    artefact = identifiers.task(pathway.id, task)
    return changed(ArtefactKind.TASK, artefact, {"status": status, **body}, says)


def _focus(scene: Scene, task: TaskId) -> dict[str, Any] | None:
    """Name the visit or the hold that a task is about; the care plan for all else."""
    pathway = scene.after
    ask, about = _parts(task)
    visit = _visit(pathway, about)
    if visit is not None:
        return scene.name(ArtefactKind.APPOINTMENT, identifiers.visit(pathway.id, visit.id))
    if ask == Ask.LIFT_HOLD:
        return scene.name(ArtefactKind.HOLD, identifiers.hold(pathway.id, HoldId(about)))
    return scene.name(ArtefactKind.CARE_PLAN, identifiers.care_plan(pathway.id))


def _done(pathway: Pathway, task: TaskId, now: datetime) -> bool:
    """Say whether the pathway shows that what a task asked for was done; so it is if unknown."""
    ask, about = _parts(task)
    done = True
    match ask:
        case Ask.SIGN_ORDER:
            phase = pathway.phases.get(PhaseId(about))
            done = phase is None or phase.signed is not None
        case Ask.BOOK_VISITS:
            mine = (v for v in pathway.visits.values() if f"{v.phase}/{v.batch}" == about)
            done = all(visit.status not in _UNBOOKED or _called_off(visit) for visit in mine)
        case Ask.RESOLVE_VISIT:
            visit = _visit(pathway, about)
            done = visit is None or _resolved(pathway, visit, now)
        case Ask.CLEAR_GATE:
            done = pathway.tasks[task].acknowledged or about in pathway.overrides
        case Ask.LIFT_HOLD:
            hold = pathway.holds.get(HoldId(about))
            done = hold is None or hold.lifted
        case Ask.DECIDE | Ask.REVIEW:
            name, _, number = about.partition("/")
            phase = pathway.phases.get(PhaseId(name))
            wanted = int(number) if number.isdecimal() else 1
            done = phase is None or len(phase.decisions) >= wanted
        case (
            Ask.REVIEW_RISK
            | Ask.REVIEW_DEVIATION
            | Ask.REVIEW_UNAUTHORIZED
            | Ask.REVIEW_QUESTIONED
            | Ask.REVIEW_COURSE
        ):
            done = pathway.tasks[task].acknowledged
    return done


_UNBOOKED = (VisitStatus.PROPOSED, VisitStatus.CANCELLED)


def _called_off(visit: Visit) -> bool:
    """Say whether a visit was booked before it was cancelled."""
    return visit.status is VisitStatus.CANCELLED and bool(visit.timed_by)


def _resolved(pathway: Pathway, visit: Visit, now: datetime) -> bool:
    """Say whether an overdue visit was checked in, missed, called off or moved."""
    match visit.status:
        case VisitStatus.PROPOSED | VisitStatus.BOOKED:
            return instant(visit.at, pathway.zone) > now
        case VisitStatus.CANCELLED:
            return pathway.outcome is None
    return True


def _parts(task: TaskId) -> tuple[str, str]:
    """What a task asks for and what it is about: its id is `ask/about#number`."""
    ask, _, rest = task.partition("/")
    return ask, rest.rpartition("#")[0]


def _visit(pathway: Pathway, about: str) -> Visit | None:
    return pathway.visits.get(VisitId(about.partition("/")[0]))
