"""Holds: anybody who cares for the patient may stop all treatment; a prescriber lets it go on."""

from typing import assert_never

from domain.language.errors import Conflict, Malformed
from domain.language.holds import (
    HoldFact,
    HoldLifted,
    HoldPlaced,
    HoldWish,
    LiftHold,
    PlaceHold,
)
from domain.language.names import HoldId
from domain.language.pathway import Pathway
from domain.rules.refusing import insist_reason


def check_meant(pathway: Pathway, wish: HoldWish) -> None:
    """Raise Malformed unless the hold that is to be lifted is there."""
    match wish:
        case PlaceHold():
            return
        case LiftHold(hold=hold):
            if hold not in pathway.holds:
                message = "there is no such hold on this pathway; its holds are listed with it"
                raise Malformed(message, unknown="hold")
        case unknown:
            assert_never(unknown)


def decide(pathway: Pathway, wish: HoldWish, named: HoldId) -> tuple[HoldFact, ...]:
    """Say that a hold was placed, by the name that it gets, or lifted."""
    match wish:
        case PlaceHold(reason=reason, note=note):
            return (HoldPlaced(named, reason, note),)
        case LiftHold(hold=hold, reason=why):
            insist_reason(why)
            if pathway.holds[hold].lifted:
                raise Conflict("this hold has already been lifted")
            return (HoldLifted(hold, why),)
        case unknown:
            assert_never(unknown)
