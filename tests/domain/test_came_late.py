"""From when on acts are looked at again: by the earliest entry that came late, or by none."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from domain.language.events import Event
from domain.language.holds import HoldPlaced
from domain.language.names import (
    KAIROS,
    EventId,
    HoldId,
    HoldReason,
    ObservationName,
    PathwayId,
    PhaseDecision,
    VisitId,
    VisitStatus,
)
from domain.language.observations import Reading, ReadingsTaken
from domain.language.pathway import Pathway, Phase, Session, Visit
from domain.second_look import as_of, came_late
from tests.domain.scenes import FIRST, ONE, dosed, minutes
from tests.domain.simulation import COMBINED, INDUCTION

OTHER = HoldReason.OTHER
NOW = datetime(2026, 11, 30, 14, tzinfo=UTC)


def read(after: int) -> Event:
    """A reading of so many minutes after the act."""
    fact = ReadingsTaken((Reading(ObservationName("spo2"), Decimal(97)),), None)
    return Event(EventId(f"r{after}"), NOW + minutes(after), KAIROS, fact)


HELD = Event(EventId("h"), NOW - minutes(99), KAIROS, HoldPlaced(HoldId("h"), OTHER, ""))
EMPTY = Pathway(PathwayId("p"), phases={INDUCTION: Phase(NOW - timedelta(days=9), FIRST)})
VISIT = Visit(ONE, INDUCTION, 0, 1, FIRST, FIRST, VisitStatus.RELEASED, left_at=NOW)
DECIDED = {EventId("d"): (NOW, PhaseDecision.CONTINUE)}
ACTS = {
    "a dose": replace(EMPTY, sessions={"1": Session(VisitId("v"), INDUCTION, 1, NOW, None)}),
    "a release": replace(EMPTY, visits={ONE: VISIT}),
    "a decision": replace(
        EMPTY, phases={INDUCTION: replace(EMPTY.phases[INDUCTION], decisions=DECIDED)}
    ),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize(
    ("events", "since"),
    [
        ([], None),
        ([HELD], None),
        ([read(1)], None),
        ([read(0)], 0),
        ([read(-5)], -5),
        ([read(1), read(-3), read(-5), HELD], -5),
    ],
)
def test_an_entry_of_by_the_act_asks_about_it(act: str, events: list[Event], since: int | None):
    """At the act's instant or before it; what has no time of its own, or is later, does not."""
    wanted = None if since is None else NOW + minutes(since)
    assert came_late(ACTS[act], events) == wanted


def test_without_an_act_nothing_came_too_late():
    """Nobody has relied on anything yet; a visit that nobody has left is no act."""
    here = replace(VISIT, left_at=None, status=VisitStatus.CHECKED_IN)
    for pathway in (EMPTY, replace(EMPTY, visits={ONE: here})):
        assert came_late(pathway, [read(-5)]) is None


def test_an_act_is_held_against_what_was_so_by_then_and_no_later():
    """Of what was entered afterwards only readings of before it, whatever else bears its time."""
    course = dosed()
    history = list(course.events)
    place = len(history) - 1
    before, after = read(-1), read(1)
    held = Event(EventId("h"), NOW - minutes(1), KAIROS, HoldPlaced(HoldId("h"), OTHER, ""))
    known = (*history, before, after, held)
    then = as_of(COMBINED, course.pathway.id, known, place)
    taken = {each.evidence for each in then.readings[ObservationName("spo2")]}
    assert before.id in taken
    assert after.id not in taken
    assert not then.holds
