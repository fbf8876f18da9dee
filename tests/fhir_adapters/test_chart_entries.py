"""Which entries of a chart answer a vocabulary's questions, as FHIR R4 writes them."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.language.chart import ChartSign, ChartType
from domain.language.names import ObservationName
from fhir_adapters.content.chart_entries import entries_of, is_readable
from tests.fhir_adapters.odd import ANYTHING

TODAY = date(2027, 3, 1)
ICD, RXNORM = "http://hl7.org/fhir/sid/icd-10-cm", "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
BLEEDING = ChartSign(
    ObservationName("bleeding"), "present", ChartType.CONDITION, ICD, ("I61",), past=True
)
FAILING = ChartSign(ObservationName("liver"), "present", ChartType.CONDITION, ICD, ("K72",))
ALLERGY = ChartSign(ObservationName("allergy"), "present", ChartType.ALLERGY, RXNORM, ("6130",))
DRUG = ChartSign(ObservationName("drugs"), "present", ChartType.MEDICATION, RXNORM, ("8123",))
COVERED = ChartSign(ObservationName("insurance"), "on file", ChartType.COVERAGE)
PREGNANT = ChartSign(
    ObservationName("pregnancy"),
    "present",
    ChartType.OBSERVATION,
    LOINC,
    ("82810-3",),
    value_system=SNOMED,
    values=("77386006",),
    within=timedelta(days=280),
)


def concept(system: str, *codes: str) -> dict[str, Any]:
    """A CodeableConcept."""
    return {"coding": [{"system": system, "code": code} for code in codes]}


def found(sign: ChartSign, resource: dict[str, Any], drugs: Any = None) -> list[tuple[str, str]]:
    """What an entry answers: where it stands and by which code."""
    whole = {"resourceType": str(sign.type), "id": "7"} | resource
    entries = entries_of(sign.type, [whole], [sign], TODAY, drugs or {})
    return [(entry.resource, entry.code) for entry in entries]


@pytest.mark.parametrize(
    ("clinical", "verified", "also", "past", "active"),
    [
        ("active", "confirmed", {}, True, True),
        ("recurrence", "provisional", {}, True, True),
        ("resolved", "confirmed", {}, True, False),
        ("remission", None, {}, True, False),
        (None, None, {}, True, True),
        (None, None, {"abatementDateTime": "2020"}, True, False),
        ("active", "refuted", {}, False, False),
        (None, "entered-in-error", {}, False, False),
    ],
)
def test_a_diagnosis_counts_as_its_status_says(clinical, verified, also, past, active):
    """Suspected counts, refuted and in error never; one that is over only where the past counts."""
    status: dict[str, Any] = dict(also)
    if clinical is not None:
        status["clinicalStatus"] = concept("c", clinical)
    if verified is not None:
        status["verificationStatus"] = concept("v", verified)
    assert bool(found(BLEEDING, {"code": concept(ICD, "I61.9")} | status)) is past
    assert bool(found(FAILING, {"code": concept(ICD, "K72.90")} | status)) is active


@pytest.mark.parametrize(
    "code",
    [
        None,
        {},
        {"text": "intracerebral hemorrhage"},
        {"coding": "I61.9"},
        {"coding": ["I61.9"]},
        concept(SNOMED, "I61.9"),
        concept(ICD, "I6"),
        {"coding": [{"code": "I61.9"}]},
    ],
)
def test_what_is_not_that_code_answers_nothing(code):
    """Words, another system, another code or a broken concept are no answer, and no error."""
    assert found(BLEEDING, {"code": code}) == []


def test_one_of_several_codings_is_enough():
    """A diagnosis coded twice is found by the code that is known."""
    code = {"coding": [*concept(SNOMED, "1")["coding"], *concept(ICD, "I61.0")["coding"]]}
    assert found(BLEEDING, {"code": code}) == [("Condition/7", "I61.0")]


def test_an_allergy_is_found_by_its_substance():
    """Ketamine as the substance of an active allergy."""
    assert found(ALLERGY, {"code": concept(RXNORM, "6130")}) == [("AllergyIntolerance/7", "6130")]


@pytest.mark.parametrize(
    ("also", "counts"),
    [
        ({"status": "active", "intent": "order"}, True),
        ({"status": "on-hold", "intent": "plan"}, True),
        ({"status": "completed", "intent": "order"}, False),
        ({"status": "entered-in-error", "intent": "order"}, False),
        ({"status": "active", "intent": "order", "doNotPerform": True}, False),
        ({"status": "unknown", "intent": "order"}, True),
        ({}, True),
    ],
)
def test_a_drug_counts_while_it_is_taken(also, counts):
    """Active or on hold; not what is over, in error, or not to be given."""
    drug = {"medicationCodeableConcept": concept(RXNORM, "8123")}
    assert bool(found(DRUG, drug | also)) is counts


def test_a_drug_is_found_wherever_its_code_stands():
    """In the request, in a Medication within it, or in one that it refers to."""
    use = {"status": "active", "intent": "order"}
    medication = {"resourceType": "Medication", "id": "m", "code": concept(RXNORM, "8123")}
    inside = {"contained": [medication], "medicationReference": {"reference": "#m"}}
    beside = {"medicationReference": {"reference": "Medication/m"}}
    assert found(DRUG, use | inside)
    assert found(DRUG, use | beside, {"Medication/m": medication})
    assert not found(DRUG, use | beside)
    assert not found(DRUG, use | {"medicationReference": "Medication/m"})


@pytest.mark.parametrize(
    ("resource", "counts"),
    [
        ({"status": "active"}, True),
        ({"status": "active", "period": {"start": "2027-03-01", "end": "2027-03-01"}}, True),
        ({"status": "active", "period": {"start": "2026", "end": "2027"}}, True),
        ({"status": "active", "period": {"start": "2027-03-02"}}, False),
        ({"status": "active", "period": {"end": "2027-02-28"}}, False),
        ({"status": "active", "period": {"end": "2026"}}, False),
        ({"status": "cancelled"}, False),
        ({"status": "active", "period": "2027"}, True),
    ],
)
def test_a_coverage_counts_while_it_is_in_force(resource, counts):
    """Active, begun and not ended; a year alone covers all of it."""
    assert bool(found(COVERED, resource)) is counts


@pytest.mark.parametrize(
    ("also", "counts"),
    [
        ({"status": "final", "effectiveDateTime": "2026-12-01"}, True),
        ({"status": "final", "effectivePeriod": {"start": "2026-12-01"}}, True),
        ({"status": "final"}, True),
        ({"status": "final", "effectiveDateTime": "2026-01-01"}, False),
        ({"status": "entered-in-error", "effectiveDateTime": "2027-02-01"}, False),
        ({"status": "cancelled"}, False),
    ],
)
def test_an_observation_counts_while_it_is_fresh(also, counts):
    """Pregnant is an answer for 280 days, and not if it was in error."""
    value = {"code": concept(LOINC, "82810-3"), "valueCodeableConcept": concept(SNOMED, "77386006")}
    assert bool(found(PREGNANT, value | also)) is counts


def test_another_value_is_no_answer():
    """Not pregnant is never taken for a no, nor for a yes."""
    value = concept(SNOMED, "60001007")
    said = {"code": concept(LOINC, "82810-3"), "valueCodeableConcept": value, "status": "final"}
    assert found(PREGNANT, said) == []


@given(
    st.sampled_from([BLEEDING, FAILING, ALLERGY, DRUG, COVERED, PREGNANT]),
    st.dictionaries(
        st.sampled_from(
            [
                "code",
                "status",
                "clinicalStatus",
                "verificationStatus",
                "medicationCodeableConcept",
                "period",
                "medicationReference",
                "contained",
                "reaction",
                "valueCodeableConcept",
                "effectiveDateTime",
                "abatementDateTime",
                "doNotPerform",
                "onsetDateTime",
            ]
        ),
        ANYTHING,
    ),
)
def test_no_entry_however_odd_breaks_the_reader(sign: ChartSign, odd: dict[str, Any]) -> None:
    """It is not of the form that is looked at, or it answers or does not: no error."""
    whole = {"resourceType": str(sign.type), "id": "7"} | odd
    if is_readable(sign.type, whole):
        assert len(entries_of(sign.type, [whole], [sign], TODAY, {})) <= 1


@pytest.mark.parametrize(
    ("kind", "resource"),
    [
        (ChartType.CONDITION, {"modifierExtension": [{"url": "http://example.org/negated"}]}),
        (ChartType.CONDITION, {"implicitRules": "http://example.org/rules"}),
        (ChartType.COVERAGE, {"modifierExtension": [{"url": "u"}]}),
        (ChartType.MEDICATION, {"status": "active"}),
        (ChartType.MEDICATION, {"medicationReference": {"reference": "#gone"}}),
    ],
)
def test_what_may_say_something_else_is_not_read(kind: ChartType, resource: dict[str, Any]) -> None:
    """An extension that turns it around, or no drug: its type counts as unread."""
    assert not is_readable(kind, resource)
