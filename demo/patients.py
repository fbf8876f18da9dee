"""Synthetic patients: how ill each is on a day, and what is measured at their visits. Made up.

Shapes only: severity falls by a curve of its own for each kind of course, blood pressure peaks at
40 minutes, dissociation wears off within two hours and is less from session to session. No figure
here is a fact about anybody, and none is used by Kairos.
"""

from dataclasses import dataclass
from datetime import date
from enum import Enum
from math import exp
from random import Random

SEVEREST_MADRS_ITEM, SEVEREST_PHQ9_ITEM = 6, 3
# How much of the whole each item is: sadness and lassitude much, appetite little, and so on.
_MADRS_SHAPE = (1.15, 1.2, 0.95, 1.0, 0.65, 1.1, 1.15, 1.15, 0.95)
_PHQ9_SHAPE = (1.15, 1.2, 1.05, 1.2, 0.8, 1.0, 1.0, 0.6)


class Way(Enum):
    """How the illness goes under treatment: what is left of it in the end, and days to get there.

    `days` is the time in which two thirds of the way are gone.
    """

    REMITS = (0.14, 11.0)
    RESPONDS = (0.38, 10.0)
    IMPROVES = (0.68, 12.0)  # some benefit, no response
    STAYS_ILL = (0.97, 10.0)

    @property
    def left(self) -> float:
        """What is left in the end, of 1."""
        return self.value[0]

    @property
    def days(self) -> float:
        """The pace of it."""
        return self.value[1]


@dataclass(frozen=True)
class Vitals:
    """What a nurse measures: mmHg, percent, MOAA/S, CADSS."""

    systolic: int
    diastolic: int
    spo2: int
    sedation: int
    dissociation: int


@dataclass(frozen=True)
class SyntheticPatient:
    """Somebody who was never there. The same seed is the same person, day by day."""

    seed: str
    madrs_before: int
    """MADRS total before treatment, 0 to 60."""
    way: Way
    ideation: int = 0
    """PHQ-9 item 9 before treatment, 0 to 3; it goes with the illness."""
    systolic: int = 122
    diastolic: int = 76
    threshold: int = 52
    """Motor threshold, percent of maximum stimulator output."""

    def madrs(self, day: date, treated_since: date | None) -> tuple[int, ...]:
        """Items of MADRS on a day: nine by severity, and suicidal thoughts."""
        share = self._left(day, treated_since)
        wanted = round(self.madrs_before * share)
        nine = _spread(wanted, _MADRS_SHAPE, SEVEREST_MADRS_ITEM, self._chance("madrs", day))
        return (*nine, 1 if self._thinks_of_death(share) else 0)

    def phq9(self, day: date, treated_since: date | None) -> tuple[int, ...]:
        """Items of PHQ-9 on a day; item 9 is 0 unless the person thinks of death."""
        share = self._left(day, treated_since)
        wanted = round(self.madrs_before * share * 0.6)  # 34 on one is about 20 on the other
        eight = _spread(wanted, _PHQ9_SHAPE, SEVEREST_PHQ9_ITEM, self._chance("phq9", day))
        return (*eight, self.ideation if self._thinks_of_death(share) else 0)

    def before_dose(self, day: date) -> Vitals:
        """At rest."""
        chance = self._chance("before", day)
        return Vitals(
            self.systolic + chance.randint(-6, 6),
            self.diastolic + chance.randint(-4, 4),
            chance.randint(97, 99),
            5,
            0,
        )

    def after_40_minutes(self, day: date, session: int) -> Vitals:
        """At the peak: pressure up, and the more dissociated the fewer sessions there were."""
        chance = self._chance("peak", day)
        return Vitals(
            self.systolic + chance.randint(10, 24),
            self.diastolic + chance.randint(6, 14),
            chance.randint(95, 98),
            chance.choice((4, 4, 5)),
            round(chance.uniform(9, 30) * 0.88 ** (session - 1)),
        )

    def after_two_hours(self, day: date) -> Vitals:
        """Themselves again."""
        chance = self._chance("leaving", day)
        return Vitals(
            self.systolic + chance.randint(-4, 8),
            self.diastolic + chance.randint(-3, 5),
            chance.randint(97, 99),
            5,
            chance.choice((0, 0, 0, 1, 2)),
        )

    def motor_threshold(self, day: date) -> int:
        """Percent of maximum output; a little different each day."""
        return self.threshold + self._chance("threshold", day).randint(-2, 2)

    def _left(self, day: date, treated_since: date | None) -> float:
        """What is left of the illness: all of it before treatment, with good and bad days."""
        days = 0 if treated_since is None else max((day - treated_since).days, 0)
        share = self.way.left + (1 - self.way.left) * exp(-days / self.way.days)
        return max(share * (1 + self._chance("day", day).uniform(-0.05, 0.05)), 0)

    def _thinks_of_death(self, share: float) -> bool:
        return self.ideation > 0 and share > 0.5  # noqa: PLR2004  half as ill as before

    def _chance(self, what: str, day: date) -> Random:
        return Random(f"{self.seed}/{what}/{day}")


def _spread(total: int, shape: tuple[float, ...], most: int, chance: Random) -> tuple[int, ...]:
    """Spread a total over items by their shape, none above its most."""
    mean = total / len(shape)
    items = [min(most, max(0, int(mean * each))) for each in shape]
    while sum(items) < min(total, most * len(items)):
        room = [place for place, item in enumerate(items) if item < most]
        items[chance.choice(room)] += 1
    while sum(items) > total:
        filled = [place for place, item in enumerate(items) if item]
        items[chance.choice(filled)] -= 1
    return tuple(items)
