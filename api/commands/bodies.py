"""What people send: one shape for each wish of the domain, with an example that is tested."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from api.models.words import (
    Body,
    Count,
    EhrId,
    Example,
    Instant,
    Number,
    Short,
    Slug,
    WallTime,
    Word,
    Words,
)
from domain.language import holds, observations, overrides, phases, release, treatment, visits
from domain.language import names as n

_TIME = "2027-03-01T14:05:00-05:00"
_VISIT = "esketamine-induction-visit-1"
DEVIATION = "why it was given although a rule stood in the way, or was cut short; else left out"


class StartPathway(Body):
    """Enrol a patient of the site's EHR on an approved protocol."""

    EXAMPLE: ClassVar[Example] = {
        "site": "manhattan",
        "patient": "patient-1",
        "protocol": "esketamine-then-dtms",
        "first_visit": WallTime.EXAMPLE,
    }

    site: Slug
    patient: EhrId = Field(description="the patient's id at the site's EHR")
    protocol: Slug
    version: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = Field(
        default=None, description="the newest approved one if left out"
    )
    first_visit: WallTime


class SignOrder(Body):
    """Order the treatment of a phase."""

    EXAMPLE: ClassVar[Example] = {"phase": "esketamine-induction"}

    phase: Slug

    def wish(self) -> phases.SignOrder:
        """Say it to the domain."""
        return phases.SignOrder(n.PhaseId(self.phase))


class BookVisit(Body):
    """Book a proposed visit, at its proposed time unless another is given."""

    EXAMPLE: ClassVar[Example] = {"at": WallTime.EXAMPLE}

    at: WallTime | None = None

    def wish(self, visit: str) -> visits.BookVisit:
        """Say it to the domain."""
        return visits.BookVisit(n.VisitId(visit), self.at.local() if self.at else None)


class MoveVisit(Body):
    """Move a proposed or booked visit."""

    EXAMPLE: ClassVar[Example] = {"to": WallTime.EXAMPLE}

    to: WallTime

    def wish(self, visit: str) -> visits.MoveVisit:
        """Say it to the domain."""
        return visits.MoveVisit(n.VisitId(visit), self.to.local())


class Nothing(Body):
    """An empty object: the address says it all. The body may also be left out."""


class Release(Body):
    """Let the patient go; or record that they left against advice, with what happened.

    The example is the ordinary release: nobody should record the other by copying.
    """

    EXAMPLE: ClassVar[Example] = {}

    against_advice: Words | None = None
    left_at: Instant | None = Field(
        default=None, description="when the patient left, if that is recorded later"
    )

    def wish(self, visit: str) -> release.ReleaseVisit:
        """Say it to the domain."""
        return release.ReleaseVisit(n.VisitId(visit), self.against_advice or "", self.left_at)


class CancelVisit(Body):
    """Call off a visit that is still to come."""

    EXAMPLE: ClassVar[Example] = {"reason": "the patient telephoned: a cold"}

    reason: Words

    def wish(self, visit: str) -> visits.CancelVisit:
        """Say it to the domain."""
        return visits.CancelVisit(n.VisitId(visit), self.reason)


class Measured(Body):
    """A value with the unit it was reported in, or one of the observation's answers."""

    EXAMPLE: ClassVar[Example] = {"observation": "systolic_bp", "value": 128, "unit": "mmHg"}

    observation: Word
    value: Number | None = None
    unit: Short | None = None
    answer: Short | None = None


class RecordReadings(Body):
    """Record readings that were taken together."""

    EXAMPLE: ClassVar[Example] = {
        "measured_at": _TIME,
        "visit": _VISIT,
        "readings": [
            Measured.EXAMPLE,
            {"observation": "diastolic_bp", "value": 82, "unit": "mmHg"},
        ],
    }

    measured_at: Instant
    readings: tuple[Measured, ...] = Field(min_length=1, max_length=40)
    visit: Slug | None = None

    def wish(self) -> observations.RecordReadings:
        """Say it to the domain."""
        taken = tuple(
            observations.Measurement(n.ObservationName(r.observation), r.value, r.unit, r.answer)
            for r in self.readings
        )
        visit = n.VisitId(self.visit) if self.visit else None
        return observations.RecordReadings(self.measured_at, taken, visit)


class RecordAssessment(Body):
    """Record a rating scale item by item; the total is computed."""

    EXAMPLE: ClassVar[Example] = {
        "scale": "phq9",
        "assessed_at": _TIME,
        "items": [2, 2, 1, 2, 1, 2, 1, 0, 0],
    }

    scale: Word
    assessed_at: Instant
    items: tuple[Count, ...] = Field(min_length=1, max_length=60)

    def wish(self) -> observations.RecordAssessment:
        """Say it to the domain."""
        return observations.RecordAssessment(self.scale, self.assessed_at, self.items)


class RecordDose(Body):
    """Record a dose that was given, from the moment of the first device."""

    EXAMPLE: ClassVar[Example] = {
        "visit": _VISIT,
        "first_device_at": _TIME,
        "mg": 56,
        "lot": "LOT-0001",
    }

    visit: Slug
    first_device_at: Instant
    mg: Count
    lot: Short = Field(description="read from the device, never prefilled")
    deviation: Words | None = Field(default=None, description=DEVIATION)

    def wish(self) -> treatment.RecordDose:
        """Say it to the domain."""
        return treatment.RecordDose(
            n.VisitId(self.visit),
            self.first_device_at,
            self.mg,
            self.lot,
            self.deviation or "",
        )


class RecordStimulation(Body):
    """Record a dTMS session that was given."""

    EXAMPLE: ClassVar[Example] = {
        "visit": "accelerated-dtms-visit-1",
        "started_at": _TIME,
        "ended_at": "2027-03-01T14:25:00-05:00",
        "pulses": 1980,
        "intensity_percent_mt": 120,
        "output_percent": 66,
    }

    visit: Slug
    started_at: Instant
    ended_at: Instant
    pulses: Count
    intensity_percent_mt: Count
    output_percent: Count
    deviation: Words | None = Field(default=None, description=DEVIATION)

    def wish(self) -> treatment.RecordStimulation:
        """Say it to the domain."""
        return treatment.RecordStimulation(
            n.VisitId(self.visit),
            self.started_at,
            self.ended_at,
            self.pulses,
            self.intensity_percent_mt,
            self.output_percent,
            self.deviation or "",
        )


class PlaceHold(Body):
    """Stop all treatment until a prescriber lifts it."""

    EXAMPLE: ClassVar[Example] = {
        "reason": "medical-review",
        "note": "review before the next session",
    }

    reason: n.HoldReason
    note: str = Field(default="", max_length=2000)

    def wish(self) -> holds.PlaceHold:
        """Say it to the domain."""
        return holds.PlaceHold(self.reason, self.note)


class LiftHold(Body):
    """Lift a hold."""

    EXAMPLE: ClassVar[Example] = {"reason": "reviewed; treatment may go on"}

    reason: Words

    def wish(self, hold: str) -> holds.LiftHold:
        """Say it to the domain."""
        return holds.LiftHold(n.HoldId(hold), self.reason)


class OverrideGate(Body):
    """Let a gate that holds pass at this visit, for what was found so far."""

    EXAMPLE: ClassVar[Example] = {
        "visit": _VISIT,
        "gate": "blood-pressure-before",
        "reason": "known, treated, rechecked",
    }

    visit: Slug
    gate: Slug
    reason: Words

    def wish(self) -> overrides.OverrideGate:
        """Say it to the domain."""
        return overrides.OverrideGate(n.VisitId(self.visit), n.RuleId(self.gate), self.reason)


class Decide(Body):
    """Decide at the end of a phase, or at a review of an open one."""

    EXAMPLE: ClassVar[Example] = {
        "phase": "esketamine-induction",
        "decision": "continue",
        "reason": "response at four weeks",
    }

    phase: Slug
    decision: n.Decision
    reason: Words

    def wish(self) -> phases.Decide:
        """Say it to the domain."""
        return phases.Decide(n.PhaseId(self.phase), self.decision, self.reason)


class ResolveDelivery(Body):
    """Decide about a delivery that needs a person.

    `retry` sends it again, after looking whether an earlier try stands there. `accept` takes what
    the EHR made of it. `supersede` says that it is not needed any more or was entered there by
    hand; with an `ehr_id` also as which resource, so that what refers to it can follow.
    """

    EXAMPLE: ClassVar[Example] = {"action": "retry", "reason": "the EHR's permission was corrected"}

    action: Literal["retry", "accept", "supersede"]
    reason: Words
    ehr_id: EhrId | None = Field(
        default=None,
        description="only with `supersede`: the id, of the delivery's type, as which it stands"
        " in the EHR; it is read there, and 409 says what is wrong with it",
    )

    @model_validator(mode="after")
    def _only_where_it_says_something(self) -> Self:
        if self.ehr_id is not None and self.action != "supersede":
            raise ValueError("ehr_id goes with supersede only")
        return self


COMMANDS: tuple[type[Body], ...] = (
    StartPathway, SignOrder, BookVisit, MoveVisit, Nothing, Release, CancelVisit, RecordReadings,
    RecordAssessment, RecordDose, RecordStimulation, PlaceHold, LiftHold, OverrideGate, Decide,
    ResolveDelivery,
)  # fmt: skip
