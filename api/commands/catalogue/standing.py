"""Standing decisions, as a prescriber makes and ends them."""

from typing import ClassVar

from api.commands.catalogue.entry import Entry
from api.commands.words import Body, Day, EventName, Example, Words
from api.edge.parameters import Slug
from domain.language import standing as wishes
from domain.language.names import EventId, RuleId


class DecideAhead(Body):
    """Let a gate pass for a number of days, within what its protocol allows."""

    EXAMPLE: ClassVar[Example] = {
        "gate": "suicide-risk",
        "last_day": "2027-03-14",
        "words": "Passive thoughts since January, no plan; safety plan of 1 March. Seen weekly.",
    }

    gate: Slug
    last_day: Day
    words: Words


class EndDecision(Body):
    """End a standing decision."""

    EXAMPLE: ClassVar[Example] = {
        "decision": "0f9f6b8e-9a43-4c3c-8c0a-4d6a7d1c8e11/0",
        "reason": "a new plan is needed after last night's call",
    }

    decision: EventName
    reason: Words


ENTRIES = (
    Entry(
        path="/standing-decisions",
        tag="course",
        summary="Make a standing decision about a gate",
        says="Let a gate pass at visits for a number of days, within what its protocol allows. A"
        " reading beyond that ends the decision, and the gate holds again. Whatever relies on the"
        " decision says so: the answer to whether something may be given, the recorded treatment,"
        " and what is written to the EHR.",
        body=DecideAhead,
        wish=wishes.DecideAhead,
        make=lambda body, _: wishes.DecideAhead(RuleId(body.gate), body.last_day, body.words),
    ),
    Entry(
        path="/standing-decisions/end",
        tag="course",
        summary="End a standing decision",
        says="End a standing decision before its last day. The pathway lists those in effect.",
        body=EndDecision,
        wish=wishes.EndDecision,
        make=lambda body, _: wishes.EndDecision(EventId(body.decision), body.reason),
    ),
)
