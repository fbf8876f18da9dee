"""Reading a patient's chart: all of it from a real EHR, and nobody else's from any."""

import json
from datetime import date
from typing import Any

from domain.language.chart import ChartEntry, ChartSign, ChartType
from domain.language.names import ObservationName
from fhir_adapters.exchange.chart import read_chart
from fhir_adapters.exchange.client import EhrClient
from fhir_adapters.profile.generic import GENERIC
from protocols.loader import SHIPPED, load_protocols
from tests.fhir_adapters.exchange.prepared import Server

TODAY = date(2027, 3, 1)
SIGNS = load_protocols(SHIPPED).vocabulary.chart
ICD, RXNORM = "http://hl7.org/fhir/sid/icd-10-cm", "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
BLEEDING = ChartSign(ObservationName("bleeding"), "present", ChartType.CONDITION, ICD, ("I61",))


def coded(system: str, code: str) -> dict[str, Any]:
    """A CodeableConcept."""
    return {"coding": [{"system": system, "code": code}]}


async def test_a_real_ehr_answers_what_stands_in_the_chart(client: EhrClient, patient: str) -> None:
    """Diagnosis, allergy, drug, pregnancy and coverage of this patient, and of no other."""
    other = (await client.create("Patient", {"resourceType": "Patient", "active": True})).ehr_id
    for whose in (patient, other):
        subject = {"reference": f"Patient/{whose}"}
        await client.create(
            "Condition",
            {"resourceType": "Condition", "subject": subject, "code": coded(ICD, "F33.2")},
        )
        await client.create(
            "AllergyIntolerance",
            {
                "resourceType": "AllergyIntolerance",
                "patient": subject,
                "code": coded(RXNORM, "6130"),
            },
        )
        await client.create(
            "MedicationRequest",
            {
                "resourceType": "MedicationRequest",
                "status": "active",
                "intent": "order",
                "subject": subject,
                "medicationCodeableConcept": coded(RXNORM, "42347"),
            },
        )
        await client.create(
            "Observation",
            {
                "resourceType": "Observation",
                "status": "final",
                "subject": subject,
                "code": coded(LOINC, "82810-3"),
                "effectiveDateTime": "2027-02-01",
                "valueCodeableConcept": coded(SNOMED, "77386006"),
            },
        )
        await client.create(
            "Coverage",
            {
                "resourceType": "Coverage",
                "status": "active",
                "beneficiary": subject,
                "payor": [{"display": "A payer"}],
            },
        )
    reading = await read_chart(client, patient, SIGNS, TODAY)
    assert reading.unread == ()
    assert {(entry.observation, entry.answer) for entry in reading.entries} == {
        ("depression_diagnosis", "F33.2"),
        ("esketamine_hypersensitivity", "present"),
        ("threshold_lowering_drugs", "present"),
        ("pregnancy", "present"),
        ("insurance", "on file"),
    }
    assert len(reading.entries) == 5


def bleeding(whose: str, ehr_id: str = "1") -> dict[str, Any]:
    """A diagnosis of somebody."""
    subject = {"reference": f"Patient/{whose}"}
    code = coded(ICD, "I61.9")
    return {"resourceType": "Condition", "id": ehr_id, "subject": subject, "code": code}


async def test_what_is_another_patients_is_nobodys_here(server: Server) -> None:
    """An EHR that answers with everybody's gives this patient's only, and counts as not read."""
    server.finds(bleeding("p2", "2"), bleeding("p1"), bleeding("p1/_history/1", "3"))
    async with EhrClient(server.base_url, GENERIC) as client:
        reading = await read_chart(client, "p1", [BLEEDING], TODAY)
    assert ChartEntry(BLEEDING.observation, "present", "Condition/1", "I61.9") in reading.entries
    assert "Condition/2" not in {entry.resource for entry in reading.entries}
    assert reading.unread == (ChartType.CONDITION,)


async def test_a_type_that_is_refused_leaves_the_others_read(server: Server) -> None:
    """What an EHR does not let us read is named, and what it does is there."""
    server.finds(bleeding("p1"))
    async with EhrClient(server.base_url, GENERIC) as client:
        whole = await read_chart(client, "p1", [BLEEDING], TODAY)
        server.says(403, b"{}")
        refused = await read_chart(client, "p1", [BLEEDING], TODAY)
        server.says(200, json.dumps({"resourceType": "Patient"}).encode())
        nonsense = await read_chart(client, "p1", [BLEEDING], TODAY)
    assert (len(whole.entries), whole.unread) == (1, ())
    assert (refused.entries, refused.unread) == ((), (ChartType.CONDITION,))
    assert nonsense == refused


async def test_a_drug_that_cannot_be_read_is_not_taken_for_none(server: Server) -> None:
    """A reference to something else than a Medication leaves the type unread."""
    drug = ChartSign(ObservationName("drugs"), "present", ChartType.MEDICATION, RXNORM, ("8123",))
    request = {
        "resourceType": "MedicationRequest",
        "id": "1",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/p1"},
        "medicationReference": {"reference": "https://elsewhere.invalid/Medication/3"},
    }
    server.finds(request)
    async with EhrClient(server.base_url, GENERIC) as client:
        reading = await read_chart(client, "p1", [drug], TODAY)
    assert (reading.entries, reading.unread) == ((), (ChartType.MEDICATION,))
