"""A simulated clinic: staff who follow what is next on a pathway, and sometimes misbehave.

Pure and deterministic: it drives the domain alone, in virtual time. What staff do at each turn is
named in `TURNS`, the first being good behaviour; a `script` says it for one visit, `choices` in the
order in which the turns come, and whoever is asked once these are used up behaves well.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import NamedTuple

from domain import commands as c
from domain import events as e
from domain.automatic import automatic
from domain.clocks import LocalTime, local, local_day
from domain.decide import decide, start
from domain.errors import Conflict, Malformed, Refused
from domain.fold import apply
from domain.names import (
    Author,
    ConnectionId,
    Decision,
    EhrPatientId,
    EventId,
    HoldReason,
    ObservationName,
    PathwayId,
    PhaseId,
    RequestId,
    Role,
    RuleId,
    SiteId,
    VisitId,
    VisitStatus,
)
from domain.pathway import Pathway
from domain.permissions import roles_for
from domain.planner import next_due, next_step
from domain.protocol import CombinedProtocol, Requirement
from domain.steps import Ask, AskPerson, Await, Finished, Step
from protocols.loader import SHIPPED, load_protocols

COMBINED = load_protocols(SHIPPED).combined("esketamine-then-dtms")
INDUCTION, DTMS, MAINTENANCE = (phase.id for phase in COMBINED.phases)
NEW_YORK = "America/New_York"

TURNS = {
    "come": ("comes", "misses", "moves a day", "comes late", "moves back"),
    "pressure": ("is fine", "is high"),
    "held": ("overrides", "measures again", "leaves"),
    "give": ("gives", "28 mg", "double click", "too early", "hold", "late entry", "stops early"),
    "leave": ("waits", "too early"),
}
GOOD = {
    "systolic_bp": 128,
    "diastolic_bp": 82,
    "spo2": 97,
    "sedation_moaas": 5,
    "dissociation_cadss": 0,
    "motor_threshold": 55,
}
MINUTE, SESSION = timedelta(minutes=1), timedelta(minutes=20)
SCORES = {"phq9": (1, 1, 1, 1, 1, 1, 1, 1, 0), "madrs": (1,) * 10, "baseline": (3,) * 10}
Refusal = Refused | Conflict | Malformed


class Said(NamedTuple):
    """A wish, when it was made, and how it was refused if it was."""

    at: datetime
    wish: c.Wish
    refusal: Refusal | None


def author(wish: c.Wish) -> Author:
    """Name somebody who may have this wish."""
    role = roles_for(type(wish))[0]
    return Author(f"a-{role}", role)


def measure(name: str, value: float | str, unit: str | None = None) -> c.Measurement:
    """Write a measurement in the vocabulary's unit, unless another is given."""
    kind = COMBINED.vocabulary.kind(ObservationName(name))
    if isinstance(value, str):
        return c.Measurement(kind.name, answer=value)
    return c.Measurement(kind.name, Decimal(str(value)), unit or kind.unit)


@dataclass
class Clinic:
    """One patient's pathway, the virtual time, and all that was said and became true."""

    first_visit: LocalTime
    protocol: CombinedProtocol = COMBINED
    zone: str = NEW_YORK
    script: Mapping[tuple[str, str], str] = field(default_factory=dict)
    choices: Iterable[int] = ()
    madrs: tuple[int, ...] = SCORES["madrs"]
    mg: int = 84

    def __post_init__(self) -> None:
        """Enrol the patient at noon of the day before the first visit."""
        noon = datetime.combine(self.first_visit.day, datetime.min.time(), UTC)
        self.now = noon - timedelta(hours=6)
        self.events: list[e.Event] = []
        self.said: list[Said] = []
        self.rounds = 0
        self.pathway = Pathway(PathwayId("p1"))
        self._numbers, self._choices = count(1), list(self.choices)
        self._used: set[tuple[str, str]] = set()
        started = e.PathwayStarted(
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
        self.record(e.Event(EventId(f"start/{n}"), self.now, who, f) for n, f in enumerate(facts))
        self.settle()

    def record(self, events: Iterable[e.Event]) -> None:
        """Make events true."""
        for event in events:
            self.events.append(event)
            self.pathway = apply(self.pathway, event, self.protocol.vocabulary)

    def settle(self) -> None:
        """Let Kairos do what it does by itself, until there is nothing left to do."""
        for done in range(5):
            events = automatic(self.protocol, self.pathway, self.now)
            if not events:
                self.rounds = max(self.rounds, done)
                return
            self.record(events)
        raise AssertionError("what Kairos does by itself does not come to rest")

    def do(self, wish: c.Wish) -> tuple[e.Event, ...]:
        """Say a wish now; its refusal is raised."""
        command = c.Command(RequestId(f"request-{next(self._numbers):04}"), author(wish), wish)
        try:
            events = decide(self.protocol, self.pathway, command, self.now)
        except (Refused, Conflict, Malformed) as refusal:
            self.said.append(Said(self.now, wish, refusal))
            raise
        self.said.append(Said(self.now, wish, None))
        self.record(events)
        self.settle()
        return events

    def attempt(self, wish: c.Wish) -> Refusal | None:
        """Say a wish now; its refusal is returned."""
        try:
            self.do(wish)
        except (Refused, Conflict, Malformed) as refusal:
            return refusal
        return None

    def wait(self, length: timedelta) -> None:
        """Let time pass, waking as a workflow does."""
        until = self.now + length
        while self.now < until:
            self.now = min(until, next_due(self.protocol, self.pathway, self.now))
            self.settle()

    def turn(self, what: str, about: str) -> str:
        """Say what staff do at this turn."""
        key = (what, about)
        if key in self.script and key not in self._used:
            self._used.add(key)
            return self.script[key]
        choice = self._choices.pop(0) if self._choices else 0
        return TURNS[what][choice % len(TURNS[what])]

    def run(self, until: str = "", turns: int = 4000) -> Step:
        """Follow what is next until the end, or until it is about this visit or ask."""
        for _ in range(turns):
            step = next_step(self.protocol, self.pathway, self.now)
            about = getattr(step, "about", None)
            if isinstance(step, Finished) or (until and until in (about, getattr(step, "ask", 0))):
                return step
            self.follow(step)
        raise AssertionError(f"no end in sight: {next_step(self.protocol, self.pathway, self.now)}")

    def follow(self, step: Step) -> None:
        """Do what is next."""
        before = (self.now, len(self.events))
        if isinstance(step, Await):
            self.wait(step.until - self.now)
        elif isinstance(step, AskPerson):
            self.answer(step)
        if before == (self.now, len(self.events)):
            self.wait(timedelta(minutes=15))

    def answer(self, step: AskPerson) -> None:
        """Do what is asked, well or badly."""
        match step.ask:
            case Ask.SIGN_ORDER:
                if not self.pathway.baselines:
                    self.assess("madrs", SCORES["baseline"])
                self.do(c.SignOrder(PhaseId(step.about)))
            case Ask.BOOK_VISITS:
                self.book(int(step.about.rsplit("/", 1)[1]))
            case Ask.CHECK_IN:
                self.come(VisitId(step.about))
            case Ask.RESOLVE_VISIT:
                if self.attempt(c.CheckIn(VisitId(step.about))):
                    self.do(c.MissVisit(VisitId(step.about)))
            case Ask.RECORD:
                self.supply(VisitId(step.about), {block.rule for block in step.blocked_by})
            case Ask.GIVE:
                self.give(VisitId(step.about))
            case Ask.RELEASE:
                self.do(c.ReleaseVisit(VisitId(step.about)))
            case Ask.CLEAR_GATE:
                self.clear(step)
            case Ask.LIFT_HOLD:
                hold = next(h for h in self.pathway.open_holds() if h == step.about)
                self.do(c.LiftHold(hold, "Looked at; nothing stands against treatment."))
            case Ask.DECIDE | Ask.REVIEW:
                self.judge(step)

    def book(self, batch: int) -> None:
        """Book what was proposed together, each a day off if the protocol does not allow it."""
        visits = self.pathway.visits_in(self.pathway.phase)
        for visit in visits:
            if visit.batch != batch or visit.status is not VisitStatus.PROPOSED:
                continue
            for days in (0, 1, -1):
                day = visit.proposed.day + timedelta(days=days)
                wanted = LocalTime(day, visit.at.hour) if days else None
                if self.attempt(c.BookVisit(visit.id, wanted)) is None:
                    break

    def come(self, visit: VisitId) -> None:
        """Come to a visit, or not."""
        at = self.pathway.visits[visit].at
        match self.turn("come", visit):
            case "misses":
                self.do(c.MissVisit(visit))
            case "moves a day":
                self.attempt(c.MoveVisit(visit, LocalTime(at.day + timedelta(days=1), at.hour)))
            case "moves back":
                self.attempt(c.MoveVisit(visit, LocalTime(at.day - timedelta(days=1), at.hour)))
            case "comes late":
                self.wait(timedelta(minutes=45))
                self.attempt(c.CheckIn(visit))
            case _:
                self.do(c.CheckIn(visit))

    def supply(self, visit: VisitId, rules: set[RuleId]) -> None:
        """Take the readings that are missing for these gates and checks."""
        phase = self.protocol.phase(self.pathway.visits[visit].phase)
        need = {n for check in phase.timed_checks if check.id in rules for n in check.record}
        wanted = {name: Requirement(name, test=None) for name in need}  # type: ignore[arg-type]
        wanted |= {r.observation: r for gate in phase.gates if gate.id in rules for r in gate.require}
        if ObservationName("phq9_item9") in wanted:
            self.assess("phq9", SCORES["phq9"])
        high = "systolic_bp" in wanted and self.turn("pressure", visit) == "is high"
        given = self.pathway.sessions_at(visit)
        self.take(visit, wanted.values(), high=high and not given)

    def take(self, visit: VisitId, wanted: Iterable[Requirement], *, high: bool = False) -> None:
        """Record readings that meet the requirements, or a pressure of 152/94."""
        values: dict[str, float | str] = {}
        for need in wanted:
            if need.observation in GOOD:
                values[need.observation] = GOOD[need.observation]
            elif need.answer is not None:
                values[need.observation] = need.answer
        if high:
            values |= {"systolic_bp": 152, "diastolic_bp": 94}
        readings = tuple(measure(name, value) for name, value in values.items())
        if readings:
            self.do(c.RecordReadings(self.now, readings, visit))

    def assess(self, scale: str, items: tuple[int, ...]) -> None:
        """Score a scale now."""
        self.do(c.RecordAssessment(scale, self.now, items))
