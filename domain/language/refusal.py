"""Why a command did not take effect, as data that can be kept: each of three errors and back."""

from dataclasses import dataclass
from typing import Literal, assert_never

from domain.language.errors import Conflict, Malformed, Refused
from domain.language.findings import Blocked


@dataclass(frozen=True, slots=True)
class Refusal:
    """Which of the errors it was, what it said, what blocks, and the version where that matters."""

    kind: Literal["Refused", "Conflict", "Malformed"]
    message: str
    blocked_by: tuple[Blocked, ...] = ()
    version: int | None = None


def refusal_of(error: Refused | Conflict | Malformed) -> Refusal:
    """Keep an error as data."""
    match error:
        case Refused():
            return Refusal("Refused", error.message, error.blocked_by)
        case Conflict():
            return Refusal("Conflict", str(error), version=error.version)
        case Malformed():
            return Refusal("Malformed", str(error))
        case unknown:
            assert_never(unknown)


def error_of(refusal: Refusal) -> Refused | Conflict | Malformed:
    """Make the error again."""
    match refusal.kind:
        case "Refused":
            return Refused(refusal.message, refusal.blocked_by)
        case "Malformed":
            return Malformed(refusal.message)
        case "Conflict":
            return Conflict(refusal.message, refusal.version)
        case unknown:
            assert_never(unknown)
