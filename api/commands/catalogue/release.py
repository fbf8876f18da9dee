"""Release: where the patient went after a visit."""

from typing import ClassVar

from pydantic import Field

from api.commands.catalogue.entry import Entry
from api.commands.words import Body, Example, Instant, Words
from domain.language import release as wishes
from domain.language.names import VisitId
from domain.language.release import Disposition, NotTreated


class Release(Body):
    """Discharge the patient, or record where else they went and what happened.

    The example is an ordinary discharge: nobody should record the others by copying.
    """

    EXAMPLE: ClassVar[Example] = {}

    disposition: Disposition = Field(
        default=Disposition.HOME,
        description="`home` and `home-with-escort` need every check met; the others are recorded"
        " even if checks are not met, and need `words`",
    )
    words: Words | None = Field(
        default=None, description="what happened; required unless `home` or `home-with-escort`"
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
        summary="Discharge the patient",
        says="Discharge the patient from a visit once every check after treatment is met. Or record"
        " where else they went, even if checks are not met: sent to an emergency department,"
        " admitted, died, or left against medical advice.\n\nWith `left_at`, the checks are made as"
        " of that time. If no treatment is recorded, `not_treated` must say why: nobody observes a"
        " dose that nobody recorded.",
        body=Release,
        wish=wishes.ReleaseVisit,
        make=left,
    ),
)
