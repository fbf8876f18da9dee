"""What travels between API, workflows and activities: ids, versions and times, nothing of care.

A history is kept for years, and replayed by code that does not exist yet. So nothing in it is the
domain's: what a command says stands in the inbox, what a pathway is stands in the store. Fields
are only ever added, with defaults.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

PATHWAYS_QUEUE = "pathways"

ROLL_OVER_AT = 350
"""Events of history at which a run hands over to a fresh one: a cold wake stays under 0.3 s."""


def pathway_workflow_id(pathway: str) -> str:
    """Name the workflow of a pathway. Opaque: the id was drawn at random."""
    return f"pathway/{pathway}"


@dataclass(frozen=True)
class PathwayInput:
    """What a run of `CarePathway` starts from, the first one and every one after it.

    `version` is the newest version that a run before saw stored: a store that has fewer events was
    restored from a backup, and the turn that finds that out says so.
    """

    pathway_id: str
    roll_over_at: int = ROLL_OVER_AT
    version: int = 0


@dataclass(frozen=True)
class Turn:
    """One turn of a pathway: settle this command, if there is one, and record what is due.

    `seen` is the newest version that the run has seen stored.
    """

    pathway_id: str
    command_id: str | None = None
    seen: int = 0


@dataclass(frozen=True)
class Taken:
    """What a turn left stored: the version, when to look again, and how the pathway ended if so.

    `wait` is the time from the turn until then, by the clinic's clock; None on one that has ended
    or has not begun. `settled` and `settled_at_version` are the command's stored outcome.
    `restored` says that the store knows fewer events than the run has seen, and the run is wrong.
    `sooner` says that it is due sooner than before the turn, `ended` that only somebody's look is
    still waited for.
    """

    version: int
    due: datetime | None = None
    wait: timedelta | None = None
    outcome: str | None = None
    settled: str | None = None  # applied, rejected
    settled_at_version: int | None = None
    restored: bool = False
    sooner: bool = False
    ended: bool = False


@dataclass(frozen=True)
class Settled:
    """A command's stored outcome: what its caller gets. Why stands in the inbox."""

    state: str  # applied, rejected
    version: int | None


@dataclass(frozen=True)
class PathwayResult:
    """How a pathway ended."""

    outcome: str
