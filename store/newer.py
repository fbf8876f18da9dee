"""What a process cannot read: it was recorded by a newer Kairos than this one."""

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import ValidationError

from domain.language.errors import Unavailable


class RecordedByNewer(Unavailable):
    """This pathway was recorded by a newer Kairos; only a process of that one can read it."""


@contextmanager
def reading() -> Iterator[None]:
    """Say of what cannot be read that it is newer; nothing of it is repeated."""
    try:
        yield
    except ValidationError:
        message = "this pathway was recorded by a newer Kairos; this process has to be upgraded"
        raise RecordedByNewer(message) from None
