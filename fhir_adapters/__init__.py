"""How Kairos says a pathway to an EHR in FHIR R4, and hears what the EHR says back.

This package translates and talks; it must not decide about care, and it remembers nothing: what
was sent and what came of it is the delivery ledger's, which the activities keep.
"""
