"""Release: the patient goes home, or has left against advice."""

from typing import ClassVar

from pydantic import Field

from api.commands.catalogue.entry import Entry
from api.commands.words import Body, Example, Instant, Words
from domain.language import release as wishes
from domain.language.names import VisitId


class Release(Body):
    """Release the patient; or record that they left against advice, with what happened.

    The example is the ordinary release: nobody should record the other by copying.
    """

    EXAMPLE: ClassVar[Example] = {}

    against_advice: Words | None = None
    left_at: Instant | None = Field(
        default=None, description="when the patient left, if that is recorded later"
    )


def left(body: Release, visit: str) -> wishes.ReleaseVisit:
    """The release from a visit in the domain's words."""
    return wishes.ReleaseVisit(VisitId(visit), body.against_advice or "", body.left_at)


ENTRIES = (
    Entry(
        path="/visits/{visit}/release",
        tag="course",
        summary="Release the patient",
        says="Release the patient from a visit, once every check after treatment is met.\n\n"
        "With `against_advice` it records that the patient left, whatever is not met; with "
        "`left_at` the checks are made as of then.",
        body=Release,
        wish=wishes.ReleaseVisit,
        make=left,
    ),
)
