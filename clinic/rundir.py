"""The run directory of one clinic: its logs, sockets and the list of the processes it owns.

It lies under the system's temporary directory, open for passing through only when PostgreSQL has
to run as another user (that is, when we are root). The file `owner` is locked by the owner and by
its watchdog, so a directory whose lock can be had belongs to nobody alive: the next start stops
what it left and removes it. Must not touch a directory of another user.
"""

import fcntl
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from clinic import watchdog
from clinic.watchdog import Owned

PREFIX = "kairos-"
_SHARED_BASES = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108  # only when TMPDIR is private


def can_be_entered_by_all(directory: Path) -> bool:
    """Whether another user may pass through the directory and everything above it."""
    whole = directory.resolve()
    return all(path.stat().st_mode & stat.S_IXOTH for path in (whole, *whole.parents))


def temporary_base() -> Path:
    """Where run directories go. As root never below a private directory, whatever TMPDIR says."""
    base = Path(tempfile.gettempdir()).resolve()
    if os.geteuid() != 0:
        return base
    for candidate in (base, *_SHARED_BASES):
        if candidate.is_dir() and can_be_entered_by_all(candidate):
            return candidate
    raise NotADirectoryError(
        "no temporary directory that PostgreSQL, which refuses to run as root, can enter"
    )


def try_lock(file: IO[str]) -> bool:
    """Lock an open file for this process and its heirs; False when somebody else holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class RunDirectory:
    """A locked directory, the processes registered in it, and the watchdog over both."""

    def __init__(self, kind: str, *, also_hold: IO[str] | None = None) -> None:
        """Clean up after owners that were killed, then make a directory and start its watchdog.

        `also_hold` is a further locked file that stays locked until the watchdog has ended.
        """
        base = temporary_base()
        self.swept = sweep(base)
        self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{kind}-", dir=base))
        if os.geteuid() == 0:
            self.path.chmod(0o711)
        self._owner = _take_ownership(self.path, kind)
        held = [self._owner.fileno()] + ([also_hold.fileno()] if also_hold else [])
        self._owned: dict[int, tuple[str, Owned]] = {}
        self._watchdog = subprocess.Popen(
            [sys.executable, "-I", "-S", watchdog.__file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            pass_fds=held,
            text=True,
        )
        self._tell(f"dir {self.path}")

    @property
    def watchdog_pid(self) -> int:
        """The watchdog's process number."""
        return self._watchdog.pid

    def subdirectory(self, name: str) -> Path:
        """Make (once) and return a directory of ours alone inside the run directory."""
        path = self.path / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    def register(self, name: str, pid: int, stop_signal: str) -> None:
        """Own a process: it ends with us, however we end."""
        started = watchdog.started_at(pid)
        if started is None:
            return
        self._owned[pid] = (name, Owned(pid, started, stop_signal))
        self._tell(f"pid {pid} {stop_signal}")
        self._write_processes()

    def processes(self) -> dict[str, int]:
        """The processes owned now, by name."""
        return {name: pid for pid, (name, _) in self._owned.items()}

    def forget(self, pid: int) -> None:
        """A process of ours has ended."""
        if self._owned.pop(pid, None) is not None:
            self._tell(f"forget {pid}")
            self._write_processes()

    def close(self) -> None:
        """Remove the directory and send the watchdog home; stops first what is still running."""
        watchdog.stop([owned for _, owned in self._owned.values()])
        shutil.rmtree(self.path, ignore_errors=True)
        self._tell("bye")
        with suppress(OSError):
            if self._watchdog.stdin:
                self._watchdog.stdin.close()
        self._watchdog.wait()
        self._owner.close()

    def _tell(self, line: str) -> None:
        # A watchdog that was killed is no reason to fail: the list of processes is the second line.
        with suppress(OSError):
            if self._watchdog.stdin:
                self._watchdog.stdin.write(line + "\n")
                self._watchdog.stdin.flush()

    def _write_processes(self) -> None:
        fresh = self.path / "processes.new"
        fresh.write_text(json.dumps([[name, *owned] for name, owned in self._owned.values()]))
        fresh.replace(self.path / "processes")


def _take_ownership(path: Path, kind: str) -> IO[str]:
    # Locked before it gets its name, so that nobody sees an owner file that is not locked yet.
    file = (path / "owner.new").open("w+", encoding="utf-8")
    try_lock(file)
    started = datetime.now(tz=UTC).isoformat(timespec="seconds")
    json.dump({"kind": kind, "pid": os.getpid(), "started": started}, file)
    file.flush()
    (path / "owner.new").rename(path / "owner")
    return file


def sweep(base: Path) -> tuple[str, ...]:
    """Stop and remove what killed owners left under `base`; one sentence for each of them."""
    sentences = []
    for path in sorted(base.glob(f"{PREFIX}*")):
        with suppress(OSError):
            found = path.lstat()
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
                continue  # somebody else's list of processes is not to be believed
            with (path / "owner").open("r+", encoding="utf-8") as owner:
                if try_lock(owner):
                    sentences.append(_clean_up_after(owner.read(), path))
    return tuple(sentences)


def _clean_up_after(owner: str, path: Path) -> str:
    """Must be called with the owner file locked: then nobody alive owns the directory."""
    who = json.loads(owner)
    try:
        entries = json.loads((path / "processes").read_text())
    except FileNotFoundError:
        entries = []
    names = {entry[1]: entry[0] for entry in entries}
    stopped = watchdog.stop([Owned(*entry[1:]) for entry in entries])
    stopped += watchdog.stop(watchdog.marked(str(path)))
    shutil.rmtree(path, ignore_errors=True)
    left = ", ".join(names.get(owned.pid, f"process {owned.pid}") for owned in stopped)
    return (
        f"An earlier Kairos {who['kind']} (process {who['pid']}, started {who['started']}) was "
        f"killed: stopped what it left running ({left or 'nothing'}) and removed {path}."
    )
