"""A small structural check of a resource against a StructureDefinition's snapshot.

Cardinalities, fixed values, patterns and slices by value or pattern; not bindings or invariants.
"""

import json
import os
import tarfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

Element = dict[str, Any]


def published_data() -> Path:
    """The folder of captured and published data; skips the test where there is none."""
    where = os.environ.get("KAIROS_TEST_DATA")
    if not where or not Path(where).is_dir():
        pytest.skip("KAIROS_TEST_DATA does not name a folder of published data")
    return Path(where)


@cache
def profiles() -> dict[str, dict[str, Element]]:
    """US Core 6.1.0: profile URL to the elements of its snapshot by id."""
    found = {}
    with tarfile.open(published_data() / "us-core-6.1.0.tgz") as package:
        for member in package.getmembers():
            if not member.name.startswith("package/StructureDefinition-us-core-"):
                continue
            file = package.extractfile(member)
            assert file is not None
            definition = json.load(file)
            elements = definition["snapshot"]["element"]
            found[definition["url"]] = {element["id"]: element for element in elements}
    return found


def violations(resource: dict[str, Any], url: str) -> list[str]:
    """Say where the resource does not fit the profile."""
    return list(_Check(resource, profiles()[url]).run())


class _Check:
    def __init__(self, resource: dict[str, Any], elements: dict[str, Element]) -> None:
        self.resource = resource
        self.elements = elements

    def run(self) -> Iterator[str]:
        for name, element in self.elements.items():
            if "." not in name:
                continue
            for parent in self.nodes(name.rpartition(".")[0]):
                found = self.within(parent, name)
                most = element["max"]
                if len(found) < element["min"] or (most != "*" and len(found) > int(most)):
                    yield f"{name}: {len(found)}, should be {element['min']}..{most}"
                yield from (f"{name}: value" for node in found if not _fits(node, element))

    def nodes(self, name: str) -> list[Any]:
        """The parts of the resource that an element id names."""
        if "." not in name:
            return [self.resource]
        parents = self.nodes(name.rpartition(".")[0])
        return [node for parent in parents for node in self.within(parent, name)]

    def within(self, parent: Any, name: str) -> list[Any]:
        """The children of one node that an element id names."""
        last = name.rpartition(".")[2]
        key, _, slice_name = last.partition(":")
        found = _children(parent, key)
        if not slice_name:
            return found
        if key.endswith("[x]"):
            return _children(parent, slice_name)
        return [node for node in found if self.in_slice(node, name)]

    def in_slice(self, node: Any, name: str) -> bool:
        rules = self.elements[name.rpartition(":")[0]]["slicing"]["discriminator"]
        return all(self.discriminates(node, name, rule["path"]) for rule in rules)

    def discriminates(self, node: Any, name: str, path: str) -> bool:
        where = name if path == "$this" else f"{name}.{path}"
        nodes = [node]
        for step in [] if path == "$this" else path.split("."):
            nodes = [child for parent in nodes for child in _children(parent, step)]
        element = self.elements.get(where, {})
        if not _expected(element):
            return False  # by value set, which is not looked at
        return any(_fits(found, element) for found in nodes)


def _children(parent: Any, key: str) -> list[Any]:
    if not isinstance(parent, dict):
        return []
    if key.endswith("[x]"):
        base = key.removesuffix("[x]")
        return [v for k, v in parent.items() if k.startswith(base) and k[len(base) :][:1].isupper()]
    value = parent.get(key, [])
    return value if isinstance(value, list) else [value]


def _expected(element: Element) -> list[tuple[str, Any]]:
    return [(k, v) for k, v in element.items() if k.startswith(("fixed", "pattern"))]


def _fits(node: Any, element: Element) -> bool:
    return all(
        node == value if key.startswith("fixed") else _covers(node, value)
        for key, value in _expected(element)
    )


def _covers(node: Any, pattern: Any) -> bool:
    if isinstance(pattern, dict):
        return isinstance(node, dict) and all(_covers(node.get(k), v) for k, v in pattern.items())
    if isinstance(pattern, list):
        return isinstance(node, list) and all(any(_covers(n, p) for n in node) for p in pattern)
    return bool(node == pattern)
