"""What an OperationOutcome says, and what is to be done about it: the worst issue decides.

One answer can carry several issues of different severity, in any order. What a code means is its
vendor's to say: the same number means another thing at another. Must not put an issue's free text
into anything that is logged: it may quote the patient.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fhir_adapters.profile.vendor import Vendor
from fhir_adapters.profile.verdicts import BY_ISSUE_TYPE, BY_STATUS, OF_THE_REQUEST, Verdict

_CODE = re.compile("[A-Za-z][A-Za-z_-]{1,39}|[0-9]{1,5}")
_RANK = {"fatal": 0, "error": 1, "warning": 2, "information": 3}
_HARMFUL = ("fatal", "error")
_BAD_REQUEST, _SERVER_ERROR = 400, 500
_URGENCY = tuple(Verdict)
"""Among issues of one severity the one that most needs a person decides."""


@dataclass(frozen=True, slots=True)
class Issue:
    """One issue: severity, FHIR issue type, vendor codes, and `diagnostics` in the EHR's words."""

    severity: str
    code: str
    details: tuple[str, ...] = ()
    diagnostics: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Print codes only."""
        return " ".join((self.severity, self.code, *self.details))


def issues_of(body: Any) -> tuple[Issue, ...]:
    """Read the issues of an OperationOutcome, worst first; none for anything else."""
    if not isinstance(body, Mapping) or body.get("resourceType") != "OperationOutcome":
        return ()
    listed = body.get("issue")
    found = [_issue(item) for item in _list(listed) if isinstance(item, Mapping)]
    return tuple(sorted(found, key=lambda issue: _RANK.get(issue.severity, 0)))


def classify(status: int, issues: Sequence[Issue], vendor: Vendor) -> Verdict:
    """Say what a refusal means: the worst issue decides, and the status where none says more."""
    harmful = [issue for issue in issues if issue.severity in _HARMFUL]
    if not harmful and status < _BAD_REQUEST:
        harmful = list(issues)
    if harmful:
        worst = min(_RANK.get(issue.severity, 0) for issue in harmful)
        said = (_verdict(i, vendor) for i in harmful if _RANK.get(i.severity, 0) == worst)
        verdicts = [verdict for verdict in said if verdict is not None]
        if verdicts:
            return min(verdicts, key=_URGENCY.index)
    if status in BY_STATUS:
        return BY_STATUS[status]
    if any(issue.code in OF_THE_REQUEST for issue in harmful):
        return Verdict.REFUSED  # whatever the status: the same request is answered the same way
    return Verdict.RETRY if status >= _SERVER_ERROR else Verdict.REFUSED


def leaves_doubt(issues: Sequence[Issue], vendor: Vendor) -> bool:
    """Say whether a search's issues keep an empty result from proving that nothing is there.

    Only this vendor's "nothing found" does not: a filter may have been ignored, or hits withheld.
    """
    return any(
        not issue.details or not vendor.nothing_found.issuperset(issue.details) for issue in issues
    )


def _verdict(issue: Issue, vendor: Vendor) -> Verdict | None:
    for code in issue.details:
        if code in vendor.codes:
            return vendor.codes[code]
    if vendor.unlisted is not None and any(code.isdigit() for code in issue.details):
        return vendor.unlisted if issue.severity in _HARMFUL else None
    return BY_ISSUE_TYPE.get(issue.code)


def _issue(item: Mapping[str, Any]) -> Issue:
    details = item.get("details")
    codings = _list(details.get("coding")) if isinstance(details, Mapping) else []
    codes = (coding.get("code") for coding in codings if isinstance(coding, Mapping))
    words = [item.get("diagnostics"), details.get("text") if isinstance(details, Mapping) else None]
    return Issue(
        severity=_word(item.get("severity"), "error"),
        code=_word(item.get("code"), "unknown"),
        details=tuple(_word(code, "?") for code in codes),
        diagnostics="; ".join(word for word in words if isinstance(word, str)),
    )


def _word(value: Any, otherwise: str) -> str:
    """Take a code only if it looks like one: no free text and no record number passes for it."""
    return value if isinstance(value, str) and _CODE.fullmatch(value) else otherwise


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if isinstance(value, Mapping) else []
