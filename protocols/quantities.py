"""The quantities that protocols are written in: `140 mmHg`, `30 min`, `2 per week`, `6 weeks`.

Each is parsed strictly and printed so that it parses to the same value again. A quantity without
its unit is never understood, and nothing is converted between units of measurement.
"""

import re
from datetime import timedelta
from decimal import Decimal

from domain.language.protocol import Period, Rate
from domain.language.requirements import Requirement, Test

_NUMBER = r"-?[0-9]{1,9}(?:\.[0-9]{1,9})?"
_QUANTITY = re.compile(rf"({_NUMBER}) (\S.*)")
_COUNT = re.compile(r"[0-9]{1,6}")
_RATE = re.compile(r"([0-9]{1,3}) per (?:(day|week)|([0-9]{1,3}) weeks)")
_WORDS = re.compile(r"(at most|at least|below|above) (.+)")
_ELAPSED = {
    "min": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "hours": timedelta(hours=1),
    "day": timedelta(days=1),
    "days": timedelta(days=1),
    "week": timedelta(weeks=1),
    "weeks": timedelta(weeks=1),
}
LONGEST = timedelta(weeks=1000)
"""Anything longer is a slip of the pen, and would not fit a calendar."""

_DAYS = {"day": 1, "days": 1, "week": 7, "weeks": 7}


class NotUnderstood(ValueError):  # noqa: N818  caught where the line is known, never raised further
    """What was written is not of the expected form; the message says what would be right."""


def parse_number(text: str) -> Decimal:
    """Read a plain number: digits, at most one point, no thousands separators."""
    if not re.fullmatch(_NUMBER, text):
        message = f'"{text}" is not a number such as 140 or 0.5'
        raise NotUnderstood(message)
    return Decimal(text)


def parse_count(text: str) -> int:
    """Read a whole number, one or more."""
    if not _COUNT.fullmatch(text) or int(text) == 0:
        message = f'"{text}" is not a whole number, 1 or more'
        raise NotUnderstood(message)
    return int(text)


def parse_quantity(text: str, units: tuple[str, ...]) -> tuple[Decimal, str]:
    """Read a number and its unit, which must be one of `units` exactly as people write it."""
    found = _QUANTITY.fullmatch(text)
    if found is not None and found[2] in units:
        return Decimal(found[1]), found[2]
    number = re.match(_NUMBER, text)
    right = " or ".join(f'"{number[0] if number else 2} {unit}"' for unit in units)
    if number is not None and number[0] == text:
        message = f'"{text}" has no unit: write {right}'
    elif found is not None:
        message = f'"{text}" has the wrong unit: write {right}'
    else:
        message = f'"{text}" is not a number and its unit: write {right}'
    raise NotUnderstood(message)


def parse_whole(text: str, *units: str) -> int:
    """Read a whole quantity of one unit, such as `56 mg` or `120 percent of motor threshold`."""
    number, _ = parse_quantity(text, units)
    if number != int(number) or number < 1:
        message = f'"{text}" must be a whole number, 1 or more'
        raise NotUnderstood(message)
    return int(number)


def parse_elapsed(text: str) -> timedelta:
    """Read a length of elapsed time: `30 min`, `2 hours`, `7 days` of 24 hours each."""
    number, unit = parse_quantity(text, ("min", "hours", "hour", "days", "day", "weeks", "week"))
    if number != int(number) or number < 1:
        message = f'"{text}" must be a whole number of {unit}, 1 or more'
        raise NotUnderstood(message)
    if number > LONGEST // _ELAPSED[unit]:
        message = f'"{text}" is longer than any treatment'
        raise NotUnderstood(message)
    return int(number) * _ELAPSED[unit]


def print_elapsed(length: timedelta) -> str:
    """Print whole minutes, in hours or days where that is exact; one day stays 24 hours."""
    minutes = int(length.total_seconds() // 60)
    if minutes % 1440 == 0 and minutes >= 2 * 1440:
        return f"{minutes // 1440} days"
    if minutes % 60 == 0:
        return f"{minutes // 60} {'hour' if minutes == 60 else 'hours'}"  # noqa: PLR2004
    return f"{minutes} min"


def parse_days(text: str, least: int = 1) -> int:
    """Read a number of local calendar days: `2 days`, `6 weeks`."""
    number, unit = parse_quantity(text, ("days", "day", "weeks", "week"))
    if number != int(number) or number * _DAYS[unit] < least:
        message = f'"{text}" must be a whole number of {unit}, {least} or more'
        raise NotUnderstood(message)
    if number > LONGEST // _ELAPSED[unit]:
        message = f'"{text}" is longer than any treatment'
        raise NotUnderstood(message)
    return int(number) * _DAYS[unit]


def print_days(days: int) -> str:
    """Print calendar days, in weeks where that is exact."""
    if days and days % 7 == 0:
        return f"{days // 7} {'week' if days == 7 else 'weeks'}"  # noqa: PLR2004
    return f"{days} {'day' if days == 1 else 'days'}"


def parse_rate(text: str) -> Rate:
    """Read `2 per week`, `5 per day` or `1 per 2 weeks`."""
    found = _RATE.fullmatch(text)
    if found is None or int(found[1]) == 0 or (found[3] and int(found[3]) < 2):  # noqa: PLR2004
        message = f'"{text}" is not a rate: write "2 per week", "5 per day" or "1 per 2 weeks"'
        raise NotUnderstood(message)
    period = Period(found[2] or "week")
    return Rate(int(found[1]), int(found[3] or 1), period)


def print_rate(rate: Rate) -> str:
    """Print a rate as it is written."""
    every = str(rate.period) if rate.every == 1 else f"{rate.every} {rate.period}s"
    return f"{rate.sessions} per {every}"


def parse_test(text: str) -> tuple[Test, str]:
    """Split a requirement into its test and what follows: a quantity, an answer or nothing."""
    if text == Test.RECORDED:
        return Test.RECORDED, ""
    if text.startswith("is "):
        return Test.IS, text.removeprefix("is ").strip()
    found = _WORDS.fullmatch(text)
    if found is None:
        message = (
            f'"{text}" is not a requirement: write at most, at least, below or above a number '
            "with its unit, or is an answer, or recorded"
        )
        raise NotUnderstood(message)
    return Test(found[1]), found[2]


def print_requirement(required: Requirement, unit: str | None) -> str:
    """Print a requirement as it is written after the observation's name."""
    if required.answer is not None:
        return f"is {required.answers}"
    if required.value is None:
        return str(required.test)
    one = unit is not None and required.value == 1
    return f"{required.test} {required.value} {unit.removesuffix('s') if unit and one else unit}"
