"""`python -m demo` in a process of its own, and what may be left of it."""

import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from clinic.box import REPOSITORY


class WholeDemo:
    """The demo, started; it has a temporary directory for itself."""

    def __init__(self, temporary: Path, *more: str) -> None:
        """Start it in a session of its own, saying what it does to a file."""
        self.temporary = temporary / "tmp"
        self.temporary.mkdir()
        self.temporary.chmod(0o755)
        self.figures = temporary / "figures.json"
        self._said = temporary / "said"
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "demo", "--json", str(self.figures), *more],
                cwd=REPOSITORY,
                env={**os.environ, "TMPDIR": str(self.temporary), "PYTHONUNBUFFERED": "1"},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> list[str]:
        """Every line that it has printed."""
        return self._said.read_text().splitlines()

    def processes(self) -> list[str]:
        """The command of every process that was told of its directory, itself included."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if str(self.temporary).encode() in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        return found

    def left_nothing(self) -> bool:
        """No process of its directory or of its group, and the directory is empty."""
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return not self.processes() and not list(self.temporary.iterdir())
        return False

    def end(self) -> None:
        """Kill it if it still runs, whatever a test has found; its watchdog does the rest."""
        self.process.kill()
        self.process.wait()
