"""The bodies of what is no command of the catalogue; those stand beside their entries there."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from api.commands.words import Body, Day, Example, WallTime, Words
from api.edge.parameters import EhrId, Slug


class Nothing(Body):
    """An empty object: the address says it all. The body may also be left out."""


class StartPathway(Body):
    """Enroll a patient of the site's EHR on an approved protocol."""

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
    referred_on: Day | None = Field(
        default=None, description="the day of the referral, from which the wait is counted"
    )
    labels: list[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        default=[],
        max_length=200,
        description="the record's security labels that you have seen, as the patient search shows"
        " them; a record with any other label is not enrolled",
    )


class ResolveDelivery(Body):
    """Decide about a write to the EHR that needs a person.

    `retry` sends it again, after checking that an earlier try is not in the EHR already. `accept`
    keeps it as the EHR stored it. `supersede` means that it is no longer needed or was entered in
    the EHR by hand; give the `ehr_id` of that entry, so that later writes can refer to it.

    For one of which nobody knows whether it is in the EHR: `this-one` names the entry that it is,
    and Kairos compares it with what was meant; `not-there` says that you looked in the EHR and it
    is not there, and Kairos sends it unless it finds it. `GET /v1/deliveries/{delivery}/candidates`
    shows what it could be.
    """

    EXAMPLE: ClassVar[Example] = {"action": "retry", "reason": "the EHR's permission was corrected"}

    action: Literal["retry", "accept", "supersede", "not-there", "this-one"]
    reason: Words
    ehr_id: EhrId | None = Field(
        default=None,
        description="with `supersede` or `this-one`: the EHR's id of the resource, of the"
        " delivery's type; it is read first, and 409 says what is wrong with it",
    )

    @model_validator(mode="after")
    def _only_where_it_says_something(self) -> Self:
        if self.ehr_id is not None and self.action not in ("supersede", "this-one"):
            raise ValueError("ehr_id may be sent only with supersede or this-one")
        if self.ehr_id is None and self.action == "this-one":
            raise ValueError("this-one needs the ehr_id of the entry")
        return self
