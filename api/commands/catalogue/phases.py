"""Orders and decisions, as they are asked for."""

from typing import Annotated, ClassVar

from pydantic import Field

from api.commands.catalogue.entry import Entry
from api.commands.words import Body, Example, Words
from api.edge.parameters import Slug
from domain.language import phases as wishes
from domain.language.names import PhaseDecision, PhaseId


class SignOrder(Body):
    """Order the treatment of a phase."""

    EXAMPLE: ClassVar[Example] = {"phase": "esketamine-induction"}

    phase: Slug
    version: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = Field(
        default=None,
        description="the protocol version that was read; 409 if the pathway is on another by then",
    )


class Decide(Body):
    """Decide at the end of a phase, or at a review of an open one."""

    EXAMPLE: ClassVar[Example] = {
        "phase": "esketamine-induction",
        "decision": "continue",
        "reason": "response at four weeks",
    }

    phase: Slug
    decision: PhaseDecision
    reason: Words


class ChangeProtocol(Body):
    """Move to another version of the same protocol."""

    EXAMPLE: ClassVar[Example] = {"version": 2, "reason": "the new alert limits are signed"}

    version: Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
    reason: Words


ENTRIES = (
    Entry(
        path="/orders",
        tag="course",
        summary="Sign the order of a phase",
        says="Order a phase's treatment. Nothing is given in a phase whose order is not signed.",
        body=SignOrder,
        wish=wishes.SignOrder,
        make=lambda body, _: wishes.SignOrder(PhaseId(body.phase), body.version),
    ),
    Entry(
        path="/decisions",
        tag="course",
        summary="Record a phase decision",
        says="Continue to the next phase, complete, or stop the pathway, with a reason.\n\n"
        "`move-on` enters the next phase although visits of this one are still to come.",
        body=Decide,
        wish=wishes.Decide,
        make=lambda body, _: wishes.Decide(PhaseId(body.phase), body.decision, body.reason),
    ),
    Entry(
        path="/protocol",
        tag="course",
        summary="Move to another version of the protocol",
        says="Move this pathway to another approved version of its protocol, and so of its"
        " vocabulary, with the reason. Refused if it conflicts with a signed order, if it would"
        " change the meaning of what was recorded, or while the patient is here.",
        body=ChangeProtocol,
        wish=wishes.ChangeProtocol,
        make=lambda body, _: wishes.ChangeProtocol(body.version, body.reason),
    ),
)
