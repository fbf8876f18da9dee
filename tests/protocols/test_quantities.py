"""Quantities mean one thing: what was printed is read again as the same value."""

from datetime import timedelta
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.language.names import ObservationName
from domain.language.protocol import Period, Rate
from domain.language.requirements import Requirement
from domain.language.requirements import Test as Compared
from protocols import quantities as q


@given(st.integers(1, 10**6))
def test_elapsed_time_prints_and_parses(minutes):
    """A length of time that was printed is the same when read."""
    length = timedelta(minutes=minutes)
    assert q.parse_elapsed(q.print_elapsed(length)) == length


@given(st.integers(0, 5000))
def test_days_print_and_parse(days):
    """A number of days that was printed is the same when read."""
    assert q.parse_days(q.print_days(days), least=0) == days


@given(st.integers(1, 99), st.integers(1, 99), st.sampled_from(Period))
def test_rates_print_and_parse(sessions, every, period):
    """A rate that was printed is the same when read."""
    rate = Rate(sessions, 1 if period is Period.DAY else every, period)
    assert q.parse_rate(q.print_rate(rate)) == rate


@given(
    st.sampled_from([Compared.AT_MOST, Compared.AT_LEAST, Compared.BELOW, Compared.ABOVE]),
    st.decimals(-999, 9999, places=2),
    st.sampled_from(["mmHg", "%", "points", "% of maximum output"]),
)
def test_requirements_print_and_parse(test, value, unit):
    """A requirement that was printed has the same test, value and unit when read."""
    printed = q.print_requirement(Requirement(ObservationName("x"), test, value), unit)
    parsed, rest = q.parse_test(printed)
    number, unit_read = q.parse_quantity(rest, (unit,))
    assert (parsed, Fraction(number), unit_read) == (test, Fraction(value), unit)


@given(st.text(max_size=12))
def test_nothing_else_is_understood_by_accident(text):
    """Any text is either a quantity with one of the units or refused with the reason."""
    try:
        number, unit = q.parse_quantity(text, ("mmHg",))
    except q.NotUnderstood as reason:
        assert "mmHg" in str(reason)  # noqa: PT017  both ends are the fact
    else:
        assert text == f"{text.split(' ')[0]} mmHg"
        assert unit == "mmHg"
        assert number.is_finite()
