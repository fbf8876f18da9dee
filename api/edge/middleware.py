"""What happens to every request before any route sees it, and to every answer after.

The security headers, one log line; under /v1 the token and the body's gate, so that no route can
forget them. An error nobody expected becomes a problem, and never a message. Around it stands the
correlation id, of which every log line of the request knows.
"""

import time
from hashlib import sha256

import structlog
from asgi_correlation_id import correlation_id
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from api.edge import body
from api.edge.problems import Problem, of_domain, problem_response
from api.edge.tokens import Tokens, Unauthenticated
from domain.language.errors import Conflict, Malformed, Refused, Unavailable

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
CHANGING = ("POST", "PUT", "PATCH", "DELETE")
SERVER_ERROR = 500

log = structlog.get_logger("kairos.api")


class Edge:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with bound_contextvars(correlation_id=correlation_id.get()):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        scope.setdefault("state", {})
        status = SERVER_ERROR
        answered = False

        async def send_on(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                answered, status = True, message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        try:
            try:
                inner = await self._admit(scope, receive)
                await self._app(scope, inner, send_on)
            except Problem as problem:
                await problem_response(problem)(scope, receive, send_on)
            except (Refused, Conflict, Malformed, Unavailable) as error:
                await problem_response(of_domain(error))(scope, receive, send_on)
            except Exception as error:  # whatever it was, it is logged and not told
                log.exception("request_failed")
                if answered:
                    raise
                await problem_response(of_domain(error))(scope, receive, send_on)
        finally:
            log.info(
                "request",
                method=scope["method"] if scope["method"].isalpha() else "other",
                route=_template(scope),
                status=status,
                ms=round((time.perf_counter() - began) * 1000, 1),
            )

    async def _admit(self, scope: Scope, receive: Receive) -> Receive:
        """Find out who calls and whether the body can be read."""
        path = scope["path"]
        if path != "/v1" and not path.startswith("/v1/"):
            return receive
        headers = Headers(scope=scope)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        try:
            bearer = token.strip() if scheme.lower() == "bearer" else ""
            scope["state"]["caller"] = await self._tokens.verify(bearer)
        except Unauthenticated:
            raise Problem(
                "unauthenticated",
                "send an unexpired access token from this installation's issuer as a bearer token",
                headers={"WWW-Authenticate": "Bearer"},
            ) from None
        if scope["method"] not in CHANGING:
            return receive
        return await _gate(scope, receive, headers)


def _template(scope: Scope) -> str:
    """Name the route without what stood in its places."""
    path: str | None = getattr(scope.get("route"), "path", None)
    if path is None:
        return "none"
    return f"/v1{path}" if scope["path"].startswith("/v1/") else path


async def _gate(scope: Scope, receive: Receive, headers: Headers) -> Receive:
    """Read the body whole, check it, and hand it on as if it had just come."""
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length[:12]) > body.MOST_BYTES:
        raise body.too_large()
    raw = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        raw += message.get("body", b"")
        more = message.get("more_body", False)
        if len(raw) > body.MOST_BYTES:
            raise body.too_large()
    whole = bytes(raw)
    canonical = b""
    if whole:
        body.check_media_type(headers.get("content-type"))
        canonical = body.canonical(body.read_body(whole))
    said = "\n".join(headers.get(name, "") for name in ("if-match", "acting-role"))
    target = f"{scope['method']} {scope['path']}\n{said}\n".encode()
    scope["state"]["fingerprint"] = sha256(target + canonical).hexdigest()
    handed_on = False

    async def again() -> Message:
        nonlocal handed_on
        if handed_on:
            return await receive()
        handed_on = True
        return {"type": "http.request", "body": whole, "more_body": False}

    return again
