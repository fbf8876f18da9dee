"""What a running `./dev up` leaves for people: its addresses, in a file beside its data."""

import json
import os
import tempfile
from pathlib import Path

from clinic import Clinic

_REPOSITORY = Path(__file__).resolve().parents[1]


def _where() -> Path:
    """The default directory: beside the code, unless root may not keep PostgreSQL there.

    PostgreSQL never runs as root and must reach its data, which a private home does not allow.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/kairos") if Path("/var/lib").is_dir() else Path(tempfile.gettempdir())
    return _REPOSITORY / ".kairos"


WHERE = _where()
STORY = (
    WHERE / "kairos-story"
    if Path(tempfile.gettempdir()) == WHERE
    else WHERE.with_name(f"{WHERE.name}-story")
)
"""Where `./dev up --story` keeps its clinic, beside the other."""


def remember(directory: Path, clinic: Clinic) -> dict[str, str]:
    """Write the addresses down and return them."""
    addresses = {
        "API": clinic.addresses.api,
        "EHR (FHIR R4)": clinic.addresses.ehr,
        "Temporal": clinic.addresses.temporal,
        "Temporal UI": clinic.addresses.ui or "",
        "kept in": str(directory.resolve()),
    }
    (directory / "addresses.json").write_text(json.dumps(addresses, indent=2) + "\n", "utf-8")
    return addresses


def issuer_directory(directory: Path) -> Path:
    """Where the kept clinic's token issuer has its key."""
    return directory / "issuer"
