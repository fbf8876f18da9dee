"""Every vendor that Kairos knows. Who makes an EHR chooses here, by the installation file."""

from collections.abc import Mapping

from fhir_adapters.profile.athena import ATHENAHEALTH
from fhir_adapters.profile.epic import EPIC
from fhir_adapters.profile.generic import GENERIC
from fhir_adapters.profile.meditech import MEDITECH
from fhir_adapters.profile.oracle import ORACLE
from fhir_adapters.profile.vendor import Vendor

VENDORS: Mapping[str, Vendor] = {
    vendor.name: vendor for vendor in (GENERIC, EPIC, ORACLE, ATHENAHEALTH, MEDITECH)
}
