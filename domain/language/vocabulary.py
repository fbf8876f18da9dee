"""The closed list of what may be observed: units, physical ranges, answers and verified codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from domain.language.chart import ChartSign
from domain.language.names import ObservationName, Role, Treatment

GRANTED = "granted"
"""What a payer's authorization answers, as long as it covers the day; nobody records it."""

NOT_REQUIRED = "not required"
"""What somebody answers where no payer is asked."""


@dataclass(frozen=True, slots=True)
class Code:
    """A code whose meaning was verified in its owner's text, or one of our own system."""

    system: str
    code: str
    display: str


@dataclass(frozen=True, slots=True)
class Alert:
    """A value that a prescriber must have seen before anything goes on, whatever gates say."""

    above: Decimal | None = None
    below: Decimal | None = None
    answer: str | None = None

    def met(self, value: Decimal | None, answer: str | None) -> bool:
        """Say whether a reading is one of these."""
        if value is None:
            return self.answer is not None and answer == self.answer
        high = self.above is not None and value > self.above
        return high or (self.below is not None and value < self.below)


@dataclass(frozen=True, slots=True)
class ObservationKind:
    """One thing that may be observed.

    Numbers have a unit as people write it, a UCUM code and a physical range; answers have a closed
    list. A derived kind is computed and never recorded. `code` is None where none was verified.
    `panel` names the code that several kinds share as components of one FHIR Observation.
    """

    name: ObservationName
    title: str
    unit: str | None
    ucum: str | None
    low: Decimal | None
    high: Decimal | None
    answers: tuple[str, ...]
    derived: bool
    recorded_by: tuple[Role, ...]
    code: Code | None
    panel: Code | None
    category: str  # FHIR observation category: vital-signs, survey, exam, procedure
    alert: Alert | None = None
    reduction_of: ObservationName | None = None  # the score whose fall, in percent, it is
    counts_trials_from: timedelta | None = None  # it is the number of earlier trials so long
    authorizes: Treatment | None = None  # it says whether a payer pays for this treatment
    said_otherwise_by: tuple[Role, ...] = ()  # once it stops treatment; empty: by who records it

    @property
    def numeric(self) -> bool:
        """Say whether the value is a number."""
        return not self.answers

    def amount(self, value: Decimal | str | None) -> str:
        """Say a value with its unit: `1 point`, `2 points`."""
        if self.unit is None:
            return str(value)
        return f"{value} {self.unit.removesuffix('s') if str(value) == '1' else self.unit}"


@dataclass(frozen=True, slots=True)
class Scale:
    """A rating scale: items, each from 0 to `item_high`; the total is their sum."""

    name: str
    title: str
    item_titles: tuple[str, ...]
    item_high: int
    item_codes: tuple[Code | None, ...]
    total: ObservationName
    panel: Code | None
    item_observations: Mapping[int, ObservationName]  # item number, from 1, to what a gate may name
    recorded_by: tuple[Role, ...]
    source: str

    def brings(self, items: Sequence[int], total: int) -> dict[ObservationName, Decimal]:
        """Name the observations that an assessment brings, each with its value."""
        named = {name: items[item - 1] for item, name in self.item_observations.items()}
        return {name: Decimal(value) for name, value in ({self.total: total} | named).items()}


@dataclass(frozen=True, slots=True)
class Tier:
    """What the answers of a screener come to, which has no sum: 0 for none, then ever more severe.

    `levels` names for each tier the answers of which one is enough; `always` what is asked in any
    case, and `asks_then` what is asked after an answer.
    """

    levels: Mapping[int, tuple[tuple[ObservationName, str], ...]]
    always: tuple[ObservationName, ...]
    asks_then: tuple[tuple[tuple[ObservationName, str], tuple[ObservationName, ...]], ...]
    source: str

    @property
    def items(self) -> tuple[ObservationName, ...]:
        """Everything that may be asked."""
        then = (name for _, names in self.asks_then for name in names)
        return tuple(dict.fromkeys((*self.always, *then)))


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every observation and scale that a protocol may name."""

    observations: Mapping[ObservationName, ObservationKind]
    scales: Mapping[str, Scale]
    drugs: Mapping[str, Code]
    diagnoses: Mapping[str, Code]
    id: str = ""  # empty of one pinned before they were signed
    version: int = 0
    tiers: Mapping[ObservationName, Tier] = field(default_factory=dict)
    chart: tuple[ChartSign, ...] = ()  # what the EHR's chart answers by itself

    def kind(self, name: ObservationName) -> ObservationKind:
        """Find an observation; KeyError if a protocol got past the loader with an unknown one."""
        return self.observations[name]

    def judged(self) -> frozenset[ObservationName]:
        """Name the scores whose fall is judged. All of their readings are kept."""
        kinds = self.observations.values()
        return frozenset(kind.reduction_of for kind in kinds if kind.reduction_of is not None)
