"""Doses and stimulations: recorded as the rules ask, or reported as given against one."""

from typing import ClassVar

from pydantic import Field

from api.commands.catalogue.entry import TIME, VISIT, Entry
from api.commands.words import Body, Count, Example, Instant, Short, Words
from api.edge.parameters import Slug
from domain.language import treatment as wishes
from domain.language.names import VisitId

WHAT_HAPPENED = Field(description="in words: what was done, why, and who was told")


class RecordDose(Body):
    """Record a dose that was given, from the moment of the first device."""

    EXAMPLE: ClassVar[Example] = {
        "visit": VISIT,
        "first_device_at": TIME,
        "mg": 56,
        "lot": "LOT-0001",
    }

    visit: Slug
    first_device_at: Instant
    mg: Count
    lot: Short = Field(description="read from the device, never prefilled")


class RecordStimulation(Body):
    """Record a dTMS session that was given."""

    EXAMPLE: ClassVar[Example] = {
        "visit": "accelerated-dtms-visit-1",
        "started_at": TIME,
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


class ReportDose(RecordDose):
    """Report a dose that was given although a rule stood in the way."""

    EXAMPLE: ClassVar[Example] = RecordDose.EXAMPLE | {
        "what_happened": "Given before the pressure was read; Dr. P. was called at 14:10."
    }

    what_happened: Words = WHAT_HAPPENED


class ReportStimulation(RecordStimulation):
    """Report a dTMS session that was cut short, or given although a rule stood in the way."""

    EXAMPLE: ClassVar[Example] = RecordStimulation.EXAMPLE | {
        "pulses": 400,
        "what_happened": "Stopped at the patient's wish: headache. Dr. P. was called at 14:10.",
    }

    what_happened: Words = WHAT_HAPPENED


def dosed(body: RecordDose) -> wishes.RecordDose:
    """The dose in the domain's words."""
    return wishes.RecordDose(VisitId(body.visit), body.first_device_at, body.mg, body.lot)


def stimulated(body: RecordStimulation) -> wishes.RecordStimulation:
    """The stimulation in the domain's words."""
    return wishes.RecordStimulation(
        VisitId(body.visit),
        body.started_at,
        body.ended_at,
        body.pulses,
        body.intensity_percent_mt,
        body.output_percent,
    )


ENTRIES = (
    Entry(
        path="/doses",
        tag="chart",
        summary="Record a dose that was given",
        says="Record a dose from the moment of its first device, from which observation counts.",
        body=RecordDose,
        wish=wishes.RecordDose,
        make=lambda body, _: dosed(body),
    ),
    Entry(
        path="/stimulations",
        tag="chart",
        summary="Record a stimulation that was given",
        says="Record a dTMS session with what the device showed.",
        body=RecordStimulation,
        wish=wishes.RecordStimulation,
        make=lambda body, _: stimulated(body),
    ),
    Entry(
        path="/incidents/doses",
        tag="incidents",
        summary="Report a dose that was given against a rule",
        says="Report a dose already given, never one still to be given. It is recorded with the"
        " rules it broke, and observation counts from its first device. If a rule said stop and the"
        " report is not a prescriber's, it is recorded as not authorized: a prescriber must"
        " review it by a set time, and nothing is given until they have written what they found.",
        body=ReportDose,
        wish=wishes.ReportDose,
        make=lambda body, _: wishes.ReportDose(
            VisitId(body.visit), body.first_device_at, body.mg, body.lot, body.what_happened
        ),
    ),
    Entry(
        path="/incidents/stimulations",
        tag="incidents",
        summary="Report a stimulation that was cut short or given against a rule",
        says="Report a dTMS session that was cut short or given against a rule; otherwise as for a"
        " dose.",
        body=ReportStimulation,
        wish=wishes.ReportStimulation,
        make=lambda body, _: wishes.ReportStimulation(
            VisitId(body.visit),
            body.started_at,
            body.ended_at,
            body.pulses,
            body.intensity_percent_mt,
            body.output_percent,
            body.what_happened,
        ),
    ),
)
