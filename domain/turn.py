"""One turn of a pathway: what a command makes true or why not, and what follows by itself. Pure.

The questions that whoever records a pathway asks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from domain.automatic import automatic
from domain.decide import change, correction, decide
from domain.due import looked_at_next, next_due
from domain.enrolment import Enrolment, begin
from domain.language.commands import Command
from domain.language.corrections import CorrectEntry, EntryVoided
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.events import Event
from domain.language.names import KAIROS, EventId, PathwayId
from domain.language.pathway import Pathway
from domain.language.phases import ChangeProtocol
from domain.language.protocol import CombinedProtocol
from domain.language.refusal import Refusal, refusal_of
from domain.rules import late, moves
from domain.rules.fold import fold
from domain.second_look import came_late, look_again

EMPTY: Mapping[str, CombinedProtocol] = MappingProxyType({})
MOST_ROUNDS = 20
"""Rounds in which what Kairos adds calls for more of it. Two are usual; this many are a defect."""


@dataclass(frozen=True, slots=True)
class Following:
    """What Kairos adds by itself, and when its answer may change by time alone; None if never."""

    events: tuple[Event, ...]
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Other:
    """The version of its protocol that a pathway is to go on under, and the name of today's."""

    protocol: CombinedProtocol
    pinned_now: str


def settle(
    protocol: CombinedProtocol,
    pathway: Pathway,
    version: int,
    wanted: Command | Enrolment,
    now: datetime,
    history: Sequence[Event] = (),
    other: Other | None = None,
    earlier: Mapping[str, CombinedProtocol] = EMPTY,
) -> tuple[Event, ...] | Refusal:
    """Say what becomes true of a command on a pathway at this version, or why nothing does.

    `history` is all that was recorded, where `needs_history` says so, and `earlier` the versions
    of the protocol until each change of it; `other` the version to go on under, where that is what
    is wanted.
    """
    try:
        if isinstance(wanted, Enrolment):
            return begin(protocol, wanted, now)
        if wanted.expects is not None and wanted.expects != version:
            message = f"the pathway is now at version {version}, not {wanted.expects}"
            raise Conflict(message, version)  # noqa: TRY301
        if isinstance(wanted.wish, ChangeProtocol):
            assert other is not None  # noqa: S101
            new, pinned = other.protocol, other.pinned_now
            return change(protocol, new, pinned, pathway, wanted, now, history)
        return answered(protocol, pathway, wanted, now, history, earlier)
    except (Refused, Conflict, Malformed) as error:
        return refusal_of(error)


def kept_anyway(
    protocol: CombinedProtocol, pathway: Pathway, wanted: Command, refusal: Refusal, now: datetime
) -> tuple[Event, ...]:
    """Keep what another pathway gave back and this one refuses: as a hold, for a person to record.

    There it is in error already, so here it is never just refused.
    """
    return decide(
        protocol, pathway, moves.kept_anyway(protocol, pathway, wanted, refusal.message), now
    )


def answered(
    protocol: CombinedProtocol,
    pathway: Pathway,
    command: Command,
    now: datetime,
    history: Sequence[Event],
    earlier: Mapping[str, CombinedProtocol] = EMPTY,
) -> tuple[Event, ...]:
    """Say what becomes true of a command: over all that was recorded, where its rules need that."""
    if isinstance(command.wish, CorrectEntry):
        return correction(protocol, pathway, history, command, now, earlier)
    at = late.happened_at(command.wish)
    if at is not None and late.is_late(command.wish, now):
        pathway = late.knowing(pathway, history, at, protocol.vocabulary)
    return decide(protocol, pathway, command, now)


def needs_history(wanted: Command | Enrolment, now: datetime) -> bool:
    """Say whether a command is decided over the whole history, and not over the state alone."""
    if not isinstance(wanted, Command):
        return False
    return isinstance(wanted.wish, CorrectEntry | ChangeProtocol) or late.is_late(wanted.wish, now)


def onward(
    protocol: CombinedProtocol, wanted: Command | Enrolment, history: Sequence[Event]
) -> tuple[PathwayId, Command] | None:
    """Give what a command asks of another pathway: what was entered here and belongs there."""
    if not isinstance(wanted, Command) or not isinstance(wanted.wish, CorrectEntry):
        return None
    about = wanted.wish.event
    original = next((event for event in history if event.id == about), None)
    return None if original is None else moves.onward(protocol, wanted, original)


def looks_again_from(
    pathway: Pathway, events: Sequence[Event], history: Sequence[Event]
) -> datetime | None:
    """Say from when on acts are to be looked at again after these events; None if none are."""
    times = [at for at in (came_late(pathway, events),) if at is not None]
    known = {event.id: event for event in history}
    for event in events:
        while isinstance(event.fact, EntryVoided):  # an undone void: what it was about
            event = known[event.fact.event]  # noqa: PLW2901
            times.append(event.at)
    return min(times, default=None)


def questions(
    protocol: CombinedProtocol,
    pathway: Pathway,
    history: Sequence[Event],
    since: datetime,
    now: datetime,
    earlier: Mapping[str, CombinedProtocol] = EMPTY,
) -> tuple[Event, ...]:
    """Question the acts since then against which something speaks now; all that was recorded.

    `earlier` are the versions of the protocol until each change of it, by the names they have.
    """
    return tuple(
        Event(EventId(f"{pathway.id}/questioned/{fact.event}/{len(history)}"), now, KAIROS, fact)
        for fact in look_again(protocol, pathway.id, history, since, earlier)
    )


def follow(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> Following:
    """Say what follows from what a pathway is now, until nothing more does."""
    if not pathway.phases:
        return Following((), None)
    events: tuple[Event, ...] = ()
    for _ in range(MOST_ROUNDS):
        more = automatic(protocol, pathway, now)
        if not more:
            over = pathway.outcome is not None
            due = (
                looked_at_next(protocol, pathway, now) if over else next_due(protocol, pathway, now)
            )
            return Following(events, due)
        events += more
        pathway = fold(pathway, more, protocol.vocabulary)
    raise RuntimeError("what Kairos adds by itself calls for more of it without end")
