"""What can go wrong between Kairos and an EHR, told apart by what may have happened there.

The question that matters is whether the EHR may have acted. Messages carry types, statuses and
codes; never a body, a URL with an id, or an issue's free text.
"""

from collections.abc import Sequence
from typing import Self

from domain.language.errors import Conflict, Malformed, Unavailable
from fhir_adapters.profile.operation_outcome import Issue
from fhir_adapters.profile.verdicts import Verdict


class EhrFailure(Exception):  # noqa: N818  the family of all of these
    """Something between Kairos and an EHR did not succeed.

    `said` is what the EHR wrote with it, if it wrote anything, for the ledger and for those who may
    see what was to be written; never for a log.
    """

    said = ""

    def saying(self, words: str) -> Self:
        """Keep what the EHR wrote."""
        self.said = words
        return self


class NeverSent(EhrFailure, Unavailable):
    """No connection, or no authorization: not a byte of the request reached the EHR."""


class Paused(NeverSent):
    """It was us: this process stood still for so long that another may have sent it."""


class OutcomeUnknown(EhrFailure):
    """The write may or may not have been done. Look before sending again."""


class NoAnswer(EhrFailure, Unavailable):
    """A read or search brought nothing that can be used. Nothing was changed by it."""


class Garbled(NoAnswer):
    """The EHR answered, and what it said cannot be believed. Asking again may bring the same."""


class Busy(EhrFailure, Unavailable):
    """The EHR did nothing now and may do it later.

    It is too busy, somebody has the record open, or it does not accept our authorization.
    """

    def __init__(self, message: str, retry_after: float | None) -> None:
        """Keep for how many seconds, if it said so."""
        super().__init__(message)
        self.retry_after = retry_after


class NotLetIn(Busy):
    """The EHR does not accept who asks. Nothing was done; it may be, once that is mended."""


class EhrRefused(EhrFailure):
    """The EHR said no, and `verdict` says what is to be done about it.

    `issues` are worst first. `merged` if it said that the record goes on as another. `strange` if
    what came is no FHIR at all, a redirect or a page: perhaps something before the EHR spoke.
    """

    def __init__(
        self,
        doing: str,
        status: int,
        issues: Sequence[Issue],
        verdict: Verdict,
        *,
        merged: bool = False,
        strange: bool = False,
    ) -> None:
        """Say the status and the codes."""
        codes = ", ".join(str(issue) for issue in issues) or "without an OperationOutcome"
        super().__init__(f"the EHR refused to {doing}: {status}, {codes}")
        self.status = status
        self.issues = tuple(issues)
        self.verdict = verdict
        self.merged = merged
        self.strange = strange


class Stale(EhrRefused, Conflict):
    """Somebody changed the resource since it was read, or has it open. Read it again."""


class Unsafe(EhrFailure, Malformed):
    """Writing would risk somebody else's data; a person looks. Nothing was sent."""


class WrongPatient(Unsafe):
    """What Kairos wrote stands on another patient: nothing more of this patient may be sent."""

    def __init__(self) -> None:
        """Say so, without saying who."""
        super().__init__("the EHR shows it in another patient's chart")


class Disputed(EhrFailure, Conflict):
    """Someone else changed in the EHR what was to be changed: a person decides."""

    def __init__(self, ehr_id: str, elements: Sequence[str], differences: Sequence[str]) -> None:
        """Keep where it stands and at which paths it is not as meant."""
        super().__init__(f"someone else changed it in the EHR: {', '.join(elements)}")
        self.ehr_id = ehr_id
        self.differences = tuple(differences)
