"""Cursors are ours, of one list, and unchanged; or they are refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.edge.cursors import Cursors
from api.edge.problems import Problem

CURSORS = Cursors("secret")
PLACES = st.lists(st.text(max_size=40) | st.integers(0, 2**53), max_size=3)


@given(PLACES)
def test_a_cursor_leads_back_to_its_place(place: list[str | int]):
    """What was written down is read again, also by another process with the same secret."""
    assert Cursors("secret").read("tasks", CURSORS.make("tasks", place)) == place


def test_no_cursor_is_the_beginning():
    """Without a cursor a list begins at its beginning."""
    assert CURSORS.read("tasks", None) is None


@given(st.text(max_size=200))
def test_a_cursor_that_was_made_up_is_refused(cursor: str):
    """Nothing that we did not sign is a place."""
    with pytest.raises(Problem) as refused:
        CURSORS.read("tasks", cursor)
    assert refused.value.name == "bad-cursor"


@pytest.mark.parametrize("place", range(0, 60, 3))
def test_a_changed_cursor_is_refused(place: int):
    """One other letter anywhere makes it another cursor."""
    cursor = CURSORS.make("tasks", ["0f9f6b8e-9a43", 12])
    other = "A" if cursor[place] != "A" else "B"
    with pytest.raises(Problem):
        CURSORS.read("tasks", cursor[:place] + other + cursor[place + 1 :])


def test_a_cursor_of_another_list_or_secret_is_refused():
    """A cursor belongs to its list with its filters, and to its installation."""
    cursor = CURSORS.make("tasks|open", ["a"])
    for reader, name in ((CURSORS, "tasks|all"), (Cursors("another"), "tasks|open")):
        with pytest.raises(Problem):
            reader.read(name, cursor)


def test_a_cursor_may_stand_in_an_address():
    """A cursor needs no escaping."""
    assert re.fullmatch(r"[A-Za-z0-9._-]+", CURSORS.make("tasks", ["ü/?#&"]))
