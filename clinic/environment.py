"""What Kairos's processes are told: their environment and the installation file.

Must not start anything. The sites are those of the demo's two synthetic clinics.
"""

import os
import secrets
from pathlib import Path

import yaml

from clinic.issuer import Issuer
from clinic.ports import LOOPBACK

CONNECTION = "demo-ehr"
SITES: tuple[dict[str, object], ...] = (
    {
        "id": "manhattan",
        "name": "Manhattan clinic",
        "zone": "America/New_York",
        "offers": ["esketamine", "dtms"],
        "ehr": CONNECTION,
    },
    {
        "id": "phoenix",
        "name": "Phoenix clinic",
        "zone": "America/Phoenix",
        "offers": ["esketamine"],
        "ehr": CONNECTION,
    },
)


def environment_of_kairos(
    *,
    installation_file: Path,
    issuer: Issuer,
    database_url: str,
    temporal_address: str,
    api_port: int,
    clinical_clock: str,
    clock_file: Path | None = None,
) -> dict[str, str]:
    """The environment of the API, the worker and the migrations; ours without its `KAIROS_`."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("KAIROS_")},
        "KAIROS_DATABASE_URL": database_url,
        "KAIROS_TEMPORAL_ADDRESS": temporal_address,
        "KAIROS_INSTALLATION_FILE": str(installation_file),
        "KAIROS_OIDC_ISSUER": issuer.url,
        "KAIROS_OIDC_AUDIENCE": issuer.audience,
        "KAIROS_OIDC_JWKS": str(issuer.jwks),
        "KAIROS_CURSOR_SECRET": secrets.token_hex(32),
        "KAIROS_ENVIRONMENT": "production" if clinical_clock == "system" else "rehearsal",
        "KAIROS_CLINICAL_CLOCK": clinical_clock,
        **({} if clock_file is None else {"KAIROS_CLOCK_FILE": str(clock_file)}),
        "KAIROS_API_HOST": LOOPBACK,
        "KAIROS_API_PORT": str(api_port),
        "NO_PROXY": "*",  # everything is on loopback, whatever proxy the machine has
        "PYTHONUNBUFFERED": "1",  # or a killed process takes its last log lines with it
    }


def installation_yaml(base_url: str, *, all_offer_all: bool = False) -> str:
    """The installation file: the sites, and one connection at the FHIR base `base_url`.

    With `all_offer_all` each site has both treatments, so that a pathway may run at each.
    """
    both = {"offers": ["esketamine", "dtms"]} if all_offer_all else {}
    sites = [{**site, **both} for site in SITES]
    connection = {
        "id": CONNECTION,
        "name": "Demo EHR",
        "base_url": base_url,
        "vendor": "generic",
        "patient_identifier_system": "urn:kairos:demo:mrn",
    }
    return yaml.safe_dump({"sites": sites, "connections": [connection]}, sort_keys=False)
