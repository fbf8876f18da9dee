"""Domain values to JSON and back, for JSONB columns. Pydantic checks; the domain stays plain."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from domain.enrolment import Enrolment
from domain.language.commands import Command
from domain.language.events import Fact
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol
from domain.language.refusal import Refusal
from store.newer import reading

_FACT: TypeAdapter[Fact] = TypeAdapter(Fact)
_PATHWAY: TypeAdapter[Pathway] = TypeAdapter(Pathway)
_PROTOCOL: TypeAdapter[CombinedProtocol] = TypeAdapter(CombinedProtocol)
_COMMAND: TypeAdapter[Command] = TypeAdapter(Command)
_ENROLMENT: TypeAdapter[Enrolment] = TypeAdapter(Enrolment)
_REFUSAL: TypeAdapter[Refusal] = TypeAdapter(Refusal)


def fact_to_json(fact: Fact) -> dict[str, Any]:
    """Write what an event says; who said it and when stand beside it."""
    return _FACT.dump_python(fact, mode="json")  # type: ignore[no-any-return]


def fact_from_json(stored: Mapping[str, Any]) -> Fact:
    """Read what an event says. Raises RecordedByNewer."""
    with reading():
        return _FACT.validate_python(stored)


def pathway_to_json(pathway: Pathway) -> dict[str, Any]:
    """Write a projection, without what it has not come to yet."""
    written: dict[str, Any] = _PATHWAY.dump_python(pathway, mode="json", exclude_defaults=True)
    return written


def pathway_from_json(stored: Mapping[str, Any]) -> Pathway:
    """Read a projection. Raises RecordedByNewer."""
    with reading():
        return _PATHWAY.validate_python(stored)


def protocol_to_json(protocol: CombinedProtocol) -> dict[str, Any]:
    return _PROTOCOL.dump_python(protocol, mode="json")  # type: ignore[no-any-return]


def protocol_from_json(stored: Mapping[str, Any]) -> CombinedProtocol:
    return _PROTOCOL.validate_python(stored)


def command_to_json(command: Command | Enrolment) -> dict[str, Any]:
    """Write what an inbox row carries: a command, or the enrolment that starts a pathway."""
    if isinstance(command, Command):
        return {"command": _COMMAND.dump_python(command, mode="json")}
    return {"enrolment": _ENROLMENT.dump_python(command, mode="json")}


def command_from_json(stored: Mapping[str, Any]) -> Command | Enrolment:
    """Read what an inbox row carries. KeyError for a row that carries neither."""
    if "command" in stored:
        return _COMMAND.validate_python(stored["command"])
    return _ENROLMENT.validate_python(stored["enrolment"])


def refusal_to_json(refusal: Refusal) -> dict[str, Any]:
    """Write why a command was rejected."""
    return _REFUSAL.dump_python(refusal, mode="json")  # type: ignore[no-any-return]


def refusal_from_json(stored: Mapping[str, Any]) -> Refusal:
    """Read why a command was rejected."""
    return _REFUSAL.validate_python(stored)
