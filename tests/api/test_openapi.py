"""The description is complete and true: summaries, problems, examples, and who may do what."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from api.app import V1, create_app
from api.commands.catalogue import CATALOGUE
from api.commands.catalogue.entry import Entry
from api.dependencies import Dependencies
from api.edge.access import check_every_route, guards_of
from api.edge.body import canonical, read_body
from api.edge.cursors import Cursors
from api.edge.problems import TYPES
from api.edge.tokens import Tokens
from api.routes import work
from domain.language.commands import Wish
from domain.language.names import Role
from protocols.book import ProtocolBook
from settings import Installation
from store.database import Database
from temporal.clock import SystemClock
from tests.api.service import BODIES

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def app() -> FastAPI:
    """The application without anything behind it."""

    async def no_keys() -> dict[str, Any]:
        return {"keys": []}

    nothing: Any = None
    deps = Dependencies(
        installation=Installation(sites=(), connections=()),
        protocols=ProtocolBook(nothing, (), ()),
        database=Database("postgresql+psycopg://nobody@/nothing"),
        gateway=nothing,
        clock=SystemClock(),
        ehr=nothing,
        tokens=Tokens("issuer", "audience", no_keys),
        cursors=Cursors("secret"),
        schema="",
    )
    return create_app(replace(deps))


def operations(app: FastAPI) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every operation with its name."""
    for path, found in app.openapi()["paths"].items():
        for method in METHODS:
            if method in found:
                yield f"{method} {path}", found[method]


def test_every_operation_says_what_it_is_for(app: FastAPI):
    """Each operation has a summary, a description and an answer with a shape."""
    for name, operation in operations(app):
        assert operation["summary"], name
        assert operation["description"], name
        good = [code for code in operation["responses"] if code.startswith("2")]
        assert good, name
        for code in good:
            assert operation["responses"][code]["content"]["application/json"]["schema"], name


def test_every_v1_operation_needs_a_token_and_describes_its_problems(app: FastAPI):
    """Each operation under /v1 says that it needs a token and what a problem looks like."""
    for name, operation in operations(app):
        if " /v1/" not in name:
            continue
        assert operation["security"] == [{"token": []}]
        for code in ("401", "403", "404", "422", "503"):
            content = operation["responses"][code]["content"]
            assert set(content) == {"application/problem+json"}, (name, code)
            shape = content["application/problem+json"]["schema"]["$ref"].rpartition("/")[2]
            assert "correlation_id" in app.openapi()["components"]["schemas"][shape]["properties"]


def test_every_body_has_an_example_that_is_taken(app: FastAPI):
    """Each example passes the gate and its own shape; each POST has one."""
    shapes = {shape.__name__: shape for shape in BODIES}
    seen = set()
    for name, operation in operations(app):
        if not name.startswith("post /v1/"):
            continue
        content = operation["requestBody"]["content"]["application/json"]
        schema = content["schema"]
        refs = [schema] if "$ref" in schema else [s for s in schema["anyOf"] if "$ref" in s]
        shape = shapes[refs[0]["$ref"].rpartition("/")[2]]
        for example in content["examples"].values():
            shape.model_validate(read_body(canonical(example["value"])))
            seen.add(shape)
    assert seen == set(BODIES)


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.kind)
def test_every_example_becomes_its_wish(entry: Entry[Any]):
    """What an example says becomes the wish of its entry, about what stands in the path."""
    made = entry.make(entry.body.model_validate(entry.body.EXAMPLE), "some-id")
    assert type(made) is entry.wish
    assert entry.about is None or getattr(made, entry.about) == "some-id"


def test_the_catalogue_has_every_wish_once():
    """Each thing that the domain lets people wish for can be asked for, in one place."""
    assert Counter(entry.wish for entry in CATALOGUE) == Counter(get_args(Wish))


def test_a_body_that_says_nothing_may_be_left_out(app: FastAPI):
    """A body is required just where one of its fields is."""
    paths = app.openapi()["paths"]
    for entry in CATALOGUE:
        described = paths[f"/v1/pathways/{{pathway}}{entry.path}"]["post"]["requestBody"]
        required = bool(entry.body.model_json_schema().get("required"))
        assert described.get("required", False) == required, entry.kind


def test_every_command_takes_an_idempotency_key(app: FastAPI):
    """Each POST on a pathway or a delivery describes the key, the precondition and the role."""
    for name, operation in operations(app):
        if name.startswith("post "):
            headers = {p["name"] for p in operation["parameters"] if p["in"] == "header"}
            command = {"Idempotency-Key", "If-Match", "Acting-Role"}
            at_an_ehr = name.startswith("post /v1/connections/")  # harmless if it is repeated
            assert headers == (set() if at_an_ehr else command), name


def test_every_v1_route_declares_who_may_use_it():
    """Each route has a guard that names roles, and Kairos itself is never one of them."""
    routes = [r for m in V1 for r in m.router.routes if isinstance(r, APIRoute)]
    assert len(routes) > 30
    for route in routes:
        guards = guards_of(route.dependant)
        assert guards, route.path
        assert all(guard.roles for guard in guards)
        assert all(Role.KAIROS not in guard.roles for guard in guards)


def test_a_route_that_forgot_stops_the_process():
    """A new route without a guard cannot be served by mistake."""
    router = APIRouter()

    @router.get("/forgotten")
    async def forgotten() -> None: ...

    with pytest.raises(RuntimeError, match="/forgotten"):
        check_every_route(r for r in router.routes if isinstance(r, APIRoute))
    check_every_route(r for r in work.router.routes if isinstance(r, APIRoute))


def test_problem_types_are_stable():
    """Clients depend on these names and statuses; one may be added, none renamed."""
    assert {name: status for name, (status, _) in TYPES.items()} == {
        "unreadable-body": 400,
        "bad-cursor": 400,
        "idempotency-key-missing": 400,
        "bad-precondition": 400,
        "unauthenticated": 401,
        "forbidden": 403,
        "not-found": 404,
        "method-not-allowed": 405,
        "refused": 409,
        "conflict": 409,
        "in-flight": 409,
        "pathway-open": 409,
        "site-lacks-treatment": 409,
        "capability-unknown": 409,
        "clock-not-movable": 409,
        "stale-version": 412,
        "body-too-large": 413,
        "media-type": 415,
        "invalid": 422,
        "malformed": 422,
        "idempotency-key-reused": 422,
        "unknown-protocol": 422,
        "protocol-not-approved": 422,
        "unknown-patient": 422,
        "patient-not-current": 422,
        "patient-labelled": 409,
        "ehr-refuses": 409,
        "ehr-unreadable": 502,
        "internal": 500,
        "unavailable": 503,
        "ehr-unavailable": 503,
    }
