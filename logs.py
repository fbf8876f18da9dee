"""Logs: one JSON line an event, made of an allow-list of fields. Shared by API and worker.

A log is read by people who may not see patients. So nothing gets in by default: a field that is
not listed is dropped and counted, an exception is its type and our own frames, and a line of a
library is reduced to who spoke and how loudly. Must never hold a message's text or a value.
"""

import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.contextvars import merge_contextvars
from structlog.processors import JSONRenderer, TimeStamper
from structlog.stdlib import (
    BoundLogger,
    LoggerFactory,
    ProcessorFormatter,
    add_log_level,
    add_logger_name,
    filter_by_level,
)
from structlog.typing import EventDict

FIELDS = frozenset(
    {
        "attempts",
        "command_id",
        "connection",
        "correlation_id",
        "count",
        "delivery_id",
        "error_type",
        "frames",
        "kind",
        "method",
        "ms",
        "pathway_id",
        "port",
        "request_id",
        "route",
        "rule",
        "site",
        "state",
        "status",
        "version",
    }
)
"""What a line may hold besides its time, level, logger and event. Whoever binds context variables
binds these: every line written meanwhile has them, a library's too."""

LIBRARY_LINES = frozenset(
    {
        "Started server process [%d]",
        "Uvicorn running on %s://%s:%d (Press CTRL+C to quit)",
        "Uvicorn running on socket %s (Press CTRL+C to quit)",
        "Shutting down",
        "Finished server process [%d]",
    }
)
"""Lines of libraries that are known to hold no value of ours. They are named by their template."""

_ROOT = Path(__file__).resolve().parent
_EVENT = re.compile(r"[A-Za-z][A-Za-z _-]{0,79}")
_LONGEST = 200
_MOST_FRAMES = 12


def set_up(level: str, stream: TextIO | None = None) -> None:
    """Send every logger's lines, ours and the libraries', to `stream` (standard output)."""
    logging.raiseExceptions = False  # a line that cannot be written must not print its arguments
    logging.captureWarnings(capture=True)
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[_of_library],
            processors=[
                merge_contextvars,  # what the request or the delivery under way has bound
                add_log_level,
                add_logger_name,
                TimeStamper(fmt="iso", key="time"),
                _allowed,
                JSONRenderer(),
            ],
            use_get_message=False,  # a foreign record's message is not even formatted
        )
    )
    handler.addFilter(_worth_a_line)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in list(root.manager.loggerDict):
        known = logging.getLogger(name)
        known.handlers.clear()
        known.propagate = True
    structlog.configure(
        processors=[filter_by_level, ProcessorFormatter.wrap_for_formatter],
        logger_factory=LoggerFactory(),
        wrapper_class=BoundLogger,
        cache_logger_on_first_use=True,
    )


def _worth_a_line(record: logging.LogRecord) -> bool:
    """Ours, what is known to be harmless, and that a library is worried; not its chatter."""
    ours = hasattr(record, "_logger")  # put there by `wrap_for_formatter`
    return ours or record.levelno >= logging.WARNING or _known(record)


def _known(record: logging.LogRecord) -> bool:
    return isinstance(record.msg, str) and record.msg in LIBRARY_LINES


def _of_library(_logger: Any, _name: str, line: EventDict) -> EventDict:
    """Reduce a library's line to who spoke and how loudly, or to a template that is known."""
    record: logging.LogRecord = line["_record"]
    line["event"] = "library"
    if _known(record):
        line["event"] = re.sub(r"[^A-Za-z ]", "", record.msg.partition("[")[0]).strip()
    if hasattr(record, "error_type"):
        line["error_type"] = record.error_type
    return line


def _allowed(logger: Any, name: str, line: EventDict) -> EventDict:
    """Keep what may be logged, and say how much was not."""
    line = ProcessorFormatter.remove_processors_meta(logger, name, line)
    began = {always: line.pop(always) for always in ("time", "level", "logger")}
    event = line.pop("event", "")
    line.update(_exception(line.pop("exc_info", None)))
    kept = {field: value for field, value in line.items() if field in FIELDS and _plain(value)}
    dropped = len(line) - len(kept)
    if not (isinstance(event, str) and _EVENT.fullmatch(event)):
        event, dropped = "unnamed", dropped + 1  # a message with values in it is not a name
    return {**began, "event": event, **kept, **({"dropped": dropped} if dropped else {})}


def _plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(isinstance(part, str) and len(part) <= _LONGEST for part in value)
    if isinstance(value, str):
        return len(value) <= _LONGEST
    return value is None or isinstance(value, bool | int | float)


def _exception(info: Any) -> dict[str, Any]:
    """Reduce an exception to its types, outermost first, and the frames that are ours."""
    error = sys.exception() if info is True else info
    if isinstance(error, tuple):
        error = error[1]
    if not isinstance(error, BaseException):
        return {}
    types = "<".join(type(each).__name__ for each in _causes(error))
    frames = [frame for each in _causes(error) for frame in _frames(each.__traceback__)]
    return {"error_type": types[:_LONGEST], "frames": frames[-_MOST_FRAMES:]}


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__


def _frames(traceback: TracebackType | None) -> Iterator[str]:
    while traceback is not None:
        code = traceback.tb_frame.f_code
        path = Path(code.co_filename)
        if path.is_relative_to(_ROOT) and "site-packages" not in path.parts:
            yield f"{path.relative_to(_ROOT)}:{traceback.tb_lineno} {code.co_name}"
        traceback = traceback.tb_next
