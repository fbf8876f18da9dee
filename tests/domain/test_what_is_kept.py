"""Which readings of a kind the state keeps, in whatever order they come."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from domain.language.events import Event
from domain.language.names import Author, EventId, ObservationName, PathwayId, Role
from domain.language.observations import Reading, ReadingsTaken
from domain.language.pathway import READINGS_KEPT, READINGS_KEPT_FOR, Pathway
from domain.rules.fold import fold
from tests.domain.simulation import COMBINED

NURSE = Author("a-nurse", Role.NURSE)
BEGAN = datetime(2027, 3, 1, 9, tzinfo=UTC)
PULSE, SCORE = ObservationName("spo2"), ObservationName("madrs_total")
DAY = READINGS_KEPT_FOR


def _taken(name: ObservationName, values: Sequence[tuple[timedelta, int]]) -> list[Event]:
    return [
        Event(
            EventId(f"e{place:02}"),
            BEGAN + after,
            NURSE,
            ReadingsTaken((Reading(name, Decimal(value)),), None),
        )
        for place, (after, value) in enumerate(values)
    ]


def _kept(name: ObservationName, events: Sequence[Event]) -> list[str]:
    pathway = fold(Pathway(PathwayId("p")), events, COMBINED.vocabulary)
    return [each.evidence for each in pathway.readings[name]]


def _named(*places: int) -> list[str]:
    return [f"e{place:02}" for place in places]


@pytest.mark.parametrize("backwards", [False, True])
def test_the_latest_few_are_kept_however_old(*, backwards: bool):
    """Readings days apart: as many as are always kept, and not one more."""
    count = READINGS_KEPT + 3
    events = _taken(PULSE, [(2 * DAY * n, 97) for n in range(count)])
    order = events[::-1] if backwards else events
    assert _kept(PULSE, order) == _named(*range(3, count))


@pytest.mark.parametrize("backwards", [False, True])
def test_those_of_the_last_day_are_kept_however_many(*, backwards: bool):
    """Of many at one visit all stay, the one exactly a day before the latest too, none older."""
    count = READINGS_KEPT + 5
    hours = [DAY * n / (count - 1) for n in range(count)]
    older = [(-timedelta(seconds=1), 97)]
    events = _taken(PULSE, [*older, *((after, 97) for after in hours)])
    order = events[::-1] if backwards else events
    assert _kept(PULSE, order) == _named(*range(1, count + 1))


@pytest.mark.parametrize("backwards", [False, True])
def test_what_a_prescriber_must_have_seen_is_kept_for_ever(*, backwards: bool):
    """A crisis of long ago stays among the latest; what stood around it went."""
    long_ago = [(DAY * 2 * n, 80 if n == 1 else 97) for n in range(4)]
    late = [(DAY * (100 + 2 * n), 97) for n in range(READINGS_KEPT)]
    events = _taken(PULSE, [*long_ago, *late])
    order = events[::-1] if backwards else events
    assert _kept(PULSE, order) == _named(1, *range(4, 4 + READINGS_KEPT))


@pytest.mark.parametrize("backwards", [False, True])
def test_every_score_whose_fall_is_judged_is_kept(*, backwards: bool):
    """Of a score that a fall is judged by none is forgotten, however old and many."""
    count = READINGS_KEPT + 4
    events = _taken(SCORE, [(DAY * 30 * n, 20) for n in range(count)])
    order = events[::-1] if backwards else events
    assert _kept(SCORE, order) == _named(*range(count))


def test_one_that_comes_twice_is_kept_once():
    """The same event again, and one of the same moment, change nothing of the others."""
    events = _taken(PULSE, [(timedelta(), 97), (timedelta(), 96), (timedelta(hours=1), 95)])
    assert _kept(PULSE, [*events, *events]) == _named(0, 1, 2)
    assert _kept(PULSE, [events[1], events[0], events[2], events[1]]) == _named(0, 1, 2)


@pytest.mark.parametrize("order", [1, -1])
def test_what_alerts_is_known_by_itself(order: int):
    """Those of the readings that meet their kind's alert, by age, however they come."""
    values = [97, 80, 97, 79, 97]
    events = _taken(PULSE, [(timedelta(hours=n), value) for n, value in enumerate(values)])
    pathway = fold(Pathway(PathwayId("p")), events[::order], COMBINED.vocabulary)
    assert [each.evidence for each in pathway.alerting[PULSE]] == _named(1, 3)
    assert set(pathway.alerting[PULSE]) <= set(pathway.readings[PULSE])


def test_what_alerts_outlasts_the_day_it_was_taken():
    """One of a year ago is still among those that alert, beside one of today."""
    values = [
        (DAY * 0, 80),
        *((DAY * (300 + n), 97) for n in range(READINGS_KEPT)),
        (DAY * 365, 79),
    ]
    pathway = fold(Pathway(PathwayId("p")), _taken(PULSE, values), COMBINED.vocabulary)
    assert [each.evidence for each in pathway.alerting[PULSE]] == _named(0, READINGS_KEPT + 1)
    assert set(pathway.alerting[PULSE]) <= set(pathway.readings[PULSE])
