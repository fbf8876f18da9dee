"""MEDITECH. No list of error codes is published.

Read in the statement of its Greenfield sandbox (captured 2026-08-06) and in the profile that its
Communication follows (Argonaut patient-provider messaging, hackmd.io/@argonaut/H1dQ95xG3).
"""

from fhir_adapters.profile.artefacts import ArtefactKind
from fhir_adapters.profile.vendor import Known, Sure, Vendor

_TO_PATIENTS = "MEDITECH's Communication is a message between patients and their providers"

MEDITECH = Vendor(
    "meditech",
    # What is said for staff would be read by the patient, and by no staff.
    not_taken={(kind, "Communication"): _TO_PATIENTS for kind in ArtefactKind},
    throttle=Known(
        "limits are at the vendor's discretion; none is published or given in a header",
        "api-evangelist/meditech, November 2026",
        Sure.REPORTED,
    ),
)
