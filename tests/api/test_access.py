"""Role and site, over every route there is: the routes are read from the OpenAPI description."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any, get_args

import pytest

from domain.language.commands import Wish
from domain.language.names import Role
from domain.language.protocol import CombinedProtocol
from domain.permissions import MAY_START, roles_for
from tests.api.service import EVERY_ROLE, Service, book

METHODS = ("get", "post", "put", "patch", "delete")


def operations(service: Service) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation under /v1: method, path and what it takes."""
    for path, found in service.app.openapi()["paths"].items():
        if path.startswith("/v1/"):
            yield from ((method, path, found[method]) for method in METHODS if method in found)


def filled(path: str, address: str) -> str:
    """The path with its places filled in, about this pathway."""
    names = {"pathway": address.rpartition("/")[2], "connection": "demo-ehr", "delivery": "1"}
    names |= {"site": "manhattan", "protocol": "esketamine-then-dtms", "visit": "a", "hold": "a"}
    names |= {"version": "1", "task": "a", "command": "0f9f6b8e-9a43-4c3c-8c0a-4d6a7d1c8e11"}
    return path.format(**names)


def query_of(operation: dict[str, Any]) -> dict[str, Any]:
    """The least that an operation's query must have."""
    wanted = [each for each in operation.get("parameters", []) if each["in"] == "query"]
    return {each["name"]: each["schema"]["minimum"] for each in wanted if each["required"]}


def body_of(operation: dict[str, Any]) -> Any:
    """The example of an operation's body."""
    if "requestBody" not in operation:
        return None
    return operation["requestBody"]["content"]["application/json"]["examples"]["usual"]["value"]


async def test_every_route_refuses_without_a_token(service: Service):
    """Every operation under /v1, new ones included, is 401 without a token and in one shape."""
    bodies = set()
    for method, path, operation in operations(service):
        address = filled(path, "/v1/pathways/0f9f6b8e-9a43-4c3c-8c0a-4d6a7d1c8e11")
        answer = await service.http.request(method, address, json=body_of(operation))
        assert answer.status_code == 401, (method, path)
        assert answer.headers["www-authenticate"] == "Bearer"
        problem = answer.json()
        problem.pop("correlation_id")
        bodies.add(str(problem))
    assert len(bodies) == 1


async def test_nothing_under_v1_answers_without_a_token(service: Service):
    """An address that does not exist is 401 as well, so that nobody can map them."""
    assert (await service.http.get("/v1/nothing/here")).status_code == 401


async def test_a_token_without_roles_may_do_nothing(service: Service):
    """Every operation is 403 for somebody whose token grants no role that is known."""
    nobody = service.staff("kairos", "root", "KAIROS")
    for method, path, operation in operations(service):
        address = filled(path, "/v1/pathways/0f9f6b8e-9a43-4c3c-8c0a-4d6a7d1c8e11")
        if method == "get":
            params = {"identifier": "1"} if "patients" in path else {}
            answer = await nobody.get(address, **params)
        else:
            answer = await nobody.send(method, address, body_of(operation))
        assert answer.status_code == 403, (method, path)
        assert answer.json()["type"] == "urn:kairos:problem:forbidden"


COMMANDS = {
    "orders": "sign-order",
    "visits/a/booking": "book-visit",
    "bookings": "book-visits",
    "visits/a/move": "move-visit",
    "visits/a/check-in": "check-in",
    "visits/a/miss": "miss-visit",
    "visits/a/cancel": "cancel-visit",
    "visits/a/release": "release-visit",
    "readings": "record-readings",
    "trials": "record-trial",
    "assessments": "record-assessment",
    "doses": "record-dose",
    "stimulations": "record-stimulation",
    "incidents/doses": "report-dose",
    "incidents/stimulations": "report-stimulation",
    "corrections": "correct-entry",
    "baselines": "name-baseline",
    "holds": "place-hold",
    "holds/a/lift": "lift-hold",
    "overrides": "override-gate",
    "standing-decisions": "decide-ahead",
    "standing-decisions/end": "end-decision",
    "decisions": "decide",
    "protocol": "change-protocol",
    "chart": "read-chart",
    "authorizations": "record-authorization",
    "tasks/a/acknowledgement": "acknowledge-task",
}


def by_kind(protocol: CombinedProtocol) -> dict[str, tuple[Role, ...]]:
    """The roles that the domain lists for each kind of wish."""
    return {
        str(next(field.default for field in fields(wish) if field.name == "kind")): roles_for(
            wish, [protocol]
        )
        for wish in get_args(Wish)
    }


async def test_the_command_table_is_complete(service: Service):
    """Each command route is in the role matrix below, and each wish has a route."""
    kinds = set(by_kind(service.protocol))
    assert set(COMMANDS.values()) == kinds
    prefix = "/v1/pathways/{pathway}/"
    posts = [path for method, path, _ in operations(service) if method == "post"]
    routed = {path.removeprefix(prefix) for path in posts if path.startswith(prefix)}
    assert {
        r.replace("{visit}", "a").replace("{hold}", "a").replace("{task}", "a") for r in routed
    } == set(COMMANDS)


@pytest.mark.parametrize("role", EVERY_ROLE)
async def test_each_command_is_for_the_roles_that_the_domain_lists(service: Service, role: str):
    """A role that may not is 403 with the roles that may; one that may gets past that."""
    address = await service.started()
    examples = {path: body_of(o) for m, path, o in operations(service) if m == "post"}
    allowed = by_kind(service.protocol)
    person = service.staff(role)
    for route, kind in COMMANDS.items():
        template = route.replace("/a/", "/{x}/", 1)
        body = next(
            b
            for p, b in examples.items()
            if p.removeprefix("/v1/pathways/{pathway}/")
            .replace("{visit}", "{x}")
            .replace("{hold}", "{x}")
            .replace("{task}", "{x}")
            == template
        )
        answer = await person.post(f"{address}/{route}", body)
        assert (answer.status_code == 403) == (Role(role) not in allowed[kind]), (role, route)
        if answer.status_code == 403:
            assert all(may.spoken in answer.json()["detail"] for may in allowed[kind])


@pytest.mark.parametrize("role", EVERY_ROLE)
async def test_only_those_who_may_start_may_start(service: Service, role: str):
    """Starting a pathway is for care managers and prescribers."""
    answer = await service.staff(role).post("/v1/pathways", {})
    assert (answer.status_code == 403) == (Role(role) not in MAY_START)


async def test_an_order_is_signed_by_those_whom_its_protocol_names(service: Service):
    """Where a protocol has nurses order, a nurse is asked and admitted; a prescriber is told."""
    first, *others = service.protocol.phases
    phases = (replace(first, ordered_by=(Role.NURSE,)), *others)
    theirs = replace(service.protocol, id="nurses-order", phases=phases)
    deps = service.app.state.dependencies
    service.app.state.dependencies = replace(deps, protocols=book(service.protocol, theirs))
    address = await service.started(protocol=theirs.id)
    (asked,) = (step for step in (await service.nurse.get(address)).json()["next"] if step["ask"])
    assert asked["who"] == ["nurse"]
    order = {"phase": first.id}
    assert (await service.manager.post(f"{address}/orders", order)).status_code == 403
    answer = await service.prescriber.post(f"{address}/orders", order)
    assert (answer.status_code, answer.json()["blocked_by"][0]["who"]) == (409, ["nurse"])
    assert (await service.nurse.post(f"{address}/orders", order)).status_code == 201


async def test_the_acting_role_is_the_first_that_may(service: Service):
    """Who has several roles acts in the first that may have the wish."""
    address = await service.started()
    both = service.staff("auditor", "tms-operator", "nurse", name="both-1")
    await both.post(f"{address}/holds", {"reason": "other"})
    items = (await service.nurse.get(f"{address}/timeline", limit=200)).json()["items"]
    placed = next(item for item in items if item["kind"] == "hold-placed")
    assert placed["by"] == {"id": "both-1", "role": "tms-operator"}


async def test_who_has_several_roles_chooses_in_which_to_act(service: Service):
    """Nurse and prescriber in one: acts as what they say, if the token grants it."""
    address = await service.started()
    both = service.staff("nurse", "prescriber", name="both-1")
    hold = {"reason": "other"}
    for role in ("prescriber", "nurse"):
        answer = await both.post(f"{address}/holds", hold, also={"Acting-Role": role})
        assert answer.status_code == 201
        items = (await service.nurse.get(f"{address}/timeline", limit=200)).json()["items"]
        placed = [item for item in items if item["kind"] == "hold-placed"][-1]
        assert placed["by"] == {"id": "both-1", "role": role}
    for role in ("auditor", "nobody", ""):
        answer = await both.post(f"{address}/holds", hold, also={"Acting-Role": role})
        assert answer.status_code == 403


@pytest.mark.parametrize("role", EVERY_ROLE)
async def test_another_sites_pathway_does_not_exist(service: Service, role: str):
    """Every operation on another site's pathway answers exactly as on one that is not there."""
    address = await service.started()
    nowhere = "/v1/pathways/0f9f6b8e-9a43-4c3c-8c0a-4d6a7d1c8e11"
    stranger = service.staff(role, sites=["phoenix"])
    for method, path, operation in operations(service):
        if "{pathway}" not in path:
            continue
        answers = []
        for pathway in (address, nowhere, "/v1/pathways/no-id-at-all"):
            place = filled(path, pathway)
            if method == "get":
                answers.append(await stranger.get(place, **query_of(operation)))
            else:
                answers.append(await stranger.post(place, body_of(operation)))
        shapes = {(a.status_code, without_id(a.json())) for a in answers}
        assert len(shapes) == 1, (method, path)
        assert {a.status_code for a in answers} <= {403, 404}, (method, path)
        assert len({len(a.content) for a in answers}) == 1


def without_id(problem: dict[str, Any]) -> str:
    """A problem without what differs between any two."""
    return str({**problem, "correlation_id": ""})


async def test_lists_hold_what_the_callers_sites_have(service: Service):
    """Lists show the caller's sites only, also when another is asked for."""
    await service.started()
    stranger = service.staff("care-manager", sites=["phoenix"])
    for path in ("/v1/pathways", "/v1/tasks", "/v1/deliveries"):
        assert (await stranger.get(path)).json()["items"] == []
        assert (await stranger.get(path, site="manhattan")).status_code == 422
        assert (await stranger.get(path, site="nowhere")).status_code == 422
    assert len((await service.manager.get("/v1/pathways")).json()["items"]) == 1


async def test_another_sites_command_does_not_exist(service: Service):
    """A command's status is shown at its site and nowhere else."""
    address = await service.started()
    answer = await service.nurse.post(f"{address}/holds", {"reason": "other"})
    command = answer.headers["location"]
    assert (await service.nurse.get(command)).status_code == 200
    assert (await service.staff("nurse", sites=["phoenix"]).get(command)).status_code == 404


async def test_a_connection_shows_as_whose_ehr_it_is_treated(service: Service):
    """Whoever connects an EHR sees which vendor's codes and limits apply to it."""
    (shown,) = (await service.staff("integrator").get("/v1/connections")).json()["items"]
    assert (shown["id"], shown["vendor"]) == ("demo-ehr", "generic")


async def test_a_connection_of_no_site_of_mine_does_not_exist(service: Service):
    """Connections are shown to those who have a site on them."""
    stranger = service.staff("integrator", sites=["elsewhere"])
    assert (await stranger.get("/v1/connections")).json()["items"] == []
    assert (await stranger.get("/v1/connections/demo-ehr/plan")).status_code == 404
    assert (await stranger.post("/v1/connections/demo-ehr/probe")).status_code == 404
