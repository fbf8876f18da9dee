"""Exactly one effect in the EHR, on the core alone: the domain beside a machine that is the EHR.

The machine knows the truth that no answer need tell: whether the write stands, whether one is
still on its way, and from when on the EHR's search shows it. Whatever the EHR answers, loses or
breaks, however late its search is, whenever a process dies, and whatever people choose who look
before they say that it is not there, at every moment at most one write stands.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from domain.delivery import outcomes as o
from domain.delivery.after import (
    MOST_ATTEMPTS,
    after,
    begun,
    given_up,
    looks_first,
    may_move,
)
from domain.delivery.resolve import NotThere, ThisOne, possible, resolve
from domain.delivery.words import OPEN, Action, Delivery, DeliveryDecision, DeliveryState
from tests.domain.delivery.a_delivery import NOW, OPERATOR, a_delivery, chosen, settled
from tests.domain.wild import courses

Fate = Literal["not", "done", "late"]
"""What became of a write that left: never done, done at once, or done before it has settled."""

DIES = None
"""In place of an outcome: the process dies, and nothing is settled."""

WITHOUT_EFFECT: tuple[o.AttemptOutcome, ...] = (
    o.NeverLeft(),
    o.Busy("429", None),
    o.Stale(),
    o.Silent(ehr_answers=True),
    o.Silent(ehr_answers=False),
    o.RefusedByEhr("the resource is another patient's", sent=False),
    o.RefusedByEhr("422", sent=True),
)
OF_UNKNOWN_EFFECT: tuple[o.AttemptOutcome | None, ...] = (
    DIES,
    o.Lost(ehr_answers=True),
    o.Lost(ehr_answers=False),
    o.Broke("KeyError"),
)
ANSWERED: tuple[o.AttemptOutcome, ...] = (
    o.RefusedByEhr("403", sent=True),  # an EHR that lies
    o.Busy("429", 30),  # a gateway that counts late
)
NOT_FOUND_OUT: tuple[o.AttemptOutcome | None, ...] = (
    DIES,
    o.NeverLeft(),
    o.Busy("503", 30),
    o.Silent(ehr_answers=True),
    o.Silent(ehr_answers=False),
    o.Lost(ehr_answers=True),
    o.Broke("KeyError"),
    o.Unproven("the EHR ignored the filter"),
    o.Ambiguous(2),
)
READ_BACK: tuple[o.AttemptOutcome | None, ...] = (
    *NOT_FOUND_OUT[:-2],
    o.Equal("1"),
    o.Differs(("status",), "1"),
    o.WrongPatient(),
    o.Claimed("Observation/1 is already what another delivery became"),
    o.NotReadBack("404", gone=True),
    o.NotReadBack("403", gone=False),
)
SENT: tuple[tuple[Fate, o.AttemptOutcome | None], ...] = (
    *(("not", outcome) for outcome in WITHOUT_EFFECT),
    *((fate, outcome) for outcome in OF_UNKNOWN_EFFECT for fate in ("not", "done", "late")),
    *((fate, outcome) for outcome in ANSWERED for fate in ("not", "done")),
)
SECONDS = (0, 0, 1, 20, 59, 60, 61, 900, 4000)
LAGS = (0, 0, 45, 75, 300, 3600)
"""Seconds after which the EHR's search shows what was written."""

KNOWN = ("nothing", "proved", "behind", "lag")
"""What Kairos knows of that search; `proved` alone where a write shows before it has settled."""


@dataclass
class Truth:
    """What really is in the EHR. `once` if it is a change, which names the version it changes."""

    once: bool
    lag: timedelta = timedelta()
    shows_from: datetime = NOW
    writes: int = 0
    on_its_way: list[datetime] = field(default_factory=list)  # when each surfaces at the latest

    def take(self, fate: Fate, now: datetime) -> None:
        """A write leaves for the EHR."""
        if fate == "done":
            self._write(now)
        elif fate == "late":
            self.on_its_way.append(now + o.SETTLING)

    def pass_time(self, now: datetime) -> None:
        """Let surface what has had its time."""
        for surfaces in [each for each in self.on_its_way if each <= now]:
            self.on_its_way.remove(surfaces)
            self._write(surfaces)

    @property
    def stands(self) -> int:
        """How many stand, or will."""
        all_of_them = self.writes + len(self.on_its_way)
        return min(all_of_them, 1) if self.once else all_of_them

    def _write(self, now: datetime) -> None:
        self.writes = 1 if self.once else self.writes + 1
        self.shows_from = now + self.lag


@dataclass
class OneWrite:
    """One delivery on its way to an EHR that loses, lies and breaks."""

    truth: Truth
    knows: str = "proved"
    delivery: Delivery = field(default_factory=a_delivery)
    now: datetime = NOW
    sends: int = 0  # since a person last decided

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to do for anybody."""
        return self.delivery.state in {DeliveryState.CONFIRMED, DeliveryState.SUPERSEDED}

    def step(self, seconds: int, which: int, also: int) -> None:
        """Let time pass, then whoever's turn it is do something."""
        self.now += timedelta(seconds=SECONDS[seconds % len(SECONDS)])
        self.truth.pass_time(self.now)
        asks = given_up(self.delivery)
        if self.delivery.waits_for_person:
            kinds = possible(self.delivery)
            kind = kinds[0] if also % 4 else kinds[which % len(kinds)]
            if self.truth.stands and kind is NotThere:
                kind = ThisOne  # whoever looks sees it
            choice = chosen(kind)
            self._becomes(self.delivery, resolve(self.delivery, choice, OPERATOR))
            self.sends = 0
        elif asks is not None:
            self._becomes(self.delivery, asks)
            assert self.delivery.waits_for_person
        elif looks_first(self.delivery):
            self._look(which, also)
        else:
            self._send(which, also)
        assert self.truth.stands <= 1
        assert self.sends <= MOST_ATTEMPTS
        assert self.delivery.attempts <= MOST_ATTEMPTS + 2
        assert self.ended or self.delivery.waits_for_person or self.delivery.state in OPEN

    def _send(self, which: int, also: int) -> None:
        """It is sent: then it neither stands, nor is on its way, unless that does no harm."""
        assert self.truth.once or self.truth.stands == 0
        self.sends += 1
        if also % 3 == 0:
            self.truth.take("done", self.now)
            self._tried("1", READ_BACK[which % len(READ_BACK)])
            return
        fate, outcome = SENT[which % len(SENT)]
        if self.truth.stands and isinstance(outcome, o.Stale | o.Silent):
            outcome = o.NeverLeft()  # only a change meets those, and it sees first what stands
        if isinstance(outcome, o.RefusedByEhr):
            outcome = replace(outcome, early=self.truth.once)
        self.truth.take(fate, self.now)
        self._tried(None, outcome)

    def _look(self, which: int, also: int) -> None:
        """It is looked for or read: what the EHR then says is true, or nothing comes of it."""
        if self.delivery.ehr_id is not None:
            self._tried(self.delivery.ehr_id, READ_BACK[which % len(READ_BACK)])
        elif also % 3 == 0:
            self._tried(None, NOT_FOUND_OUT[which % len(NOT_FOUND_OUT)])
        elif self.truth.writes and (self.truth.once or self.now >= self.truth.shows_from):
            self._tried("1", READ_BACK[which % len(READ_BACK)])
        else:
            self._tried(None, self._absent())

    def _absent(self) -> o.Absent:
        """It is not shown, and Kairos knows of the search what it may know."""
        if self.truth.once or self.knows == "proved":
            return o.Absent(self.truth.once)
        if self.knows == "nothing":
            return o.Absent(early=False, proved=False)
        if self.knows == "lag":
            return o.Absent(early=False, lag=self.truth.lag)
        return o.Absent(early=False, behind=self.truth.writes > 0)

    def _tried(self, ehr_id: str | None, outcome: o.AttemptOutcome | None) -> None:
        stands = begun(self.delivery, self.now)
        if outcome is DIES:
            self.delivery = stands
            return
        self._becomes(stands, after(replace(self.delivery, ehr_id=ehr_id), outcome, self.now))
        if self.delivery.state is DeliveryState.REFUSED:
            assert self.truth.stands == 0

    def _becomes(self, stands: Delivery, decision: DeliveryDecision) -> None:
        assert may_move(stands.state, decision.state)
        self.delivery = settled(stands, decision, self.now)


NUMBERS = st.integers(0, 999)


@given(
    once=st.booleans(),
    lag=st.sampled_from(LAGS),
    knows=st.sampled_from(KNOWN),
    treatment=st.booleans(),
    steps=st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=20, max_size=80),
)
@courses(500)
def test_at_most_one_write_stands(
    *, once: bool, lag: int, knows: str, treatment: bool, steps: list[tuple[int, int, int]]
):
    """Never two, never one that stands called refused, never more sends than attempts."""
    truth = Truth(once, timedelta() if knows == "proved" else timedelta(seconds=lag))
    action = Action.UPDATE if once else Action.CREATE
    kind = "Procedure" if treatment else "Observation"
    write = OneWrite(truth, knows, a_delivery(action=action, resource_type=kind))
    for seconds, which, also in steps:
        if write.ended:
            break
        write.step(seconds, which, also)
