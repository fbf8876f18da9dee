"""Everything that can go wrong, as RFC 9457 problems with types that never change.

A problem says what is wrong and what would be right, and never repeats a value that was sent.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from asgi_correlation_id import correlation_id
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from api.edge.blocks import Block, block_of
from domain.language.errors import Conflict, Malformed, Refused, Unavailable
from domain.language.findings import Blocked

TYPES: Mapping[str, tuple[int, str]] = {
    "unreadable-body": (400, "The body cannot be read"),
    "bad-cursor": (400, "The cursor does not belong to this list"),
    "idempotency-key-missing": (400, "An Idempotency-Key is required"),
    "bad-precondition": (400, "If-Match is not a pathway version"),
    "unauthenticated": (401, "A valid access token is required"),
    "forbidden": (403, "Your roles do not allow this"),
    "not-found": (404, "Not found, or not at one of your sites"),
    "method-not-allowed": (405, "Method not allowed at this address"),
    "refused": (409, "Blocked by a rule"),
    "conflict": (409, "The current state does not allow this"),
    "in-flight": (409, "The same request is still being processed"),
    "pathway-open": (409, "The patient already has an open pathway"),
    "site-lacks-treatment": (409, "The site does not offer a treatment that the protocol needs"),
    "clock-not-movable": (409, "The clock cannot be moved"),
    "capability-unknown": (409, "The EHR's capabilities are not known yet"),
    "stale-version": (412, "The pathway has changed since you read it"),
    "body-too-large": (413, "The body is too large"),
    "media-type": (415, "The body must be JSON"),
    "invalid": (422, "The request is not valid"),
    "malformed": (422, "The request cannot be carried out as sent"),
    "idempotency-key-reused": (422, "The Idempotency-Key was used for another request"),
    "unknown-protocol": (422, "There is no such protocol"),
    "protocol-not-approved": (422, "The protocol is not approved"),
    "unknown-patient": (422, "The EHR has no such patient"),
    "patient-not-current": (422, "The patient's record is not current"),
    "patient-labelled": (409, "The patient's record has security labels"),
    "ehr-refuses": (409, "The EHR did not allow the request"),
    "ehr-unreadable": (502, "The EHR's response cannot be used"),
    "internal": (500, "Internal error"),
    "unavailable": (503, "Temporarily unavailable"),
    "ehr-unavailable": (503, "The EHR is not responding"),
}
"""Each type with its status and title."""

RETRY = {"Retry-After": "1"}


class ErrorView(BaseModel):
    """One thing that does not fit, and where: a JSON pointer into the body, or a parameter."""

    detail: str
    pointer: str | None = Field(default=None, examples=["#/readings/0/value"])
    parameter: str | None = None


class ProblemView(BaseModel):
    """What is wrong and what is needed (RFC 9457, `application/problem+json`)."""

    type: str = Field(examples=["urn:kairos:problem:refused"])
    title: str
    status: int
    detail: str
    correlation_id: str = Field(description="name it when asking for help")
    blocked_by: list[Block] = []
    errors: list[ErrorView] = []


class Problem(Exception):  # noqa: N818  the RFC's word
    """A request that is answered with a problem."""

    def __init__(
        self,
        name: str,
        detail: str,
        *,
        blocked_by: Sequence[Blocked] = (),
        errors: Sequence[ErrorView] = (),
        headers: Mapping[str, str] | None = None,
        also: Mapping[str, Any] | None = None,
    ) -> None:
        """Name one of `TYPES`; `also` adds members of this problem's own."""
        super().__init__(name)
        self.name, self.detail = name, detail
        self.status, self.title = TYPES[name]
        self.blocked_by = [block_of(block) for block in blocked_by]
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.also = dict(also or {})

    def view(self) -> ProblemView:
        """The problem as it is answered to the request under way."""
        return ProblemView(
            type=f"urn:kairos:problem:{self.name}",
            title=self.title,
            status=self.status,
            detail=self.detail,
            correlation_id=correlation_id.get() or "",
            blocked_by=self.blocked_by,
            errors=self.errors,
        )


def problem_response(problem: Problem) -> JSONResponse:
    body = problem.view().model_dump(mode="json", exclude_none=True)
    return JSONResponse(
        {**body, **problem.also},
        status_code=problem.status,
        headers=problem.headers,
        media_type="application/problem+json",
    )


def of_domain(error: Exception) -> Problem:
    """Map the domain's four errors, for what no route has mapped to a problem of its own."""
    match error:
        case Refused():
            return Problem("refused", error.message, blocked_by=error.blocked_by)
        case Conflict():
            return Problem("conflict", str(error))
        case Malformed():
            return Problem("malformed", str(error))
        case Unavailable():
            return Problem("unavailable", f"{error}; retry the same request", headers=RETRY)
    return Problem("internal", "the error was logged; give the correlation id when asking for help")


def of_validation(errors: Sequence[Mapping[str, Any]]) -> Problem:
    """Say where a request does not fit, without what it holds. Unknown keys are not repeated."""
    return Problem(
        "invalid",
        "`errors` lists each field or parameter that is not valid and what is expected",
        errors=[_error(error) for error in errors],
    )


_EXPECTED = {
    "string_type": "must be text",
    "string_too_short": "must not be empty",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be an object",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "missing": "is required",
    "too_short": "needs at least {min_length}",
    "too_long": "may have at most {max_length}",
    "string_too_long": "may have at most {max_length} characters",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "literal_error": "must be one of {expected}",
    "enum": "must be one of {expected}",
    "string_pattern_mismatch": "is not written as it must be; the reference shows how",
    "decimal_parsing": "must be a number",
    "float_parsing": "must be a number",
    "date_from_datetime_parsing": "must be a day, such as 2027-05-31",
    "date_parsing": "must be a day, such as 2027-05-31",
}
"""What a library says of a value, as people say it."""


def _plainly(error: Mapping[str, Any]) -> str:
    said = _EXPECTED.get(str(error.get("type")))
    if said is None:
        return str(error["msg"]).removeprefix("Value error, ")
    try:
        return said.format(**(error.get("ctx") or {}))
    except KeyError:
        return str(error["msg"])


def _error(error: Mapping[str, Any]) -> ErrorView:
    where, *path = error["loc"]
    detail = _plainly(error)
    if where == "body":
        steps = (str(step).replace("~", "~0").replace("/", "~1") for step in path)
        return ErrorView(pointer="#" + "".join(f"/{step}" for step in steps), detail=detail)
    return ErrorView(parameter=f"{where} {'.'.join(str(step) for step in path)}", detail=detail)
