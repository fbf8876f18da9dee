"""What an EHR's chart says by itself: it can answer yes, and never no.

A diagnosis, an allergy or a drug that stands there is an answer. That none stands there is unknown
until a person says so: charts are incomplete, and no list of codes is whole.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Literal

from domain.language.names import CARE, ObservationName, Roles

ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
OIDS = {
    "urn:oid:2.16.840.1.113883.6.90": ICD_10_CM,
    "urn:oid:2.16.840.1.113883.6.96": "http://snomed.info/sct",
    "urn:oid:2.16.840.1.113883.6.88": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "urn:oid:2.16.840.1.113883.6.1": "http://loinc.org",
}
"""Code systems by the names that older interfaces give them."""


class ChartType(StrEnum):
    """What is read of a chart, by its FHIR type."""

    CONDITION = "Condition"
    ALLERGY = "AllergyIntolerance"
    MEDICATION = "MedicationRequest"
    OBSERVATION = "Observation"
    COVERAGE = "Coverage"


@dataclass(frozen=True, slots=True)
class ChartSign:
    """What of a chart gives an observation its answer.

    Codes are of one system; one of ICD-10-CM stands for all below it. `past` says that it counts
    also when it is over. An Observation has to have one of the `values`, and be no older than
    `within`. A Coverage needs no code: one that is in force is enough.
    """

    observation: ObservationName
    answer: str
    type: ChartType
    system: str = ""
    codes: tuple[str, ...] = ()
    past: bool = False
    value_system: str = ""
    values: tuple[str, ...] = ()
    within: timedelta | None = None

    def names(self, system: str, code: str) -> bool:
        """Say whether a coding is one of these."""
        if OIDS.get(system, system) != self.system:
            return False
        if self.system != ICD_10_CM:
            return code in self.codes
        return any(_is_of(code, each) for each in self.codes)


def _is_of(code: str, category: str) -> bool:
    """Say whether a code is a category's or below it, with its dot or without."""
    return code.replace(".", "").startswith(category.replace(".", ""))


@dataclass(frozen=True, slots=True)
class ChartEntry:
    """An entry of the chart that answers something: which, and where it stands (`Condition/17`)."""

    observation: ObservationName
    answer: str
    resource: str
    code: str = ""

    @property
    def key(self) -> str:
        """The same whenever the chart is read; another code is another entry."""
        return f"{self.resource}/{self.observation}/{self.code}"

    @property
    def type(self) -> ChartType:
        """Its FHIR type."""
        return ChartType(self.resource.partition("/")[0])

    def __str__(self) -> str:
        return f"{self.resource}, {self.code}" if self.code else self.resource


@dataclass(frozen=True, slots=True)
class ChartReading:
    """What a reading of the chart brought, and which types could not be read, or not whole."""

    entries: tuple[ChartEntry, ...] = ()
    unread: tuple[ChartType, ...] = ()


@dataclass(frozen=True, slots=True)
class ReadChart:
    """Read the chart again, now. What it says is Kairos' to find, not a person's to send."""

    MAY: ClassVar[Roles] = CARE

    reading: ChartReading = ChartReading()
    kind: Literal["read-chart"] = "read-chart"


@dataclass(frozen=True, slots=True)
class ChartRead:
    """The chart was read. `counted` names the entries that count as an answer from here on."""

    reading: ChartReading
    counted: tuple[str, ...] = ()
    kind: Literal["chart-read"] = "chart-read"


@dataclass(frozen=True, slots=True)
class Chart:
    """The chart as it was when it was read last; of what could not be read, as it was before."""

    read: datetime
    entries: tuple[ChartEntry, ...] = ()
    unread: tuple[ChartType, ...] = ()


ChartWish = ReadChart
ChartFact = ChartRead
