"""MEDITECH: its statement is taken at its word. No list of error codes is published."""

from fhir_adapters.profile.vendor import Known, Sure, Vendor

MEDITECH = Vendor(
    "meditech",
    throttle=Known(
        "limits are at the vendor's discretion; none is published, and no header tells of one",
        "api-evangelist/meditech, November 2026",
        Sure.REPORTED,
    ),
)
