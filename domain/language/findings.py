"""What a check answers: passed, held on findings, or missing something.

Missing is not held, and neither is ever passed: silence is never consent.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from domain.language.names import Role, RuleId


@dataclass(frozen=True, slots=True)
class Blocked:
    """One thing in the way. `finding` says what was found, or `missing` what is not there.

    `evidence` holds the ids of the readings used, `overridable` whether a prescriber may override
    with a reason, `source` where the rule comes from. `passes` says when it passes by itself; of
    what is missing, `opens` and `closes` say from when to when it can be recorded. `stops` says
    that treatment given all the same was not authorized, unless a prescriber answers for it.
    """

    rule: RuleId
    who: tuple[Role, ...]
    finding: str | None = None
    missing: str | None = None
    overridable: bool = False
    evidence: tuple[str, ...] = ()
    passes: datetime | None = None
    opens: datetime | None = None  # while that is still to come
    closes: datetime | None = None
    why: str = ""
    source: str = ""
    stops: bool = False

    @property
    def until(self) -> datetime | None:
        """Until when only time can do anything about it."""
        return self.passes or self.opens

    def sentence(self) -> str:
        """Say it in one line."""
        return self.finding if self.finding is not None else f"missing: {self.missing}"


@dataclass(frozen=True, slots=True)
class Passed:
    """Every rule was looked at and none stands in the way."""


@dataclass(frozen=True, slots=True)
class Held:
    """Something was found that a rule forbids."""

    findings: tuple[Blocked, ...]


@dataclass(frozen=True, slots=True)
class Missing:
    """Nothing forbidden was found, but something that must be known is not."""

    what: tuple[Blocked, ...]


CheckResult = Passed | Held | Missing


def result_of(blocks: tuple[Blocked, ...]) -> CheckResult:
    """Fold what blocks into one answer: any finding holds, else anything missing is missing."""
    findings = tuple(block for block in blocks if block.finding is not None)
    if findings:
        return Held(findings + tuple(b for b in blocks if b.finding is None))
    return Missing(blocks) if blocks else Passed()


def blocks_of(result: CheckResult) -> tuple[Blocked, ...]:
    """List what stands in the way; empty only for Passed."""
    match result:
        case Held(findings=blocks) | Missing(what=blocks):
            return blocks
        case Passed():
            return ()
        case unknown:
            assert_never(unknown)
