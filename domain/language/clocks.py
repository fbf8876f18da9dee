"""Time rules: elapsed rules on UTC instants, calendar rules on local date, time and zone.

A local time that does not exist, or exists twice, is refused with the choices and never guessed.
Refusals do not repeat what was typed: it may be a birth date that slipped into the wrong field.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, reset_tzpath

from domain.language.errors import Malformed

reset_tzpath(to=())
ZoneInfo.clear_cache()
# The zone data that the lock pins (the package `tzdata`), never the system's: that may be older and
# another on another host, and the same visit would begin an hour apart in two processes.

CLOCK_SKEW = timedelta(seconds=60)
"""How far ahead of us another machine's clock may be before its times count as the future."""

OLDEST_ENTRY = timedelta(days=60)
"""How late something may be recorded; before that a date is taken for a slip of the pen."""


@dataclass(frozen=True, slots=True)
class LocalTime:
    """A day and an hour as the clinic's wall shows them, without a zone."""

    day: date
    hour: time


def instant(local: LocalTime, zone: str) -> datetime:
    """Resolve a local time to the one UTC instant that it names.

    Raises Malformed for a time that a clock change skips or repeats, naming the choices.
    """
    wall = datetime.combine(local.day, local.hour.replace(tzinfo=None, fold=0))
    place = ZoneInfo(zone)
    try:
        first = wall.replace(tzinfo=place, fold=0).astimezone(UTC)
        second = wall.replace(tzinfo=place, fold=1).astimezone(UTC)
    except OverflowError:
        raise Malformed("the day is out of range; check the year") from None
    if first == second:
        return first
    if first.astimezone(place).replace(tzinfo=None) != wall:
        before, after = sorted(t.astimezone(place).strftime("%H:%M") for t in (first, second))
        message = (
            f"this time does not exist on that day in {zone}, where the clocks go forward; "
            f"use {before} or {after}"
        )
        raise Malformed(message)
    message = (
        f"this time happens twice on that day in {zone}, where the clocks go back; "
        "choose a time outside the repeated hour"
    )
    raise Malformed(message)


def day_begins(day: date, zone: str) -> datetime:
    """The first instant of a day at the clinic, also where the clocks skip or repeat midnight."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def local(moment: datetime, zone: str) -> LocalTime:
    """Say what the clinic's wall showed at an instant."""
    there = moment.astimezone(ZoneInfo(zone))
    return LocalTime(there.date(), there.time().replace(second=0, microsecond=0))


def wall(at: LocalTime, zone: str) -> str:
    """Say a local time for people: `Monday 2027-03-01 09:00 EST`."""
    place = datetime.combine(at.day, at.hour, ZoneInfo(zone)).tzname() or zone
    return f"{at.day:%A} {at.day} {at.hour:%H:%M} {f'UTC{place}' if place[0] in '+-' else place}"


def local_day(moment: datetime, zone: str) -> date:
    """Say which day it was at the clinic."""
    return moment.astimezone(ZoneInfo(zone)).date()


def check_wall(moment: datetime, now: datetime, zone: str, what: str) -> None:
    """Raise Malformed for a time that no clock of the clinic has shown, as it was written.

    Without an offset it could be either of two instants at a clock change. With the clinic's own
    old offset behind an hour that was skipped, somebody read a clock that was not put forward.
    """
    if moment.utcoffset() is None:
        offset = now.astimezone(ZoneInfo(zone)).strftime("%z")
        here = f"{offset[:3]}:{offset[3:]}"
        behind = f"add the clinic's, now {here}, or Z for UTC"
        raise Malformed(f"{what} has no offset from UTC; {behind}")
    check_year(moment, what)
    wall = moment.replace(tzinfo=None)
    place = ZoneInfo(zone)
    before, after = (wall.replace(tzinfo=place, fold=fold).utcoffset() for fold in (0, 1))
    back = moment.astimezone(UTC).astimezone(place).replace(tzinfo=None)
    in_utc = not moment.utcoffset()  # also where UTC is what the clinic has in winter
    if not in_utc and before != after and back != wall and moment.utcoffset() in (before, after):
        message = (
            f"{what} does not exist on that day in {zone}, where the clocks go forward; they show "
            f"{back:%H:%M} at that moment: write that time with its own offset, or in UTC"
        )
        raise Malformed(message)


def check_year(moment: datetime, what: str) -> None:
    """Raise Malformed at the calendar's ends, where an instant has no day in every zone."""
    if not date.min.year < moment.year < date.max.year:
        raise Malformed(f"{what} is out of range; check the year")


def check_instant(
    moment: datetime, now: datetime, what: str, *, long_ago: bool = False
) -> datetime:
    """Return the moment in UTC; Malformed if it has no offset, is to come, or is long past.

    `long_ago` where it may be long past.
    """
    if moment.tzinfo is None or moment.utcoffset() is None:
        behind = "add the clinic's, such as -05:00, or Z for UTC"
        raise Malformed(f"{what} has no offset from UTC; {behind}")
    check_year(moment, what)
    if moment > now + CLOCK_SKEW:
        clock = now.astimezone(UTC).isoformat(timespec="seconds")
        raise Malformed(f"{what} is in the future; the time is now {clock}")
    if moment < now - OLDEST_ENTRY and not long_ago:
        back = f"more than {OLDEST_ENTRY.days} days ago"
        raise Malformed(f"{what} is {back}; check the year and month")
    return moment.astimezone(UTC)


def check_happened(
    moment: datetime, now: datetime, zone: str, what: str, *, long_ago: bool = False
) -> datetime:
    """Return in UTC when something is said to have happened; Malformed if it cannot have been."""
    check_wall(moment, now, zone, what)
    return check_instant(moment, now, what, long_ago=long_ago)


def exists(local_time: LocalTime, zone: str) -> bool:
    """Say whether a local time names exactly one instant."""
    try:
        instant(local_time, zone)
    except Malformed:
        return False
    return True


def in_minutes(length: timedelta) -> int:
    """Whole minutes of a length of time, rounded down."""
    return int(length.total_seconds() // 60)
