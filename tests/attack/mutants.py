"""`./dev attack mutants`: what the tests of the domain do not notice, one small change at a time.

Resumable: what was found out stands in `.mutants/`, and is found out again only for a module that
changed, and for what survived under other tests. Each survivor stands in `survivors.yaml` with a
sentence on why it does no harm; one that does not, or one there that is none, fails the command.
"""

import argparse
import json
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from tests.attack.forking import KILLED, NO_CODE, SURVIVED, Forks, Tests, run
from tests.attack.mutating import ROOT, Mutant, become, mutants_of

KEPT = ROOT / ".mutants"
SURVIVORS = Path(__file__).with_name("survivors.yaml")
SAY_EVERY = 60.0  # seconds
SECONDS = 10.0


def modules() -> list[str]:
    """The modules that are changed, as pyproject.toml lists them."""
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]["only_mutate"]
    return [path.removesuffix(".py").replace("/", ".") for path in listed]


def path_of(module: str) -> Path:
    """Where a module stands."""
    return ROOT / f"{module.replace('.', '/')}.py"


def fingerprint(paths: Iterable[Path]) -> str:
    """The sha256 of these files, in their order."""
    return sha256(b"".join(path.read_bytes() for path in sorted(paths))).hexdigest()


def test_files() -> list[Path]:
    """The tests of the domain, and the helpers that they use."""
    return [*(ROOT / "tests" / "domain").rglob("*.py"), *(ROOT / "tests").glob("*.py")]


class Found:
    """What was found out so far, kept line by line, so that a run may be killed at any time."""

    def __init__(self, most: float, *, anew: bool, first: Iterable[str] = ()) -> None:
        """Read what is kept, or forget it. `most` is how long tests may take for one change."""
        self.most = most
        self.first = frozenset(first)
        KEPT.mkdir(exist_ok=True)
        self.path = KEPT / "found.jsonl"
        if anew:
            self.path.unlink(missing_ok=True)
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        self.known: dict[str, dict[str, Any]] = {}
        self.by: Counter[tuple[str, str]] = Counter()
        for one in map(json.loads, lines):
            self._know(one)
        self.module = {module: fingerprint([path_of(module)]) for module in modules()}
        self.tests = fingerprint(test_files())

    def _know(self, one: dict[str, Any]) -> None:
        self.known[one["name"]] = one
        function = one["name"].partition(": ")[0]
        module, file = function.partition(" ")[0], one["by"].partition("::")[0]
        for what, by in ((function, one["by"]), (module, one["by"]), (module, file)):
            self.by[what, by] += 1

    def noticed_by(self, mutant: Mutant) -> Callable[[str], float]:
        """How much a test noticed: of this function most of all, then of its module.

        Those of the files that are asked first come before all others: of new ones nothing is
        known yet, and what many tests run leaves them no time.
        """
        module, function = mutant.module, f"{mutant.module} {mutant.function}"
        return lambda name: (
            1_000_000 * (name.partition("::")[0] in self.first)
            + 1000 * self.by[function, name]
            + 3 * self.by[module, name]
            + self.by[module, name.partition("::")[0]]
        )

    def outcome(self, mutant: Mutant) -> str | None:
        """What came of a change, if that is known and still stands."""
        one = self.known.get(mutant.name)
        if one is None or one["module"] != self.module[mutant.module]:
            return None
        if one["outcome"] == SURVIVED and (one["tests"], one["most"]) != (self.tests, self.most):
            return None
        return str(one["outcome"])

    def keep(self, mutant: Mutant, outcome: str, by: str) -> None:
        """Write down what came of a change."""
        of = self.module[mutant.module]
        one = {
            "name": mutant.name,
            "module": of,
            "tests": self.tests,
            "most": self.most,
            "outcome": outcome,
            "by": by,
        }
        self._know(one)
        with self.path.open("a") as file:
            file.write(json.dumps(one) + "\n")


def watched(forks: Forks) -> Tests:
    """Which tests run which lines; noted anew for the files of tests that have changed since."""
    code = [*(ROOT / "domain").rglob("*.py"), *(ROOT / "protocols").glob("*.*")]
    helpers = [path for path in test_files() if not path.name.startswith("test_")]
    now = fingerprint([*code, *helpers])
    kept = KEPT / "lines.json"
    held = json.loads(kept.read_text()) if kept.exists() else {}
    known: dict[str, Any] = held["files"] if held.get("now") == now else {}
    tests, files = Tests(), {}
    for file, names in forks.by_file().items():
        sha = fingerprint([ROOT / file])
        one = known.get(file, {})
        if one.get("sha") != sha or set(one["seconds"]) != set(names):
            print(f"noting which lines {file} runs", flush=True)
            lines, seconds = forks.watched(names, [path_of(module) for module in modules()])
            one = {"sha": sha, "lines": lines, "seconds": seconds}
        files[file] = one
        tests.add(one["lines"], one["seconds"])
        kept.write_text(json.dumps({"now": now, "files": known | files}))
    return tests


def attack(forks: Forks, chosen: list[str], found: Found) -> None:
    """Find out what is not known yet."""
    todo = [m for each in chosen for m in mutants_of(each) if found.outcome(m) is None]
    if not todo:
        return
    tests = watched(forks)
    began = said = time.monotonic()
    for done, mutant in enumerate(todo):
        noticed = found.noticed_by(mutant)
        names = tests.of(path_of(mutant.module), mutant.lines, found.most, noticed)
        found.keep(mutant, *forks.outcome(partial(become, mutant), names, tests))
        if time.monotonic() - said > SAY_EVERY:
            said = time.monotonic()
            print(f"{done + 1} of {len(todo)}, {said - began:.0f} s: {mutant.module}", flush=True)


def known_survivors() -> dict[str, str]:
    """Each survivor that was looked at, by its name, and why it does no harm."""
    held: dict[str, list[dict[str, Any]]] = yaml.safe_load(SURVIVORS.read_text()) or {}
    return {
        f"{module} {one['in']}: {one['was']}  =>  {one['now']} #{one.get('number', 1)}": one["why"]
        for module, those in held.items()
        for one in those
    }


def as_yaml(mutants: Iterable[Mutant]) -> str:
    """Survivors that nobody looked at yet, as `survivors.yaml` is to have them."""
    written: dict[str, list[dict[str, Any]]] = {}
    for one in mutants:
        entry: dict[str, Any] = {"in": one.function, "was": one.was, "now": one.now}
        entry |= {"number": one.number} if one.number > 1 else {}
        written.setdefault(one.module, []).append(entry | {"why": f"line {one.lines.start}"})
    return yaml.safe_dump(written, sort_keys=False, width=200, allow_unicode=True)


def said(chosen: list[str], found: Found) -> Iterator[tuple[str, bool]]:
    """Say the share killed of each module and of all, and where `survivors.yaml` is not so."""
    killed = made = 0
    looked_at, unknown, stale = known_survivors(), [], set[str]()
    for module in chosen:
        those = [m for m in mutants_of(module) if found.outcome(m) not in (NO_CODE, None)]
        alive = [mutant for mutant in those if found.outcome(mutant) == SURVIVED]
        dead = sum(found.outcome(mutant) == KILLED for mutant in those)
        killed, made = killed + dead, made + len(those)
        yield f"{module}: {dead} of {len(those)} killed, {len(alive)} survive", True
        unknown += [mutant for mutant in alive if mutant.name not in looked_at]
        names = {mutant.name for mutant in alive}
        stale |= {n for n in looked_at if n.startswith(f"{module} ") and n not in names}
    yield f"{killed} of {made} killed: {100 * killed / max(1, made):.1f} percent", True
    for name in sorted(stale):
        yield f"in survivors.yaml and none: {name}", False
    if unknown:
        yield f"{len(unknown)} survive that nobody looked at:\n{as_yaml(unknown)}", False


def main(arguments: list[str]) -> int:
    """Attack these modules; 1 where something survives that nobody looked at."""
    parser = argparse.ArgumentParser(prog="./dev attack mutants", description=__doc__)
    parser.add_argument("--only", action="append", metavar="MODULE", choices=modules())
    parser.add_argument(
        "--seconds",
        type=float,
        default=SECONDS,
        help="how long tests may take for one change, the quickest of those that run it "
        "(%(default)s, as counted while lines are noted: four times what they take)",
    )
    parser.add_argument(
        "--first",
        action="append",
        default=[],
        metavar="FILE",
        help="a file of tests to ask before all others, such as one that is new",
    )
    parser.add_argument("--anew", action="store_true", help="forget what was found out")
    options = parser.parse_args(arguments)
    chosen = options.only or modules()
    found = Found(options.seconds, anew=options.anew, first=options.first)
    if code := run(lambda forks: attack(forks, chosen, found)):
        return code
    lines = list(said(chosen, found))
    print("\n" + "\n".join(line for line, _ in lines), flush=True)
    return int(not all(fine for _, fine in lines))
