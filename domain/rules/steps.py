"""The few things that can be next on a pathway. Each says its rule, source, and who can act."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum

from domain.language.findings import Blocked
from domain.language.names import PathwayOutcome, Role, VisitId
from domain.language.safety import Holds, Rise
from domain.rules.calendar import ProposedVisit


class Ask(StrEnum):
    """What a person is asked to do. The value begins the task's id."""

    SIGN_ORDER = "sign-order"
    BOOK_VISITS = "book-visits"
    CHECK_IN = "check-in"
    RECORD = "record"
    GIVE = "give"
    RELEASE = "release"
    RESOLVE_VISIT = "resolve-visit"
    CLEAR_GATE = "clear-gate"
    LIFT_HOLD = "lift-hold"
    DECIDE = "decide"
    REVIEW = "review"
    REVIEW_RISK = "review-risk"
    REVIEW_DEVIATION = "review-deviation"
    REVIEW_UNAUTHORIZED = "review-unauthorized"
    REVIEW_LATE = "review-late"
    REVIEW_QUESTIONED = "review-questioned"
    REVIEW_BASELINE = "review-baseline"
    REVIEW_COURSE = "review-course"
    BRING_FORWARD = "bring-forward"
    ASSESS = "assess"
    RENEW_AUTHORIZATION = "renew-authorization"


TASKS = frozenset(
    {
        Ask.SIGN_ORDER,
        Ask.BOOK_VISITS,
        Ask.RESOLVE_VISIT,
        Ask.CLEAR_GATE,
        Ask.LIFT_HOLD,
        Ask.DECIDE,
        Ask.REVIEW,
        Ask.REVIEW_RISK,
        Ask.REVIEW_DEVIATION,
        Ask.REVIEW_UNAUTHORIZED,
        Ask.REVIEW_LATE,
        Ask.REVIEW_QUESTIONED,
        Ask.REVIEW_BASELINE,
        Ask.REVIEW_COURSE,
        Ask.BRING_FORWARD,
        Ask.ASSESS,
        Ask.RENEW_AUTHORIZATION,
    }
)
"""Asks that become tasks with an owner; the others are the ordinary next move in a visit."""


class Urgency(IntEnum):
    """Which of two tasks comes first, whatever their times."""

    SAFETY = 0
    VISIT = 1
    ROUTINE = 2


SAFETY = frozenset(
    {
        Ask.LIFT_HOLD,
        Ask.REVIEW_RISK,
        Ask.REVIEW_DEVIATION,
        Ask.REVIEW_UNAUTHORIZED,
        Ask.REVIEW_QUESTIONED,
        Ask.REVIEW_COURSE,
        Ask.BRING_FORWARD,
    }
)
"""Asks about a patient who may come to harm: they come before all others."""

VISIT = frozenset({Ask.CLEAR_GATE, Ask.RESOLVE_VISIT})
"""Asks for which a patient may be waiting here."""


@dataclass(frozen=True, slots=True)
class AskPerson:
    """Ask people of these roles to do this; `blocked_by` says what they will find in the way."""

    ask: Ask
    about: str  # phase, visit, hold or gate
    roles: tuple[Role, ...]
    says: str
    rule: str
    why: str = ""
    source: str = ""
    due: datetime | None = None
    blocked_by: tuple[Blocked, ...] = ()
    rises: tuple[Rise, ...] = ()  # to whom it goes on, each time that nobody has looked in time
    holds: tuple[Holds, ...] = (Holds.TREATMENT, Holds.LEAVING)  # while a review is not answered


@dataclass(frozen=True, slots=True)
class ProposeVisits:
    """Propose these visits; Kairos does this itself, and a person books them."""

    visits: tuple[ProposedVisit, ...]
    says: str
    rule: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Await:
    """Nothing to do until then."""

    until: datetime
    says: str
    rule: str
    about: VisitId | None = None
    blocked_by: tuple[Blocked, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """Nothing will come."""

    outcome: PathwayOutcome
    says: str
    rule: str = "pathway-finished"


Step = AskPerson | ProposeVisits | Await | Finished
