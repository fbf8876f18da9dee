"""Visits, as people arrange them and say what became of them."""

from typing import ClassVar

from pydantic import Field

from api.commands.bodies import Nothing
from api.commands.catalogue.entry import VISIT, Entry
from api.commands.words import Body, Example, WallTime, Words
from api.edge.parameters import Slug
from domain.language import visits as wishes
from domain.language.names import VisitId


class BookVisit(Body):
    """Book a proposed visit, at its proposed time unless another is given."""

    EXAMPLE: ClassVar[Example] = {"at": WallTime.EXAMPLE}

    at: WallTime | None = None


class VisitToBook(Body):
    """One of several visits, at its proposed time unless another is given."""

    EXAMPLE: ClassVar[Example] = {"visit": VISIT}

    visit: Slug
    at: WallTime | None = None


class BookVisits(Body):
    """Book several proposed visits."""

    EXAMPLE: ClassVar[Example] = {"visits": [VisitToBook.EXAMPLE]}

    visits: list[VisitToBook] = Field(min_length=1, max_length=100)


class MoveVisit(Body):
    """Move a proposed or booked visit."""

    EXAMPLE: ClassVar[Example] = {"to": WallTime.EXAMPLE}

    to: WallTime


class CancelVisit(Body):
    """Cancel an upcoming visit."""

    EXAMPLE: ClassVar[Example] = {"reason": "the patient called: has a cold"}

    reason: Words


ENTRIES = (
    Entry(
        path="/visits/{visit}/booking",
        tag="course",
        summary="Book a proposed visit",
        says="Book it at its proposed time, or at another that the protocol allows.",
        body=BookVisit,
        wish=wishes.BookVisit,
        make=lambda body, visit: wishes.BookVisit(
            VisitId(visit), body.at.local() if body.at else None
        ),
    ),
    Entry(
        path="/bookings",
        tag="course",
        summary="Book several visits",
        says="Book these visits, each at its proposed time or at another; all of them, or none.",
        body=BookVisits,
        wish=wishes.BookVisits,
        make=lambda body, _: wishes.BookVisits(
            tuple(
                wishes.BookVisit(VisitId(each.visit), each.at.local() if each.at else None)
                for each in body.visits
            )
        ),
    ),
    Entry(
        path="/visits/{visit}/move",
        tag="course",
        summary="Move a visit",
        says="Move a proposed or booked visit to another local time of the site.",
        body=MoveVisit,
        wish=wishes.MoveVisit,
        make=lambda body, visit: wishes.MoveVisit(VisitId(visit), body.to.local()),
    ),
    Entry(
        path="/visits/{visit}/check-in",
        tag="course",
        summary="Check the patient in",
        says="Check the patient in on the day of the visit.",
        body=Nothing,
        wish=wishes.CheckIn,
        make=lambda _, visit: wishes.CheckIn(VisitId(visit)),
    ),
    Entry(
        path="/visits/{visit}/miss",
        tag="course",
        summary="Record a no-show",
        says="Record that the patient did not come; the protocol says what happens to the visit.",
        body=Nothing,
        wish=wishes.MissVisit,
        make=lambda _, visit: wishes.MissVisit(VisitId(visit)),
    ),
    Entry(
        path="/visits/{visit}/cancel",
        tag="course",
        summary="Cancel an upcoming visit",
        says="Cancel a proposed or booked visit, with a reason; the rules then propose it again.",
        body=CancelVisit,
        wish=wishes.CancelVisit,
        make=lambda body, visit: wishes.CancelVisit(VisitId(visit), body.reason),
    ),
)
