"""Find patients in an EHR: to be sure of the match before a start, and nothing more."""

from api.models.views import PatientView
from api.parts import Ehr
from api.problems import RETRY, Problem
from domain.errors import Malformed, Refused, Unavailable
from fhir_adapters.failures import EhrRefused
from fhir_adapters.patients import EhrPatient

GONE = (404, 410)


def ehr_away() -> Problem:
    """The EHR does not answer."""
    detail = "nothing was written; send the same again when the EHR is back"
    return Problem("ehr-unavailable", detail, headers=RETRY)


async def read_patient(ehr: Ehr, patient_id: str) -> EhrPatient:
    """Read a patient who may be enrolled: there, active and not merged into another record."""
    try:
        found = await ehr.read("Patient", patient_id)
        patient = EhrPatient.from_fhir(found.resource)
    except EhrRefused as error:
        if error.status in GONE:
            detail = "search by identifier: GET /v1/sites/{site}/patients"
            raise Problem("unknown-patient", detail) from None
        raise ehr_away() from None
    except (Unavailable, Malformed, Refused):
        raise ehr_away() from None
    return patient
