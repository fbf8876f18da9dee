"""Which zone data decides what time it is in a clinic."""

from datetime import UTC, date, time
from importlib.resources import files
from zoneinfo import TZPATH, ZoneInfo

import pytest

from domain.language.clocks import LocalTime, instant


def test_the_zone_data_is_the_locked_one():
    """The package that the lock pins is read, and no folder of the system."""
    assert TZPATH == ()
    for zone in ("America/New_York", "America/Vancouver", "Asia/Manila"):
        package, _, name = f"tzdata.zoneinfo.{zone.replace('/', '.')}".rpartition(".")
        with files(package).joinpath(name).open("rb") as file:
            wanted = ZoneInfo.from_file(file, key=zone)
        for month in range(1, 13):
            noon = instant(LocalTime(date(2027, month, 1), time(12)), zone)
            assert noon.astimezone(wanted).hour == 12


@pytest.mark.parametrize(("month", "hour"), [(1, 16), (7, 16)])
def test_a_zone_that_changed_its_mind_this_year_is_known(month: int, hour: int):
    """British Columbia has had -07:00 all year since 2026: 09:00 there is 16:00 UTC in January."""
    found = instant(LocalTime(date(2027, month, 4), time(9)), "America/Vancouver")
    assert found.astimezone(UTC).hour == hour
