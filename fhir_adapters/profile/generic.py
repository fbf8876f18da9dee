"""A FHIR server of no vendor in particular: it is taken at its word, and nothing is assumed.

It has no error codes of its own: a number that means "nothing found" at one vendor may mean
anything here.
"""

from fhir_adapters.profile.vendor import Vendor

GENERIC = Vendor("generic")
