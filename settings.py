"""What a Kairos process must be told, read once at its edge from the environment or secret files.

Every variable is `KAIROS_` and the field's name in capitals. A value may stand in a file of that
name in lower case (`/run/secrets/kairos_database_url`), so that no secret needs to be in an
environment. Nothing else that runs in production reads the environment.
"""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import parse_qs, urlsplit
from zoneinfo import available_timezones

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

SECRETS = Path("/run/secrets")


def _is_here(host: str) -> bool:
    """Say whether a host's name can only mean this machine."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


class DatabaseSettings(BaseSettings):
    """Where the database is: all that the migrations need. Every process needs it."""

    model_config = SettingsConfigDict(
        env_prefix="KAIROS_",
        frozen=True,
        hide_input_in_errors=True,
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
    )

    database_url: SecretStr = Field(
        description="PostgreSQL 15 or later, as postgresql+psycopg://user@host/database"
    )


class Settings(DatabaseSettings):
    """Settings of the API and of the worker. A missing required one stops the process at start."""

    temporal_address: str = Field(description="host:port of the Temporal frontend")
    temporal_namespace: str = "default"
    installation_file: Path = Field(description="YAML file naming sites and EHR connections")
    environment: Literal["production", "rehearsal"] = Field(
        default="production",
        description="`rehearsal` allows a simulated clock; its patients must be synthetic, and"
        " everything it connects to must be on this machine",
    )
    clinical_clock: Literal["system", "temporal-test-server", "movable"] = Field(
        default="system",
        description="the clock for clinical rules: the system's, the time-skipping test server's"
        " (demo and tests), or one that a command moves (`./dev up --story`). The last two are for"
        " a rehearsal only",
    )
    clock_file: Path | None = Field(
        default=None,
        description="file in which the movable clock stores its offset; required for that clock",
    )
    roll_over_at: int = Field(
        default=350,
        ge=50,
        le=500,
        description="number of history events after which a pathway continues in a new run",
    )
    metrics_address: str | None = Field(
        default=None,
        pattern=r"^(\[[0-9a-f:]+\]|[0-9.]+):[0-9]{1,5}$",
        description="IP:port at which this process serves its Temporal SDK metrics for Prometheus,"
        " under `/metrics`; if not set, no metrics are served. No token is required there",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @model_validator(mode="after")
    def _pretends_only_in_a_rehearsal(self) -> Self:
        if self.clinical_clock == "system":
            return self
        if self.environment != "rehearsal":
            message = (
                f"KAIROS_CLINICAL_CLOCK={self.clinical_clock} is a simulated clock that would time"
                " doses. It needs KAIROS_ENVIRONMENT=rehearsal, with synthetic patients only"
            )
            raise ValueError(message)
        if self.clinical_clock == "movable" and self.clock_file is None:
            message = "KAIROS_CLINICAL_CLOCK=movable needs KAIROS_CLOCK_FILE"
            raise ValueError(message)
        if not _is_here(self.temporal_address.rpartition(":")[0]):
            message = "a rehearsal's KAIROS_TEMPORAL_ADDRESS must be on this machine (loopback)"
            raise ValueError(message)
        database = urlsplit(self.database_url.get_secret_value())
        hosts = [database.hostname or "", *parse_qs(database.query).get("host", [])]
        if any(host and not (host.startswith("/") or _is_here(host)) for host in hosts):
            raise ValueError("a rehearsal's KAIROS_DATABASE_URL must be on this machine")
        return self

    def check_rehearsal(self, installation: "Installation") -> None:
        """Refuse a pretended clock where an EHR is not on this machine. ValueError names it."""
        if self.clinical_clock == "system":
            return
        for each in installation.connections:
            if not _is_here(urlsplit(each.base_url).hostname or ""):
                raise ValueError(
                    f"a rehearsal's EHRs must be on this machine (loopback); {each.id} is not"
                )


class ApiSettings(Settings):
    """What the API needs besides: who may call, where it listens, and what a pathway starts on."""

    protocols_dir: Path = Field(
        default=Path(__file__).parent / "protocols",
        description="folder of protocol YAML files and approved.lock",
    )
    oidc_issuer: str = Field(description="the `iss` that access tokens must carry")
    oidc_audience: str = Field(description="the `aud` that access tokens must carry")
    oidc_jwks: str = Field(description="https URL, or path of a file, with the issuer's JWK set")
    cursor_secret: SecretStr = Field(
        min_length=32,
        description="random text that signs the cursors of lists; the same for every API process",
    )
    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8000, description="0 picks a free port and prints it")

    @field_validator("oidc_jwks")
    @classmethod
    def _cannot_be_forged_on_the_way(cls, place: str) -> str:
        if "://" in place and not place.startswith("https://"):
            message = (
                "must be an https URL or the path of a file: keys read over http could be forged"
            )
            raise ValueError(message)
        return place


class Site(BaseModel):
    """A clinic site: where it is, what it offers, and which EHR holds its patients."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    name: str
    zone: str = Field(description="IANA time zone, such as America/New_York")
    offers: frozenset[Literal["esketamine", "dtms"]]
    ehr: str

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in available_timezones():
            message = "is not an IANA time zone"
            raise ValueError(message)
        return zone


_BASE_URL = r"^https?://[^/@?#]+/?[^@?#]*$"


class Connection(BaseModel):
    """An EHR. Its address comes from here and from nowhere else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    name: str
    base_url: str = Field(pattern=_BASE_URL)
    other_base_urls: tuple[Annotated[str, Field(pattern=_BASE_URL)], ...] = Field(
        default=(),
        description="other base URLs that this EHR writes into its references and links, such as"
        " that of a server behind its gateway; Kairos takes them for this EHR and never calls them",
    )
    vendor: Literal["generic", "epic", "oracle", "athenahealth", "meditech"] = Field(
        default="generic",
        description="which vendor's EHR it is: `generic` (nothing is assumed), `epic`, `oracle`,"
        " `athenahealth` or `meditech`; decides which error codes and known limits apply",
    )
    patient_identifier_system: str
    authorities_file: Path | None = Field(
        default=None,
        description="PEM file of the certificate authorities for this EHR, if the system does not"
        " trust its certificate; only these are then trusted",
    )
    certificate_file: Path | None = Field(
        default=None, description="PEM file of the certificate that Kairos shows to this EHR"
    )
    certificate_key_file: Path | None = Field(
        default=None, description="PEM file of its private key, if that is a separate file"
    )
    write_settles_seconds: int = Field(
        default=60,
        ge=1,
        le=86_400,
        description="how long a write whose answer was lost may take to appear in this EHR; before"
        " that a search that does not find it is not believed",
    )
    search_lag_seconds: float | None = Field(
        default=None,
        ge=0,
        le=86_400,
        description="how long this EHR's searches take to show what was written; if not set, the"
        " longest time that Kairos has seen counts. Twice this time is waited",
    )
    changes_unversioned: bool = Field(
        default=False,
        description="for an EHR that gives its resources no versions: Kairos reads a resource,"
        " compares it with what it last saw there, and changes it at once. Someone else's change in"
        " that moment would be lost. If false, such changes are left to a person",
    )
    lanes_at_once: int = Field(
        default=8,
        ge=1,
        le=64,
        description="number of patients whose writes one worker sends to this EHR at the same"
        " time; each patient's writes go one after the other",
    )


class Installation(BaseModel):
    """The sites and connections of this installation."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sites: tuple[Site, ...]
    connections: tuple[Connection, ...]

    @model_validator(mode="after")
    def _ids_fit(self) -> Self:
        known = [connection.id for connection in self.connections]
        if len(set(known)) != len(known) or len({s.id for s in self.sites}) != len(self.sites):
            message = "ids of sites and of connections must be unique"
            raise ValueError(message)
        for site in self.sites:
            if site.ehr not in known:
                message = f"site {site.id} names an unknown connection {site.ehr}"
                raise ValueError(message)
        return self

    def site(self, site: str) -> Site | None:
        return next((s for s in self.sites if s.id == site), None)

    def connection(self, connection: str) -> Connection:
        """Find a connection; the file was checked, so each that is named exists."""
        return next(c for c in self.connections if c.id == connection)


def load_installation(path: Path) -> Installation:
    """Read the installation file; raises with every problem named."""
    return Installation.model_validate(yaml.safe_load(path.read_text("utf-8")))
