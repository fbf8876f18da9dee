"""What an inbox row must hold so that anybody may send it on: the whole command, or the start.

The API packs, the relay unpacks, and both read why a row was rejected. Must not reach the store.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from domain.language.commands import Command
from workflows.messages import PathwayInput, Refusal

_COMMAND: TypeAdapter[Command] = TypeAdapter(Command)
_START: TypeAdapter[PathwayInput] = TypeAdapter(PathwayInput)
_REFUSAL: TypeAdapter[Refusal] = TypeAdapter(Refusal)


def pack_command(command: Command) -> dict[str, Any]:
    """Write a command as the body of its inbox row."""
    return {"command": _COMMAND.dump_python(command, mode="json")}


def pack_start(start: PathwayInput) -> dict[str, Any]:
    """Write a pathway's start as the body of its inbox row."""
    return {"start": _START.dump_python(start, mode="json")}


def unpack(body: Mapping[str, Any]) -> Command | PathwayInput:
    """Read the body of an inbox row back. KeyError for a row that carries neither."""
    if "command" in body:
        return _COMMAND.validate_python(body["command"])
    return _START.validate_python(body["start"])


def pack_refusal(refusal: Refusal) -> dict[str, Any]:
    """Write why a command was rejected, as the problem of its inbox row."""
    return _REFUSAL.dump_python(refusal, mode="json")  # type: ignore[no-any-return]


def unpack_refusal(problem: Mapping[str, Any]) -> Refusal:
    """Read why a command was rejected."""
    return _REFUSAL.validate_python(problem)
