"""What processes weigh: proportional set size, which shares shared pages fairly. Linux only."""

from pathlib import Path


def megabytes(processes: dict[str, int]) -> dict[str, float]:
    """Proportional set size in MiB of each named process and its descendants."""
    return {name: sum(_pss(pid) for pid in family(pid)) / 1024 for name, pid in processes.items()}


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    family = [pid]
    for member in family:
        for task in Path(f"/proc/{member}/task").glob("*/children"):
            family += [int(child) for child in task.read_text().split()]
    return family


def _pss(pid: int) -> int:
    """Proportional set size in KiB; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
