"""What the tests of the parts have in common: waiting with a deadline, and what "nothing" means."""

import asyncio
import json
import os
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clinic import Commands, RunDirectory
from clinic.rundir import temporary_base
from clinic.watchdog import Owned, lives, marked, started_at

HERE = Path(__file__).parent
STAND_INS = str(HERE / "stand_ins.py")
COMMANDS = Commands(
    store=(sys.executable, STAND_INS, "store"),
    api=(sys.executable, STAND_INS, "api"),
    worker=(sys.executable, STAND_INS, "worker"),
    directory=HERE,
)


async def until(condition: Callable[[], bool], seconds: float = 15) -> None:
    """Return when the condition holds; fail the test when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {seconds} s"
        await asyncio.sleep(0.02)


def processes_of(run: Path) -> list[Owned]:
    """Every living process of a run directory, PostgreSQL's own ones included."""
    registered = [Owned(*entry[1:]) for entry in json.loads((run / "processes").read_text())]
    return [*registered, *marked(str(run))]


def is_gone(run: Path, processes: list[Owned], urls: list[str]) -> bool:
    """No process, no directory, nobody listening."""
    return (
        not any(map(lives, processes))
        and not run.exists()
        and not any(map(listens, urls))
        and not marked(str(run))
    )


def listens(url: str) -> bool:
    """Whether somebody accepts connections at host:port or a URL with one."""
    host, _, port = url.rpartition("//")[2].partition("/")[0].partition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def is_alive(pid: int) -> bool:
    """Whether a process has this number, and is no zombie."""
    return started_at(pid) is not None


@contextmanager
def kept_directory() -> Iterator[Path]:
    """A directory that PostgreSQL's own user may enter when the tests run as root."""
    path = Path(tempfile.mkdtemp(prefix="tests-of-kairos-", dir=temporary_base()))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextmanager
def run_directory() -> Iterator[RunDirectory]:
    """A run directory, closed afterwards."""
    run = RunDirectory("test")
    try:
        yield run
    finally:
        run.close()


def leave(code: int) -> None:
    """End a process that used temporalio: its threads may crash an orderly interpreter exit."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
