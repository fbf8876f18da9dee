"""Count what reached the EHR by reading the EHR itself, and compare it with what was intended.

Deliberately shares no code with Kairos's own read-back: the intended content comes from the
API's ledger, the found content from plain FHIR searches, and this comparison is its own.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import httpx2

from demo.staff import Person

ARTEFACT = "urn:kairos:artefact:"
Json = dict[str, Any]


@dataclass
class Count:
    """One row of the table: how many artefacts of a resource type came out which way."""

    intended: int = 0
    found: int = 0
    equal: int = 0
    different: int = 0
    missing: int = 0
    doubled: int = 0


@dataclass(frozen=True)
class Recount:
    """The table, and how many writes it took."""

    rows: Mapping[str, Count]
    writes: int
    differences: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether everything intended is in the EHR, once, and as intended."""
        return bool(self.rows) and all(
            row.equal == row.intended == row.found and not row.doubled for row in self.rows.values()
        )

    def as_json(self) -> dict[str, dict[str, int]]:
        """The rows as plain numbers."""
        return {kind: asdict(row) for kind, row in sorted(self.rows.items())}


async def recount(ehr: str, operations: Person) -> Recount:
    """Read the ledger by the API and the EHR by FHIR, and hold one against the other."""
    deliveries = [each async for each in read_deliveries(operations)]
    intended = _intended(deliveries)
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as http:
        found = await _found(http, ehr, {kind for kind, _ in intended.values()})
    names = {
        artefact: f"{kind}/{copies[0]['id']}"
        for artefact, (kind, _) in intended.items()
        if (copies := found.get((kind, artefact)))
    }
    rows: dict[str, Count] = defaultdict(Count)
    differences = []
    for artefact, (kind, body) in intended.items():
        row = rows[kind]
        row.intended += 1
        copies = found.get((kind, artefact), [])
        row.found += min(len(copies), 1)
        row.doubled += max(len(copies) - 1, 0)
        if not copies:
            row.missing += 1
            continue
        wrong = list(_differences(_named(body, names), copies[0], kind))
        row.equal += not wrong
        row.different += bool(wrong)
        differences += [f"{artefact}: {path}" for path in wrong]
    return Recount(dict(rows), len(deliveries), tuple(differences))


async def read_deliveries(operations: Person) -> AsyncIterator[Json]:
    """Read the whole ledger by the API, in the order of its writes, each with its resource."""
    query = {"limit": "100"}
    while True:
        page = await operations.see("/v1/deliveries", **query)
        paths = [f"/v1/deliveries/{each['id']}" for each in page["items"]]
        for each in await asyncio.gather(*(operations.see(path) for path in paths)):
            yield each
        if page["next"] is None:
            return
        query["cursor"] = page["next"]


def _intended(deliveries: list[Json]) -> dict[str, tuple[str, Json]]:
    """The last intended content of each artefact: its create, with its updates laid over it."""
    intended: dict[str, tuple[str, Json]] = {}
    for each in deliveries:
        kind, body = each["resource_type"], each["resource"]
        _, before = intended.get(each["artefact"], (kind, {}))
        intended[each["artefact"]] = (kind, {**before, **body})
    return intended


async def _found(
    http: httpx2.AsyncClient, ehr: str, kinds: set[str]
) -> dict[tuple[str, str], list[Json]]:
    """Every resource of these types in the EHR, by the artefact id that it carries."""
    found: dict[tuple[str, str], list[Json]] = defaultdict(list)
    for kind in sorted(kinds):
        url: str | None = f"{ehr}/{kind}?_count=200"
        while url:
            bundle = (await http.get(url)).raise_for_status().json()
            for entry in bundle.get("entry", []):
                resource = entry["resource"]
                for artefact in _artefacts(resource):
                    found[(kind, artefact)].append(resource)
            url = next((x["url"] for x in bundle.get("link", []) if x["relation"] == "next"), None)
    return found


def _artefacts(resource: Json) -> set[str]:
    """The ids that a resource carries; a Provenance carries its own in an entity."""
    carried: list[Json] = list(resource.get("identifier", []))
    if resource["resourceType"] == "Provenance":
        carried += [e["what"].get("identifier", {}) for e in resource.get("entity", [])]
    return {identifier.get("value", "") for identifier in carried}


def _named(value: Any, names: Mapping[str, str]) -> Any:
    """Put the EHR's own names where we refer to artefacts of ours."""
    if isinstance(value, dict):
        return {key: _named(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    if isinstance(value, str) and value.startswith(ARTEFACT):
        return names.get(value.removeprefix(ARTEFACT), value)
    return value


def _differences(wanted: Any, found: Any, path: str) -> Iterator[str]:
    """Paths at which what is found is not what was wanted; what the EHR added is not counted."""
    if isinstance(wanted, dict):
        if not isinstance(found, dict):
            yield path
            return
        for key, item in wanted.items():
            yield from _differences(item, found.get(key), f"{path}.{key}")
    elif isinstance(wanted, list):
        if not isinstance(found, list) or len(found) != len(wanted):
            yield path
            return
        for place, (one, other) in enumerate(zip(wanted, found, strict=True)):
            yield from _differences(one, other, f"{path}[{place}]")
    elif wanted != found and not _same_instant(wanted, found):
        yield path


def _same_instant(wanted: object, found: object) -> bool:
    if not (isinstance(wanted, str) and isinstance(found, str)):
        return False
    try:
        return datetime.fromisoformat(wanted) == datetime.fromisoformat(found)
    except (ValueError, TypeError):
        return False
