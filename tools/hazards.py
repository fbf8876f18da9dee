"""Makes `docs/hazards.md`: what can harm a patient, and the code and tests that stand against it.

A function or a test that is not there stops it, so that the page cannot say what is not so.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(__file__).with_name("hazards.yaml")


class NotThere(Exception):  # noqa: N818  reads as what happened
    """A hazard names code or a test that does not exist."""


def page() -> str:
    """Write the page of every hazard."""
    lines = [
        "<!-- Generated from tools/hazards.yaml by `./dev docs`; do not edit. -->",
        "",
        "# Hazards",
        "",
        "What can harm a patient, the safeguards against it, and the tests that show them at work,",
        "each in its own words. Severities are for a clinician to set. Kairos is not a medical",
        "device and not for clinical use. Each hazard says what is still open.",
        "",
    ]
    for hazard in yaml.safe_load(DATA.read_text("utf-8")):
        lines += _hazard(hazard)
    return "\n".join(lines) + "\n"


def _hazard(hazard: dict[str, Any]) -> Iterator[str]:
    yield f"## {hazard['id']}: {hazard['hazard']}"
    yield ""
    yield f"Harm: {hazard['harm']}."
    yield ""
    for control in hazard["against"]:
        code = ", ".join(f"`{_code(place)}`" for place in control["code"])
        yield f"- **{control['control']}.** In {code}."
        for test in control["tests"]:
            yield f"  - {_fact(test)} (`{test}`)"
    if hazard["against"]:
        yield ""
    yield f"Open: {hazard['open'] or 'nothing known.'}"
    yield ""


def _code(place: str) -> str:
    """The place, if there is such a function or class in that file."""
    file, _, name = place.partition(":")
    if name not in {node.name for node in _named(ROOT / file)}:
        raise NotThere(f"tools/hazards.yaml: {file} has no {name}")
    return place


def _fact(test: str) -> str:
    """The first sentence of a test's docstring."""
    file, _, name = test.partition("::")
    found = next((node for node in _named(ROOT / file) if node.name == name), None)
    if found is None:
        raise NotThere(f"tools/hazards.yaml: {file} has no {name}")
    return (ast.get_docstring(found) or "").partition("\n")[0]


Named = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def _named(file: Path) -> list[Named]:
    if not file.is_file():
        raise NotThere(f"tools/hazards.yaml: {file.relative_to(ROOT)} does not exist")
    body = ast.parse(file.read_text("utf-8")).body
    return [node for node in body if isinstance(node, Named)]
