"""Corrections: an entry made in error, and what was so instead."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from api.commands.catalogue import observations, release, treatment
from api.commands.catalogue.entry import VISIT, Entry
from api.commands.words import Body, EventName, Example, Words
from api.edge.parameters import Slug
from domain.language import corrections as wishes
from domain.language.names import EventId, PathwayId, VisitId


class Left(release.Release):
    """When and how the patient left that visit."""

    EXAMPLE: ClassVar[Example] = {"visit": VISIT, "left_at": "2027-03-01T16:30:00-05:00"}

    visit: Slug


class WrongPatient(Body):
    """The patient it belongs to. Without `pathway`: a patient who is treated elsewhere."""

    EXAMPLE: ClassVar[Example] = {
        "pathway": "0f9f6b8e-9a43-4c3c-8c0a-4d6a7d1c8e11",
        "visit": VISIT,
    }

    pathway: str | None = Field(
        default=None, description="its pathway; leave it out if that patient has none here"
    )
    visit: Slug | None = Field(
        default=None, description="the visit on that pathway at which it was given or measured"
    )


class CorrectEntry(Body):
    """Mark an entry as made in error and, where there is one, give the correct entry.

    The example withdraws a reading that was never taken.
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
    wrong_patient: WrongPatient | None = Field(
        default=None,
        description="it belongs to another patient: marked in error here and recorded there",
    )

    @model_validator(mode="after")
    def _one_thing_was_so(self) -> Self:
        said = (self.readings, self.assessment, self.dose, self.stimulation, self.release)
        if sum(each is not None for each in (*said, self.wrong_patient)) > 1:
            raise ValueError(
                "give one only: the correct entry, of the same kind, or the patient it belongs to"
            )
        return self

    def whose(self) -> wishes.WrongPatient | None:
        """Whose it was, in the domain's words."""
        if self.wrong_patient is None:
            return None
        there, visit = self.wrong_patient.pathway, self.wrong_patient.visit
        return wishes.WrongPatient(
            None if there is None else PathwayId(there), None if visit is None else VisitId(visit)
        )

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
        says="Mark an entry as made in error, with the reason, and give the correct one if there is"
        " one. The entry stays in the timeline, marked, and in the EHR as `entered-in-error`; it no"
        " longer counts. Whatever relied on it is listed and sent for review. Only a prescriber can"
        " correct a reading that a prescriber must see. An entry that belongs to another patient is"
        " recorded on that pathway in the same step, with the same author and time, and both"
        " prescribers are asked to review.",
        body=CorrectEntry,
        wish=wishes.CorrectEntry,
        make=lambda body, _: wishes.CorrectEntry(
            EventId(body.event), body.reason, body.instead(), body.whose()
        ),
    ),
)
