"""Corrections: an entry made in error, and what was so instead."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from api.commands.catalogue import observations, release, treatment
from api.commands.catalogue.entry import VISIT, Entry
from api.commands.words import Body, EventName, Example, Slug, Words
from domain.language import corrections as wishes
from domain.language.names import EventId


class Left(release.Release):
    """When and how the patient left that visit."""

    EXAMPLE: ClassVar[Example] = {"visit": VISIT, "left_at": "2027-03-01T16:30:00-05:00"}

    visit: Slug


class CorrectEntry(Body):
    """Mark an entry as made in error; and say, at most once, what was so instead.

    The example takes a reading back that never was.
    """

    EXAMPLE: ClassVar[Example] = {
        "event": "0f9f6b8e-9a43-4c3c-8c0a-4d6a7d1c8e11/0",
        "reason": "typed for another patient",
    }

    event: EventName = Field(description="the id of the entry, as the timeline gives it")
    reason: Words
    readings: observations.RecordReadings | None = None
    assessment: observations.RecordAssessment | None = None
    dose: treatment.RecordDose | None = None
    stimulation: treatment.RecordStimulation | None = None
    release: Left | None = None

    @model_validator(mode="after")
    def _one_thing_was_so(self) -> Self:
        said = (self.readings, self.assessment, self.dose, self.stimulation, self.release)
        if sum(each is not None for each in said) > 1:
            raise ValueError("say one thing that was so instead, of the same kind as the entry")
        return self

    def instead(self) -> wishes.Instead | None:
        """What was so, in the domain's words."""
        if self.readings is not None:
            return observations.made(self.readings)
        if self.assessment is not None:
            return observations.scored(self.assessment)
        if self.dose is not None:
            return treatment.dosed(self.dose)
        if self.stimulation is not None:
            return treatment.stimulated(self.stimulation)
        return None if self.release is None else release.left(self.release, self.release.visit)


ENTRIES = (
    Entry(
        path="/corrections",
        tag="chart",
        summary="Correct an entry that was made in error",
        says="Mark an entry as made in error, with the reason, and say what was so instead. The"
        " entry stays in the timeline, marked, and in the EHR as `entered-in-error`; it counts no"
        " more. What rested on it is named, and whoever must look is asked. A reading that a"
        " prescriber must see is taken back by a prescriber only.",
        body=CorrectEntry,
        wish=wishes.CorrectEntry,
        make=lambda body, _: wishes.CorrectEntry(EventId(body.event), body.reason, body.instead()),
    ),
)
