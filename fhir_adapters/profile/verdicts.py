"""What an EHR's failure means for a delivery, as far as FHIR and HTTP themselves say it.

A vendor's own codes stand in that vendor's file.
"""

from collections.abc import Mapping
from enum import StrEnum


class Verdict(StrEnum):
    """What is to be done, the most in need of a person first."""

    NEEDS_PERSON = "needs-a-person"
    CONFLICT = "conflict"
    REFUSED = "refused"
    NOT_FOUND = "not-found"
    ALREADY_DONE = "already-done"
    PAGE_RESTART = "page-restart"
    RETRY = "retry"
    LOGIN = "login"  # who asks is not accepted at all, whatever is asked


BY_ISSUE_TYPE: Mapping[str, Verdict] = {
    "login": Verdict.LOGIN,
    "forbidden": Verdict.NEEDS_PERSON,
    "security": Verdict.NEEDS_PERSON,
    "suppressed": Verdict.NEEDS_PERSON,
    "expired": Verdict.LOGIN,
    "unknown": Verdict.NEEDS_PERSON,
    "conflict": Verdict.CONFLICT,
    "multiple-matches": Verdict.CONFLICT,
    "duplicate": Verdict.ALREADY_DONE,
    "not-found": Verdict.NOT_FOUND,
    "deleted": Verdict.NOT_FOUND,
    "throttled": Verdict.RETRY,
    "lock-error": Verdict.RETRY,
    "timeout": Verdict.RETRY,
    "transient": Verdict.RETRY,
    "incomplete": Verdict.RETRY,
    "no-store": Verdict.RETRY,
}
"""FHIR's own issue types, as far as they say more than the HTTP status."""

OF_THE_REQUEST = frozenset(
    {
        "invalid",
        "structure",
        "required",
        "value",
        "invariant",
        "not-supported",
        "too-long",
        "too-costly",
        "code-invalid",
        "extension",
        "business-rule",
    }
)
"""FHIR's issue types that speak of what was asked for: some servers send them with a status of 500,
and asked again they say the same."""

BY_STATUS: Mapping[int, Verdict] = {
    401: Verdict.LOGIN,
    403: Verdict.NEEDS_PERSON,
    404: Verdict.NOT_FOUND,
    408: Verdict.RETRY,
    409: Verdict.CONFLICT,
    410: Verdict.NOT_FOUND,
    412: Verdict.CONFLICT,
    423: Verdict.RETRY,
    424: Verdict.RETRY,
    425: Verdict.RETRY,
    429: Verdict.RETRY,
    501: Verdict.REFUSED,
    505: Verdict.REFUSED,
}
