"""What was entered late is judged by what was known then, although no state keeps all of it. Pure.

The state keeps the readings of a day; an act of last week was judged by those of last week.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from domain.language.chart import ChartRead
from domain.language.commands import Wish
from domain.language.events import Event
from domain.language.observations import ReadingsTaken, ScaleAssessed
from domain.language.pathway import READINGS_KEPT_FOR, Pathway
from domain.language.release import ReleaseVisit
from domain.language.treatment import RecordDose, RecordStimulation, ReportDose, ReportStimulation
from domain.language.vocabulary import Vocabulary
from domain.rules.corrected import standing
from domain.rules.fold import fold

LATE = READINGS_KEPT_FOR / 2
"""Within this of an act what its rules look at is kept; an older one is judged over all of it."""


def happened_at(wish: Wish) -> datetime | None:
    """When what a wish tells of happened, where rules judge it by its own time."""
    match wish:
        case RecordDose(first_device_at=at) | ReportDose(first_device_at=at):
            return at
        case RecordStimulation(started_at=at) | ReportStimulation(started_at=at):
            return at
        case ReleaseVisit(left_at=left):
            return left
    return None


def is_late(wish: Wish, now: datetime) -> bool:
    """Say whether a wish tells of something so long ago that the state may not know enough."""
    at = happened_at(wish)
    return at is not None and now - at > LATE


def knowing(
    pathway: Pathway, history: Iterable[Event], at: datetime, vocabulary: Vocabulary
) -> Pathway:
    """The pathway with the readings that were kept at an instant beside those that are kept now."""
    observed = [
        event
        for event in standing(history)
        if isinstance(event.fact, ReadingsTaken | ScaleAssessed | ChartRead) and event.at <= at
    ]
    then = fold(Pathway(pathway.id), observed, vocabulary).readings
    readings = {}
    for name, known in then.items():
        both = {(o.evidence, o.answer): o for o in (*known, *pathway.readings.get(name, ()))}
        readings[name] = tuple(sorted(both.values(), key=lambda o: (o.at, o.evidence)))
    return replace(pathway, readings={**pathway.readings, **readings})
