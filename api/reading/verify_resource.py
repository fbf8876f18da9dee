"""Be sure of a resource that a person names in an EHR: there, of the type, on the right patient.

Must not compare what it says: the person entered it, or looked at it, and vouches for that.
"""

from api.dependencies import Parts
from api.reading.patients import GONE, ehr_away
from domain.language.errors import Conflict, Malformed, Unavailable
from fhir_adapters.exchange.compare import patient_of
from fhir_adapters.exchange.failures import EhrRefused
from store.records import DeliveryRecord


async def check_stands(parts: Parts, row: DeliveryRecord, ehr_id: str) -> None:
    """Raise Conflict unless a delivery may be said to stand in its EHR as this resource."""
    place = f"{row.resource_type}/{ehr_id}"
    client = parts.ehr(row.connection_id).client
    try:
        held = await client.read(row.resource_type, ehr_id)
    except EhrRefused as error:
        if error.status in GONE:
            raise Conflict(f"{row.connection_id} has no {place}") from None
        raise Conflict(f"{row.connection_id} does not let {place} be read") from None
    except (Unavailable, Malformed):
        raise ehr_away() from None
    whose = patient_of(held.resource, client.base_url)
    if whose is None:
        raise Conflict(f"{place} does not say whose it is; supersede without an ehr_id")
    if whose != f"Patient/{row.patient_id}":
        raise Conflict(f"{place} is another patient's")
    if held.resource.get("status") == "entered-in-error":
        raise Conflict(f"{place} was entered in error")
