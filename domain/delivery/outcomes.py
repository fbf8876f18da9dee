"""What may come of trying to deliver: the closed list. What follows from each is `after`'s to say.

Told apart by what may have happened in the EHR, for that decides whether the write may be sent
again. Reasons name types, statuses and codes, never what was written or about whom.
"""

from dataclasses import dataclass, field
from datetime import timedelta

SETTLING = timedelta(seconds=60)
"""How long after it left a create whose answer was lost may still surface in the EHR, where the
installation file says nothing else. Conditional create is no proof that it will not: an EHR may
look for the condition first and commit later, so that two which meet both stand."""


@dataclass(frozen=True, slots=True)
class Equal:
    """It is in the EHR, read back and equal to what was meant. `version` is the EHR's."""

    version: str | None


@dataclass(frozen=True, slots=True)
class Differs:
    """It is in the EHR and is not what was meant, or somebody changed there what it changes."""

    differences: tuple[str, ...]
    version: str | None = None
    why: str = "the EHR holds something different from what was sent"


@dataclass(frozen=True, slots=True)
class WrongPatient:
    """The EHR shows what Kairos wrote on another patient."""

    differences: tuple[str, ...] = ()
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """The EHR named a resource that is known as something else: `why` says as what."""

    why: str


@dataclass(frozen=True, slots=True)
class NotReadBack:
    """The EHR took it, and then refused to show it. `gone` if it said that nothing is there."""

    why: str
    gone: bool


@dataclass(frozen=True, slots=True)
class RefusedByEhr:
    """The EHR said no, or writing it would not have been safe. `sent` if the EHR was asked.

    `early` if it may have been sent before an earlier write of it was proved absent.
    """

    why: str
    sent: bool
    early: bool = False
    said: str = field(default="", repr=False)  # in the EHR's own words, which may quote a patient


@dataclass(frozen=True, slots=True)
class Stale:
    """Somebody else changed the resource meanwhile, so the EHR did not take the change."""


@dataclass(frozen=True, slots=True)
class NeverLeft:
    """No connection, or no authorization, could be had: not a byte reached the EHR."""

    why: str = "the EHR cannot be reached"
    ours: bool = False  # it was this process that stood still


@dataclass(frozen=True, slots=True)
class Busy:
    """The EHR did nothing now and may do it later; after so many seconds, if it said so.

    `alone` if it took others of the same patient since it said so of this one the last time.
    """

    why: str
    seconds: float | None
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """A write may have left and no answer came: it may have been done.

    `ehr_answers` says whether the EHR answers anything else.
    """

    ehr_answers: bool


@dataclass(frozen=True, slots=True)
class Silent:
    """A read or search brought nothing that can be used; it changed nothing."""

    ehr_answers: bool
    why: str = "the EHR did not answer"


@dataclass(frozen=True, slots=True)
class Absent:
    """It was looked for and is not there now.

    `early` if it may be sent again at once, because a late arrival of the earlier write could do no
    harm: it is a change, which names the version that it changes. `proved` if that kind of search
    has shown something of ours in this EHR before, `behind` if it does not show now what stands
    there: only with the one and without the other is an empty answer a proof. `lag` is how long
    this EHR was seen to take from a write to its being found, None if nobody saw; `settling` how
    long a write may be on its way.
    """

    early: bool
    proved: bool = True
    behind: bool = False
    lag: timedelta | None = None
    settling: timedelta = SETTLING


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """It was looked for, and more than one resource could be it."""

    count: int


@dataclass(frozen=True, slots=True)
class Unproven:
    """It was looked for, and the EHR's answer proves nothing."""

    why: str


@dataclass(frozen=True, slots=True)
class Broke:
    """Something that nobody foresaw went wrong here, at any point. `error` is its type."""

    error: str


AttemptOutcome = (
    Equal
    | Differs
    | WrongPatient
    | Claimed
    | NotReadBack
    | RefusedByEhr
    | Stale
    | NeverLeft
    | Busy
    | Lost
    | Silent
    | Absent
    | Ambiguous
    | Unproven
    | Broke
)
