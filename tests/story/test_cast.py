"""The story's people: enough of them, everywhere, and the same ones each time."""

from collections import Counter

from demo.visits import INTENSITY
from story.cast import NOW, ROLES, ZONES, cast


def test_two_sites_have_two_dozen_people():
    """At least 24, at both sites, each under a number of their own."""
    sites = Counter(role.site for role in ROLES)
    assert set(sites) == set(ZONES)
    assert len(ROLES) >= 24
    assert len({part.mrn for part in cast(1)}) == len(ROLES)


def test_the_same_seed_gives_the_same_people():
    """Another seed gives others."""
    assert cast(1) == cast(1)
    assert [part.patient for part in cast(1)] != [part.patient for part in cast(2)]


def test_nobody_is_asked_for_more_than_the_device_gives():
    """The output for a patient's threshold stays on the device's scale."""
    for seed in range(20):
        assert all((part.patient.threshold + 2) * INTENSITY <= 100 * 100 for part in cast(seed))


def test_the_hour_is_a_working_hour_at_both_sites():
    """A weekday, in the daytime in New York and in Phoenix."""
    assert NOW.weekday() < 5
    assert all(9 <= NOW.astimezone(zone).hour < 17 for zone in ZONES.values())
