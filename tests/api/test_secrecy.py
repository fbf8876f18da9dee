"""Patient data goes where it belongs and nowhere else; no problem echoes what was sent."""

import io
import json
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import structlog

import logs
from domain.language.errors import Unavailable
from store import inbox
from tests.api.service import START, Service
from tests.api.test_access import filled, operations
from workflows.messages import Settled

CANARIES = ("Featherstone", "Ottoline", "1961-07-19", "MRN-patient-1", "zebra", "987654321098")


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Everything that any logger writes."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.set_up("DEBUG", stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def bodies() -> Iterator[Any]:
    """Bodies that hold canaries wherever something can stand."""
    for word in ("zebra", "Ottoline Featherstone", "1961-07-19", 987654321098, "zebra\x00"):
        yield word
        yield [word]
        for name in (
            "Zebra",
            "zebra crossing",
            "site",
            "patient",
            "phase",
            "visit",
            "reason",
            "items",
            "readings",
        ):
            yield {name: word}
            yield {name: [{"Zebra": word, "observation": word, "value": word, "unit": word}]}


@pytest.mark.slow
async def test_no_route_echoes_or_logs_what_was_sent(service: Service, written: io.StringIO):
    """Canaries in bodies, addresses, queries and tokens are in no log and no problem.

    Slow because every route is sent every odd body.
    """
    address = await service.started()
    everybody = service.staff("prescriber", "nurse", "care-manager", "tms-operator", "operations")
    for method, path, _ in operations(service):
        place = filled(path, address)
        if method == "get":
            answer = await everybody.get(place, cursor="zebra", status="zebra", limit="zebra")
            check(answer.status_code, answer.text if answer.status_code >= 400 else "")
            continue
        for body in bodies():
            answer = await everybody.post(place, body, match='"zebra"')
            check(answer.status_code, answer.text)
            answer = await everybody.post(place, body)
            check(answer.status_code, answer.text)
        odd = place.replace("/a/", "/Ottoline-Featherstone/")
        answer = await everybody.post(odd, {})
        check(answer.status_code, answer.text)
    await service.http.get("/v1/pathways", headers={"Authorization": "Bearer zebra.zebra.zebra"})
    lines = written.getvalue()
    assert len(lines.splitlines()) > 100
    assert not [canary for canary in CANARIES if canary in lines]


def check(status: int, text: str) -> None:
    """A problem without a canary, and never a failure of ours."""
    assert status < 500, text
    assert not [canary for canary in CANARIES if canary in text], text


async def test_a_whole_visit_leaves_no_patient_data_in_logs(service: Service, written: io.StringIO):
    """Searching, starting, treating and refusing log routes, statuses and ids, nothing clinical."""
    await service.manager.get(
        "/v1/sites/manhattan/patients", identifier="MRN-patient-1", birth_date="1961-07-19"
    )
    address, visit = await service.checked_in()
    now = service.clock.at.isoformat()
    pair = [
        {"observation": "systolic_bp", "value": 152, "unit": "mmHg"},
        {"observation": "diastolic_bp", "value": 94, "unit": "mmHg"},
    ]
    taken = {"measured_at": now, "visit": visit, "readings": pair}
    await service.nurse.post(f"{address}/readings", taken)
    dose = {"visit": visit, "first_device_at": now, "mg": 56, "lot": "zebra"}
    assert (await service.nurse.post(f"{address}/doses", dose)).status_code == 409
    hold = {"reason": "other", "note": "Ottoline Featherstone said zebra"}
    assert (await service.nurse.post(f"{address}/holds", hold)).status_code == 201
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert {"request"} <= {line["event"] for line in lines}
    text = written.getvalue()
    assert not [canary for canary in (*CANARIES, "patient-1", "mmHg") if canary in text]


async def test_an_unexpected_failure_is_a_problem_without_a_word_of_it(
    service: Service, written: io.StringIO, monkeypatch
):
    """A bug answers 500 in the usual shape; its message is neither told nor logged."""
    address = await service.started()

    async def broken(*_: object) -> Settled:
        raise RuntimeError("Ottoline Featherstone, born 1961-07-19")

    monkeypatch.setattr(service.gateway, "send", broken)
    answer = await service.nurse.post(f"{address}/holds", {"reason": "other"})
    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:kairos:problem:internal"
    assert "Featherstone" not in answer.text + written.getvalue()
    failed = next(
        line
        for line in map(json.loads, written.getvalue().splitlines())
        if line["event"] == "request_failed"
    )
    assert failed["error_type"] == "RuntimeError"
    assert failed["correlation_id"] == answer.json()["correlation_id"]
    assert any("api/commands/submit.py" in frame for frame in failed["frames"])


async def test_a_request_is_one_id_in_every_line_and_in_its_answer(
    service: Service, written: io.StringIO, monkeypatch
):
    """What the store and the gateway log meanwhile names the request; it is never the caller's."""
    address = await service.started()
    written.truncate(0)
    written.seek(0)
    receive = inbox.receive

    async def noted(*arguments: Any) -> Any:
        logging.getLogger("sqlalchemy.pool").warning("a connection was lost")
        return await receive(*arguments)

    async def away(*_: object) -> Settled:
        structlog.get_logger("temporal.gateway").warning("waits")
        raise Unavailable("Temporal is away")

    monkeypatch.setattr(inbox, "receive", noted)
    monkeypatch.setattr(service.gateway, "send", away)
    theirs = "1961-07-19"
    answer = await service.nurse.post(
        f"{address}/holds", {"reason": "other"}, also={"X-Correlation-Id": theirs}
    )
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    loggers = {"sqlalchemy.pool", "temporal.gateway", "kairos.api"}
    assert {line["logger"] for line in lines} >= loggers
    ids = {line["correlation_id"] for line in lines}
    assert ids == {answer.headers["x-correlation-id"]}
    assert theirs not in answer.headers["x-correlation-id"] + written.getvalue()


async def test_the_database_going_away_is_unavailable(service: Service, monkeypatch):
    """A store that cannot be reached is 503 with when to try again."""

    async def away(*_: object) -> None:
        raise Unavailable("the database is not reachable")

    monkeypatch.setattr(inbox, "earlier", away)
    answer = await service.manager.post("/v1/pathways", START)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


async def test_every_answer_carries_the_security_headers(service: Service):
    """Answers and problems are not stored, not sniffed, not framed, and carry their id."""
    address = await service.started()
    for answer in (
        await service.nurse.get(address),
        await service.nurse.get("/v1/nothing"),
        await service.http.get("/v1/pathways"),
        await service.http.get("/health/live"),
        await service.http.get("/nothing"),
        await service.http.request("PATCH", "/health/live"),
    ):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert len(answer.headers["x-correlation-id"]) == 32
        assert "access-control-allow-origin" not in answer.headers
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["status"] == answer.status_code


BODIES = [
    (b'{"reason": "other", "reason": "supply"}', "application/json", 400),
    (b'{"reason": NaN}', "application/json", 400),
    (b"[" * 100 + b"]" * 100, "application/json", 400),
    (b'{"reason": "\xff"}', "application/json", 400),
    (b'{"reason": "\\ud800"}', "application/json", 400),
    (b'{"reason": "other", "note": "\\u0000"}', "application/json", 400),
    (b'{"reason"', "application/json", 400),
    (b"<a/>", "application/xml", 415),
    (b"{}", "text/plain", 415),
    (b"{}", "application/json; charset=latin-1", 415),
    (b'{"note": "' + b"x" * 300_000 + b'"}', "application/json", 413),
    (b"[]", "application/json", 422),
    (b"null", "application/json", 422),
    (b"", "application/json", 422),
]


@pytest.mark.parametrize(("content", "kind", "status"), BODIES)
async def test_a_body_that_cannot_be_believed_goes_no_further(
    service: Service, content: bytes, kind: str, status: int
):
    """Bodies that parsers disagree about are refused before any of them decides."""
    address = await service.started()
    headers = {
        "Authorization": f"Bearer {service.issuer.token('n', ['nurse'], ['manhattan'])}",
        "Idempotency-Key": "one",
        "Content-Type": kind,
    }
    answer = await service.http.post(f"{address}/holds", headers=headers, content=content)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_streamed_body_is_capped_too(service: Service):
    """A body without a length is cut off at the cap as well."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(10_000):
            yield b" " * 1024

    headers = {
        "Authorization": f"Bearer {service.issuer.token('n', ['nurse'], ['manhattan'])}",
        "Content-Type": "application/json",
    }
    answer = await service.http.post("/v1/pathways", headers=headers, content=endless())
    assert answer.status_code == 413
