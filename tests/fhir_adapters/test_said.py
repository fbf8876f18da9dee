"""What an EHR said in words is kept, in whatever form it said it."""

import json
from typing import Any

import pytest

from fhir_adapters.profile.operation_outcome import issues_of
from fhir_adapters.profile.said import MOST_SAID, words_of

WORDS = "the encounter is closed"


def outcome(**issue: Any) -> dict[str, Any]:
    """An OperationOutcome with one issue."""
    said = {"severity": "error", "code": "processing"} | issue
    return {"resourceType": "OperationOutcome", "issue": [said]}


@pytest.mark.parametrize(
    "body",
    [
        outcome(diagnostics=WORDS),
        outcome(details={"text": WORDS}),
        outcome(details={"coding": [{"code": "1", "display": WORDS}]}),
        outcome() | {"text": {"div": f"<div>{WORDS}</div>"}},
        {"resourceType": "OperationOutcome", "issue": {"diagnostics": WORDS}},
        [outcome(diagnostics=WORDS)],
        {"resourceType": "Bundle", "entry": [{"resource": outcome(diagnostics=WORDS)}]},
        {
            "resourceType": "Bundle",
            "entry": [{"response": {"outcome": outcome(diagnostics=WORDS)}}],
        },
        {"title": WORDS, "status": 422},
        {"detail": WORDS},
        {"error_description": WORDS},
        {"error": {"message": WORDS}},
        {"errors": [{"message": WORDS}]},
        {"message": WORDS},
    ],
)
def test_words_are_found_in_every_form(body: Any) -> None:
    """An outcome anywhere, a problem, an error of OAuth or OData."""
    assert words_of(body, json.dumps(body).encode(), {}) == WORDS


@pytest.mark.parametrize(
    "raw",
    [
        b"the encounter is closed",
        b"<html><script>x()</script><p>the encounter\nis closed</p></html>",
        b"<error><message>the encounter is closed</message></error>",
        b"the\x07encounter is\x00 closed",
    ],
)
def test_a_text_and_a_page_are_words_too(raw: bytes) -> None:
    """Without their marks, and without what no screen shows."""
    assert words_of(None, raw, {}) == WORDS


def test_a_place_and_headers_are_said_with_it() -> None:
    """Where it is wrong, why nobody is let in, and each thing once."""
    body = outcome(diagnostics=WORDS, expression=["Observation.code"])
    headers = {"www-authenticate": 'Bearer error="insufficient_scope"', "warning": '199 - "slow"'}
    assert words_of(body, b"", headers) == (
        f'{WORDS} (at Observation.code); Bearer error="insufficient_scope"; 199 - "slow"'
    )
    assert words_of({"detail": WORDS, "title": WORDS}, b"", {}) == WORDS
    assert len(words_of(None, b"x" * 100_000, {})) == MOST_SAID


@pytest.mark.parametrize("number", ["12345678", "M12345", "MRN-004711", "DOE0417"])
def test_a_record_number_is_no_code(number: str) -> None:
    """Codes stand in reasons, which more people see than words."""
    (issue,) = issues_of(outcome(code=number, details={"coding": [{"code": number}]}))
    assert number not in str(issue)
