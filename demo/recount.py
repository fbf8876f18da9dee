"""Count what reached the EHR by reading the EHR itself, and compare it with what was intended.

Deliberately shares no code with Kairos's own read-back: the intended content comes from the
API's ledger, the found content from plain FHIR searches, and `tally.py` compares by itself.
"""

from collections.abc import AsyncIterator

import httpx2

from demo.staff import Person
from demo.tally import Json, Recount, tally

WRITTEN_TYPES = (
    "Appointment",
    "CarePlan",
    "Communication",
    "DocumentReference",
    "EpisodeOfCare",
    "Flag",
    "MedicationAdministration",
    "MedicationRequest",
    "Observation",
    "Procedure",
    "Provenance",
    "QuestionnaireResponse",
    "ServiceRequest",
    "Task",
)
"""Every type that Kairos may write: all of each are read, not only what was intended."""


async def recount(ehr: str, operations: Person) -> Recount:
    """Read the ledger by the API and the EHR by FHIR, and hold one against the other."""
    deliveries = [each async for each in read_deliveries(operations)]
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as http:
        resources = [each async for each in _held(http, ehr)]
    return tally(deliveries, resources)


async def read_deliveries(operations: Person) -> AsyncIterator[Json]:
    """Read the whole ledger by the API, in the order of its writes, each with its resource."""
    query = {"limit": "200", "resources": "true"}
    while True:
        page = await operations.see("/v1/deliveries", **query)
        for each in page["items"]:
            yield each
        if page["next"] is None:
            return
        query["cursor"] = page["next"]


async def _held(http: httpx2.AsyncClient, ehr: str) -> AsyncIterator[Json]:
    """Every resource in the EHR of a type that Kairos may write and the EHR has."""
    statement = (await http.get(f"{ehr}/metadata")).raise_for_status().json()
    has = {each["type"] for rest in statement["rest"] for each in rest["resource"]}
    for kind in (each for each in WRITTEN_TYPES if each in has):
        url: str | None = f"{ehr}/{kind}?_count=200"
        while url:
            bundle = (await http.get(url)).raise_for_status().json()
            for entry in bundle.get("entry", []):
                yield entry["resource"]
            url = next((x["url"] for x in bundle.get("link", []) if x["relation"] == "next"), None)
