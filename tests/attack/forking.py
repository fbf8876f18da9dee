"""Tests run many times over: collected once, then a fork of that process for each change.

A fork holds everything that was imported and collected, so a change costs the tests that run its
lines, the quickest first, until one of them notices: mostly a tenth of a second.
"""

import gc
import os
import resource
import signal
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import coverage
import pytest
from _pytest.runner import runtestprotocol

from tests.domain import scenes

PYTEST = [
    *("-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:warnings", "-o", "timeout=0"),
    *("--assert=plain", "--tb=native", "-m", "plain"),  # nobody reads why a change was noticed
    "tests/domain",
]
KILLED, SURVIVED, NO_CODE = "killed", "survived", "no code"
OUTCOMES = {0: SURVIVED, 77: NO_CODE}
MOST_MEMORY = 3 * 2**30
GRACE = 8.0
"""Seconds that a test may take beyond ten times what it takes, before it counts as endless."""


@dataclass
class Tests:
    """Which tests run which line of which file, and how many seconds each takes.

    That is how long it took while its lines were noted: about four times what it takes otherwise.
    """

    by_line: dict[str, dict[int, list[str]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def add(
        self, lines: Mapping[str, Mapping[str, list[str]]], seconds: Mapping[str, float]
    ) -> None:
        """Add what is known of some tests."""
        self.seconds.update(seconds)
        for path, there in lines.items():
            of_path = self.by_line.setdefault(path, {})
            for line, names in there.items():
                of_path.setdefault(int(line), []).extend(names)

    def of(
        self, path: Path, lines: Iterable[int], most: float, first: Callable[[str], float]
    ) -> list[str]:
        """The tests that run one of these lines, for so many seconds in all.

        Half of them are for those by which most was noticed before, the rest for the quickest.
        """
        there = self.by_line.get(str(path), {})
        names = {name for line in lines for name in there.get(line, ())}
        quickest = sorted(names, key=lambda name: (self.seconds[name], name))
        sharpest = sorted((n for n in quickest if first(n)), key=lambda name: -first(name))
        begun = self._within(sharpest, most / 2)
        known = set(begun)
        rest = most - sum(self.seconds[name] for name in begun)
        return [*begun, *self._within([n for n in quickest if n not in known], rest)]

    def _within(self, names: list[str], most: float) -> list[str]:
        spent = accumulate(self.seconds[name] for name in names)
        return [name for name, until in zip(names, spent, strict=True) if until <= most]


class Forks:
    """A pytest plugin: instead of running its tests once, it gives them to `work`."""

    def __init__(self, work: Callable[["Forks"], None]) -> None:
        """`work` is called once all tests are collected."""
        self.work = work
        self.items: dict[str, pytest.Item] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Take the place of pytest's own loop."""
        self.items = {item.nodeid: item for item in session.items}
        gc.collect()
        gc.freeze()
        self.work(self)
        return True

    def by_file(self) -> dict[str, list[str]]:
        """The names of the tests in each file."""
        files: dict[str, list[str]] = {}
        for name in self.items:
            files.setdefault(name.partition("::")[0], []).append(name)
        return files

    def watched(
        self, names: Sequence[str], paths: Sequence[Path]
    ) -> tuple[dict[str, dict[str, list[str]]], dict[str, float]]:
        """Run these tests once, unchanged: which lines of these files each runs, and how long."""
        counting = coverage.Coverage(
            data_file=None, include=[str(path) for path in paths], config_file=False
        )
        seconds: dict[str, float] = {}
        counting.start()
        for name in names:
            counting.switch_context(name)
            began = time.monotonic()
            if _fails(self.items[name], None):
                raise SystemExit(f"{name} fails without any change")
            seconds[name] = time.monotonic() - began
        counting.stop()
        data = counting.get_data()
        noted: dict[str, dict[str, list[str]]] = {}
        for path in map(str, paths):
            known = data.contexts_by_lineno(path)
            noted[path] = {str(n): [each for each in by if each] for n, by in known.items()}
        return noted, seconds

    def outcome(self, change: Callable[[], Any], order: list[str], tests: Tests) -> tuple[str, str]:
        """Make a change in a fork and run tests until one fails: the outcome, and which failed."""
        items = [self.items[name] for name in order]
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            os.close(reading)
            _in_the_fork(change, items, tests, writing)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            begun = pipe.read().split()
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) in OUTCOMES:
            return OUTCOMES[os.WEXITSTATUS(status)], ""
        return KILLED, order[int(begun[-1])] if begun else ""


def _in_the_fork(
    change: Callable[[], Any], items: list[pytest.Item], tests: Tests, writing: int
) -> None:
    """Never returns: 0 where no test noticed, 1 where one did, 77 where there is no such code.

    A test that does not come to its end is stopped by the alarm, and with it the fork.
    """
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    try:
        change()
    except (SyntaxError, StopIteration):
        os._exit(77)
    for place, item in enumerate(items):
        os.write(writing, f"{place}\n".encode())
        signal.setitimer(signal.ITIMER_REAL, GRACE + 10 * tests.seconds[item.nodeid])
        following = items[place + 1] if place + 1 < len(items) else None
        if _fails(item, following):
            os._exit(1)
    os._exit(0)


def _fails(item: pytest.Item, following: pytest.Item | None) -> bool:
    scenes.forget()  # each test runs all of its lines itself, and with the change
    try:
        return any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))
    except BaseException:  # noqa: BLE001  a change may raise what pytest itself lets through
        return True


def run(work: Callable[[Forks], None]) -> int:
    """Collect the plain tests of the domain and give them to `work`."""
    return int(pytest.main(PYTEST, plugins=[Forks(work)]))
