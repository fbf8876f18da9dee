"""Holds, as they are placed and lifted."""

from typing import ClassVar

from api.commands.catalogue.entry import Entry
from api.commands.words import Body, Example, Words, Writable
from domain.language import holds as wishes
from domain.language.names import HoldId, HoldReason


class PlaceHold(Body):
    """Stop all treatment until a prescriber lifts it."""

    EXAMPLE: ClassVar[Example] = {
        "reason": "medical-review",
        "note": "review before the next session",
    }

    reason: HoldReason
    note: Writable = ""


class LiftHold(Body):
    """Lift a hold."""

    EXAMPLE: ClassVar[Example] = {"reason": "reviewed; treatment may go on"}

    reason: Words


ENTRIES = (
    Entry(
        path="/holds",
        tag="course",
        summary="Hold all treatment",
        says="Stop all treatment until a prescriber lifts the hold.",
        body=PlaceHold,
        wish=wishes.PlaceHold,
        make=lambda body, _: wishes.PlaceHold(body.reason, body.note),
    ),
    Entry(
        path="/holds/{hold}/lift",
        tag="course",
        summary="Lift a hold",
        says="Lift a hold, with a reason.",
        body=LiftHold,
        wish=wishes.LiftHold,
        make=lambda body, hold: wishes.LiftHold(HoldId(hold), body.reason),
    ),
)
