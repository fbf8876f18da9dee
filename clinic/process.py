"""A child process that we own: it ends when we end, and says why when it does not start.

Every child has its own session, an empty standard input and a log file, and is registered with the
run directory and its watchdog. Must not know what any particular part is or needs.
"""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from clinic.rundir import RunDirectory
from clinic.watchdog import MARK

Probe = Callable[[], Awaitable[bool]]
_POLL_SECONDS = 0.02
_LOOK_SECONDS = 0.2
_LOG_LINES = 15


class PartFailed(Exception):  # noqa: N818 - reads as what happened
    """A part did not start, with the last lines of its log."""


class Child:
    """One process: started at once, in `cwd`, with its output appended to `NAME.log`."""

    def __init__(
        self,
        run: RunDirectory,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        umask: int = -1,
        stop_signal: signal.Signals = signal.SIGTERM,
    ) -> None:
        """Start it. `user` drops root's rights to that user's, without any further group.

        `umask` is what the files that it makes are closed to; -1 for ours.
        """
        self.name = name
        self.log = run.subdirectory("log") / f"{name}.log"
        self._run = run
        self._stop_signal = stop_signal
        self._gone = False
        environment = {**(os.environ if env is None else env), MARK: str(run.path)}
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=cwd or run.path,
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                umask=umask,
            )
        run.register(name, self.pid, stop_signal.name)

    @property
    def pid(self) -> int:
        """The process number, which is also the number of its process group."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def log_tail(self, lines: int = _LOG_LINES) -> str:
        """The last lines it wrote."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    async def wait_ready(
        self,
        probe: Probe,
        timeout: float,  # noqa: ASYNC109 - reads better than a context manager at every caller
        *,
        hopeless: str | None = None,
    ) -> None:
        """Return when `probe` says yes.

        Raises `PartFailed` when the process ends, writes the text `hopeless`, or is not ready
        after `timeout` seconds; a `PartFailed` of the probe itself is passed on.
        """
        deadline = time.monotonic() + timeout
        last = "no answer"
        while True:
            asking = asyncio.ensure_future(probe())
            try:
                while not asking.done():
                    await asyncio.wait({asking}, timeout=_LOOK_SECONDS)
                    # Whoever answers or keeps us waiting may be a stranger on the same port.
                    self._check_may_get_ready(hopeless)
                    if time.monotonic() > deadline:
                        self._fail(f"was not ready in {timeout:g} s ({last})")
                if asking.result():
                    return
            except PartFailed:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it is not ready yet
                last = f"{type(error).__name__}: {error}"
            finally:
                asking.cancel()
                await asyncio.wait({asking})
                with suppress(asyncio.CancelledError):
                    asking.exception()  # looked at, so that asyncio does not complain of it later
            await asyncio.sleep(_POLL_SECONDS)

    def _check_may_get_ready(self, hopeless: str | None) -> None:
        if not self.running:
            self._fail(f"ended with code {self._process.returncode}")
        if hopeless and hopeless in self.log_tail(200):
            self._fail("cannot start")

    async def wait_ended(self, timeout: float) -> int:  # noqa: ASYNC109
        """Its exit code, once it has ended by itself; raises `TimeoutError`."""
        async with asyncio.timeout(timeout):
            while self.running:  # noqa: ASYNC110 - only the system knows when a process ends
                await asyncio.sleep(_POLL_SECONDS)
        self._run.forget(self.pid)
        return self._process.returncode

    async def stop(self, grace: float = 10.0) -> None:
        """Ask it to end, wait `grace` seconds, then kill its whole process group."""
        if self.running:
            with suppress(ProcessLookupError):
                self._process.send_signal(self._stop_signal)
        with suppress(TimeoutError):
            await self.wait_ended(grace)
        self.kill()

    def kill(self) -> None:
        """SIGKILL to the whole process group, at once; returns when the process is gone."""
        if self._gone:
            return  # its number may be somebody else's by now
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._gone = True
        self._run.forget(self.pid)

    def _fail(self, how: str) -> NoReturn:
        raise PartFailed(f"{self.name} {how}; the end of its log:\n{self.log_tail()}")
