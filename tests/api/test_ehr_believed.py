"""What an EHR sends is not taken for what was asked, nor its refusal for an outage."""

from typing import Any

import pytest

from domain.language.errors import Malformed
from fhir_adapters.exchange.failures import Busy, EhrRefused, Garbled, NeverSent, NoAnswer, NotLetIn
from fhir_adapters.exchange.paging import SearchResult
from fhir_adapters.profile.operation_outcome import Issue
from fhir_adapters.profile.verdicts import Verdict
from tests.api.service import PATIENT, START, Service, patient

SEARCH = "/v1/sites/manhattan/patients"
MRN = "urn:kairos:demo:mrn"


def sends(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    *resources: dict[str, Any],
    issues: tuple[Issue, ...] = (),
    complete: bool = True,
) -> None:
    """The EHR answers every search with these, whatever was asked."""

    async def search(*_: object, **__: object) -> SearchResult:
        return SearchResult(resources, issues, complete)

    monkeypatch.setattr(service.ehr, "search", search)


def fails(service: Service, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """The EHR answers every search and read so."""

    async def answer(*_: object, **__: object) -> object:
        raise error

    monkeypatch.setattr(service.ehr, "search", answer)
    monkeypatch.setattr(service.ehr, "read", answer)


async def test_only_records_that_carry_the_identifier_are_shown(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that matches loosely, or ignores the parameter, shows nobody else's record."""
    strangers = [
        patient("another"),
        patient("elsewhere", identifier=[{"system": "urn:other", "value": "M1"}]),
        patient("ended", identifier=[{"system": MRN, "value": "M1", "period": {"end": "2020"}}]),
        patient("none", identifier=[]),
    ]
    mine = patient("mine", identifier=[{"system": MRN, "value": "M1"}])
    sends(service, monkeypatch, *strangers, mine)
    found = (await service.manager.get(SEARCH, identifier="M1")).json()
    assert [each["id"] for each in found["items"]] == ["mine"]
    assert (found["others"], found["complete"]) == (4, True)


@pytest.mark.parametrize("count", [20, 25])
async def test_a_cut_answer_says_so(
    service: Service, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Twenty at most are shown, and whether these are all."""
    one = [{"system": MRN, "value": "M1"}]
    sends(service, monkeypatch, *(patient(f"p{n}", identifier=one) for n in range(count)))
    found = (await service.manager.get(SEARCH, identifier="M1")).json()
    assert (len(found["items"]), found["complete"]) == (20, count == 20)


@pytest.mark.parametrize("what", ["more pages", "an issue", "no Patient"])
async def test_an_answer_that_is_not_whole_says_so(
    service: Service, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """More pages, a word beside the matches, or an entry that is none: there may be more."""
    broken: list[dict[str, Any]] = [{"resourceType": "Patient", "id": "no id at all!"}]
    sends(
        service,
        monkeypatch,
        *(broken if what == "no Patient" else []),
        issues=(Issue("warning", "processing"),) if what == "an issue" else (),
        complete=what != "more pages",
    )
    found = (await service.manager.get(SEARCH, identifier="M1")).json()
    assert (found["items"], found["complete"]) == ([], False)


REFUSED = Issue("error", "forbidden", ("4130",), "Canary-Featherstone, Ottoline")
FAILURES: list[tuple[Exception, int, str]] = [
    (NotLetIn("the EHR let nobody in to read a Patient: 401", None), 409, "ehr-refuses"),
    (EhrRefused("read a Patient", 403, (REFUSED,), Verdict.NEEDS_PERSON), 409, "ehr-refuses"),
    (EhrRefused("read a Patient", 400, (), Verdict.REFUSED), 409, "ehr-refuses"),
    (EhrRefused("read a Patient", 422, (), Verdict.REFUSED), 409, "ehr-refuses"),
    (Garbled("the EHR's answer cannot be read: it is not JSON"), 502, "ehr-unreadable"),
    (Malformed("the Patient's id is not a FHIR id"), 502, "ehr-unreadable"),
    (
        NeverSent("no connection to the EHR (its certificate is not trusted)"),
        503,
        "ehr-unavailable",
    ),
    (NoAnswer("no whole answer came from the EHR"), 503, "ehr-unavailable"),
    (Busy("the EHR is too busy: 429", 5.0), 503, "ehr-unavailable"),
]


@pytest.mark.parametrize(("error", "status", "name"), FAILURES)
async def test_a_refusal_is_no_outage(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    name: str,
) -> None:
    """Each says what it is, at the search and at the start, and who can mend it."""
    fails(service, monkeypatch, error)
    for answer in (
        await service.manager.get(SEARCH, identifier="M1"),
        await service.manager.post("/v1/pathways", START),
    ):
        told = answer.json()
        assert (answer.status_code, told["type"]) == (status, f"urn:kairos:problem:{name}")
        assert ("when it is back" in told["detail"]) is (status == 503)
        assert "Canary" not in answer.text
    assert (await service.manager.get("/v1/pathways")).json()["items"] == []


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_record_that_moved_was_merged_and_an_address_that_did_was_not(
    service: Service, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """Only where the EHR says that another record took its place is a patient told as merged."""
    moved = EhrRefused("read a Patient", status, (), Verdict.CONFLICT, merged=True)
    fails(service, monkeypatch, moved)
    read = await service.manager.post("/v1/pathways", START)
    assert read.json()["type"] == "urn:kairos:problem:patient-not-current"
    searched = await service.manager.get(SEARCH, identifier="M1")
    assert searched.json()["type"] == "urn:kairos:problem:ehr-refuses"
    page = EhrRefused("read a Patient", status, (), Verdict.CONFLICT, strange=True)
    fails(service, monkeypatch, page)
    read = await service.manager.post("/v1/pathways", START)
    assert read.json()["type"] == "urn:kairos:problem:ehr-unreadable"
    assert "base_url" in read.json()["detail"]


@pytest.mark.parametrize("status", [404, 410])
async def test_a_page_is_not_the_word_that_there_is_no_such_patient(
    service: Service, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """A server that is being deployed knows nothing of patients."""
    page = EhrRefused("read a Patient", status, (), Verdict.NOT_FOUND, strange=True)
    fails(service, monkeypatch, page)
    read = await service.manager.post("/v1/pathways", START)
    assert read.json()["type"] == "urn:kairos:problem:ehr-unreadable"


@pytest.mark.parametrize(
    "error", [each for each, status, _ in FAILURES if status != 422 and type(each) is not Malformed]
)
async def test_an_ehr_that_says_nothing_of_the_patient_keeps_nobody_from_care(
    service: Service, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Whoever is here is checked in, be the EHR away, closed or broken."""
    address = await service.started()
    signed = {"phase": service.protocol.phases[0].id}
    await service.prescriber.post(f"{address}/orders", signed)
    visit = (await service.nurse.get(f"{address}/visits")).json()["items"][0]["id"]
    await service.nurse.post(f"{address}/visits/{visit}/booking")
    fails(service, monkeypatch, error)
    assert (await service.nurse.post(f"{address}/visits/{visit}/check-in")).status_code == 201


async def test_a_labelled_record_is_enrolled_by_who_has_seen_the_labels(service: Service):
    """A test patient, or one whose record is closed to most, is for a person to decide about."""
    labels = [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}]
    service.ehr.patients[PATIENT] = patient(PATIENT, meta={"security": labels})
    (shown,) = (await service.manager.get(SEARCH, identifier=f"MRN-{PATIENT}")).json()["items"]
    assert shown["labels"] == ["HTEST"]
    refused = await service.manager.post("/v1/pathways", START)
    assert (refused.status_code, "HTEST" in refused.json()["detail"]) == (409, True)
    address = await service.started(labels=["HTEST"])
    (started, *_) = (await service.nurse.get(f"{address}/timeline")).json()["items"]
    assert started["fact"]["labels"] == ["HTEST"]


@pytest.mark.parametrize("match", [None, '"1"', '"999"'])
async def test_the_condition_is_part_of_what_a_key_stands_for(
    service: Service, match: str | None
) -> None:
    """The same key with another If-Match is another request: 422, not the first one's answer."""
    address = await service.started()
    hold = {"reason": "medical-review", "note": "dizzy"}
    first = await service.nurse.post(f"{address}/holds", hold, key="one-key")
    again = await service.nurse.post(f"{address}/holds", hold, key="one-key", match=match)
    assert first.status_code == 201
    assert again.status_code == (201 if match is None else 422)
