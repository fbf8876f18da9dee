"""Oracle Health (Millennium). It publishes no numeric error codes: HTTP and FHIR's own count.

Read in the vendor's documentation (cerner/fhir.cerner.com, 2024-05-02) and in the statement of its
secure R4 endpoint (captured 2026-08-14).
"""

from fhir_adapters.profile.artefacts import ArtefactKind
from fhir_adapters.profile.vendor import Known, Sure, Vendor

_DOCUMENTED = "cerner/fhir.cerner.com, 2024-05-02"
_OBSERVATION = "Oracle takes only vital signs and laboratory results as Observation"

ORACLE = Vendor(
    "oracle",
    not_taken={
        (ArtefactKind.SCALE, "Observation"): _OBSERVATION,
        (ArtefactKind.FINDING, "Observation"): _OBSERVATION,
        # Create takes only `reportedBoolean: true`: what the patient says to take, never an order.
        (ArtefactKind.MEDICATION_ORDER, "MedicationRequest"): (
            "Oracle takes only reported medication as MedicationRequest, not an order"
        ),
        (ArtefactKind.APPOINTMENT, "Appointment"): (
            "Oracle books only a Slot of its own, or proposes for a coded service type"
        ),
    },
    update_verb=Known(
        "PATCH with JSON Patch, on listed paths only, for Appointment, Communication, Encounter,"
        " MedicationRequest and Patient; PUT for Condition, DocumentReference and Observation;"
        " both need If-Match",
        _DOCUMENTED,
        Sure.READ,
    ),
    id_place=Known(
        "201 with an empty body: the id stands in Location and the version in ETag, nowhere else",
        _DOCUMENTED,
        Sure.READ,
    ),
    throttle=Known(
        "a token lasts 570 s; asking for one more than once a minute may be throttled",
        _DOCUMENTED,
        Sure.READ,
    ),
)
