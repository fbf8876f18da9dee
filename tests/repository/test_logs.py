"""A log line is one line of listed fields, whoever wrote it."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
from structlog.contextvars import bound_contextvars

import logs

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What was logged so far."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.set_up("INFO", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_an_event_is_one_line_of_its_listed_fields(lines: Lines):
    """Time, level, logger and event, and the fields that are listed."""
    structlog.get_logger("kairos.test").info("request", status=201, route="/v1/a", ms=1.5)
    (line,) = lines()
    assert datetime.fromisoformat(line.pop("time")).utcoffset() == timedelta()
    assert line == {
        "level": "info",
        "logger": "kairos.test",
        "event": "request",
        "status": 201,
        "route": "/v1/a",
        "ms": 1.5,
    }


def test_a_field_that_is_not_listed_is_dropped_and_counted(lines: Lines):
    """What nobody allowed is not written, and the line says how much that was."""
    log = structlog.get_logger("kairos.test")
    log.info("request", patient="canary", reading=152, status={"nested": "canary"})
    (line,) = lines()
    assert "canary" not in str(line)
    assert line["dropped"] == 3


@pytest.mark.parametrize("event", ["patient Ottoline, 152 mmHg", "x" * 99, "a\nb", "{}"])
def test_an_event_that_is_a_message_is_not_written(lines: Lines, event: str):
    """An event is a name; text that could hold values is replaced."""
    structlog.get_logger("kairos.test").warning(event)
    (line,) = lines()
    assert (line["event"], line["dropped"]) == ("unnamed", 1)


def _fails() -> None:
    raise ValueError("canary")


def test_an_exception_is_its_types_and_our_frames(lines: Lines):
    """The message of an exception and of its causes is never written; where it was, is."""
    try:
        try:
            _fails()
        except ValueError as error:
            raise KeyError("canary") from error
    except KeyError:
        structlog.get_logger("kairos.test").exception("failed")
        logging.getLogger("sqlalchemy.engine").exception("canary")
    ours, theirs = lines()
    for line in (ours, theirs):
        assert line["error_type"] == "KeyError<ValueError"
        assert any("tests/repository/test_logs.py" in frame for frame in line["frames"])
        assert "canary" not in str(line)


@pytest.mark.parametrize("name", ["uvicorn.error", "temporalio.activity", "httpx2", "a.new.one"])
def test_a_library_only_says_that_it_spoke(lines: Lines, name: str):
    """A library's line keeps logger and level; its message and arguments are not even formatted."""
    logging.getLogger(name).error("GET https://ehr/Patient?name=%s", "canary")
    logging.getLogger(name).error("broken %d", "canary")
    logging.getLogger(name).error("with extra", extra={"error_type": "Refused", "x": "canary"})
    first, second, third = lines()
    for line in (first, second, third):
        assert (line["logger"], line["level"], line["event"]) == (name, "error", "library")
    assert third["error_type"] == "Refused"
    assert "canary" not in str(lines())


def test_a_library_line_known_to_be_harmless_keeps_its_words(lines: Lines):
    """That the server started is worth knowing, and its template is known."""
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 12)
    assert lines()[0]["event"] == "Started server process"


def test_a_librarys_chatter_is_not_written(lines: Lines):
    """Below a warning a library's line, without its message, would say nothing."""
    logging.getLogger("httpx2").info("HTTP Request: GET https://ehr/Patient?name=canary")
    assert lines() == []


def test_warnings_are_reduced_too(lines: Lines):
    """A Python warning may quote a value, so it is a library's line."""
    logging.getLogger("py.warnings").warning("%s", "canary")
    assert lines()[0]["event"] == "library"
    assert "canary" not in str(lines())


def test_the_level_is_kept(lines: Lines):
    """Below the level nothing is written, of ours or of a library."""
    structlog.get_logger("kairos.test").debug("request")
    logging.getLogger("httpx2").debug("x")
    assert lines() == []


def test_a_library_that_logs_data_is_reduced_too(lines: Lines):
    """Data in place of a message is not taken for a line of ours."""
    logging.getLogger("a.new.one").info({"event": "request", "status": "canary"})
    logging.getLogger("a.new.one").error({"event": "request", "status": "canary"})
    (line,) = lines()
    assert (line["event"], line["level"]) == ("library", "error")
    assert "canary" not in str(line)


def test_what_is_under_way_is_named_in_every_line(lines: Lines):
    """A listed field bound for the time being is in our lines and in libraries'; no other is."""
    with bound_contextvars(correlation_id="c0ffee", patient="canary"):
        structlog.get_logger("kairos.test").info("request")
        logging.getLogger("sqlalchemy.pool").error("canary")
    structlog.get_logger("kairos.test").info("request")
    ours, theirs, after = lines()
    assert ours["correlation_id"] == theirs["correlation_id"] == "c0ffee"
    assert "correlation_id" not in after
    assert "canary" not in str(lines())
