"""Writes the pages that are generated from code and data: `python -m tools.docs [--check]`.

`--check` writes nothing and exits with 1, naming each page that is not current. To generate another
page, add its path and the function that makes its text to `GENERATED` or `FROM_CODE`.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from protocols.loader import SHIPPED, load_protocols
from protocols.problems import ProtocolProblems
from protocols.render import pages
from tools import hazards, performance, reference

ROOT = Path(__file__).resolve().parent.parent


def protocol_pages() -> Mapping[str, str]:
    """Make the clinician's page of every protocol in the repository."""
    return pages(load_protocols(SHIPPED))


GENERATED: dict[str, Callable[[], str | Mapping[str, str]]] = {
    "docs/protocols": protocol_pages,
}
"""Made from what clinicians sign: a path and what makes its text; or a folder and its pages."""

FROM_CODE: dict[str, Callable[[], str | Mapping[str, str]]] = {
    "docs/reference": reference.pages,
    "docs/hazards.md": hazards.page,
    "docs/performance.md": performance.page,
    "README.md": performance.readme,
}
"""The same for what is made from the code."""


def wanted() -> dict[str, str]:
    """Make every generated text, by its path from the root of the repository."""
    texts: dict[str, str] = {}
    for path, make in (GENERATED | FROM_CODE).items():
        made = make()
        if isinstance(made, str):
            texts[path] = made
        else:
            texts.update({f"{path}/{name}": text for name, text in made.items()})
    return texts


def stale(texts: Mapping[str, str], root: Path) -> list[str]:
    """Name the pages that are missing, differ, or lie in a generated folder without being made."""
    differ = [path for path, text in texts.items() if _read(root / path) != text]
    folders = [root / path for path in (*GENERATED, *FROM_CODE) if (root / path).is_dir()]
    there = [str(file.relative_to(root)) for folder in folders for file in folder.glob("*.md")]
    return sorted({*differ, *(path for path in there if path not in texts)})


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if out of date")
    check = parser.parse_args(arguments).check
    try:
        texts = wanted()
    except (ProtocolProblems, hazards.NotThere, performance.NotWhole) as problems:
        print(problems)
        return 1
    old = stale(texts, root)
    for path in old:
        print(f"{path} is out of date: run ./dev docs" if check else f"writing {path}")
        if not check:
            _write(root / path, texts.get(path))
    return 1 if check and old else 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _write(path: Path, text: str | None) -> None:
    if text is None:
        path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
