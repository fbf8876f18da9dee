"""Makes `docs/performance.md`, and the README's figures, from the benchmark runs that were kept.

Whether a figure is good is for readers; here each has to have a name, a value, and a run that says
on which machine, when and from which commit it was taken.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / "benchmarks" / "kept.json"
BEGINS, ENDS = "<!-- figures: made by ./dev docs -->", "<!-- figures end -->"
COLUMNS = ("What", "Kairos", "Compared with, in the same run", "Ratio", "Goal")

IN_SHORT: Mapping[str, tuple[str, ...]] = {
    "./dev bench commands": (
        "one reading by the API, one after the other, p50",
        "one reading by the API, one after the other, p99",
        "readings by the API",
    ),
    "./dev bench deliveries": ("writes, each", "of 1,000 writes"),
    "./dev bench peers": ("Medplum createResourceIfNoneExist",),
    "./dev bench outage": ("EHR away: first", "EHR away: all"),
    "./dev bench scale": (
        "one reading by the API, p50, 5,000",
        "the list of tasks of one role, p95, 5,000",
    ),
    "./dev bench restart": ("the same from kill -9 of the worker",),
    "./dev bench domain": ("the rules, 300 events",),
    "./dev bench demo": ("./dev demo in all", "the story's"),
}
"""What the README shows: commands, and how the figures begin that are taken from each."""

HEAD = """# How fast it is, and what it costs

Each table shows one run of `./dev bench` with `--keep`; the command above it measures again.
Floor and Kairos were measured in the same run, one after the other or in turns, because the speed
of a machine changes from hour to hour: compare ratios, not seconds.

## Goals not met

The goal for `./dev demo` was 0.6 of the time it took before lanes were rows and commands were
settled where they are received. It takes 0.68 to 0.85, measured in turns in one run. Its story is
one chain: each person acts when the one before is done, and the clock moves only when all is
quiet. While it runs, 1.05 of two cores are busy (of 37 s: API 10.5 s of CPU, worker 8.2, the story
itself 6.9, EHR 6.7, PostgreSQL 3.4, Temporal 3.0). 364 commands take 27 ms each, two thirds of
that in the turn. 12 s go into waiting for 890 writes, each patient's one after the other, and
4.5 s into the test server's own moves of time. What is left to gain is in each command and each
write, not in waiting.

An enrolled, idle pathway takes 4.1 KiB of rows in PostgreSQL (its own, five events and the command
that started it; the goal was 6), and 8.1 KiB with their indexes and the dead rows of the demo's
database, which is never vacuumed. Lists, audit and what was written to the EHR come beside that.

Each event writes the whole state of its pathway. That costs little while a day has few readings,
and grows with the readings of the last 24 hours.
"""


class NotWhole(Exception):  # noqa: N818 - reads as what happened
    """A run that was kept lacks something that a reader needs."""


def runs() -> dict[str, Any]:
    """The runs that were kept. Raises NotWhole, naming what one of them lacks."""
    found: dict[str, Any] = json.loads(KEPT.read_text("utf-8"))
    for command, run in found.items():
        lacks = [name for name in ("method", "taken", "commit", "machine") if not run.get(name)]
        lacks += ["figures"] if not run.get("figures") else []
        lacks += [
            f"what or value of figure {place}"
            for place, figure in enumerate(run.get("figures", ()), start=1)
            if not (figure["what"] and figure["kairos"])
        ]
        if lacks:
            raise NotWhole(f"{KEPT.name}: {command} has no {', '.join(lacks)}")
    return found


def page() -> str:
    """Make the page of all runs."""
    parts = [HEAD]
    for command, run in sorted(runs().items()):
        where = f"Measured on {run['taken']} at {run['commit']}, on {run['machine']}."
        method = run["method"][:1].upper() + run["method"][1:]
        parts.append(f"\n## `{command}`\n\n{method}\n\n{where}\n\n")
        parts.append(_table(run["figures"]))
    return "".join(parts)


def readme() -> str:
    """Make the README anew with the figures of the runs in place of those that stand in it."""
    text = (ROOT / "README.md").read_text("utf-8")
    before, begins, rest = text.partition(BEGINS)
    _, ends, after = rest.partition(ENDS)
    if not (begins and ends):
        raise NotWhole(f"README.md has no lines {BEGINS} and {ENDS}")
    return f"{before}{BEGINS}\n{_in_short()}{ENDS}{after}"


def _in_short() -> str:
    known, rows = runs(), []
    for command, beginnings in IN_SHORT.items():
        for begins in beginnings:
            rows += [
                f"| {f['what']} | {f['kairos']} | {f['floor']} | {f['ratio']} | `{command}` |\n"
                for f in known.get(command, {}).get("figures", ())
                if f["what"].startswith(begins)
            ][-1:]
    head = "| What | Kairos | Compared with, in the same run | Ratio | Measured by |\n"
    return head + "|---|---|---|---|---|\n" + "".join(rows)


def _table(figures: list[dict[str, str]]) -> str:
    """One run's figures; columns that nothing stands in are left out."""
    names = ("what", "kairos", "floor", "ratio", "goal")
    used = [n for n, name in enumerate(names) if any(figure[name] for figure in figures)]
    lines = [
        "| " + " | ".join(COLUMNS[n] for n in used) + " |",
        "|" + "---|" * len(used),
        *("| " + " | ".join(figure[names[n]] for n in used) + " |" for figure in figures),
    ]
    return "\n".join(lines) + "\n"
