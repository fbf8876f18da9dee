"""Reading the EHR's chart again, as it is asked for."""

from api.commands.bodies import Nothing
from api.commands.catalogue.entry import Entry
from domain.language import chart as wishes

ENTRIES = (
    Entry(
        path="/chart",
        tag="chart",
        summary="Read the EHR's chart again",
        says="Read diagnoses, allergies, drugs, coverage and what else the vocabulary asks of the"
        " EHR's chart, now. What stands there answers yes; that something does not is never a no."
        " It is read at the start and at each check-in too.",
        body=Nothing,
        wish=wishes.ReadChart,
        make=lambda _, __: wishes.ReadChart(),
    ),
)
