"""The page of the API: every route with the roles that may use it, and every problem."""

from fastapi.routing import APIRoute

from api.app import V1
from api.commands.request import MayAsk
from api.edge.access import ANYONE, guards_of
from api.edge.problems import TYPES
from protocols.book import ProtocolBook
from protocols.loader import SHIPPED, load_protocols


def api_page() -> str:
    """List every route under /v1 with the roles that may use it."""
    book = load_protocols(SHIPPED)
    rows = [
        f"| `{method} /v1{route.path}` | {_roles(route, book)} | {route.summary} |"
        for module in V1
        for route in module.router.routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ]
    return "\n".join([
        "# The API", "",
        "Every route under `/v1` needs a bearer token. The token's roles decide which routes may",
        "be used, and its sites which pathways are visible. Every POST on a pathway or a delivery",
        "needs an `Idempotency-Key`. [Requests](requests.md) says what each takes and answers, as",
        "a running API does at `/openapi.json`. `/health/live` and `/health/ready` need no token.",
        "", "| Route | Roles | Does |", "|---|---|---|", *rows, "",
        "## Problems", "",
        "Every refusal is an `application/problem+json` document (RFC 9457). Its `type` is",
        "`urn:kairos:problem:` and one of these names; `blocked_by` lists what blocks the request.",
        "", "| Name | Status | Title |", "|---|---|---|",
        *(f"| `{name}` | {status} | {title} |" for name, (status, title) in TYPES.items()), "",
    ])  # fmt: skip


def _roles(route: APIRoute, book: ProtocolBook) -> str:
    roles = [
        role
        for guard in guards_of(route.dependant)
        for role in (guard.roles_now(book) if isinstance(guard, MayAsk) else guard.roles)
    ]
    everyone = set(roles) == set(ANYONE)
    return "every role" if everyone else ", ".join(dict.fromkeys(roles))
