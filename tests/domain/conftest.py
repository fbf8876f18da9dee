"""Which tests of the domain are the same in every run: those that draw nothing.

Those that play a whole course are left out: counting lines makes them five times as slow. By the
others alone every line and branch of `domain/` is covered, and `./dev test` fails where one is
not. What Hypothesis draws finds more, but what it happens to reach holds nothing.
"""

from pathlib import Path

import pytest
from hypothesis import is_hypothesis_test

HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test of this folder that draws nothing, and is not long, as plain."""
    for item in items:
        drawn = is_hypothesis_test(getattr(item, "obj", None))
        long = item.get_closest_marker("long") is not None
        if item.path.is_relative_to(HERE) and not (drawn or long):
            item.add_marker(pytest.mark.plain)
