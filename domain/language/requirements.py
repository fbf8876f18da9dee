"""One line of a gate: what an observation must be, in its unit or one of its answers."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from domain.language.names import ObservationName


class Test(StrEnum):
    """How a value is compared. `RECORDED` asks only that there is one."""

    AT_MOST = "at most"
    AT_LEAST = "at least"
    BELOW = "below"
    ABOVE = "above"
    IS = "is"
    RECORDED = "recorded"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of a gate: `systolic_bp: at most 140 mmHg`, `ride_home: is arranged`."""

    observation: ObservationName
    test: Test
    value: Decimal | None = None
    answer: str | None = None
    or_answers: tuple[str, ...] = ()  # `is excluded or not applicable`

    @property
    def answers(self) -> str | None:
        """The answers that meet it, as a sentence has them."""
        return None if self.answer is None else " or ".join((self.answer, *self.or_answers))

    def met(self, value: Decimal | None, answer: str | None) -> bool:
        """Say whether a reading meets it."""
        if self.test is Test.RECORDED:
            return True
        if self.test is Test.IS:
            return answer is not None and answer in (self.answer, *self.or_answers)
        if value is None or self.value is None:
            return False
        return {
            Test.AT_MOST: value <= self.value,
            Test.AT_LEAST: value >= self.value,
            Test.BELOW: value < self.value,
            Test.ABOVE: value > self.value,
        }[self.test]
