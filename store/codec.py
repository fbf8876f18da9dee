"""Domain values to JSON and back, for JSONB columns. Pydantic checks; the domain stays plain."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from domain.language.events import Event
from domain.language.pathway import Pathway
from domain.language.protocol import CombinedProtocol

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
_PATHWAY: TypeAdapter[Pathway] = TypeAdapter(Pathway)
_PROTOCOL: TypeAdapter[CombinedProtocol] = TypeAdapter(CombinedProtocol)


def event_to_json(event: Event) -> dict[str, Any]:
    """Write an event."""
    return _EVENT.dump_python(event, mode="json")  # type: ignore[no-any-return]


def event_from_json(stored: Mapping[str, Any]) -> Event:
    """Read an event."""
    return _EVENT.validate_python(stored)


def pathway_to_json(pathway: Pathway) -> dict[str, Any]:
    """Write a projection."""
    return _PATHWAY.dump_python(pathway, mode="json")  # type: ignore[no-any-return]


def pathway_from_json(stored: Mapping[str, Any]) -> Pathway:
    """Read a projection."""
    return _PATHWAY.validate_python(stored)


def protocol_to_json(protocol: CombinedProtocol) -> dict[str, Any]:
    """Write a pinned protocol."""
    return _PROTOCOL.dump_python(protocol, mode="json")  # type: ignore[no-any-return]


def protocol_from_json(stored: Mapping[str, Any]) -> CombinedProtocol:
    """Read a pinned protocol."""
    return _PROTOCOL.validate_python(stored)
