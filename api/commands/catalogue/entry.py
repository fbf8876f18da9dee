"""What the catalogue says about one thing that a person can do."""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Generic, TypeVar

from api.commands.words import Body
from domain.language.commands import Wish

B = TypeVar("B", bound=Body)

TIME = "2027-03-01T14:05:00-05:00"
VISIT = "esketamine-induction-visit-1"
"""For the examples of bodies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(Generic[B]):
    """One command: where and with which body it is asked for, and the wish that they become.

    `path` stands below a pathway's address and holds at most one id, which `make` gets beside the
    body; else it gets an empty text. Who may ask is the wish's own to say (`domain.permissions`).
    """

    path: str
    tag: str
    summary: str
    says: str
    body: type[B]
    wish: type[Wish]
    make: Callable[[B, str], Wish]

    @property
    def kind(self) -> str:
        """The wish's kind, which names the command everywhere: `book-visit`."""
        return next(str(field.default) for field in fields(self.wish) if field.name == "kind")

    @property
    def about(self) -> str | None:
        """The name of the id in the path: `visit`."""
        found = re.search(r"{(\w+)}", self.path)
        return found[1] if found else None

    @property
    def may_be_empty(self) -> bool:
        """Say whether the address says all that is needed, so that the body may be left out."""
        return not any(field.is_required() for field in self.body.model_fields.values())
