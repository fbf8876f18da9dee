"""What the routes share: their parts, pages, examples and the problems they may answer with."""

from collections.abc import Sequence
from typing import Annotated, Any, TypeVar

from fastapi import Body, Depends, Query, Request

from api.dependencies import Parts
from api.edge.problems import TYPES, ProblemView
from api.models.pages import Page
from api.models.words import Body as Shape
from api.models.work import Accepted, Applied

View = TypeVar("View")


def parts_of(request: Request) -> Parts:
    """Give the parts that the process was made from."""
    parts: Parts = request.app.state.parts
    return parts


With = Annotated[Parts, Depends(parts_of)]
Limit = Annotated[int, Query(ge=1, le=200, description="items a page")]
Cursor = Annotated[str | None, Query(description="`next` of the page before")]


PROBLEM = {"$ref": f"#/components/schemas/{ProblemView.__name__}"}


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that a route may answer with, besides those of every route."""
    every = (400, 401, 403, 404, 405, 422, 500, 503)
    answers: dict[int | str, dict[str, Any]] = {}
    for status in sorted({*every, *statuses}):
        answers[status] = {
            "description": "; ".join(title for code, title in TYPES.values() if code == status),
            "content": {"application/problem+json": {"schema": PROBLEM}},
        }
    return answers


READING = problems()
POSTING = problems(409, 412, 413, 415)
COMMANDING: dict[str, Any] = {
    "status_code": 201,
    "response_model": Applied,
    "responses": {
        202: {"model": Accepted, "description": "Safe here; the outcome is not known yet"},
        **POSTING,
    },
}


def example(shape: type[Shape]) -> Any:
    """Declare a body with its example."""
    says = (shape.__doc__ or "").partition("\n")[0]
    return Body(openapi_examples={"usual": {"summary": says, "value": shape.EXAMPLE}})


def page_of(
    parts: Parts, of_list: str, items: Sequence[tuple[list[str | int], View]], limit: int
) -> Page[View]:
    """Make a page from items with their places, of which one more than the limit was asked for."""
    following = None
    if len(items) > limit:
        following = parts.cursors.make(of_list, items[limit - 1][0])
    return Page(items=[view for _, view in items[:limit]], next=following)
