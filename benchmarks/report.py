"""What a benchmark finds: printed as it is found, and kept for `docs/performance.md` if asked to.

What is kept says on which machine, when and from which commit it was taken, each run by itself.
"""

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demo.screen import Screen

KEPT = Path(__file__).parent / "kept.json"


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured, beside the least that it could cost in the same run."""

    what: str
    kairos: str
    floor: str = ""
    ratio: str = ""
    goal: str = ""


@dataclass(slots=True)
class Report:
    """What one benchmark finds."""

    command: str
    method: str
    screen: Screen = field(default_factory=Screen)
    figures: list[Figure] = field(default_factory=list)

    def line(self, text: str) -> None:
        """Print something that is not kept."""
        self.screen.line(text)

    def figure(
        self, what: str, kairos: str, floor: str = "", ratio: str = "", goal: str = ""
    ) -> None:
        """Print a figure and keep it."""
        found = Figure(what, kairos, floor, ratio, goal)
        self.figures.append(found)
        self.screen.line(said(found))

    def keep_figure(self, figure: Figure) -> None:
        """Keep a figure that was printed in another way."""
        self.figures.append(figure)

    def keep(self) -> None:
        """Write the run down in place of the one before of the same command."""
        known = kept()
        known[self.command] = {
            "method": self.method,
            "taken": datetime.now(UTC).date().isoformat(),
            "commit": _commit(),
            "machine": _machine(),
            "figures": [asdict(figure) for figure in self.figures],
        }
        KEPT.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def kept() -> dict[str, Any]:
    """The runs that were kept, by their commands."""
    found: dict[str, Any] = json.loads(KEPT.read_text("utf-8")) if KEPT.is_file() else {}
    return found


def said(figure: Figure) -> str:
    """A figure in one line."""
    parts = [f"{figure.what}: {figure.kairos}"]
    parts += [f"floor {figure.floor}"] if figure.floor else []
    parts += [figure.ratio] if figure.ratio else []
    parts += [f"goal {figure.goal}"] if figure.goal else []
    return "; ".join(parts)


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    processor = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            processor = line.partition(":")[2].strip()
            break
    cores = f"{os.cpu_count()} cores" if os.cpu_count() != 1 else "1 core"
    return f"{cores} ({processor}), {memory:.0f} GiB, Python {platform.python_version()}"


def _commit() -> str:
    words = ["git", "-C", str(KEPT.parent), "describe", "--always", "--dirty", "--abbrev=10"]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
