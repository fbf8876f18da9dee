"""Which of a lane's deliveries is next, and which wait for what no delivery will bring. Pure.

A lane is one patient's deliveries to one EHR, in the order in which they were meant.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from domain.delivery.words import OPEN, Action, DeliveryState


@dataclass(frozen=True, slots=True)
class InLane:
    """What the order of a lane depends on, of one delivery that is not in the EHR as meant."""

    id: int
    artefact: str
    action: Action
    state: DeliveryState
    needs: tuple[str, ...]
    needs_person: bool
    reason: str | None = None

    @property
    def all_needs(self) -> tuple[str, ...]:
        """The artefacts that must be in the EHR before: a change needs what it changes."""
        own = (self.artefact,) if self.action is Action.UPDATE else ()
        return (*own, *self.needs)


@dataclass(frozen=True, slots=True)
class Bringer:
    """A delivery, in whatever state, that was to bring an artefact into the EHR."""

    id: int
    artefact: str
    action: Action
    state: DeliveryState


@dataclass(frozen=True, slots=True)
class Question:
    """A delivery about which a person is to be asked, and why; not any more if `reason` is None."""

    id: int
    reason: str | None


def next_of(
    lane: Sequence[InLane], in_ehr: Collection[str], aside: Collection[int] = ()
) -> int | None:
    """Name the first delivery that nothing holds back; None if there is none.

    One waits while an artefact that it needs is not in the EHR, and while an earlier delivery of
    its own artefact is not there as meant. One that needs a person, or is left alone for a while
    (`aside`), holds back nothing else. All wait while one stands on another patient.
    """
    if any(each.state is DeliveryState.MISFILED for each in lane):
        return None
    earlier: set[str] = set()
    for each in lane:
        ready = each.state in OPEN and not each.needs_person and each.id not in aside
        if ready and each.artefact not in earlier and all(n in in_ehr for n in each.all_needs):
            return each.id
        if each.action is not Action.UPDATE or each.artefact in in_ehr:
            earlier.add(each.artefact)  # a change of what is not there waits for what brings it
    return None


def may_go(
    lane: Sequence[InLane], in_ehr: Collection[str], aside: Collection[int], most: int
) -> tuple[int, ...]:
    """List the first deliveries that wait for nothing but those before them, which may go.

    The first is `next_of`; the others follow if each succeeds.
    """
    there, rest = set(in_ehr), list(lane)
    going: list[int] = []
    while len(going) < most and (number := next_of(rest, there, aside)) is not None:
        going.append(number)
        there.update(each.artefact for each in rest if each.id == number)
        rest = [each for each in rest if each.id != number]
    return tuple(going)


def missing_from(lane: Sequence[InLane], in_ehr: Collection[str]) -> tuple[str, ...]:
    """List what deliveries that have not begun need and the EHR does not hold."""
    needed = (need for each in lane if _has_not_begun(each) for need in each.all_needs)
    return tuple(dict.fromkeys(need for need in needed if need not in in_ehr))


def questions(
    lane: Sequence[InLane], missing: Sequence[str], bringers: Sequence[Bringer]
) -> tuple[Question, ...]:
    """Say about which deliveries a person is to be asked from now on, or not any more.

    `missing` is what `missing_from` gave, `bringers` who was to bring it, in the order of ids.
    """
    endless = dict(_endless(missing, bringers))
    return tuple(_questions(lane, endless))


def _questions(lane: Sequence[InLane], endless: Mapping[str, str]) -> Iterator[Question]:
    for each in lane:
        if not _has_not_begun(each):
            continue
        needs = sorted(dict.fromkeys(each.all_needs))
        reason = "; ".join(endless[need] for need in needs if need in endless) or None
        before = each.reason if each.needs_person else None
        if reason != before:
            yield Question(each.id, reason)


def _has_not_begun(each: InLane) -> bool:
    """Say whether it may wait for something. `sent` may too: after a restore it was never sent."""
    begun = each.state not in (DeliveryState.INTENT, DeliveryState.SENT)
    return not begun and each.action is not Action.PERSON


def _endless(missing: Sequence[str], bringers: Sequence[Bringer]) -> Iterator[tuple[str, str]]:
    """Say of each missing artefact that no delivery will bring, why that is so."""
    for artefact in missing:
        of_it = [each for each in bringers if each.artefact == artefact]
        creates = [each for each in of_it if each.action is Action.CREATE]
        last = next(reversed(creates or of_it), None)
        if last is None:
            yield artefact, f"waits for {artefact}, which no delivery writes to this EHR"
        elif last.state is DeliveryState.SUPERSEDED:
            yield artefact, f"waits for delivery {last.id}, which was superseded; {_instead(last)}"
        elif last.action is Action.PERSON:
            by_hand = f"waits for delivery {last.id}, which a person must enter by hand"
            yield artefact, f"{by_hand}; {_instead(last)}"


def _instead(bringer: Bringer) -> str:
    return f"name the EHR resource of delivery {bringer.id}, or supersede this one too"
