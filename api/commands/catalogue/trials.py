"""Earlier treatments, as they are recorded."""

from typing import ClassVar

from pydantic import Field

from api.commands.catalogue.entry import Entry
from api.commands.words import Body, Count, Example, Short
from domain.language import trials as wishes
from domain.language.trials import TrialOutcome


class RecordTrial(Body):
    """Record an earlier treatment of this depression, and what came of it."""

    EXAMPLE: ClassVar[Example] = {
        "drug": "sertraline",
        "drug_class": "SSRI",
        "dose": "200 mg daily",
        "weeks": 10,
        "outcome": "no-response",
    }

    drug: Short
    drug_class: Short
    dose: Short = Field(description="the highest dose taken, as it is written")
    weeks: Count = Field(description="how long it was taken")
    outcome: TrialOutcome


ENTRIES = (
    Entry(
        path="/trials",
        tag="chart",
        summary="Record an earlier treatment",
        says="Record a medication that was tried before. Payers ask for these, and a protocol"
        " counts them. It is kept in Kairos and is not written to the EHR.",
        body=RecordTrial,
        wish=wishes.RecordTrial,
        make=lambda body, _: wishes.RecordTrial(
            body.drug, body.drug_class, body.dose, body.weeks, body.outcome
        ),
    ),
)
