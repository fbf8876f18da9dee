"""What an EHR's answers mean: headers, pages, and the worst issue of an OperationOutcome."""

from collections import Counter
from typing import Any

import pytest

from domain.language.names import EhrPatientId
from fhir_adapters.exchange.compare import is_anothers, referred
from fhir_adapters.exchange.failures import EhrRefused
from fhir_adapters.exchange.headers import (
    id_from_body,
    id_from_location,
    seconds_to_wait,
    version_from_etag,
    version_of,
)
from fhir_adapters.exchange.paging import Gathering, next_page
from fhir_adapters.profile.epic import EPIC
from fhir_adapters.profile.generic import GENERIC
from fhir_adapters.profile.operation_outcome import Issue, classify, issues_of, leaves_doubt
from fhir_adapters.profile.vendor import Vendor
from fhir_adapters.profile.vendors import VENDORS
from fhir_adapters.profile.verdicts import Verdict

BASE = "https://ehr.example/fhir"
BASES = (BASE,)
WITHOUT_CODES = [vendor for vendor in VENDORS.values() if vendor is not EPIC]


def _outcome(*issues: tuple[str, str], kind: str = "processing") -> dict[str, Any]:
    return {
        "resourceType": "OperationOutcome",
        "issue": [
            {
                "severity": severity,
                "code": kind,
                "diagnostics": "Ann Doe",
                "details": {"coding": [{"system": "urn:oid:x.657369", "code": code}]},
            }
            for severity, code in issues
        ],
    }


def test_the_worst_issue_decides() -> None:
    """A warning in front of a fatal issue does not hide it, in whatever order they come."""
    for pair in (
        (("information", "59100"), ("fatal", "59177")),
        (("fatal", "59177"), ("warning", "4119")),
    ):
        issues = issues_of(_outcome(*pair))
        assert classify(400, issues, EPIC) is Verdict.RETRY
        assert issues[0].details == ("59177",)


@pytest.mark.parametrize(
    ("status", "code", "verdict"),
    [
        (400, "59141", Verdict.ALREADY_DONE),
        (400, "59188", Verdict.NEEDS_PERSON),
        (403, "4130", Verdict.NEEDS_PERSON),
        (400, "4107", Verdict.CONFLICT),
        (400, "4113", Verdict.PAGE_RESTART),
        (404, "59008", Verdict.NOT_FOUND),
        (400, "59108", Verdict.REFUSED),
        (400, "99999", Verdict.NEEDS_PERSON),
    ],
)
def test_epics_codes_have_their_meaning(status: int, code: str, verdict: Verdict) -> None:
    """Known codes by the table; an unknown one that failed is a person's."""
    assert classify(status, issues_of(_outcome(("fatal", code))), EPIC) is verdict


@pytest.mark.parametrize("vendor", WITHOUT_CODES, ids=lambda vendor: vendor.name)
@pytest.mark.parametrize(
    ("status", "kind", "verdict"),
    [
        (422, "processing", Verdict.REFUSED),
        (409, "conflict", Verdict.CONFLICT),
        (404, "processing", Verdict.NOT_FOUND),
        (422, "duplicate", Verdict.ALREADY_DONE),
        (408, "processing", Verdict.RETRY),
        (503, "transient", Verdict.RETRY),
    ],
)
def test_a_number_says_nothing_where_the_vendor_has_no_codes(
    vendor: Vendor, status: int, kind: str, verdict: Verdict
) -> None:
    """Another server's 4101 or 59141 is its own affair: issue type and status decide there."""
    for code in (*EPIC.codes, "77", "99999"):
        issues = issues_of(_outcome(("fatal", code), kind=kind))
        assert classify(status, issues, vendor) is verdict, code


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (400, Verdict.REFUSED),
        (401, Verdict.LOGIN),
        (404, Verdict.NOT_FOUND),
        (409, Verdict.CONFLICT),
        (412, Verdict.CONFLICT),
        (422, Verdict.REFUSED),
        (423, Verdict.RETRY),
        (424, Verdict.RETRY),
        (502, Verdict.RETRY),
    ],
)
def test_without_an_outcome_the_status_decides(status: int, verdict: Verdict) -> None:
    """An HTML page or an empty body is classified by its status."""
    assert classify(status, issues_of(None), GENERIC) is verdict
    assert classify(status, issues_of(None), EPIC) is verdict


def test_epics_table_has_every_published_code() -> None:
    """The 37 codes that Epic publishes and three that were only seen, by class."""
    assert Counter(EPIC.codes.values()) == {
        Verdict.REFUSED: 17 + 1,
        Verdict.NEEDS_PERSON: 9 + 1,
        Verdict.NOT_FOUND: 4 + 1,
        Verdict.RETRY: 3,
        Verdict.PAGE_RESTART: 2,
        Verdict.CONFLICT: 1,
        Verdict.ALREADY_DONE: 1,
    }


@pytest.mark.parametrize("code", ["4119", "4122", "59100", "59204", "12345"])
def test_a_warning_keeps_an_empty_answer_from_being_proof(code: str) -> None:
    """Only Epic's "nothing found" leaves an empty search a proof that nothing is there."""
    nothing = issues_of(_outcome(("warning", "4101")))
    assert not leaves_doubt(nothing, EPIC)
    assert leaves_doubt((*nothing, *issues_of(_outcome(("warning", code)))), EPIC)


@pytest.mark.parametrize("vendor", WITHOUT_CODES, ids=lambda vendor: vendor.name)
@pytest.mark.parametrize("kind", ["processing", "informational", "not-found"])
@pytest.mark.parametrize("severity", ["fatal", "warning", "information"])
def test_another_vendors_nothing_found_is_no_proof(
    vendor: Vendor, severity: str, kind: str
) -> None:
    """A foreign 4101 beside an empty search may mean anything: the write is not proved absent."""
    assert leaves_doubt(issues_of(_outcome((severity, "4101"), kind=kind)), vendor)


def test_an_issue_without_a_code_is_no_proof() -> None:
    """An issue that says nothing but its type keeps an empty search from being a proof."""
    bare = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "x"}]}
    assert all(leaves_doubt(issues_of(bare), vendor) for vendor in VENDORS.values())


def test_no_free_text_in_a_message() -> None:
    """A refusal prints status and codes, never diagnostics; a code that is text is dropped."""
    body = _outcome(("fatal", "59159"))
    body["issue"][0]["code"] = "Ann Doe was born"
    refused = EhrRefused("create a Task", 400, issues_of(body), Verdict.REFUSED)
    assert "Ann" not in f"{refused} {refused.issues!r}"
    assert "59159" in str(refused)
    assert "Ann Doe" in refused.issues[0].diagnostics


def test_strange_outcomes_are_no_issues() -> None:
    """Whatever a body holds, reading its issues does not fail."""
    bodies: tuple[Any, ...] = (
        None,
        [],
        {"resourceType": "OperationOutcome", "issue": [1, {"details": 3}]},
    )
    for body in bodies:
        assert all(isinstance(issue, Issue) for issue in issues_of(body))


@pytest.mark.parametrize(
    ("location", "found"),
    [
        (f"{BASE}/Task/7", ("7", None)),
        (f"{BASE}/Task/7/_history/10-1", ("7", "10-1")),
        ("Task/7", ("7", None)),
        (f"{BASE}/Observation/7", None),
        (f"{BASE}/Task/../etc", None),
        (f"{BASE}/SubTask/7", None),
        (None, None),
    ],
)
def test_the_id_stands_in_location(location: str | None, found: tuple[str, str] | None) -> None:
    """An id is taken from Location only if it names the type that was created."""
    assert id_from_location(location, "Task") == found


def test_the_id_stands_in_the_body() -> None:
    """Without Location the returned resource says its id; another type says nothing."""
    body = {"resourceType": "Task", "id": "7", "meta": {"versionId": "3"}}
    assert id_from_body(body, "Task") == ("7", "3")
    assert id_from_body(body, "Flag") is None
    assert id_from_body({"resourceType": "Task", "id": "a/b"}, "Task") is None


@pytest.mark.parametrize(("etag", "version"), [('W/"10-1"', "10-1"), ('"3"', "3"), ("3", None)])
def test_versions_need_not_be_numbers(etag: str, version: str | None) -> None:
    """Weak and strong ETags are read, whatever stands in them."""
    assert version_from_etag(etag) == version


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [
        ("120", 120),
        ("99999999", 86400),
        ("Tue, 24 Nov 2026 10:01:00 GMT", 60),
        ("Tue, 24 Nov 2026 09:00:00 GMT", 0),
        ("soon", None),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(retry_after: str | None, seconds: float | None) -> None:
    """A date is measured from the answer's own Date; nonsense says nothing."""
    assert seconds_to_wait(retry_after, "Tue, 24 Nov 2026 10:00:00 GMT") == seconds


@pytest.mark.parametrize(
    ("url", "followed"),
    [
        (f"{BASE}/Task?page=2", f"{BASE}/Task?page=2"),
        ("Task?page=2", f"{BASE}/Task?page=2"),
        ("https://evil.example/fhir/Task?page=2", ""),
        ("http://ehr.example/fhir/Task", ""),
    ],
)
def test_a_next_link_leads_to_the_ehr_or_nowhere(url: str, followed: str) -> None:
    """Pages are followed within the same origin only, so no token leaves it."""
    assert next_page({"link": [{"relation": "next", "url": url}]}, BASES) == followed


def test_the_same_id_on_two_pages_is_one_resource() -> None:
    """Of two copies the newer one stays."""
    gathering = Gathering("Task")
    for updated in ("2026-02-01", "2026-03-01", "2026-01-01"):
        task = {"resourceType": "Task", "id": "7", "meta": {"lastUpdated": updated}}
        gathering.take({"entry": [{"resource": task}]})
    (found,) = gathering.result(complete=True).resources
    assert found["meta"]["lastUpdated"] == "2026-03-01"


def test_an_empty_page_that_claims_matches_is_not_whole() -> None:
    """`total` above zero without an entry proves nothing; a lone OperationOutcome is no match."""
    gathering = Gathering("Task")
    gathering.take({"total": 1, "entry": [{"resource": _outcome(("warning", "4119"))}]})
    assert not gathering.whole
    assert len(gathering.result(complete=True).issues) == 1


def test_of_two_copies_the_later_stays_whatever_their_offsets() -> None:
    """18:00 at -05:00 is later than 20:00 at UTC."""
    gathering = Gathering("Task")
    for version, updated in (("1", "2026-03-01T20:00:00Z"), ("2", "2026-03-01T18:00:00-05:00")):
        meta = {"lastUpdated": updated, "versionId": version}
        gathering.take({"entry": [{"resource": {"resourceType": "Task", "id": "7", "meta": meta}}]})
    (found,) = gathering.result(complete=True).resources
    assert found["meta"]["versionId"] == "2"


@pytest.mark.parametrize(
    "bundle",
    [
        {"total": 25},
        {"link": {"relation": "next", "url": "https://elsewhere.example/2"}},
        {"link": [{"relation": ["next"], "url": "https://elsewhere.example/2"}]},
    ],
)
def test_what_says_that_there_is_more_is_not_whole(bundle: dict[str, Any]) -> None:
    """More in all than was shown and no next page, or a next page in an odd form."""
    gathering = Gathering("Task")
    gathering.take({"entry": [{"resource": {"resourceType": "Task", "id": "7"}}]} | bundle)
    following = next_page(bundle, ("https://ehr.example/fhir",))
    assert following == "" or not gathering.result(complete=True).complete


@pytest.mark.parametrize(
    "text",
    ["Mon, 01 Jan 99999999999999999999 00:00:00 GMT", "Mon, 01 Jan 2027 00:00:00 +9999999999999"],
)
def test_a_date_that_no_clock_has_says_nothing(text: str) -> None:
    """Of when to come back, or of when it was said."""
    assert seconds_to_wait(text, "Mon, 01 Jan 2027 00:00:00 GMT") is None
    assert seconds_to_wait("Mon, 01 Jan 2027 00:00:00 GMT", text) is None


@pytest.mark.parametrize("version", ["é1", '3"', "3\r\nX: y", "3\x00", " 3", "", "3\\", 3, None])
def test_a_version_that_no_header_can_carry_is_none(version: Any) -> None:
    """What would have to stand in If-Match is ASCII without quotes, blanks or line breaks."""
    assert version_of({"meta": {"versionId": version}}) is None


ONE = "https://ehr.example/fhir"


@pytest.mark.parametrize(
    ("reference", "place"),
    [
        ("Patient/p1?_format=json", "Patient/p1"),
        ("Patient/p1 ", "Patient/p1"),
        ("Patient/p1#x", "Patient/p1"),
        ("Patient/p%31", "Patient/p1"),
        ("Patient/p1/", "Patient/p1"),
        ("HTTPS://EHR.example/fhir/Patient/p1", "Patient/p1"),
        ("https://ehr.example:443/fhir//Patient/p1", "Patient/p1"),
        ("https://ehr.example/fhir/Patient/p1/_history/3", "Patient/p1"),
        ("https://ehr.example:8443/fhir/Patient/p1", None),
        ("http://ehr.example/fhir/Patient/p1", None),
        ("urn:Patient/p1", None),
        ("urn:uuid:0f2a3c4d-0000-4000-8000-000000000000", None),
        ("https://ehr.example/other/Patient/p1", None),
        ("Patient/p1%2f..%2fp2", None),
        ("#p1", None),
        ("http://[::1", None),
    ],
)
def test_an_address_is_known_in_whatever_spelling(reference: str, place: str | None) -> None:
    """The same by the rules for addresses is the same; all else stays as it stands."""
    assert referred(reference, (ONE,)) == (place or reference)


def test_each_patient_that_a_resource_names_is_looked_at() -> None:
    """Ours first and another beside: it is another's too."""
    ours, theirs = ({"reference": f"Patient/{each}"} for each in ("p1", "p2"))
    assert is_anothers({"subject": ours, "patient": theirs}, EhrPatientId("p1"), (ONE,))
    both = [{"actor": ours}, {"actor": theirs}]
    assert is_anothers({"participant": both}, EhrPatientId("p1"), (ONE,))
    assert not is_anothers({"participant": both[:1]}, EhrPatientId("p1"), (ONE,))
