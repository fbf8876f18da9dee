"""What a Kairos process must be told, read once at its edge from the environment or secret files.

Every variable is `KAIROS_` and the field's name in capitals. A value may stand in a file of that
name in lower case (`/run/secrets/kairos_database_url`), so that no secret needs to be in an
environment. Nothing else that runs in production reads the environment.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import SplitResult, parse_qs, urlsplit
from zoneinfo import available_timezones

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
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

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith("postgresql+psycopg://"):
            message = "must be written as postgresql+psycopg://user@host/database"
            raise ValueError(message)
        return url


class Settings(DatabaseSettings):
    """Settings of the API and of the worker. A missing required one stops the process at start."""

    temporal_address: str = Field(
        pattern=r"^(\[[0-9A-Fa-f:]+\]|[^\s/:\[\]]+):[0-9]{1,5}$",
        description="host:port of the Temporal frontend",
    )
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
    oidc_issuer: str = Field(min_length=1, description="the `iss` that access tokens must carry")
    oidc_audience: str = Field(min_length=1, description="the `aud` that access tokens must carry")
    oidc_jwks: str = Field(
        min_length=1, description="https URL, or path of a file, with the issuer's JWK set"
    )
    cursor_secret: SecretStr = Field(
        min_length=32,
        description="random text that signs the cursors of lists; the same for every API process",
    )
    api_host: str = "127.0.0.1"
    api_port: int = Field(
        default=8000, ge=0, le=65_535, description="0 picks a free port and prints it"
    )

    @field_validator("oidc_jwks")
    @classmethod
    def _cannot_be_forged_on_the_way(cls, place: str) -> str:
        if "://" in place and not place.startswith("https://"):
            message = (
                "must be an https URL or the path of a file: keys read over http could be forged"
            )
            raise ValueError(message)
        if place.startswith("https://"):
            _checked_url(place)
        return place

    def check_keys(self) -> None:
        """Be sure at the start that a file of keys is there. ValueError names it."""
        if "://" not in self.oidc_jwks and not Path(self.oidc_jwks).is_file():
            raise ValueError(f"KAIROS_OIDC_JWKS: there is no file {self.oidc_jwks}")


def _checked_url(url: str) -> SplitResult:
    """Read an address whose parts must all be ones; ValueError says which is not."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        message = "is not an address: its host or its port cannot be read"
        raise ValueError(message) from None
    if not host or port == 0 or not _HOST.fullmatch(parts.netloc):
        message = "is not an address: its host or its port cannot be read"
        raise ValueError(message)
    return parts


class Site(BaseModel):
    """A clinic site: where it is, what it offers, and which EHR holds its patients."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    name: str
    zone: str = Field(description="IANA time zone, such as America/New_York")
    offers: frozenset[Literal["esketamine", "dtms"]] = Field(min_length=1)
    ehr: str

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        if zone not in available_timezones() or zone in ("Factory", "localtime", "posixrules"):
            message = "is not an IANA time zone"
            raise ValueError(message)
        return zone


_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")
_BASE_URL = r"^https?://[!-~]+$"
_NO_BASE = re.compile(r"[@?#{}$\\^`|<>\"]")


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
    patient_identifier_system: str = Field(min_length=1)
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

    @field_validator("base_url", "other_base_urls")
    @classmethod
    def _is_a_base(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for url in (value,) if isinstance(value, str) else value:
            path = _checked_url(url).path.rstrip("/")
            if _NO_BASE.search(url) or "//" in path:
                message = "must be the plain base URL of a FHIR API, with nothing left to fill in"
                raise ValueError(message)
            if path.endswith("/metadata"):
                message = "must be the base URL of the FHIR API, which ends before /metadata"
                raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _certificates_are_there(self) -> Self:
        files = {
            "authorities_file": self.authorities_file,
            "certificate_file": self.certificate_file,
            "certificate_key_file": self.certificate_key_file,
        }
        given = {name: path for name, path in files.items() if path is not None}
        if given and not self.base_url.startswith("https://"):
            message = f"{', '.join(given)} may be set only with an https base_url"
            raise ValueError(message)
        if "certificate_key_file" in given and "certificate_file" not in given:
            message = "certificate_key_file needs certificate_file"
            raise ValueError(message)
        for name, path in given.items():
            if not path.is_file():
                message = f"{name} names a file that is not there: {path}"
                raise ValueError(message)
        return self


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


class _Once(yaml.SafeLoader):
    """Reads YAML in which nothing is said twice."""

    def construct_mapping(  # the signature is the library's
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002
    ) -> dict[Any, Any]:
        """Refuse a key that is there already: the file's other readers would take the first."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            message = f"{', '.join(twice)} is set twice"
            raise yaml.constructor.ConstructorError(None, None, message, node.start_mark)
        return super().construct_mapping(node, deep=deep)


def load_installation(path: Path) -> Installation:
    """Read the installation file; ValueError, with every problem named."""
    try:
        said = yaml.load(path.read_text("utf-8"), Loader=_Once)  # noqa: S506  a SafeLoader
    except OSError as error:
        why = f"the installation file {path} cannot be read: {error.strerror}"
        raise ValueError(why) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"the installation file {path} is not YAML: {error}") from None
    return Installation.model_validate(said)


@contextmanager
def settings_told_plainly() -> Iterator[None]:
    """End the process with what is wrong in its settings, one line each, and no traceback."""
    try:
        yield
    except ValidationError as error:
        sys.exit("\n".join([*_lines(error), "see docs/reference/settings.md"]))
    except ValueError as error:
        sys.exit(f"{error}\nsee docs/reference/settings.md")


def _lines(error: ValidationError) -> Iterator[str]:
    of_a_file = error.title == Installation.__name__
    for each in error.errors(include_input=False, include_url=False):
        place = ".".join(str(step) for step in each["loc"])
        where = f"KAIROS_{place.upper()}" if place else "settings"
        where = f"installation file: {place}".removesuffix(": ") if of_a_file else where
        says = "is required" if each["type"] == "missing" else each["msg"]
        yield f"{where}: {says.removeprefix('Value error, ')}"
