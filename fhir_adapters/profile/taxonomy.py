"""What EHRs' error codes mean for a delivery: a table, and a rule for codes not in it.

Epic's codes are those that it publishes (37), and three seen in captured answers. The code decides
and not the system, whose OID differs from site to site. Must not hold vendors' own wording.
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


UNKNOWN_FATAL = Verdict.NEEDS_PERSON
"""For a vendor's code that is in no table and says that something failed."""

NOTHING_FOUND = "4101"
"""The search was done and matched nothing: the only issue that leaves a search a proof."""

EPIC: Mapping[str, Verdict] = {
    "4100": Verdict.REFUSED,
    "4101": Verdict.NOT_FOUND,
    "4102": Verdict.NOT_FOUND,
    "4103": Verdict.NOT_FOUND,
    "4104": Verdict.NEEDS_PERSON,
    "4107": Verdict.CONFLICT,
    "4110": Verdict.REFUSED,
    "4111": Verdict.REFUSED,
    "4112": Verdict.REFUSED,
    "4113": Verdict.PAGE_RESTART,
    "4115": Verdict.REFUSED,
    "4116": Verdict.PAGE_RESTART,
    "4117": Verdict.REFUSED,
    "4118": Verdict.NEEDS_PERSON,
    "4119": Verdict.NEEDS_PERSON,
    "4122": Verdict.REFUSED,
    "4127": Verdict.REFUSED,
    "4130": Verdict.NEEDS_PERSON,
    "4131": Verdict.NEEDS_PERSON,
    "4134": Verdict.NEEDS_PERSON,
    "4135": Verdict.RETRY,  # the next day
    "40000": Verdict.NEEDS_PERSON,
    "59008": Verdict.NOT_FOUND,  # seen, not published
    "59100": Verdict.REFUSED,
    "59101": Verdict.REFUSED,
    "59102": Verdict.REFUSED,
    "59105": Verdict.REFUSED,
    "59108": Verdict.REFUSED,
    "59109": Verdict.REFUSED,
    "59111": Verdict.REFUSED,
    "59133": Verdict.REFUSED,
    "59134": Verdict.REFUSED,  # seen, not published
    "59141": Verdict.ALREADY_DONE,  # perhaps somebody else's entry: look before adopting it
    "59144": Verdict.NOT_FOUND,  # something that ours refers to
    "59159": Verdict.REFUSED,
    "59177": Verdict.RETRY,  # the outcome is unknown: look first
    "59187": Verdict.NEEDS_PERSON,
    "59188": Verdict.NEEDS_PERSON,
    "59189": Verdict.RETRY,  # the outcome is unknown: look first
    "59204": Verdict.NEEDS_PERSON,  # seen, not published
}

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
}
