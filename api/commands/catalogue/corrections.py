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
    """Whose it was. Without `pathway`: a patient who is treated elsewhere."""

    EXAMPLE: ClassVar[Example] = {
        "pathway": "0f9f6b8e-9a43-4c3c-8c0a-4d6a7d1c8e11",
        "visit": VISIT,
    }

    pathway: str | None = Field(
        default=None, description="the pathway of the patient whose it was; left out: not one here"
    )
    visit: Slug | None = Field(
        default=None, description="the visit there at which it was given or read"
    )


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
    wrong_patient: WrongPatient | None = Field(
        default=None,
        description="it was another patient's: taken back here and recorded there, in one act",
    )

    @model_validator(mode="after")
    def _one_thing_was_so(self) -> Self:
        said = (self.readings, self.assessment, self.dose, self.stimulation, self.release)
        if sum(each is not None for each in (*said, self.wrong_patient)) > 1:
            raise ValueError(
                "say one thing: what was so instead, of the same kind as the entry, or whose it was"
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
        says="Mark an entry as made in error, with the reason, and say what was so instead. The"
        " entry stays in the timeline, marked, and in the EHR as `entered-in-error`; it counts no"
        " more. What rested on it is named, and whoever must look is asked. A reading that a"
        " prescriber must see is taken back by a prescriber only. What was another patient's is"
        " recorded there in the same act, with the same author and time, and both prescribers are"
        " asked.",
        body=CorrectEntry,
        wish=wishes.CorrectEntry,
        make=lambda body, _: wishes.CorrectEntry(
            EventId(body.event), body.reason, body.instead(), body.whose()
        ),
    ),
)
