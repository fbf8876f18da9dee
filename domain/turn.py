"""One turn of a pathway: what a command makes true or why not, and what follows by itself. Pure.

The only two questions that whoever records a pathway asks.
"""

from dataclasses import dataclass
from datetime import datetime

from domain.automatic import automatic
from domain.decide import decide
from domain.enrolment import Enrolment, begin
from domain.language.commands import Command
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.events import Event
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from domain.language.refusal import Refusal, refusal_of
from domain.planner import next_due
from domain.rules.fold import fold

MOST_ROUNDS = 20
"""Rounds in which what Kairos adds calls for more of it. Two are usual; this many are a defect."""


@dataclass(frozen=True, slots=True)
class Following:
    """What Kairos adds by itself, and when its answer may change by time alone; None if never."""

    events: tuple[Event, ...]
    due: datetime | None


def settle(
    protocol: CombinedProtocol,
    pathway: Pathway,
    version: int,
    asked: Command | Enrolment,
    now: datetime,
) -> tuple[Event, ...] | Refusal:
    """Say what becomes true of a command on a pathway at this version, or why nothing does."""
    try:
        if isinstance(asked, Enrolment):
            return begin(protocol, asked, now)
        if asked.expects is not None and asked.expects != version:
            message = f"the pathway is at version {version}, not {asked.expects}"
            raise Conflict(message, version)  # noqa: TRY301
        return decide(protocol, pathway, asked, now)
    except (Refused, Conflict, Malformed) as error:
        return refusal_of(error)


def follow(protocol: CombinedProtocol, pathway: Pathway, now: datetime) -> Following:
    """Say what follows from what a pathway is now, until nothing more does."""
    if not pathway.phases:
        return Following((), None)
    events: tuple[Event, ...] = ()
    for _ in range(MOST_ROUNDS):
        more = automatic(protocol, pathway, now)
        if not more:
            due = None if pathway.outcome is not None else next_due(protocol, pathway, now)
            return Following(events, due)
        events += more
        pathway = fold(pathway, more, protocol.vocabulary)
    raise RuntimeError("what Kairos adds by itself calls for more of it without end")
