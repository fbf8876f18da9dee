"""Reading the EHR's chart again, as it is asked for."""

from api.commands.bodies import Nothing
from api.commands.catalogue.entry import Entry
from domain.language import chart as wishes

ENTRIES = (
    Entry(
        path="/chart",
        tag="chart",
        summary="Read the EHR's chart again",
        says="Read the chart in the EHR now: diagnoses, allergies, medications, coverage and"
        " whatever else the vocabulary asks for. What is in the chart counts as a yes; what is not"
        " there is never taken as a no. It is also read at the start and at each check-in.",
        body=Nothing,
        wish=wishes.ReadChart,
        make=lambda _, __: wishes.ReadChart(),
    ),
)
