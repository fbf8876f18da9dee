"""What rests on an entry, and is to be taken back before it is. Pure."""

from collections.abc import Sequence

from domain.language.corrections import EntryVoided
from domain.language.events import Event
from domain.language.findings import Blocked
from domain.language.names import CARE
from domain.language.pathway import Pathway
from domain.language.phases import DecisionMade, OrderSigned, PathwayFinished, PhaseEntered
from domain.language.visits import VisitCheckedIn
from domain.rules.corrected import voided
from domain.rules.refusing import found


def in_the_way(pathway: Pathway, history: Sequence[Event], original: Event) -> Blocked | None:
    """Say what stands that could not be without this entry; None if nothing does."""
    match original.fact:
        case VisitCheckedIn(visit=visit) if pathway.sessions_at(visit):
            says = f"a treatment is recorded at {visit}: correct that first"
            return found("treated-here", says, CARE)
        case DecisionMade():
            since = _done_since(pathway, follows(history, original))
            return None if since is None else found("phase", since, CARE)
        case EntryVoided() as fact:
            since = _in_its_place(pathway, history, fact)
            return None if since is None else found("corrected-since", since, CARE)
    return None


def follows(history: Sequence[Event], original: Event) -> Event | None:
    """Find what a decision brought with it: the next phase, or the end."""
    if not isinstance(original.fact, DecisionMade):
        return None
    command = original.id.rpartition("/")[0]
    brought = (e for e in history if isinstance(e.fact, PhaseEntered | PathwayFinished))
    return next((e for e in brought if e.id.rpartition("/")[0] == command), None)


def _done_since(pathway: Pathway, brought: Event | None) -> str | None:
    """Say what was done in the phase that a decision entered."""
    if brought is None or not isinstance(brought.fact, PhaseEntered):
        return None
    phase = brought.fact.phase
    if phase != pathway.phase:
        return f"the pathway has moved on from {phase} since: take back the last decision first"
    came = any(visit.checked_in is not None for visit in pathway.visits_in(phase))
    done = (
        (bool(pathway.sessions_in(phase)), f"sessions of {phase} were given: correct those first"),
        (came, f"the patient came to a visit of {phase} since: correct that first"),
        (
            pathway.phases[phase].signed is not None,
            f"the order for {phase} was signed since: take that back first",
        ),
        (
            bool(pathway.phases[phase].decisions),
            f"a decision about {phase} was made since: take that back first",
        ),
    )
    return next((says for so, says in done if so), None)


def _in_its_place(pathway: Pathway, history: Sequence[Event], void: EntryVoided) -> str | None:
    """Say what stands in place of an entry that would count again."""
    if void.instead is not None and void.instead in voided(history):
        # Otherwise the first entry would count beside what stands for its stand-in.
        return "what was so instead was corrected in its turn: take that correction back first"
    original = next(event for event in history if event.id == void.event)
    match original.fact:
        case OrderSigned(phase=phase) if phase not in pathway.phases:
            return f"the pathway is not in {phase}: decide anew"
        case OrderSigned(phase=phase) if pathway.phases[phase].signed is not None:
            return f"the order for {phase} was signed anew: take that back first"
        case DecisionMade() if follows(history, original) is not None:
            return "what it brought about is not brought about again by this: decide anew"
    return None
