"""Find patients in an EHR: to be sure of the match before a start, and nothing more.

What the EHR says about who somebody is goes no further than this: people compare, we count.
"""

from datetime import date

from api.dependencies import Dependencies
from api.edge.problems import RETRY, Problem
from api.reading.work_views import PatientView
from domain.language.errors import Malformed, Unavailable
from fhir_adapters.exchange.failures import EhrRefused
from fhir_adapters.exchange.patients import EhrPatient

GONE = (404, 410)
MOST_MATCHES = 20


async def read_patient(deps: Dependencies, connection: str, patient_id: str) -> EhrPatient:
    """Read a patient who may be enrolled: there, active and not merged into another record."""
    try:
        client = deps.ehr(connection).client
        held = await client.read("Patient", patient_id)
        patient = EhrPatient.from_fhir(held.resource, client.base_url)
    except EhrRefused as error:
        if error.status in GONE:
            detail = f"{connection} has no patient of that id; search by identifier first"
            raise Problem("unknown-patient", detail) from None
        raise ehr_away() from None
    except (Unavailable, Malformed):
        raise ehr_away() from None
    if patient.replaced_by is not None:
        raise Problem("patient-not-current", "the record was merged; enrol the one it became")
    if not patient.may_be_enrolled:
        raise Problem("patient-not-current", "the record is inactive, or the patient has died")
    return patient


async def find_patients(
    deps: Dependencies, connection: str, identifier: str, birth_date: date | None
) -> list[PatientView]:
    """Find patients by an identifier of the connection's system."""
    client = deps.ehr(connection).client
    token = f"{deps.installation.connection(connection).patient_identifier_system}|{identifier}"
    try:
        found = await client.search("Patient", [("identifier", token)], pages=1)
        return [
            _view(EhrPatient.from_fhir(resource, client.base_url), resource, birth_date)
            for resource in found.resources[:MOST_MATCHES]
        ]
    except (EhrRefused, Unavailable, Malformed):
        raise ehr_away() from None


def _view(patient: EhrPatient, resource: object, birth_date: date | None) -> PatientView:
    there = resource.get("birthDate") if isinstance(resource, dict) else None
    return PatientView(
        id=patient.id,
        may_be_enrolled=patient.may_be_enrolled,
        active=patient.active,
        replaced_by=patient.replaced_by,
        identifiers=patient.identifiers,
        birth_date_matches=None if birth_date is None else there == birth_date.isoformat(),
    )


def ehr_away() -> Problem:
    """The EHR does not answer, or not with what can be believed."""
    detail = "nothing was written; send the same again when the EHR is back"
    return Problem("ehr-unavailable", detail, headers=RETRY)
