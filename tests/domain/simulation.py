"""A simulated clinic's world: one pathway, virtual time, and all that was said and became true.

Pure and deterministic: it drives the domain alone. Who acts in it stands in `tests/course.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import NamedTuple, TypeVar

from domain.automatic import automatic
from domain.due import next_due
from domain.enrolment import start
from domain.language.clocks import LocalTime
from domain.language.commands import Command, Wish
from domain.language.corrections import EntryVoided
from domain.language.errors import Conflict, Malformed, Refused
from domain.language.events import Event
from domain.language.names import (
    Author,
    ConnectionId,
    EhrPatientId,
    EventId,
    ObservationName,
    PathwayId,
    RequestId,
    Role,
    SiteId,
    VisitId,
)
from domain.language.observations import Measurement, RecordAssessment, RecordReadings
from domain.language.pathway import Pathway
from domain.language.phases import PathwayStarted
from domain.language.protocol import CombinedProtocol
from domain.language.treatment import DoseGiven, StimulationGiven
from domain.permissions import roles_for
from domain.rules.corrected import refold
from domain.rules.fold import apply
from domain.turn import answered, looks_again_from, questions
from protocols.loader import SHIPPED, load_protocols

COMBINED = load_protocols(SHIPPED).combined("esketamine-then-dtms")
INDUCTION, DTMS, MAINTENANCE = (phase.id for phase in COMBINED.phases)
NEW_YORK = "America/New_York"

F = TypeVar("F")
Refusal = Refused | Conflict | Malformed
REFUSALS = (Refused, Conflict, Malformed)


class Said(NamedTuple):
    """A wish, when it was made, and how it was refused if it was."""

    at: datetime
    wish: Wish
    refusal: Refusal | None


def author(wish: Wish) -> Author:
    """Name somebody who may have this wish, and may record all that it holds."""
    roles = list(roles_for(type(wish), [COMBINED]))
    if isinstance(wish, RecordReadings):
        known = COMBINED.vocabulary.observations
        kinds = [known[m.observation] for m in wish.readings if m.observation in known]
        roles = [r for r in roles if all(k.derived or r in k.recorded_by for k in kinds)] or roles
    return Author(f"a-{roles[0]}", roles[0])


def measure(name: str, value: float | str, unit: str | None = None) -> Measurement:
    """Write a measurement in the vocabulary's unit, unless another is given."""
    kind = COMBINED.vocabulary.kind(ObservationName(name))
    if isinstance(value, str):
        return Measurement(kind.name, answer=value)
    return Measurement(kind.name, Decimal(str(value)), unit or kind.unit)


def readings(**values: float | str) -> tuple[Measurement, ...]:
    """Write measurements, each in its unit."""
    return tuple(measure(name, value) for name, value in values.items())


@dataclass
class Simulation:
    """One patient's pathway. Each part of Kairos that is not the domain is done in two lines."""

    first_visit: LocalTime
    protocol: CombinedProtocol = field(default=COMBINED, repr=False)
    zone: str = NEW_YORK

    def __post_init__(self) -> None:
        """Enrol the patient on the day before the first visit."""
        noon = datetime.combine(self.first_visit.day, datetime.min.time(), UTC)
        self.now = noon - timedelta(hours=6)
        self.events: list[Event] = []
        self.said: list[Said] = []
        self.earlier: dict[str, CombinedProtocol] = {}  # versions before a change, by name
        self.rounds = 0
        self.pathway = Pathway(PathwayId("p1"))
        self._numbers = count(1)
        started = PathwayStarted(
            EhrPatientId("ehr-1"),
            ConnectionId("ehr"),
            SiteId("site"),
            self.zone,
            self.protocol.id,
            self.protocol.version,
            self.protocol.sha256,
        )
        who = Author("a-care-manager", Role.CARE_MANAGER)
        facts = start(self.protocol, started, self.first_visit)
        self.record(Event(EventId(f"start/{n}"), self.now, who, f) for n, f in enumerate(facts))
        self.run_rules()

    def record(self, events: Iterable[Event]) -> None:
        """Make events true."""
        again = False
        for event in events:
            self.events.append(event)
            again = again or isinstance(event.fact, EntryVoided)
            if again:
                self.pathway = refold(self.pathway.id, self.events, self.protocol.vocabulary)
            else:
                self.pathway = apply(self.pathway, event, self.protocol.vocabulary)

    def run_rules(self) -> None:
        """Let Kairos do what it does by itself, until there is nothing left to do."""
        for done in range(5):
            self.rounds = max(self.rounds, done)
            events = automatic(self.protocol, self.pathway, self.now)
            if not events:
                return
            self.record(events)
        raise AssertionError("what Kairos does by itself does not come to rest")

    def do(self, wish: Wish, by: Author | None = None) -> tuple[Event, ...]:
        """Say a wish now, as somebody who may; its refusal is raised."""
        request = RequestId(f"request-{next(self._numbers):04}")
        command = Command(request, by or author(wish), wish)
        before, history = self.pathway, list(self.events)
        try:
            events = answered(self.protocol, self.pathway, command, self.now, history, self.earlier)
        except REFUSALS as refusal:
            self.said.append(Said(self.now, wish, refusal))
            raise
        self.said.append(Said(self.now, wish, None))
        self.record(events)
        since = looks_again_from(before, events, history)
        if since is not None:
            found = questions(self.protocol, before, self.events, since, self.now, self.earlier)
            self.record(found)
        self.run_rules()
        return events

    def attempt(self, wish: Wish, by: Author | None = None) -> Refusal | None:
        """Say a wish now; its refusal is returned."""
        try:
            self.do(wish, by)
        except REFUSALS as refusal:
            return refusal
        return None

    def wait(self, length: timedelta) -> None:
        """Let time pass, waking as a workflow does."""
        until = self.now + length
        while self.now < until:
            self.now = min(until, next_due(self.protocol, self.pathway, self.now))
            self.run_rules()

    def assess(self, scale: str, *items: int) -> None:
        """Score a scale now."""
        self.do(RecordAssessment(scale, self.now, items))

    def measure(self, visit: VisitId | None = None, /, **values: float | str) -> None:
        """Record readings now, each in its unit."""
        self.do(RecordReadings(self.now, readings(**values), visit))

    def facts(self, *kinds: type[F]) -> list[F]:
        """List the facts of these kinds in the order in which they became true."""
        return [event.fact for event in self.events if isinstance(event.fact, kinds)]

    def treatments(self) -> list[Event]:
        """List the events of doses and stimulations."""
        kinds = (DoseGiven, StimulationGiven)
        return [event for event in self.events if isinstance(event.fact, kinds)]
