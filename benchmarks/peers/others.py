"""What other programs on this machine use while something is measured. Linux only."""

import os
import time
from pathlib import Path

from benchmarks.ground import cpu_of_family
from benchmarks.weights import family
from clinic import Clinic

IDLE = (3, 4)
"""Which numbers of /proc/stat's first line nobody used: idle, and waiting for a disk."""


class Others:
    """Counts from when it is made."""

    def __init__(self, clinic: Clinic) -> None:
        own = family(os.getpid())
        apart = [pid for pid in clinic.run.processes().values() if pid not in own]
        self._ours = [os.getpid(), *apart]
        self._began = time.monotonic()
        self._used = self._used_by_now()

    def cores(self) -> float:
        """Cores that they used since, on average."""
        used = self._used_by_now() - self._used
        return max(0.0, used / (time.monotonic() - self._began))

    def _used_by_now(self) -> float:
        numbers = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]
        busy = sum(int(each) for place, each in enumerate(numbers) if place not in IDLE)
        return busy / os.sysconf("SC_CLK_TCK") - sum(map(cpu_of_family, self._ours))
