"""What Kairos remembers, in PostgreSQL. Knows no medicine and no FHIR, and never asks the time.

Every function works inside a transaction that its caller began (`Database.begin`): what belongs
together is committed together. No SQL default, trigger or `now()` decides a time.
"""
