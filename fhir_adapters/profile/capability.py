"""What an EHR's CapabilityStatement advertises, for each resource type. Reads; plans nothing.

What is not said is not there: an omitted `conditionalCreate` counts as unsupported, and a search
parameter counts only where searching itself is advertised.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain.language.errors import Malformed

SPOKEN = "4.0"
"""The FHIR versions that Kairos speaks start with this."""


@dataclass(frozen=True, slots=True)
class Support:
    """What is advertised for one resource type. `search` holds parameter names."""

    resource_type: str
    read: bool = False
    create: bool = False
    update: bool = False
    conditional_create: bool = False
    search: frozenset[str] = frozenset()

    @property
    def finds_identifier(self) -> bool:
        """Say whether our identifier can be searched for; Provenance has none in R4."""
        return "identifier" in self.search and self.resource_type != "Provenance"

    @property
    def creates_once(self) -> bool:
        """Say whether a create that comes twice makes one, as it is asked for by identifier."""
        return self.conditional_create and self.finds_identifier


def supports_of(statement: Mapping[str, Any]) -> dict[str, Support]:
    """Read a CapabilityStatement. Malformed if it is none of a server, or of another version."""
    if statement.get("resourceType") != "CapabilityStatement":
        raise Malformed("the EHR's /metadata is not a CapabilityStatement")
    if statement.get("kind") == "requirements":
        raise Malformed("the EHR's /metadata says what is required, not what the EHR can do")
    version = str(statement.get("fhirVersion", "unknown"))
    if not version.startswith(SPOKEN + "."):
        raise Malformed(f"the EHR supports FHIR {version[:20]}; Kairos needs {SPOKEN}")
    found: dict[str, Support] = {}
    for rest in _dicts(statement.get("rest")):
        if rest.get("mode") != "server":
            continue
        everywhere = _parameters(rest)
        for resource in _dicts(rest.get("resource")):
            name = resource.get("type")
            if isinstance(name, str):
                said = _support(name, resource, everywhere)
                found[name] = _both(found[name], said) if name in found else said
    if not found:
        raise Malformed("the EHR's CapabilityStatement lists no resource types of a server")
    return found


def _support(name: str, resource: Mapping[str, Any], everywhere: frozenset[str]) -> Support:
    said = (entry.get("code") for entry in _dicts(resource.get("interaction")))
    codes = {code for code in said if isinstance(code, str)}
    return Support(
        resource_type=name,
        read="read" in codes,
        create="create" in codes,
        update="update" in codes,
        conditional_create="create" in codes and resource.get("conditionalCreate") is True,
        search=everywhere | _parameters(resource) if "search-type" in codes else frozenset(),
    )


def _both(one: Support, other: Support) -> Support:
    """Join two entries for the same type, which some statements have."""
    return replace(
        one,
        read=one.read or other.read,
        create=one.create or other.create,
        update=one.update or other.update,
        conditional_create=one.conditional_create or other.conditional_create,
        search=one.search | other.search,
    )


def _parameters(where: Mapping[str, Any]) -> frozenset[str]:
    names = (entry.get("name") for entry in _dicts(where.get("searchParam")))
    return frozenset(name for name in names if isinstance(name, str))


def _dicts(value: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a list; a statement is a stranger's and may hold anything."""
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, Mapping))
