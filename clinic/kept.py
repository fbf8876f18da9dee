"""What a clinic that is kept has from last time: its directory, for itself alone, and its ports.

Must not know which parts live in the directory.
"""

import asyncio
import json
import os
import shutil
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import IO

from clinic.ports import Port
from clinic.process import PartFailed
from clinic.rundir import try_lock

_DIRECTORY_SECONDS = 15.0
_IN_USE = "in-use"


async def keep(directory: Path | None, stack: AsyncExitStack) -> tuple[Path, IO[str]]:
    """Make and lock the directory of a clinic that is kept."""
    if directory is None:
        raise ValueError("a clinic that is kept needs a directory")
    directory = await asyncio.to_thread(directory.resolve)
    await asyncio.to_thread(directory.mkdir, parents=True, exist_ok=True)
    await asyncio.to_thread(make_private, directory)
    lock = stack.enter_context((directory / _IN_USE).open("a", encoding="utf-8"))
    deadline = time.monotonic() + _DIRECTORY_SECONDS
    # An earlier clinic that was killed is being cleaned up by its watchdog, which holds the lock.
    while not try_lock(lock):
        if _owner_lives(directory / _IN_USE) or time.monotonic() > deadline:
            raise PartFailed(in_use(directory))
        await asyncio.sleep(0.05)
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return directory, lock


def in_use(directory: Path) -> str:
    """Say that somebody has the directory, and the ways out."""
    return (
        f"a clinic is already running in {directory}, perhaps from another copy of Kairos: stop it"
        " where it was started (Ctrl-C), or use another folder with --directory FOLDER"
    )


def make_private(directory: Path) -> None:
    """Let nobody else look into it. Root's is passed through, by PostgreSQL's user, to what is its.

    Nobody can list it then, and what lies in it is closed by itself.
    """
    directory.chmod(0o711 if os.geteuid() == 0 else 0o700)
    for each in directory.iterdir():
        if each.is_file() and not each.is_symlink():
            each.chmod(0o600)


def empty(directory: Path, but: str) -> None:
    """Empty a clinic's directory but for one file; PartFailed while somebody has it.

    Under its lock: an earlier clinic that was killed is being cleaned up by its watchdog, which
    holds that until PostgreSQL, Temporal and the EHR have ended.
    """
    with (directory / _IN_USE).open("a", encoding="utf-8") as lock:
        deadline = time.monotonic() + _DIRECTORY_SECONDS
        while not try_lock(lock):
            if time.monotonic() > deadline:
                raise PartFailed(in_use(directory))
            time.sleep(0.05)
        for each in directory.iterdir():
            if each.name in (_IN_USE, but):
                continue
            if each.is_dir() and not each.is_symlink():
                shutil.rmtree(each)
            else:
                each.unlink()


def _owner_lives(file: Path) -> bool:
    """Whether the process that wrote itself down as the owner is still there."""
    try:
        os.kill(int(file.read_text()), 0)
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


class RememberedPorts:
    """The ports a kept clinic had last time, because its EHR wrote them into its links."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._taken: dict[str, Port] = {}
        try:
            self._before: dict[str, int] = json.loads(file.read_text())
        except FileNotFoundError:
            self._before = {}

    def take(self, name: str) -> Port:
        """Choose the port of last time when it is free, else any."""
        port = Port(self._before.get(name, 0))
        self._taken[name] = port
        return port

    def remember(self) -> None:
        """Write down what was chosen, for the next start."""
        self._file.write_text(json.dumps({name: p.number for name, p in self._taken.items()}))
