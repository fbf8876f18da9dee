"""Outlives a clinic that was killed, and then stops its processes and removes its directories.

A separate tiny process in its own session. It reads `pid N SIGNAL`, `forget N`, `dir X` and `bye`
on its standard input; end of file without `bye` means that the parent is gone. It must not import
anything outside the standard library (it is started with `-I -S`), and must never signal a process
number that has been given to somebody else since it was registered.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

GRACE_SECONDS = 5.0
MARK = "KAIROS_RUN_DIRECTORY"  # in the environment of every child, so that none is ever lost
PROC = Path("/proc")
_START_FIELD = 19  # of /proc/N/stat, counted after the closing bracket of the command


class Owned(NamedTuple):
    """A process of ours: its number, when it started, and the signal it takes as "please end"."""

    pid: int
    started: str
    stop_signal: str = "SIGTERM"


def started_at(pid: int) -> str | None:
    """When the process started, in the system's own words; None when it is gone or a zombie."""
    if PROC.joinpath("self/stat").exists():
        try:
            whole = (PROC / str(pid) / "stat").read_text(errors="replace")
        except OSError:
            return None
        fields = whole.rpartition(")")[2].split()
        return None if fields[0] in "ZX" else fields[_START_FIELD]
    state, _, started = _ps("-o", "stat=,lstart=", "-p", str(pid)).strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def lives(owned: Owned) -> bool:
    """Whether this very process, not a later one with its number, is still running."""
    return started_at(owned.pid) == owned.started


def marked(directory: str) -> list[Owned]:
    """Every process started for this run directory, registered or not (Linux only)."""
    mark = f"{MARK}={directory}".encode()
    found: list[Owned] = []
    for entry in PROC.glob("[0-9]*/environ"):
        with suppress(OSError):
            pid = int(entry.parent.name)
            if mark in entry.read_bytes().split(b"\0") and pid != os.getpid():
                started = started_at(pid)
                if started is not None:
                    found.append(Owned(pid, started))
    return found


def children_of(parent: int) -> list[Owned]:
    """The processes whose parent is `parent`."""
    found = []
    for entry in PROC.glob("[0-9]*/stat"):
        with suppress(OSError):
            _, _, after = entry.read_text(errors="replace").rpartition(")")
            pid = int(entry.parent.name)
            if int(after.split()[1]) == parent and (started := started_at(pid)):
                found.append(Owned(pid, started))
    return found or [
        Owned(int(pid), started)
        for pid, of in map(str.split, _ps("-A", "-o", "pid=,ppid=").splitlines())
        if int(of) == parent and (started := started_at(int(pid)))
    ]


def command_of(pid: int) -> str:
    """The command line of a process; empty when it is gone."""
    if PROC.joinpath("self/stat").exists():
        with suppress(OSError):
            return (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return ""
    return _ps("-o", "command=", "-p", str(pid))


def _ps(*words: str) -> str:
    """Only where there is no /proc; systems without either show no processes at all."""
    with suppress(FileNotFoundError):
        return subprocess.run(
            ["/bin/ps", *words], capture_output=True, text=True, check=False
        ).stdout
    return ""


def stop(processes: Iterable[Owned], grace_seconds: float = GRACE_SECONDS) -> list[Owned]:
    """Ask each to end, then kill whole process groups. Returns those that were alive."""
    processes = list(processes)
    alive = [owned for owned in processes if lives(owned)]
    for owned in reversed(alive):
        _signal(owned.pid, signal.Signals[owned.stop_signal])
    deadline = time.monotonic() + grace_seconds
    while any(map(lives, alive)) and time.monotonic() < deadline:
        time.sleep(0.02)
    for owned in processes:
        # A leader that is gone may have left members of its group, whose number is then still
        # taken; a number that now has another start time belongs to a stranger.
        if started_at(owned.pid) in (None, owned.started):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(owned.pid, signal.SIGKILL)
    while any(map(lives, alive)) and time.monotonic() < deadline + grace_seconds:
        time.sleep(0.02)
    return alive


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def main() -> None:
    """Read until the parent says `bye` or is gone; in the second case clean up after it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    processes: dict[int, Owned] = {}
    directories: list[str] = []
    for line in sys.stdin:
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "bye":
            return
        if word == "dir":
            directories.append(rest)
            continue
        number_text, _, stop_signal = rest.partition(" ")
        pid = int(number_text)
        started = started_at(pid) if word == "pid" else None
        if started is None:
            processes.pop(pid, None)
        else:
            processes[pid] = Owned(pid, started, stop_signal or "SIGTERM")
    stop(processes.values())
    for directory in directories:
        stop(marked(directory))
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
