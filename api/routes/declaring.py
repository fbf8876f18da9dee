"""What the routes share: their dependencies, examples and the problems they may answer with."""

from typing import Annotated, Any

from fastapi import Body, Depends, Request

from api.commands.responses import Accepted, Applied
from api.commands.words import Body as Shape
from api.dependencies import Dependencies
from api.edge.access import May
from api.edge.problems import TYPES, ProblemView
from api.edge.tokens import Caller
from domain.permissions import MAY_READ, MAY_READ_WRITES


async def dependencies_of(request: Request) -> Dependencies:
    """Give the dependencies that the process was made from."""
    deps: Dependencies = request.app.state.dependencies
    return deps


With = Annotated[Dependencies, Depends(dependencies_of)]
Reader = Annotated[Caller, Depends(May(*MAY_READ))]
WritesReader = Annotated[Caller, Depends(May(*MAY_READ_WRITES))]

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
ASKING = problems(409, 502)
POSTING = problems(409, 412, 413, 415, 502)
COMMANDING: dict[str, Any] = {
    "status_code": 201,
    "response_model": Applied,
    "responses": {
        202: {"model": Accepted, "description": "Stored; the outcome is not known yet"},
        **POSTING,
    },
}


def example(shape: type[Shape]) -> Any:
    """Declare a body with its example."""
    says = (shape.__doc__ or "").partition("\n")[0]
    return Body(openapi_examples={"usual": {"summary": says, "value": shape.EXAMPLE}})
