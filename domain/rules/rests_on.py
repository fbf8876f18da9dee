"""What rests on an entry, and is to be taken back before it is. Pure."""

from collections.abc import Sequence

from domain.language.authorizations import AuthorizationRecorded
from domain.language.corrections import EntryVoided
from domain.language.events import Event
from domain.language.findings import Blocked
from domain.language.holds import HoldLifted
from domain.language.names import CARE, PhaseId, VisitId, VisitStatus, spoken
from domain.language.observations import ReadingsTaken, ScaleAssessed
from domain.language.pathway import Pathway
from domain.language.phases import DecisionMade, OrderSigned, PathwayFinished, PhaseEntered
from domain.language.protocol import CombinedProtocol
from domain.language.release import VisitReleased
from domain.language.standing import DecidedAhead
from domain.language.treatment import DoseGiven, StimulationGiven
from domain.language.visits import VisitCheckedIn, VisitMissed
from domain.rules.corrected import voided
from domain.rules.refusing import found


def in_the_way(
    protocol: CombinedProtocol,
    pathway: Pathway,
    history: Sequence[Event],
    original: Event,
    *,
    amended: bool = False,
) -> Blocked | None:
    """Say what stands that could not be without this entry; None if nothing does.

    `amended` where something else of the kind stands in its place.
    """
    match original.fact:
        case VisitReleased() if not amended:
            here = _where_they_are(pathway)
            if here is None:
                return None
            says = f"the patient is now at {spoken(here)}: discharge them there first"
            return found("released-first", says, CARE)
        case VisitCheckedIn(visit=visit) if pathway.sessions_at(visit):
            says = f"a treatment is recorded at {spoken(visit)}: correct that first"
            return found("treated-here", says, CARE)
        case DecisionMade():
            since = _done_since(pathway, follows(history, original))
            return None if since is None else found("phase", since, CARE)
        case EntryVoided() as fact:
            since = _in_its_place(protocol, pathway, history, fact)
            return None if since is None else found("corrected-since", since, CARE)
    return None


def follows(history: Sequence[Event], original: Event) -> Event | None:
    """Find what a decision brought with it: the next phase, or the end."""
    if not isinstance(original.fact, DecisionMade):
        return None
    command = original.id.rpartition("/")[0]
    brought = (e for e in history if isinstance(e.fact, PhaseEntered | PathwayFinished))
    return next((e for e in brought if e.id.rpartition("/")[0] == command), None)


def came_by(history: Sequence[Event], original: Event) -> Event | None:
    """Find the check-in that only a treatment brought: nothing else says that anybody came."""
    if not isinstance(original.fact, DoseGiven | StimulationGiven):
        return None
    visit, command = original.fact.visit, original.id.rpartition("/")[0]
    gone = voided(history)
    here = [e for e in history if getattr(e.fact, "visit", None) == visit and e.id not in gone]
    arrived = [e for e in here if isinstance(e.fact, VisitCheckedIn)]
    others = (e for e in here if isinstance(e.fact, _SAYS_THEY_CAME) and e.id != original.id)
    if not arrived or any(others):
        return None
    return arrived[-1] if arrived[-1].id.rpartition("/")[0] == command else None


_SAYS_THEY_CAME = DoseGiven | StimulationGiven | ReadingsTaken | VisitReleased


def _done_since(pathway: Pathway, brought: Event | None) -> str | None:
    """Say what was done in the phase that a decision entered."""
    if brought is None or not isinstance(brought.fact, PhaseEntered):
        return None
    phase, called = brought.fact.phase, spoken(brought.fact.phase)
    if phase != pathway.phase:
        return f"the pathway has since moved on from {called}: undo the last decision first"
    came = any(visit.checked_in is not None for visit in pathway.visits_in(phase))
    done = (
        (bool(pathway.sessions_in(phase)), f"sessions of {called} were given: correct them first"),
        (came, f"the patient has since come to a visit of {called}: correct that first"),
        (
            pathway.phases[phase].signed is not None,
            f"the order for {called} has since been signed: undo that first",
        ),
        (
            bool(pathway.phases[phase].decisions),
            f"a decision about {called} has since been made: undo that first",
        ),
        (
            any(each.phase == phase for each in pathway.standing.values()),
            f"a standing decision in {called} has since been made: undo that first",
        ),
    )
    return next((says for so, says in done if so), None)


def _in_its_place(  # noqa: C901, PLR0911, PLR0912  one answer a kind
    protocol: CombinedProtocol, pathway: Pathway, history: Sequence[Event], void: EntryVoided
) -> str | None:
    """Say why an entry cannot count again: what stands in its place, or what it needs is gone."""
    if void.instead is not None and void.instead in voided(history):
        # Otherwise the first entry would count beside what stands for its stand-in.
        return "the entry that replaced it was corrected later: undo that correction first"
    original = next(event for event in history if event.id == void.event)
    if follows(history, original) is not None:
        return "restoring it does not restore what followed from it: record a new decision"
    match original.fact:
        case EntryVoided():
            return "it was restored before: to mark it in error again, name the entry itself"
        case DoseGiven(visit=visit) | StimulationGiven(visit=visit) as given:
            return _given_since(pathway, history, void, original, given) or _not_here(
                pathway, visit
            )
        case VisitReleased(visit=visit):
            if pathway.visits[visit].left_by not in (None, void.instead):
                return f"another discharge from {spoken(visit)} was recorded later: undo that first"
            return _not_here(pathway, visit)
        case VisitMissed(visit=visit):
            if pathway.visits[visit].checked_in is not None:
                return f"the patient has since come to {spoken(visit)}"
        case VisitCheckedIn(visit=visit):
            if pathway.visits[visit].checked_in is not None:
                return f"the patient was checked in again for {spoken(visit)}: undo that first"
            here = _where_they_are(pathway)
            return f"the patient is now at {spoken(here)}: discharge them first" if here else None
        case HoldLifted(hold=hold):
            if hold in pathway.holds and pathway.holds[hold].lifted:
                return "the hold was lifted again later: undo that first"
        case OrderSigned(phase=phase) | DecisionMade(phase=phase) | DecidedAhead(phase=phase):
            if pathway.outcome is not None or not _in_it_since(pathway, history, original, phase):
                return f"the pathway is no longer in {spoken(phase)}"
            signed = pathway.phases[phase].signed is not None
            if signed and isinstance(original.fact, OrderSigned):
                return f"the order for {spoken(phase)} was signed again: undo that first"
        case AuthorizationRecorded(treatment=treatment, number=number):
            known = pathway.authorizations.values()
            again = any(each.says.is_same(treatment, number) for each in known)
            return f"{number} was recorded again later" if again else None
        case ReadingsTaken(readings=readings):
            gone = [r for r in readings if r.observation not in protocol.vocabulary.observations]
            return "the vocabulary no longer has this observation" if gone else None
        case ScaleAssessed(scale=scale) if scale not in protocol.vocabulary.scales:
            return "the vocabulary no longer has this scale"
    return None


def _given_since(
    pathway: Pathway,
    history: Sequence[Event],
    void: EntryVoided,
    original: Event,
    given: DoseGiven | StimulationGiven,
) -> str | None:
    """Say which session cannot have been beside this one, or has its number."""
    others = {key: s for key, s in pathway.sessions.items() if s.event != void.instead}
    if f"{pathway.visits[given.visit].phase}/{given.session}" in others:
        return f"session {given.session} was given later: report this one as a new session"
    here = [session for session in others.values() if session.visit == given.visit]
    if isinstance(given, StimulationGiven):
        at_once = (s for s in here if s.ended and s.started < given.ended and original.at < s.ended)
    else:  # one dose a visit: what was recorded there since the void is the same dose again
        places = {event.id: place for place, event in enumerate(history)}
        taken_back = next(place for place, event in enumerate(history) if event.fact is void)
        at_once = (s for s in here if s.event and places[s.event] > taken_back)
    other = next(at_once, None)
    return f"session {other.number} is recorded in its place: undo that first" if other else None


def _where_they_are(pathway: Pathway) -> VisitId | None:
    """The visit at which the patient is, if they are at one."""
    here = (v.id for v in pathway.visits.values() if v.status is VisitStatus.CHECKED_IN)
    return next(here, None)


def _not_here(pathway: Pathway, visit: VisitId) -> str | None:
    """Say that nobody came to a visit, by what is known now."""
    if pathway.visits[visit].checked_in is not None:
        return None
    return f"the check-in for {spoken(visit)} was undone: restore that first"


def _in_it_since(
    pathway: Pathway, history: Sequence[Event], original: Event, phase: PhaseId
) -> bool:
    """Say whether the pathway is in the phase that it was in then, and has not entered it anew."""
    gone = voided(history)
    before = history[: history.index(original)]
    entered = [
        e.fact.phase for e in before if isinstance(e.fact, PhaseEntered) and e.id not in gone
    ]
    return phase == pathway.phase and phase in entered
