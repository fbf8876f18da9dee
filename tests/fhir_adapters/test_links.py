"""Links to a next page: followed below this EHR's own base, and nowhere else."""

import pytest

from fhir_adapters.exchange.paging import LONGEST_LINK, next_page

BASE = "https://ehr.example/hospital/fhir"
BASES = (BASE,)


@pytest.mark.parametrize(
    "url",
    [
        f"{BASE}?_getpages=1",
        f"{BASE}/Patient?page=2",
        "Patient?page=2",
        "?page=2",
        "HTTPS://EHR.EXAMPLE/hospital/fhir/Patient?page=2",
        f"{BASE}/Patient?name=%7B%22a%22%7D",
        "https://ehr.example:443/hospital/fhir/Patient?page=2",
    ],
)
def test_a_link_below_the_base_is_followed(url: str) -> None:
    """Absolute or relative, to the base itself or to a type below it."""
    assert next_page({"link": [{"relation": "next", "url": url}]}, BASES)


@pytest.mark.parametrize(
    "url",
    [
        "https://ehr.example/OTHER/fhir/Patient?page=2",
        "https://ehr.example/hospital/fhir-of-another/Patient",
        "https://ehr.example/hospital/fhir/../../OTHER/fhir/Patient",
        "https://ehr.example/hospital/fhir/%2e%2e/%2e%2e/OTHER/fhir/Patient",
        "https://ehr.example/",
        "https://ehr.example/hospital/fhir/..;/..;/OTHER/fhir/Patient",
        "https://ehr.example/hospital/fhir/..\\..\\OTHER",
        "https://ehr.example/hospital/fhir/..%5c..%5cOTHER",
        "https://ehr.example/hospital/fhir/%252e%252e/OTHER",
        "/OTHER/fhir/Patient",
        "../OTHER",
        "http://ehr.example/hospital/fhir/Patient",
        "https://ehr.example:8443/hospital/fhir/Patient",
        "https://ehr.example:port/hospital/fhir/Patient",
        "https://user@ehr.example/hospital/fhir/Patient",
        "https://elsewhere.example/hospital/fhir/Patient",
        "//elsewhere.example/hospital/fhir/Patient",
        "file:///etc/passwd",
        "http://[::1",
        f"{BASE}/Patient?a=\x00",
        f"{BASE}/Patient?a=b c",
        f"{BASE}/Patient?a=é",
        f"{BASE}/Patient?a=" + "a" * LONGEST_LINK,
        "",
        17,
        None,
        {"url": BASE},
    ],
)
def test_a_link_that_leads_away_or_is_none_is_not_followed(url: object) -> None:
    """Then the search is not complete, and no exception leaves the client."""
    assert next_page({"link": [{"relation": "next", "url": url}]}, BASES) == ""


@pytest.mark.parametrize(
    ("url", "followed"),
    [
        ("http://inside:8080/r4?page=2", f"{BASE}?page=2"),
        ("http://inside:8080/r4/Patient?page=2", f"{BASE}/Patient?page=2"),
        ("http://inside:8080/r4", BASE),
        ("http://inside:8080/r4b/Patient?page=2", ""),
        ("http://inside:8080/other/Patient?page=2", ""),
        ("http://inside:8080/r4/../admin", ""),
        ("http://inside:8080.evil.example/r4/Patient", ""),
    ],
)
def test_a_link_to_where_the_ehr_calls_itself_is_asked_at_its_own_address(
    url: str, followed: str
) -> None:
    """The inner host is never asked, and nothing else of it is followed."""
    bases = (BASE, "http://inside:8080/r4")
    assert next_page({"link": [{"relation": "next", "url": url}]}, bases) == followed
