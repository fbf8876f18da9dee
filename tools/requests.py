"""The page of every request: what it takes, what it answers and an example, for people to read.

Made from the API's own description of itself (`/openapi.json`), so that both say the same.
"""

import json
from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import Any, cast

from api.app import create_app
from api.dependencies import Dependencies

HEADERS = ("Idempotency-Key", "If-Match", "Acting-Role")
"""Said once, at the top of the page."""

_WRONG = 400
Schema = Mapping[str, Any]


def requests_page() -> str:
    """Describe every route under /v1, by what it is about."""
    described = create_app(_nothing()).openapi()
    schemas = described["components"]["schemas"]
    by_tag: dict[str, list[str]] = {}
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            if path.startswith("/v1/"):
                tag = operation.get("tags", ["other"])[0]
                lines = by_tag.setdefault(tag, [])
                lines += _operation(f"{method.upper()} {path}", operation, schemas)
    lines = [
        "# Requests", "",
        "Every request under `/v1`, from the API's own description of itself (`/openapi.json`).",
        "[The API](api.md) lists which roles may send which, and every problem.", "",
        "A POST on a pathway or a delivery takes these headers:", "",
        *_headers(described), "",
        "It answers 201 with the pathway's new `version`, the addresses of `pathway` and",
        "`command`, and the version as ETag; or 202 if it is stored and its outcome is not known",
        "yet: then ask at the address in `Location`.", "",
    ]  # fmt: skip
    for tag, of_tag in by_tag.items():
        lines += [f"## {tag.replace('-', ' ').capitalize()}", "", *of_tag]
    return "\n".join(lines)


def _nothing() -> Dependencies:
    """What a description of the API needs of a clinic: nothing."""
    return cast("Dependencies", SimpleNamespace(tokens=None))


def _headers(described: Schema) -> Iterator[str]:
    (one,) = (
        operations["post"]
        for path, operations in described["paths"].items()
        if path.endswith("/holds") and "post" in operations
    )
    for each in one["parameters"]:
        if each["name"] in HEADERS:
            yield f"- `{each['name']}`: {each['description']}"


def _operation(name: str, operation: Schema, schemas: Schema) -> Iterator[str]:
    yield from (f"### {operation['summary']}", "", f"`{name}`", "")
    yield from (operation.get("description", "").strip(), "")
    given = [each for each in operation.get("parameters", ()) if each["name"] not in HEADERS]
    asked = [each for each in given if each["in"] == "query"]
    if asked:
        yield from ("| Query | Type | Means |", "|---|---|---|")
        for each in asked:
            what = each.get("description", "")
            yield f"| `{each['name']}` | {_type(each['schema'], schemas)} | {what} |"
        yield ""
    body = operation.get("requestBody")
    if body is not None:
        yield from _body(body["content"]["application/json"], schemas)
    yield from _answers(operation, schemas)


def _body(content: Schema, schemas: Schema) -> Iterator[str]:
    shape = _resolved(content["schema"], schemas)
    fields = shape.get("properties", {})
    if not fields:
        yield from ("No body, or an empty object.", "")
        return
    yield from ("| Field | Required | Type | Means |", "|---|---|---|---|")
    for name, field in fields.items():
        required = "yes" if name in shape.get("required", ()) else ""
        means = field.get("description", "")
        yield f"| `{name}` | {required} | {_type(field, schemas)} | {means} |"
    yield ""
    for example in content.get("examples", {}).values():
        yield from ("```json", json.dumps(example["value"], indent=2), "```", "")


def _answers(operation: Schema, schemas: Schema) -> Iterator[str]:
    statuses = sorted(operation["responses"])
    for status in statuses:
        shape = _shape_of(operation["responses"][status])
        if int(status) < _WRONG and shape is not None and _name(shape) != "Accepted":
            yield from (f"Answers {status}: {_named(shape, schemas)}.", "")


def _shape_of(response: Schema) -> Schema | None:
    content: Schema = response.get("content", {}).get("application/json", {})
    return content.get("schema") or None


def _named(shape: Schema, schemas: Schema) -> str:
    """Name a shape, and its fields where it has any."""
    found = _resolved(shape, schemas)
    fields = ", ".join(f"`{name}`" for name in found.get("properties", {}))
    if "items" in found.get("properties", {}) and (of := _item(found, schemas)) is not None:
        return f"{fields}; each item has {of}"
    return fields or "an object"


def _item(page: Schema, schemas: Schema) -> str | None:
    item = _resolved(page["properties"]["items"].get("items", {}), schemas)
    return ", ".join(f"`{name}`" for name in item.get("properties", {})) or None


def _type(schema: Schema, schemas: Schema) -> str:
    """Say a field's type in a few words; null where it may be left out says nothing more."""
    choices = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    if choices:
        return " or ".join(dict.fromkeys(_type(each, schemas) for each in choices))
    if "$ref" in schema:
        found = _resolved(schema, schemas)
        if "enum" in found:
            return _one_of(found["enum"])
        inner = found.get("properties", {})
        return f"object with {', '.join(f'`{name}`' for name in inner)}" if inner else "object"
    if "enum" in schema:
        return _one_of(schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}), schemas)}"
    return str(schema.get("format") or schema.get("type") or "any")


def _one_of(values: list[Any]) -> str:
    return "one of " + ", ".join(f"`{each}`" for each in values)


def _name(schema: Schema) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _resolved(schema: Schema, schemas: Schema) -> Schema:
    found: Schema = schemas[_name(schema)] if "$ref" in schema else schema
    return found
