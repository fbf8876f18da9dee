"""Local times that a clock change skips or repeats are refused; instants are never guessed."""

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest

from domain.language.clocks import (
    CLOCK_SKEW,
    LocalTime,
    check_happened,
    check_instant,
    check_wall,
    exists,
    instant,
    local,
    local_day,
)
from domain.language.errors import Malformed

NEW_YORK, BERLIN, PHOENIX = "America/New_York", "Europe/Berlin", "America/Phoenix"
NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)

# Zone, local time, what the refusal must say.
REFUSED = [
    (NEW_YORK, (2027, 3, 14, 2, 30), "does not exist", "01:30 or 03:30"),
    (NEW_YORK, (2027, 3, 14, 2, 0), "does not exist", "01:00 or 03:00"),
    (NEW_YORK, (2027, 3, 14, 2, 59), "does not exist", "01:59 or 03:59"),
    (NEW_YORK, (2027, 11, 7, 1, 30), "happens twice", "outside the repeated hour"),
    (NEW_YORK, (2027, 11, 7, 1, 0), "happens twice", "outside the repeated hour"),
    (BERLIN, (2027, 3, 28, 2, 30), "does not exist", "01:30 or 03:30"),
    (BERLIN, (2027, 10, 31, 2, 30), "happens twice", "outside the repeated hour"),
]

# Zone, local time, hour UTC: the minutes just beside the changes, and a zone without any.
NAMED = [
    (NEW_YORK, (2027, 3, 14, 1, 59), 6),
    (NEW_YORK, (2027, 3, 14, 3, 0), 7),
    (NEW_YORK, (2027, 11, 7, 0, 59), 4),
    (NEW_YORK, (2027, 11, 7, 2, 0), 7),
    (BERLIN, (2027, 3, 28, 3, 0), 1),
    (BERLIN, (2027, 10, 31, 3, 0), 2),
    (PHOENIX, (2027, 3, 14, 2, 30), 9),
    (PHOENIX, (2027, 11, 7, 1, 30), 8),
]


def at(year: int, month: int, day: int, hour: int, minute: int) -> LocalTime:
    """Write a local time."""
    return LocalTime(date(year, month, day), time(hour, minute))


@pytest.mark.parametrize(("zone", "wall", "what", "choices"), REFUSED)
def test_a_skipped_or_repeated_local_time_is_refused_with_the_choices(zone, wall, what, choices):
    """A local time in the spring gap or the autumn repeat is refused and says what would do."""
    with pytest.raises(Malformed, match=what) as refusal:
        instant(at(*wall), zone)
    assert choices in str(refusal.value)
    assert not exists(at(*wall), zone)


@pytest.mark.parametrize(("zone", "wall", "hour"), NAMED)
def test_other_local_times_name_one_instant_and_come_back(zone, wall, hour):
    """Beside a clock change, and in Phoenix always, a local time is one instant and back."""
    moment = instant(at(*wall), zone)
    assert (moment.hour, moment.tzinfo) == (hour, UTC)
    assert local(moment, zone) == at(*wall)
    assert exists(at(*wall), zone)


def test_the_day_is_the_clinics():
    """At two in the morning UTC it is still yesterday in New York."""
    moment = datetime(2027, 3, 14, 2, tzinfo=UTC)
    assert local_day(moment, NEW_YORK) == date(2027, 3, 13)
    assert local_day(moment, BERLIN) == date(2027, 3, 14)


def test_a_naive_instant_is_refused_and_told_what_is_missing():
    """An instant without an offset from UTC is refused, and told how one is written."""
    with pytest.raises(Malformed, match=r"no offset from UTC; .* -05:00, or Z"):
        check_instant(datetime(2026, 11, 24, 9), NOW, "measured_at")  # noqa: DTZ001  the fact itself


def test_the_future_is_refused_beyond_a_machines_skew():
    """A time that another clock may have is taken, a microsecond more is the future."""
    edge = NOW + CLOCK_SKEW
    assert check_instant(edge, NOW, "measured_at") == edge
    with pytest.raises(Malformed, match="is in the future"):
        check_instant(edge + timedelta(microseconds=1), NOW, "measured_at")


def test_an_offset_is_kept_as_the_same_instant():
    """An instant said in another offset is the same instant in UTC."""
    said = datetime(2026, 11, 24, 9, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert check_instant(said, NOW, "at") == datetime(2026, 11, 24, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "typed", [datetime(1961, 4, 2, tzinfo=UTC), datetime(2061, 4, 2, tzinfo=UTC)]
)
def test_a_refused_instant_is_not_repeated(typed):
    """A birth date in the wrong field does not come back in the refusal."""
    with pytest.raises(Malformed) as refusal:
        check_instant(typed, NOW, "measured_at")
    assert "61" not in str(refusal.value)


@pytest.mark.parametrize(
    ("wall", "zone"), [((1, 1, 1, 0, 0), "Asia/Tokyo"), ((9999, 12, 31, 23, 0), NEW_YORK)]
)
def test_a_day_beyond_the_calendar_is_refused(wall, zone):
    """A local time whose instant no calendar holds is malformed, and no failure of ours."""
    with pytest.raises(Malformed, match="out of range"):
        instant(at(*wall), zone)


SPRING = datetime(2027, 3, 14, 20, tzinfo=UTC)


@pytest.mark.parametrize("offset", [-5, -4])
def test_an_hour_that_no_clock_showed_is_refused_with_the_one_that_did(offset: int):
    """02:30 on the day the clocks go forward, with either of the clinic's offsets, is no time."""
    written = datetime(2027, 3, 14, 2, 30, tzinfo=timezone(timedelta(hours=offset)))
    shown = "03:30" if offset == -5 else "01:30"
    with pytest.raises(Malformed, match=f"does not exist .* they show {shown}"):
        check_wall(written, SPRING, NEW_YORK, "measured_at")


def test_what_a_clock_showed_or_what_is_in_utc_is_taken():
    """Before and after the gap, in UTC, and twice in the repeated hour of autumn: all are times."""
    for written in (
        datetime(2027, 3, 14, 1, 59, tzinfo=timezone(timedelta(hours=-5))),
        datetime(2027, 3, 14, 3, 0, tzinfo=timezone(timedelta(hours=-4))),
        datetime(2027, 3, 14, 2, 30, tzinfo=UTC),
        datetime(2027, 11, 7, 1, 30, tzinfo=timezone(timedelta(hours=-4))),
        datetime(2027, 11, 7, 1, 30, tzinfo=timezone(timedelta(hours=-5))),
    ):
        check_wall(written, SPRING, NEW_YORK, "measured_at")


def test_an_instant_in_utc_is_taken_where_utc_is_the_clinics_winter():
    """01:30Z on the day when London's clocks skip 01:30 is an instant, not a clock's reading."""
    written = datetime(2027, 3, 28, 1, 30, tzinfo=UTC)
    check_wall(written, written, "Europe/London", "measured_at")


def test_a_naive_instant_is_told_the_clinics_offset_of_now():
    """In summer New York is told -04:00, and Phoenix always -07:00."""
    naive = datetime(2027, 6, 1, 9)  # noqa: DTZ001  the fact itself
    summer = datetime(2027, 6, 1, 20, tzinfo=UTC)
    for zone, offset in ((NEW_YORK, "-04:00"), ("America/Phoenix", "-07:00")):
        with pytest.raises(Malformed, match=f"now {offset}, or Z"):
            check_wall(naive, summer, zone, "measured_at")


@pytest.mark.parametrize("hours", [-14, 0, 14])
@pytest.mark.parametrize("year", [1, 9999])
def test_an_instant_at_the_calendars_ends_is_refused_and_crashes_nothing(year: int, hours: int):
    """The first and the last year have instants that are no day somewhere: check the year."""
    zone = timezone(timedelta(hours=hours))
    moment = datetime(year, 12 if year > 1 else 1, 31 if year > 1 else 1, 12, tzinfo=zone)
    now = datetime(2027, 3, 1, 14, tzinfo=UTC)
    says = "left_at is out of range; check the year"
    with pytest.raises(Malformed, match=says):
        check_happened(moment, now, "America/New_York", "left_at", long_ago=True)
    with pytest.raises(Malformed, match=says):
        check_instant(moment, now, "left_at", long_ago=True)
