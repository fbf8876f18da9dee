"""Release: where the patient went after a visit."""

from typing import ClassVar

from pydantic import Field

from api.commands.catalogue.entry import Entry
from api.commands.words import Body, Example, Instant, Words
from domain.language import release as wishes
from domain.language.names import VisitId
from domain.language.release import Disposition, NotTreated


class Release(Body):
    """Release the patient; or say where else they went, and what happened.

    The example is the ordinary release: nobody should record the others by copying.
    """

    EXAMPLE: ClassVar[Example] = {}

    disposition: Disposition = Field(
        default=Disposition.HOME,
        description="`home` and `home-with-escort` wait for every check; the others are recorded"
        " whatever is not met, with `words`",
    )
    words: Words | None = Field(
        default=None, description="what happened; required of all but `home` and `home-with-escort`"
    )
    left_at: Instant | None = Field(
        default=None, description="when the patient left, if that is recorded later"
    )
    not_treated: NotTreated | None = Field(
        default=None, description="why nothing was given; required where no treatment is recorded"
    )


def left(body: Release, visit: str) -> wishes.ReleaseVisit:
    """The release from a visit in the domain's words."""
    return wishes.ReleaseVisit(
        VisitId(visit), body.disposition, body.words or "", body.left_at, body.not_treated
    )


ENTRIES = (
    Entry(
        path="/visits/{visit}/release",
        tag="course",
        summary="Release the patient",
        says="Release the patient from a visit, once every check after treatment is met; or record"
        " where else they went, whatever is not met: to an emergency department, admitted, died,"
        " against advice.\n\nWith `left_at` the checks are made as of then. Where no treatment is"
        " recorded it asks why: a dose that nobody recorded is observed by nobody.",
        body=Release,
        wish=wishes.ReleaseVisit,
        make=left,
    ),
)
