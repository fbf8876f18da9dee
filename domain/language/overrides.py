"""Overrides: a prescriber lets a gate pass at one visit."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from domain.language.names import Role, Roles, RuleId, VisitId


@dataclass(frozen=True, slots=True)
class OverrideGate:
    """Let a held gate pass at this visit for what was found so far, with a reason."""

    MAY: ClassVar[Roles] = (Role.PRESCRIBER,)

    visit: VisitId
    gate: RuleId
    reason: str
    kind: Literal["override-gate"] = "override-gate"


@dataclass(frozen=True, slots=True)
class GateOverridden:
    """A prescriber let a held gate pass for the findings in `evidence`, and for no others."""

    visit: VisitId
    gate: RuleId
    reason: str
    findings: tuple[str, ...]
    evidence: tuple[str, ...]
    kind: Literal["gate-overridden"] = "gate-overridden"


OverrideWish = OverrideGate
OverrideFact = GateOverridden
