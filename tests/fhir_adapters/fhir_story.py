"""A pathway on which every kind of fact happens, and EHRs that advertise this or that."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from domain.delivery.words import Intent
from domain.language.clocks import LocalTime
from domain.language.events import Event, Fact
from domain.language.holds import HoldLifted, HoldPlaced
from domain.language.names import (
    KAIROS,
    Author,
    ConnectionId,
    EhrPatientId,
    EventId,
    HoldId,
    HoldReason,
    ObservationName,
    PathwayId,
    PathwayOutcome,
    PhaseDecision,
    Role,
    RuleId,
    SiteId,
    TaskId,
    VisitId,
)
from domain.language.observations import Reading, ReadingsTaken, ScaleAssessed
from domain.language.overrides import GateOverridden
from domain.language.pathway import Pathway
from domain.language.phases import (
    DecisionMade,
    OrderSigned,
    PathwayFinished,
    PathwayStarted,
    PhaseEntered,
    ProtocolChanged,
)
from domain.language.protocol import CombinedProtocol
from domain.language.release import VisitReleased
from domain.language.standing import DecidedAhead, DecisionEnded
from domain.language.tasks import TaskAcknowledged, TaskClosed, TaskOpened, TaskRaised
from domain.language.treatment import DoseGiven, StimulationGiven
from domain.language.trials import TrialOutcome, TrialRecorded
from domain.language.visits import (
    VisitBooked,
    VisitCancelled,
    VisitCheckedIn,
    VisitMissed,
    VisitMoved,
    VisitProposed,
)
from domain.language.vocabulary import Vocabulary
from domain.rules.fold import apply
from fhir_adapters.content.intents import intents_for
from fhir_adapters.content.shape import WRITTEN_TYPES
from fhir_adapters.profile.plan import EhrPlan

PRESCRIBER = Author("user-7", Role.PRESCRIBER)
DIRECTOR = Author("user-9", Role.MEDICAL_DIRECTOR)
NURSE = Author("user-3", Role.NURSE)
FIRST = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)


class StoryStep(NamedTuple):
    """One event with the pathway before and after it."""

    event: Event
    before: Pathway
    after: Pathway


def at(day: int, hour: int = 9) -> LocalTime:
    """A local time in December 2026."""
    return LocalTime(date(2026, 12, day), time(hour))


def whole_story(
    protocol: CombinedProtocol, patient: str = "pat-1", pathway: str = "pw-1"
) -> tuple[StoryStep, ...]:
    """The whole story, every kind of fact at least once."""
    state = Pathway(PathwayId(pathway))
    story = []
    for number, (author, fact) in enumerate(_facts(protocol, EhrPatientId(patient))):
        happened = FIRST + timedelta(hours=number)
        event = Event(EventId(f"{pathway}-req-{number}/0"), happened, author, fact)
        after = apply(state, event, protocol.vocabulary)
        story.append(StoryStep(event, state, after))
        state = after
    return tuple(story)


def written(story: Iterable[StoryStep], protocol: CombinedProtocol, plan: EhrPlan) -> list[Intent]:
    """All intents of a story under a plan."""
    return [
        intent
        for step in story
        for intent in intents_for(step.event, step.before, step.after, protocol, plan)
    ]


def statement(
    types: Iterable[str] = tuple(sorted(WRITTEN_TYPES)),
    interactions: Iterable[str] = ("read", "create", "update", "search-type"),
    search: Iterable[str] = ("identifier", "patient", "code", "date", "target"),
    *,
    conditional: bool = True,
) -> dict[str, Any]:
    """A CapabilityStatement that advertises the same for every one of these types."""
    return {
        "resourceType": "CapabilityStatement",
        "fhirVersion": "4.0.1",
        "rest": [
            {
                "mode": "server",
                "resource": [
                    {
                        "type": name,
                        "interaction": [{"code": code} for code in interactions],
                        "conditionalCreate": conditional,
                        "searchParam": [{"name": parameter} for parameter in search],
                    }
                    for name in types
                ],
            }
        ],
    }


def every_reading(vocabulary: Vocabulary) -> tuple[Reading, ...]:
    """One reading of everything that may be recorded, but a total or an item of a scale."""
    of_scales = {name for scale in vocabulary.scales.values() for name in _of(scale)}
    return tuple(
        Reading(name, answer=kind.answers[0])
        if kind.answers
        else Reading(name, value=(kind.low or Decimal(0)) + 1)
        for name, kind in vocabulary.observations.items()
        if not kind.derived and name not in of_scales
    )


def _of(scale: Any) -> set[ObservationName]:
    return {scale.total, *scale.item_observations.values()}


def _facts(  # the order is the story's
    protocol: CombinedProtocol, patient: EhrPatientId
) -> Iterable[tuple[Author, Fact]]:
    first, second = protocol.phases[0].id, protocol.phases[1].id
    one, two, three, four = (VisitId(f"visit-{number}") for number in range(1, 5))
    systolic = Reading(ObservationName("systolic_bp"), Decimal(128))
    task, hold, gate = TaskId("task-1"), HoldId("hold-1"), RuleId("blood-pressure-before")
    ended = FIRST + timedelta(days=4)
    yield (
        NURSE,
        PathwayStarted(
            patient,
            ConnectionId("ehr-1"),
            SiteId("site-1"),
            "America/New_York",
            protocol.id,
            protocol.version,
            protocol.sha256,
        ),
    )
    yield NURSE, PhaseEntered(first, at(1))
    yield KAIROS, TaskOpened(task, RuleId("order-signed"), (Role.PRESCRIBER,), "Sign.", ended)
    yield PRESCRIBER, TaskAcknowledged(task)
    yield PRESCRIBER, OrderSigned(first)
    yield KAIROS, TaskClosed(task)
    yield KAIROS, VisitProposed(one, first, 0, at(1), 1)
    yield KAIROS, VisitProposed(two, first, 0, at(3), 1)
    yield NURSE, VisitBooked(one, at(1))
    yield NURSE, VisitMoved(one, at(1, 10))
    yield NURSE, VisitBooked(two, at(3))
    yield NURSE, VisitCheckedIn(one)
    yield NURSE, ReadingsTaken(every_reading(protocol.vocabulary), one)
    yield NURSE, ReadingsTaken((systolic,), one)
    yield NURSE, ScaleAssessed("phq9", (2, 3, 1, 2, 0, 1, 2, 0, 0), 11)
    yield NURSE, ScaleAssessed("madrs", (3,) * 10, 30)
    yield NURSE, HoldPlaced(hold, HoldReason.MEDICAL_REVIEW, "headache")
    yield PRESCRIBER, HoldLifted(hold, "seen, harmless")
    yield (
        PRESCRIBER,
        GateOverridden(one, gate, "known and stable", ("systolic 152",), ("ev-1",)),
    )
    yield NURSE, DoseGiven(one, 1, 56, 2, "LOT-1")
    yield NURSE, VisitReleased(one)
    yield NURSE, VisitMissed(two)
    yield PRESCRIBER, DecisionMade(first, PhaseDecision.CONTINUE, "responds", ("MADRS 30",))
    yield PRESCRIBER, PhaseEntered(second, at(10), 2)
    yield PRESCRIBER, OrderSigned(second)
    yield KAIROS, VisitProposed(three, second, 0, at(10), 2)
    yield KAIROS, VisitProposed(four, second, 0, at(11), 2)
    yield NURSE, VisitBooked(three, at(10))
    yield NURSE, VisitCheckedIn(three)
    yield NURSE, StimulationGiven(three, 1, ended, 1980, 120, 66)
    yield NURSE, StimulationGiven(three, 2, ended, 1980, 120, 66)
    yield NURSE, VisitReleased(three)
    yield PRESCRIBER, DecisionMade(second, PhaseDecision.STOP, "patient's wish", ())
    yield PRESCRIBER, PathwayFinished(PathwayOutcome.STOPPED)
    yield KAIROS, VisitCancelled(four)
    yield NURSE, TrialRecorded("sertraline", "SSRI", "200 mg", 10, TrialOutcome.NO_RESPONSE)
    words = "known for years, no plan; seen weekly"
    yield PRESCRIBER, DecidedAhead(second, RuleId("suicide-risk"), ended, words, ("item 9 at 1",))
    yield PRESCRIBER, DecisionEnded(EventId("pw-1-req-37/0"), "a new plan is needed")
    seen = TaskId("review-risk/x#1")
    yield KAIROS, TaskOpened(seen, RuleId("prescriber-sees"), (Role.PRESCRIBER,), "See.", ended)
    yield DIRECTOR, ProtocolChanged(2, "other", 2, 1, "kept", "the limits are lower now")
    yield KAIROS, TaskRaised(seen, (Role.MEDICAL_DIRECTOR,), ended, ended + timedelta(hours=1))
