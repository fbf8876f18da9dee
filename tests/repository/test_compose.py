"""`docker-compose.yml` checked as data: what would only be found out where Docker runs.

It starts no container and says nothing on whether the images do what their tags promise.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose

from domain.language.names import Role
from settings import ApiSettings, DatabaseSettings, Settings

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
READ_BY = {"api": ApiSettings, "worker": Settings, "migrations": DatabaseSettings}
FIELDS = ApiSettings.model_fields
CONDITIONS = {"service_healthy", "service_started", "service_completed_successfully"}

SIGNS = "kairos_cursor_secret"

each_service = pytest.mark.parametrize("name", SERVICES)
each_process = pytest.mark.parametrize("name", READ_BY)


def waits(condition: str) -> set[str]:
    """The services that another one waits for in this way."""
    return {
        other
        for service in SERVICES.values()
        for other, how in service.get("depends_on", {}).items()
        if how["condition"] == condition
    }


def mounted_files() -> Iterator[tuple[str, Path]]:
    """Each service with each file of this repository that it mounts."""
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source = re.sub(r"\$\{\w+:-(.*?)\}", r"\1", volume).partition(":")[0]
            if source.startswith("./"):
                yield name, ROOT / source


def read_strictly(text: str) -> PyCompose:
    """Read a compose file as its specification has it: no unknown key, no unknown word.

    Variables take their defaults and merged maps are merged first, as `docker compose` does. How
    often `on-failure` tries is in the specification, but newer than this reader.
    """
    text = re.sub(r"\$\{\w+:-(.*?)\}", r"\1", text)
    merged = yaml.safe_dump(yaml.safe_load(text))
    found = PyCompose.from_yaml(re.sub(r"on-failure:\d+", "on-failure", merged))
    found.validate()
    return found


def test_the_file_is_as_the_compose_specification_has_it():
    """Every key and every word of the file is one that the Compose Specification knows."""
    assert set(read_strictly(TEXT).service_names()) == set(SERVICES)


@pytest.mark.parametrize(
    ("written", "instead", "named"),
    [
        ("healthcheck:", "healthchek:", "healthchek"),
        ("interval: 10s", "interval: 10 parsecs", "parsecs"),
        ("condition: service_healthy", "condition: service_well", "service_well"),
        ("\nservices:", "\nservises: {}\nservices:", "servises"),
    ],
)
def test_a_slip_of_the_pen_in_the_file_is_found(written, instead, named):
    """A mistyped key, length of time, condition or section is refused by name."""
    assert written in TEXT
    with pytest.raises(ValueError, match=named):
        read_strictly(TEXT.replace(written, instead, 1))


@each_service
def test_every_image_is_pinned(name):
    """A service is built here or names an image by a version, never by `latest`."""
    service = SERVICES[name]
    tag = service["image"].rpartition("/")[2].partition(":")[2]
    assert re.search(r"\d+\.\d+", tag)


@each_service
def test_every_service_says_when_it_is_ready(name):
    """A service has a health check, ends by itself, or is asked from outside by one that ends."""
    service = SERVICES[name]
    ends = name in waits("service_completed_successfully")
    probes = {
        other
        for one in waits("service_completed_successfully")
        for other in asked_by(SERVICES[one])
    }
    assert ends or "test" in service.get("healthcheck", {}) or name in probes


def asked_by(service: dict[str, Any]) -> list[str]:
    """The services whose address a one-shot service's command names."""
    return re.findall(r"http://([\w-]+)[:/]", " ".join(map(str, service.get("command", []))))


@each_service
def test_a_one_shot_service_is_not_started_for_ever(name):
    """A service that others wait to see completed is not restarted after it has succeeded."""
    if name in waits("service_completed_successfully"):
        assert SERVICES[name]["restart"].startswith("on-failure")
    else:
        assert SERVICES[name]["restart"] == "unless-stopped"


@each_service
def test_every_dependency_exists(name):
    """A service waits for a service of this file, in a way that compose knows."""
    for other, how in SERVICES[name].get("depends_on", {}).items():
        assert other in SERVICES
        assert how["condition"] in CONDITIONS


@each_service
def test_a_dependency_in_another_profile_is_optional(name):
    """A service waits for a stand-in only where the stand-in is asked for."""
    own = set(SERVICES[name].get("profiles", []))
    for other, how in SERVICES[name].get("depends_on", {}).items():
        theirs = set(SERVICES[other].get("profiles", []))
        assert theirs <= own or how.get("required") is False


@each_service
def test_a_healthy_dependency_has_a_health_check(name):
    """What is waited for until healthy can become healthy."""
    for other, how in SERVICES[name].get("depends_on", {}).items():
        if how["condition"] == "service_healthy":
            assert "test" in SERVICES[other]["healthcheck"]


@each_service
def test_ports_are_published_on_this_machine_only(name):
    """No port is open to the network: nothing here speaks TLS, and some ask for no login."""
    for port in SERVICES[name].get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)


def test_no_port_is_published_twice():
    """Two services never want the same port of this machine."""
    ports = [
        port.split(":")[1] for service in SERVICES.values() for port in service.get("ports", [])
    ]
    assert len(ports) == len(set(ports))


@each_service
def test_every_secret_is_declared(name):
    """A secret that is used is declared, and comes from a file outside version control."""
    for secret in SERVICES[name].get("secrets", []):
        assert COMPOSE["secrets"][secret] == {"file": f"./deploy/secrets/{secret}"}


def test_every_secret_is_explained():
    """The page on secret files names each, and nothing that is not used."""
    page = (ROOT / "deploy/secrets/README.md").read_text()
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == set(COMPOSE["secrets"])
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == used


def test_no_secret_is_committed():
    """The folder of secrets keeps all but its own page out of the repository."""
    rules = (ROOT / "deploy/secrets/.gitignore").read_text().split()
    assert rules == ["*", "!.gitignore", "!README.md"]


@each_service
def test_no_password_is_in_the_environment(name):
    """A password is handed over as a file, not as a value that `docker inspect` shows."""
    for variable in SERVICES[name].get("environment", {}):
        assert not re.search(r"PASSWORD(?!_FILE$)|_PWD$|TOKEN|_KEY$|SECRET", variable)


@each_service
def test_every_named_volume_is_declared(name):
    """A volume that is not a path of this repository is declared."""
    for volume in SERVICES[name].get("volumes", []):
        source = volume.partition(":")[0]
        assert source.startswith((".", "$")) or source in COMPOSE["volumes"]


@pytest.mark.parametrize(("name", "path"), list(mounted_files()))
def test_every_mounted_file_exists(name, path):
    """Compose would make a folder where a mounted file is missing, and say nothing."""
    assert path.is_file(), f"{name} mounts {path}"


@each_service
def test_every_kairos_variable_is_a_setting(name):
    """A `KAIROS_` variable or secret that Kairos does not read is a spelling mistake."""
    given = [
        *SERVICES[name].get("environment", {}),
        *map(str.upper, SERVICES[name].get("secrets", [])),
    ]
    owner = name == "database"  # holds the role's password, which is not a setting
    for variable in given:
        if variable.startswith("KAIROS_") and not owner:
            assert variable.removeprefix("KAIROS_").lower() in FIELDS


@each_process
def test_every_required_setting_is_given(name):
    """A process of Kairos would stop at its start for want of one."""
    given = {*SERVICES[name]["environment"], *map(str.upper, SERVICES[name]["secrets"])}
    fields = READ_BY[name].model_fields
    required = {f"KAIROS_{field.upper()}" for field, info in fields.items() if info.is_required()}
    assert required <= given


def test_only_the_api_is_given_the_secret_that_signs_cursors():
    """A secret is known to the process that needs it and to no other."""
    given = {
        name for name in SERVICES if "kairos_cursor_secret" in SERVICES[name].get("secrets", [])
    }
    assert given == {"api"}


@each_process
def test_production_runs_on_the_system_clock(name):
    """The clock of the test server is for the demo and for tests only."""
    assert "KAIROS_CLINICAL_CLOCK" not in SERVICES[name]["environment"]


@each_process
def test_settings_accept_what_compose_gives(name, monkeypatch, tmp_path):
    """The values given parse as settings, with the secrets read from their files."""
    for variable, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(variable, re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value))
    monkeypatch.delenv("KAIROS_DATABASE_URL", raising=False)
    monkeypatch.delenv("KAIROS_CURSOR_SECRET", raising=False)
    (tmp_path / SIGNS).write_text("5e" * 24)
    (tmp_path / "kairos_database_url").write_text("postgresql+psycopg://kairos@database/kairos")
    read = READ_BY[name](_secrets_dir=tmp_path)
    assert read.database_url.get_secret_value().endswith("@database/kairos")


@each_process
def test_processes_run_without_privileges(name):
    """Kairos' own containers cannot write to their image or gain rights."""
    service = SERVICES[name]
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in service  # the image's, which is not root


def test_the_api_listens_where_it_is_published():
    """The port in the container is the one that the settings name and that is published."""
    api = SERVICES["api"]
    port = api["environment"]["KAIROS_API_PORT"]
    assert api["ports"] == [f"127.0.0.1:{port}:{port}"]


def test_every_variable_of_the_installer_is_explained():
    """Each variable that the file reads from outside is named in its header."""
    text = (ROOT / "docker-compose.yml").read_text()
    header = text.partition("\nname:")[0]
    for variable in re.findall(r"\$\{(\w+)", text.partition("\nname:")[2]):
        assert variable in header


def test_the_example_clinic_uses_the_stand_in_ehr():
    """The example names a site whose EHR is a connection, at the stand-in's address."""
    clinic = yaml.safe_load((ROOT / "deploy/installation.example.yaml").read_text())
    (site,), (connection,) = clinic["sites"], clinic["connections"]
    assert site["ehr"] == connection["id"]
    assert connection["base_url"] == SERVICES["ehr"]["environment"]["hapi.fhir.server_address"]


def test_the_stand_in_identity_provider_knows_every_role():
    """Its realm has the roles of the domain, but for the software's own, which no person has."""
    realm = json.loads((ROOT / "deploy/identity/kairos-realm.json").read_text())
    roles = {role["name"] for role in realm["roles"]["realm"]}
    assert roles == {role.value for role in Role} - {Role.KAIROS.value}


def test_the_image_holds_the_drawing_and_no_more():
    """The image copies every package that production runs, and no demo, test or secret."""
    text = (ROOT / "Dockerfile").read_text()
    copied = set(re.findall(r"^COPY (\S+) \1$", text, re.MULTILINE))
    packages = {"domain", "workflows", "fhir_adapters", "store", "protocols", "temporal"}
    alone = {"build.py", "logs.py", "settings.py", "strict_json.py", "requirements/run.lock"}
    assert copied == {*packages, "activities", "api", "turns", "worker", *alone}
    allowed = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert allowed == copied
    assert re.search(r"^FROM python:3\.11\.\d+-slim", text, re.MULTILINE)
    assert "USER 10001" in text
