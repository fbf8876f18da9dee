"""Reading back and changing: what counts as equal, what is found, and what is never lost."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.language.errors import Malformed
from domain.language.names import EhrPatientId
from fhir_adapters.content.references import artefacts_in, refer, resolve
from fhir_adapters.exchange.compare import (
    Bases,
    cannot_tell_whose,
    differences,
    is_anothers,
    patient_of,
)
from fhir_adapters.exchange.json_out import write_json
from fhir_adapters.exchange.merge import merged
from fhir_adapters.exchange.patients import EhrPatient
from strict_json import read_object
from tests.fhir_adapters.odd import ANYTHING

TODAY = date(2027, 3, 1)
BASE = "https://ehr.example/fhir"
BASES = (BASE,)
MEANT: dict[str, Any] = {
    "resourceType": "Observation",
    "meta": {"profile": ["p"]},
    "identifier": [{"system": "urn:kairos:artefact", "value": "pw-1/reading/x"}],
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "59408-5"}], "text": "SpO2"},
    "subject": {"reference": "Patient/p1"},
    "effectiveDateTime": "2026-12-01T10:00:00Z",
    "valueQuantity": {"value": 97, "unit": "%"},
}


def _with(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in (MEANT | changes).items() if value is not None}


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "9", "meta": {"versionId": "1"}, "text": {"status": "generated"}, "issued": "x"},
        {"effectiveDateTime": "2026-12-01T05:00:00.000-05:00"},
        {"valueQuantity": {"value": Decimal("97.00"), "unit": "%", "extension": []}},
        {"subject": {"reference": f"{BASE}/Patient/p1/_history/2", "display": "A"}},
        {"identifier": [{"system": "mrn", "value": "1"}, *MEANT["identifier"]]},
        {"code": {"coding": [{"code": "own"}, *MEANT["code"]["coding"]], "text": "SpO2"}},
        {"identifier": [{**MEANT["identifier"][0], "use": "usual", "period": {"start": "2026"}}]},
        {"performer": [{"reference": "Practitioner/1"}], "encounter": {"reference": "Encounter/1"}},
        {"doNotPerform": False, "reportedBoolean": False, "interpretation": [{"text": "normal"}]},
        {"contained": [], "language": "en", "_language": {"extension": []}},
    ],
)
def test_what_an_ehr_may_do_compares_equal(changes: dict[str, Any]) -> None:
    """Another offset or precision, absolute references, own ids, codings and elements are fine."""
    assert differences(MEANT, _with(**changes), BASES) == ()


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"valueQuantity": {"value": 98, "unit": "%"}}, ("valueQuantity.value",)),
        ({"valueQuantity": {"value": 97, "unit": "%", "comparator": "<"}},
         ("valueQuantity.comparator",)),
        ({"valueQuantity": {"value": 97, "unit": "%", "code": "kPa"}}, ("valueQuantity.code",)),
        ({"valueQuantity": {"value": True, "unit": "%"}}, ("valueQuantity.value",)),
        ({"valueQuantity": None}, ("valueQuantity",)),
        ({"effectiveDateTime": "2026-12-01T10:00:01Z"}, ("effectiveDateTime",)),
        ({"effectiveDateTime": "2026-12-01"}, ("effectiveDateTime",)),
        ({"subject": {"reference": "Patient/p2"}}, ("subject.reference",)),
        ({"subject": {"reference": "https://other.example/fhir/Patient/p1"}},
         ("subject.reference",)),
        ({"identifier": []}, ("identifier[0]",)),
        ({"code": {"coding": [], "text": "SpO2"}}, ("code.coding[0]",)),
        ({"code": {"coding": [*MEANT["code"]["coding"],
                              {"system": "http://loinc.org", "code": "8867-4"}], "text": "SpO2"}},
         ("code.coding",)),
        ({"subject": {"reference": "tenantB/Patient/p1"}}, ("subject.reference",)),
        ({"subject": {"reference": f"{BASE}/tenantB/Patient/p1"}}, ("subject.reference",)),
        ({"identifier": [{**MEANT["identifier"][0], "use": "old"}]}, ("identifier[0]",)),
        ({"identifier": [{**MEANT["identifier"][0], "period": {"end": "2026"}}]},
         ("identifier[0]",)),
        ({"_status": {"extension": [{"url": "x", "valueCode": "unknown"}]}}, ("_status",)),
        ({"valueString": "hypoxic"}, ("valueString",)),
        ({"effectivePeriod": {}}, ("effectivePeriod",)),
        ({"component": [{"valueInteger": 1}]}, ("component",)),
        ({"abatementDateTime": "2026-12-02"}, ("abatementDateTime",)),
        ({"dosageInstruction": [{"text": "daily"}]}, ("dosageInstruction",)),
        ({"medicationReference": {"reference": "Medication/1"}}, ("medicationReference",)),
        ({"asNeededBoolean": True}, ("asNeededBoolean",)),
        ({"reportedBoolean": True}, ("reportedBoolean",)),
        ({"modifierExtension": []}, ("modifierExtension",)),
        ({"dataAbsentReason": {}}, ("dataAbsentReason",)),
    ],
)  # fmt: skip
def test_what_an_ehr_may_not_do_is_found(changes: dict[str, Any], paths: tuple[str, ...]) -> None:
    """A changed, dropped or reinterpreted value is found and named by its path alone."""
    assert differences(MEANT, _with(**changes), BASES) == paths


def test_an_added_item_in_a_list_of_values_is_found() -> None:
    """A component that nobody sent is a difference; a participant that the EHR added is none."""
    one, two = {"valueInteger": 1}, {"valueInteger": 2}
    assert differences({"component": [one]}, {"component": [one, two]}, BASES) == ("component",)
    mine, room = {"status": "accepted"}, {"status": "needs-action"}
    assert differences({"participant": [mine]}, {"participant": [room, mine]}, BASES) == ()
    second = {"actor": {"reference": f"{BASE}/Patient/p2"}}
    found = {"participant": [mine, second]}
    assert differences({"participant": [mine]}, found, BASES) == ("participant",)


def test_a_change_says_nothing_of_the_rest() -> None:
    """A change is compared by what it says; what else stands there is no difference to it."""
    assert differences({"status": "final"}, MEANT, BASES, whole=False) == ()
    assert differences({"status": "final"}, MEANT | {"_status": {}}, BASES, whole=False) == (
        "_status",
    )
    assert "valueQuantity" in differences({"status": "final"}, MEANT, BASES)


@pytest.mark.parametrize(
    ("resource", "whose"),
    [
        ({"subject": {"reference": "Patient/1"}}, "Patient/1"),
        ({"for": {"reference": f"{BASE}/Patient/2"}}, "Patient/2"),
        ({"participant": [{"actor": {"reference": "Location/1"}},
                          {"actor": {"reference": "Patient/3"}}]}, "Patient/3"),
        ({"subject": {"reference": "Group/1"}}, None),
        ({"subject": {"identifier": {}}}, None),
        ({"subject": {"reference": "tenantB/Patient/1"}}, "tenantB/Patient/1"),
        ({"subject": {"reference": "https://other.example/fhir/Patient/1"}},
         "https://other.example/fhir/Patient/1"),
    ],
)  # fmt: skip
def test_whose_resource_it_is(resource: dict[str, Any], whose: str | None) -> None:
    """The patient is found wherever a type names one; a patient of another place stays one."""
    assert patient_of(resource, BASES) == whose


INNER = "http://ehr-inside:8080/fhir"


@pytest.mark.parametrize(
    ("place", "bases", "whose"),
    [
        ("Patient/p1", BASES, "theirs"),
        (f"{BASE}/Patient/p1", BASES, "theirs"),
        (f"{INNER}/Patient/p1", BASES, "nobody knows"),
        (f"{INNER}/Patient/p1/_history/3", BASES, "nobody knows"),
        ("https://other.example/fhir/Patient/p1", (BASE, INNER), "nobody knows"),
        (f"{INNER}/Patient/p1", (BASE, INNER), "theirs"),
        (f"{INNER}/Patient/p1/_history/3", (BASE, f"{INNER}/"), "theirs"),
        (f"{INNER}/Patient/p2", BASES, "another's"),
        (f"{INNER}/Patient/p2", (BASE, INNER), "another's"),
        (f"{INNER}/Patient/xp1", BASES, "another's"),
        (f"{BASE}/ward-b/Patient/p1", BASES, "nobody knows"),
        ("Patient/p2", (BASE, INNER), "another's"),
    ],
)
def test_an_address_that_is_not_known_is_no_other_patient(
    place: str, bases: Bases, whose: str
) -> None:
    """An EHR behind a gateway may write its inner host; where it is named, that is the EHR."""
    resource, patient = {"subject": {"reference": place}}, EhrPatientId("p1")
    assert is_anothers(resource, patient, bases) is (whose == "another's")
    assert cannot_tell_whose(resource, patient, bases) is (whose == "nobody knows")
    mine = {"subject": {"reference": "Patient/p1"}}
    assert (differences(mine, resource, bases) == ()) is (whose == "theirs")


def test_a_change_loses_nothing() -> None:
    """Digits, unknown elements and the order of keys go back as they came."""
    raw = b'{"resourceType":"Task","id":"1","status":"requested","x":[{"y":17.50,"z":1e2}],"w":0.0}'
    changed = merged(read_object(raw), {"status": "completed", "owner": {"display": "A"}})
    assert write_json(changed) == (
        b'{"resourceType":"Task","id":"1","status":"completed","x":[{"y":17.50,"z":1E+2}],"w":0.0,'
        b'"owner":{"display":"A"}}'
    )


def test_a_changed_primitive_loses_the_extension_of_its_old_value() -> None:
    """What `_status` said about the old status is not left beside the new one."""
    raw = {"status": "requested", "_status": {"extension": []}, "_code": 1}
    assert merged(raw, {"status": "completed"}) == {"status": "completed", "_code": 1}
    assert merged(raw, {"status": "requested"}) == raw


def test_a_participant_changes_alone() -> None:
    """A participant of ours changes in its place; what the EHR added to or beside it stays."""
    nurse = {"actor": {"reference": "Practitioner/9"}, "status": "accepted"}
    actor = {"reference": f"{BASE}/Patient/1/_history/2", "display": "A"}
    held = {"actor": actor, "required": "required", "status": "tentative"}
    here = {"actor": {"identifier": {"system": "s", "value": "site-1"}}, "status": "accepted"}
    mine = {"actor": {"reference": "Patient/1"}, "status": "accepted"}
    changed = merged({"participant": [nurse, held]}, {"participant": [mine, here]})
    assert changed == {"participant": [nurse, held | {"status": "accepted"}, here]}


@pytest.mark.parametrize("value", [float("nan"), Decimal("NaN"), {1: 2}, object(), b"x"])
def test_what_is_no_json_is_not_written(value: object) -> None:
    """No NaN, no keys but text, no bytes leave."""
    with pytest.raises((TypeError, ValueError)):
        write_json(value)


def test_references_are_replaced_everywhere() -> None:
    """Each reference to an artefact becomes its place in the EHR; one unknown stops the sending."""
    body = {"request": refer("pw/order"), "list": [{"what": refer("pw/dose")}], "note": "reference"}
    assert artefacts_in(body) == ("pw/order", "pw/dose")
    known = {"pw/order": "MedicationRequest/7", "pw/dose": "Procedure/8"}
    assert resolve(body, known) == {
        "request": {"reference": "MedicationRequest/7"},
        "list": [{"what": {"reference": "Procedure/8"}}],
        "note": "reference",
    }
    with pytest.raises(Malformed, match="pw/dose"):
        resolve(body, {"pw/order": "MedicationRequest/7"})


ANN = {
    "resourceType": "Patient",
    "id": "p1",
    "identifier": [{"system": "mrn", "value": "123"}],
    "name": [{"family": "Doe"}],
    "birthDate": "1980-01-02",
}


def test_a_patient_is_known_by_a_fingerprint_only() -> None:
    """Neither identifier, name nor birth date is kept; a new name keeps the fingerprint."""
    patient = EhrPatient.from_fhir(ANN, BASES, TODAY)
    assert (patient.id, patient.active, patient.identifiers) == ("p1", True, 1)
    assert not [word for word in ("123", "Doe", "1980") if word in repr(patient)]
    again = EhrPatient.from_fhir(ANN | {"name": []}, BASES, TODAY)
    assert again.fingerprint == patient.fingerprint
    other = EhrPatient.from_fhir(ANN | {"birthDate": "1980-01-03"}, BASES, TODAY)
    assert other.fingerprint != patient.fingerprint


@pytest.mark.parametrize("change", [
    {"active": False},
    {"deceasedBoolean": True},
    {"link": [{"type": "replaced-by", "other": {"reference": f"{BASE}/Patient/p9"}}]},
])  # fmt: skip
def test_a_patient_who_is_merged_inactive_or_dead_is_not_enrolled(change: dict[str, Any]) -> None:
    """A record that is no longer the patient's own stops an enrolment."""
    assert EhrPatient.from_fhir(ANN, BASES, TODAY).may_be_enrolled
    assert not EhrPatient.from_fhir(ANN | change, BASES, TODAY).may_be_enrolled


def test_a_merged_patient_names_the_survivor() -> None:
    """The record that replaces it is taken from the link."""
    link = [{"type": "replaced-by", "other": {"reference": "Patient/p9"}}]
    assert EhrPatient.from_fhir(ANN | {"link": link}, BASES, TODAY).replaced_by == "p9"


@given(st.dictionaries(st.sampled_from([*MEANT, "for", "patient", "actor"]), ANYTHING))
def test_no_resource_however_odd_breaks_the_comparison(odd: dict[str, Any]) -> None:
    """It differs, or it does not; whose it is can be said, or cannot."""
    held = MEANT | odd
    differ = differences(MEANT, held, BASES)
    assert (differ == ()) or odd
    patient_of(held, BASES)
    is_anothers(held, EhrPatientId("p1"), BASES)
    cannot_tell_whose(held, EhrPatientId("p1"), BASES)
