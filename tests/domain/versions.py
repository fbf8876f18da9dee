"""Other versions of the protocol that ships, and how a course goes on under one of them."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from domain.decide import change
from domain.language.commands import Command
from domain.language.names import Author, ObservationName, RequestId, Role
from domain.language.phases import ChangeProtocol
from domain.language.protocol import CombinedProtocol, Protocol
from domain.language.requirements import Requirement
from domain.language.requirements import Test as Comparison
from domain.rules.corrected import refold
from tests.course import Course
from tests.domain.simulation import COMBINED, REFUSALS, Refusal

DIRECTOR = Author("a-director", Role.MEDICAL_DIRECTOR)
SYSTOLIC, WHY = ObservationName("systolic_bp"), "The clinic's own limits are lower now."


def newer(**parts: object) -> CombinedProtocol:
    """The second version, with these parts its own."""
    return replace(COMBINED, version=COMBINED.version + 1, sha256="other", **parts)  # type: ignore[arg-type]


def of_phase(new: Callable[[Protocol], Protocol]) -> CombinedProtocol:
    """The second version, with another induction."""
    first, *rest = COMBINED.phases
    return newer(phases=(new(first), *rest))


def of_kind(name: str, **parts: object) -> CombinedProtocol:
    """The second version, with another kind of observation in its vocabulary."""
    words = COMBINED.vocabulary
    kind = replace(words.kind(ObservationName(name)), **parts)  # type: ignore[arg-type]
    known = {**words.observations, kind.name: kind}
    return newer(vocabulary=replace(words, version=words.version + 1, observations=known))


def lower_limit(phase: Protocol) -> Protocol:
    """Before a session, systolic pressure is to be at most 130."""
    limit = Requirement(SYSTOLIC, Comparison.AT_MOST, Decimal(130))
    gate = next(g for g in phase.gates if any(r.observation == SYSTOLIC for r in g.require))
    require = tuple(limit if r.observation == SYSTOLIC else r for r in gate.require)
    new = replace(gate, require=require)
    return replace(phase, gates=tuple(new if g is gate else g for g in phase.gates))


def move(
    course: Course, new: CombinedProtocol, by: Author = DIRECTOR, reason: str = WHY
) -> Refusal | None:
    """Have a course go on under another version, as a turn does; the refusal if it may not."""
    kept = f"version {course.protocol.version}"
    name = RequestId(f"move-{len(course.events)}")
    command = Command(name, by, ChangeProtocol(new.version, reason))
    try:
        events = change(
            course.protocol, new, kept, course.pathway, command, course.now, course.events
        )
    except REFUSALS as refusal:
        return refusal
    course.earlier[kept] = course.protocol
    course.protocol = new
    course.pathway = refold(course.pathway.id, course.events, new.vocabulary)
    course.record(events)
    course.run_rules()
    return None
