"""What an EHR said in words, in whatever form it said it. For people; never for a log.

An OperationOutcome anywhere in the answer, a problem of RFC 9457, an error of OAuth (RFC 6749) or
OData, plain text or a page: whoever must put it right needs the words. They may quote a patient.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

MOST_SAID = 2_000
"""Characters of an EHR's own words that are kept."""

_IN_HEADERS = ("www-authenticate", "warning")
_WORDS = ("diagnostics", "detail", "title", "message", "error_description", "error")
_TAG = re.compile(r"<(script|style)\b.*?</\1\s*>|<[^>]*>", re.IGNORECASE | re.DOTALL)
_DEEPEST = 6


def words_of(body: Any, raw: bytes, headers: Mapping[str, str]) -> str:
    """Gather what was said, each thing once: of what could be read, else of the text itself."""
    found = list(_said(body, _DEEPEST)) if body is not None else [_plain(raw)]
    found += [headers[name] for name in _IN_HEADERS if headers.get(name)]
    clean = (" ".join(_printable(each).split()) for each in found)
    return "; ".join(dict.fromkeys(each for each in clean if each))[:MOST_SAID]


def _said(value: Any, depth: int) -> Iterator[str]:
    if depth == 0:
        return
    if isinstance(value, list):
        for each in value:
            yield from _said(each, depth - 1)
    if not isinstance(value, Mapping):
        return
    if value.get("resourceType") == "OperationOutcome":
        yield from _of_outcome(value)
        return
    yield from (value[key] for key in _WORDS if isinstance(value.get(key), str))
    for key in ("entry", "resource", "response", "outcome", "error", "errors", "contained"):
        yield from _said(value.get(key), depth - 1)


def _of_outcome(outcome: Mapping[str, Any]) -> Iterator[str]:
    issues = outcome.get("issue")
    spoke = False
    for issue in issues if isinstance(issues, list) else [issues]:
        if not isinstance(issue, Mapping):
            continue
        words = "; ".join(dict.fromkeys(_of_issue(issue)))
        spoke = spoke or bool(words)
        places = issue.get("expression") or issue.get("location") or []
        where = (
            [each for each in places if isinstance(each, str)] if isinstance(places, list) else []
        )
        yield f"{words} (at {', '.join(where)})" if where else words
    text = outcome.get("text")
    div = text.get("div") if isinstance(text, Mapping) else None
    if not spoke and isinstance(div, str):
        yield _TAG.sub(" ", div)


def _of_issue(issue: Mapping[str, Any]) -> Iterator[str]:
    details = issue.get("details")
    concept = details if isinstance(details, Mapping) else {}
    codings = concept.get("coding")
    displays = [
        coding.get("display")
        for coding in (codings if isinstance(codings, list) else [])
        if isinstance(coding, Mapping)
    ]
    for said in (issue.get("diagnostics"), concept.get("text"), *displays):
        if isinstance(said, str):
            yield said


def _plain(raw: bytes) -> str:
    return _TAG.sub(" ", raw[: 10 * MOST_SAID].decode("utf-8", "replace"))


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)
