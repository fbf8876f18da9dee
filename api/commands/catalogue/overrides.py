"""Overrides of gates, as they are asked for."""

from typing import ClassVar

from api.commands.catalogue.entry import VISIT, Entry
from api.commands.words import Body, Example, Words
from api.edge.parameters import Slug
from domain.language import overrides as wishes
from domain.language.names import RuleId, VisitId


class OverrideGate(Body):
    """Let a gate that holds pass at this visit, for what was found so far."""

    EXAMPLE: ClassVar[Example] = {
        "visit": VISIT,
        "gate": "blood-pressure-before",
        "reason": "known, treated, rechecked",
    }

    visit: Slug
    gate: Slug
    reason: Words


ENTRIES = (
    Entry(
        path="/overrides",
        tag="course",
        summary="Override a gate that holds",
        says="Override a gate at one visit for what has been found so far; a later finding holds"
        " treatment again.",
        body=OverrideGate,
        wish=wishes.OverrideGate,
        make=lambda body, _: wishes.OverrideGate(
            VisitId(body.visit), RuleId(body.gate), body.reason
        ),
    ),
)
