"""Payers' authorizations, as they are recorded."""

from typing import ClassVar

from pydantic import Field

from api.commands.catalogue.entry import Entry
from api.commands.words import Body, Count, Day, Example, Short
from domain.language import authorizations as wishes
from domain.language.authorizations import AuthorizedUnit
from domain.language.names import Treatment


class RecordAuthorization(Body):
    """Record what a payer authorized, as its letter says."""

    EXAMPLE: ClassVar[Example] = {
        "treatment": "esketamine",
        "number": "PA-1048",
        "starts": "2027-02-15",
        "ends": "2027-08-14",
        "units": 644,
        "unit": "mg",
        "codes": ["J0013"],
        "excludes": [],
    }

    treatment: Treatment
    number: Short = Field(description="the payer's own authorization number")
    starts: Day = Field(description="the first day that it covers")
    ends: Day = Field(description="the last day that it covers")
    units: Count = Field(description="how many it pays for")
    unit: AuthorizedUnit
    codes: list[Short] = Field(description="the CPT or HCPCS codes that it names", max_length=20)
    excludes: list[Treatment] = Field(
        default=[],
        max_length=2,
        description="treatments it does not pay alongside; empty if the letter names none",
    )


ENTRIES = (
    Entry(
        path="/authorizations",
        tag="chart",
        summary="Record a payer's authorization",
        says="Record what a payer authorized: the treatment, the days, the amount and the codes."
        " Each session uses some of it; before a session that no authorization will cover, a new"
        " one is asked for. It is kept in Kairos and is not written to the EHR.",
        body=RecordAuthorization,
        wish=wishes.RecordAuthorization,
        make=lambda body, _: wishes.RecordAuthorization(
            body.treatment,
            body.number,
            body.starts,
            body.ends,
            body.units,
            body.unit,
            tuple(body.codes),
            tuple(body.excludes),
        ),
    ),
)
