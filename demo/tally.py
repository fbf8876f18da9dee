"""Hold what was intended against what an EHR holds, resource by resource. Pure.

Deliberately shares no code with Kairos's own read-back: this comparison is its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

SYSTEM = "urn:kairos:artefact"
ARTEFACT = f"{SYSTEM}:"
Json = dict[str, Any]
Intended = Mapping[str, tuple[str, Json]]


@dataclass
class Count:
    """One row of the table: how many artefacts of a resource type came out which way.

    `doubled` counts resources that say what an intended one says, `unexplained` those that nothing
    intended accounts for.
    """

    intended: int = 0
    found: int = 0
    equal: int = 0
    different: int = 0
    missing: int = 0
    doubled: int = 0
    unexplained: int = 0


@dataclass(frozen=True)
class Recount:
    """The table, and how many writes it took."""

    rows: Mapping[str, Count]
    writes: int
    differences: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether everything intended is in the EHR, once, as intended, and nothing else is."""
        return bool(self.rows) and all(
            row.equal == row.intended == row.found and not row.doubled and not row.unexplained
            for row in self.rows.values()
        )

    def as_json(self) -> dict[str, dict[str, int]]:
        """The rows as plain numbers."""
        return {kind: asdict(row) for kind, row in sorted(self.rows.items())}


def tally(deliveries: list[Json], resources: Iterable[Json]) -> Recount:
    """Count the deliveries of a ledger against the resources of an EHR."""
    deliveries = [each for each in deliveries if not _taken_back(each)]
    intended = _intended(deliveries)
    held: dict[tuple[str, str], list[Json]] = defaultdict(list)
    strangers = []
    for resource in resources:
        kind = resource["resourceType"]
        known = [a for a in _artefacts(resource) if a in intended and intended[a][0] == kind]
        for artefact in known:
            held[(kind, artefact)].append(resource)
        if not known:
            strangers.append(resource)
    names = {
        artefact: f"{kind}/{held[(kind, artefact)][0]['id']}"
        for artefact, (kind, _) in intended.items()
        if held.get((kind, artefact))
    }
    rows: dict[str, Count] = defaultdict(Count)
    differences = []
    for artefact, (kind, body) in intended.items():
        row, copies = rows[kind], held.get((kind, artefact), [])
        row.intended += 1
        row.found += min(len(copies), 1)
        row.doubled += max(len(copies) - 1, 0)
        if not copies:
            row.missing += 1
            continue
        wrong = list(_differences(_named(body, names), copies[0], kind))
        row.equal += not wrong
        row.different += bool(wrong)
        differences += [f"{artefact}: {path}" for path in wrong]
    differences += _strange(strangers, intended, names, rows)
    return Recount(dict(rows), len(deliveries), tuple(differences))


def _taken_back(delivery: Json) -> bool:
    """Say whether a write was never to leave: its entry was in error, and nothing was sent."""
    return delivery.get("state") == "superseded" and not delivery.get("attempts")


def _intended(deliveries: list[Json]) -> dict[str, tuple[str, Json]]:
    """The last intended content of each artefact: its create, with its updates laid over it."""
    intended: dict[str, tuple[str, Json]] = {}
    for each in deliveries:
        kind, body = each["resource_type"], each["resource"]
        _, before = intended.get(each["artefact"], (kind, {}))
        intended[each["artefact"]] = (kind, {**before, **body})
    return intended


def _strange(
    strangers: list[Json],
    intended: Intended,
    names: Mapping[str, str],
    rows: dict[str, Count],
) -> Iterator[str]:
    """Count what carries our identifiers, or is of our patients or resources, and is not ours."""
    bodies = [_named(body, names) for _, body in intended.values()]
    ours = set(names.values())
    ours |= {name for body in bodies for name in _references(body) if name.startswith("Patient/")}
    for resource in strangers:
        if not (_artefacts(resource) or ours & set(_references(resource))):
            continue
        kind = resource["resourceType"]
        same = (
            not list(_differences(_without_identifiers(body), resource, kind))
            for body in bodies
            if body.get("resourceType") == kind
        )
        if any(same):
            rows[kind].doubled += 1
        else:
            rows[kind].unexplained += 1
            yield f"{kind}/{resource['id']}: Kairos did not intend to write it"


def _artefacts(resource: Json) -> set[str]:
    """The ids of ours that a resource carries; a Provenance carries its own in an entity."""
    own = resource.get("identifier", [])
    carried: list[Json] = own if isinstance(own, list) else [own]
    if resource["resourceType"] == "Provenance":
        carried = [e["what"].get("identifier", {}) for e in resource.get("entity", [])]
    return {each.get("value", "") for each in carried if each.get("system") == SYSTEM}


def _without_identifiers(body: Json) -> Json:
    """What a resource says, without the id that it carries."""
    return {key: value for key, value in body.items() if key not in ("identifier", "entity")}


def _references(value: Any) -> Iterator[str]:
    """Every resource that a body refers to, as `Type/id`."""
    if isinstance(value, dict):
        found = value.get("reference")
        if isinstance(found, str):
            yield "/".join(found.partition("/_history/")[0].split("/")[-2:])
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _references(item)


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
