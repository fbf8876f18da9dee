"""Baselines, as a prescriber names them."""

from typing import ClassVar

from pydantic import Field

from api.commands.catalogue.entry import Entry
from api.commands.words import Body, EventName, Example, Word, Words
from api.edge.parameters import Slug
from domain.language import baselines as wishes
from domain.language.names import EventId, ObservationName, PhaseId


class NameBaseline(Body):
    """Judge benefit against this score from now on."""

    EXAMPLE: ClassVar[Example] = {
        "phase": "esketamine-induction",
        "score": "madrs_total",
        "event": "0f9f6b8e-9a43-4c3c-8c0a-4d6a7d1c8e11/0",
        "reason": "scored at referral by the same rater; the later one was incomplete",
    }

    phase: Slug
    score: Word = Field(description="the total whose fall is judged, such as madrs_total")
    event: EventName = Field(description="the entry of that score, as the timeline gives it")
    reason: Words


ENTRIES = (
    Entry(
        path="/baselines",
        tag="course",
        summary="Name the baseline score",
        says="Benefit is judged against the last score before a phase's first treatment, as it was"
        " known then. After that, only this command changes the baseline.",
        body=NameBaseline,
        wish=wishes.NameBaseline,
        make=lambda body, _: wishes.NameBaseline(
            PhaseId(body.phase), ObservationName(body.score), EventId(body.event), body.reason
        ),
    ),
)
