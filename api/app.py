"""The composition root of the API: every route, the edge around them, and what errors become."""

from typing import Any
from uuid import uuid4

from asgi_correlation_id import CorrelationIdMiddleware
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from api import health
from api.dependencies import Dependencies
from api.edge.access import check_every_route
from api.edge.middleware import Edge
from api.edge.parameters import only_known_parameters
from api.edge.problems import Problem, of_domain, of_validation, problem_response
from api.routes import (
    asking,
    clock,
    commands,
    connections,
    deliveries,
    jobs,
    pathways,
    reference,
    versions,
    work,
)
from domain.language.errors import Conflict, Malformed, Refused, Unavailable

V1 = (
    pathways,
    asking,
    commands,
    work,
    deliveries,
    connections,
    jobs,
    reference,
    versions,
    clock,
)
FROM_STATUS = {
    404: ("not-found", "check the address"),
    405: ("method-not-allowed", "see /openapi.json for the methods of this address"),
}


def create_app(deps: Dependencies) -> FastAPI:
    """Make the application from its deps."""
    app = FastAPI(
        title="Kairos",
        version="1",
        summary="Durable care pathways, kept in step with EHRs over FHIR",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.dependencies = deps
    v1 = APIRouter(prefix="/v1", dependencies=[Depends(only_known_parameters)])
    for module in V1:
        check_every_route(route for route in module.router.routes if isinstance(route, APIRoute))
        v1.include_router(module.router)
    app.include_router(v1)
    app.include_router(health.router, dependencies=[Depends(only_known_parameters)])
    for error in (Refused, Conflict, Malformed, Unavailable):
        app.add_exception_handler(error, _domain)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(Edge, tokens=deps.tokens)
    app.add_middleware(
        CorrelationIdMiddleware,
        header_name="X-Correlation-Id",
        validator=None,
        # Always ours: what a caller sends would stand in our logs and might be anything.
        transformer=lambda _theirs: uuid4().hex,
    )
    _describe_tokens(app)
    return app


async def _domain(_request: Request, error: Exception) -> JSONResponse:
    return problem_response(of_domain(error))


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    problem = error if isinstance(error, Problem) else of_domain(error)
    return problem_response(problem)


async def _validation(_request: Request, error: Exception) -> JSONResponse:
    wrong = error.errors() if isinstance(error, RequestValidationError) else []
    return problem_response(of_validation(wrong))


async def _http(_request: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    name, detail = FROM_STATUS.get(status, ("unreadable-body", "see /openapi.json for the format"))
    headers = error.headers if isinstance(error, HTTPException) else None
    return problem_response(Problem(name, detail, headers=headers))


def _describe_tokens(app: FastAPI) -> None:
    """Say in the OpenAPI description that every /v1 operation needs a bearer token."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        described = made()
        components = described.setdefault("components", {})
        components["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
        }
        for path, operations in described["paths"].items():
            if path.startswith("/v1/"):
                for operation in operations.values():
                    operation["security"] = [{"token": []}]
        return described

    app.openapi = openapi  # type: ignore[method-assign]
