"""Be sure of a resource that a person names in an EHR: there, of the type, on the right patient.

Must not compare what it says: the person entered it, or looked at it, and vouches for that.
"""

from api.dependencies import Dependencies
from api.reading.ehr_failures import CANNOT_BE_READ, GONE, problem_of
from domain.delivery.words import Delivery
from domain.language.errors import Conflict
from fhir_adapters.exchange.compare import ELSEWHERE, cannot_tell_whose, is_anothers, patient_of
from fhir_adapters.exchange.failures import EhrRefused


async def check_resource(deps: Dependencies, delivery: Delivery, ehr_id: str) -> None:
    """Raise Conflict unless a delivery may be said to stand in its EHR as this resource."""
    place = f"{delivery.resource_type}/{ehr_id}"
    client = deps.ehr(delivery.connection_id).client
    try:
        held = await client.read(delivery.resource_type, ehr_id)
    except EhrRefused as error:
        if error.strange:
            raise problem_of(error, delivery.connection_id) from None
        if error.status in GONE:
            raise Conflict(f"{delivery.connection_id} has no {place}") from None
        raise Conflict(f"{delivery.connection_id} does not let {place} be read") from None
    except CANNOT_BE_READ as error:
        raise problem_of(error, delivery.connection_id) from None
    if patient_of(held.resource, client.bases) is None:
        raise Conflict(f"{place} does not name its patient; supersede without `ehr_id`")
    if is_anothers(held.resource, delivery.patient_id, client.bases):
        raise Conflict(f"{place} belongs to another patient")
    if cannot_tell_whose(held.resource, delivery.patient_id, client.bases):
        raise Conflict(f"{place}: {ELSEWHERE}")
    if held.resource.get("status") == "entered-in-error":
        raise Conflict(f"{place} is marked as entered in error")
