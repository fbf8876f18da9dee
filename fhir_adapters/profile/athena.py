"""athenahealth: its statement is taken at its word. No list of error codes is published."""

from fhir_adapters.profile.vendor import Known, Sure, Vendor

ATHENAHEALTH = Vendor(
    "athenahealth",
    throttle=Known(
        "50 token requests a minute in production and 5 in preview, then 429 for the rest of"
        " that minute",
        "docs.athenahealth.com, November 2026",
        Sure.READ,
    ),
)
