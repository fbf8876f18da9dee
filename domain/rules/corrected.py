"""The pathway as it is with every entry in error left out: what was right from the start."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from domain.language.corrections import EntryVoided
from domain.language.events import Event
from domain.language.names import EventId, PathwayId, VisitId
from domain.language.observations import ReadingsTaken, ScaleAssessed
from domain.language.pathway import Pathway
from domain.language.visits import VisitProposed
from domain.language.vocabulary import Vocabulary
from domain.rules.fold import fold


def voided(events: Sequence[Event]) -> frozenset[EventId]:
    """Name the events that count no more.

    A void that was itself voided takes nothing away, and what it said was so instead was not.
    """
    voids = {event.id: event.fact for event in events if isinstance(event.fact, EntryVoided)}
    gone: set[EventId] = set()
    for name, fact in reversed(voids.items()):
        if name not in gone:
            gone.add(fact.event)
            undone = voids.get(fact.event)
            if undone is not None and undone.instead is not None:
                gone.add(undone.instead)
    return frozenset(gone)


def standing(events: Iterable[Event]) -> tuple[Event, ...]:
    """List the events that count, in the order in which they were recorded.

    What was so instead of an entry in error stands in that entry's place, and never before its
    visit was proposed. A reading stays where it was recorded: it counts by its own time, and
    whoever decided something before that could not know of it.
    """
    known = tuple(events)
    gone = voided(known)
    stand = [event for event in known if event.id not in gone]
    in_place_of = {
        event.fact.instead: event.fact.event
        for event in known
        if isinstance(event.fact, EntryVoided) and event.fact.instead is not None
    }
    if not in_place_of:
        return tuple(stand)
    places = {event.id: place for place, event in enumerate(known)}
    proposed: dict[VisitId | None, int] = {
        event.fact.visit: place
        for place, event in enumerate(known)
        if isinstance(event.fact, VisitProposed)
    }

    def place_of(event: Event) -> int:
        name = event.id
        if isinstance(event.fact, ReadingsTaken | ScaleAssessed):
            return places[name]
        # In a part of a history what was in error may be left out: then its stand-in is in place.
        while name in in_place_of and in_place_of[name] in places:
            name = in_place_of[name]
        visit: VisitId | None = getattr(event.fact, "visit", None)
        return max(places[name], proposed.get(visit, 0))

    return tuple(sorted(stand, key=place_of))


def refold(pathway: PathwayId, events: Iterable[Event], vocabulary: Vocabulary) -> Pathway:
    """Fold a whole history anew. The same as `fold` while nothing was entered in error."""
    known = tuple(events)
    found = fold(Pathway(pathway), standing(known), vocabulary)
    gone = voided(known) - found.voided.keys()
    if not gone:
        return found
    # What stood instead of an entry went with the correction that brought it, for its reason.
    why = {
        event.fact.instead: found.voided[event.id]
        for event in known
        if isinstance(event.fact, EntryVoided) and event.id in found.voided
    }
    beside = {name: why[name] for name in sorted(gone) if name in why}
    return replace(found, voided={**found.voided, **beside})
