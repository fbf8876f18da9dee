"""The four ways in which something does not happen. Each is mapped once at each edge.

Messages carry ids, rules and readings' names, never who the patient is.
"""

from collections.abc import Sequence

from domain.language.findings import Blocked


class Refused(Exception):  # noqa: N818  the field's word; an error suffix would hide it
    """A rule said no: names the rule, what was found or is missing, and who can supply it."""

    def __init__(self, message: str, blocked_by: Sequence[Blocked] = ()) -> None:
        """Keep the message and what blocks."""
        super().__init__(message)
        self.message = message
        self.blocked_by = tuple(blocked_by)


class Conflict(Exception):  # noqa: N818
    """Someone else changed it, or it is already so; look again before trying again.

    `version` is the version that the pathway is at, where that is what the caller did not know.
    """

    def __init__(self, message: str, version: int | None = None) -> None:
        """Keep the message and the version."""
        super().__init__(message)
        self.version = version


class Unavailable(Exception):  # noqa: N818
    """Not possible just now; the same request may succeed later."""


class Malformed(Exception):  # noqa: N818
    """The request itself is wrong and will never succeed as it stands.

    `unknown` is the field that names something which the pathway does not have, if that is why.
    """

    def __init__(self, message: str, unknown: str | None = None) -> None:
        """Keep the message and the field."""
        super().__init__(message)
        self.unknown = unknown
