"""Settings that cannot be right are refused at the start, by name, with what would be right."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from settings import ApiSettings, Connection, Site, load_installation, settings_told_plainly
from tests.conftest import REPOSITORY

RIGHT: dict[str, Any] = {
    "id": "ehr",
    "name": "EHR",
    "base_url": "https://ehr.example/fhir",
    "patient_identifier_system": "urn:oid:1.2.3",
}


@pytest.mark.parametrize(
    "url",
    [
        "https://h /fhir",
        "https://h/fhir ",
        "https://h:/fhir",
        "https://h:abc/fhir",
        "https://h:99999/fhir",
        "https://h:0/fhir",
        "https://[::1/fhir",
        "https:///fhir",
        "https://h/fhir/metadata",
        "https://h/fhir?x=1",
        "https://user:pass@h/fhir",
        "https://${HOST}/fhir",
        "https://h/{tenant}/fhir",
        "https://h//fhir",
        "https://h\u200b/fhir",
        "https://h/fhir\n",
        "ftp://h/fhir",
        "",
    ],
)
@pytest.mark.parametrize("where", ["base_url", "other_base_urls"])
def test_an_address_that_is_none_is_refused(url: str, where: str) -> None:
    """At the start, not at the first write."""
    with pytest.raises(ValidationError) as refused:
        Connection.model_validate(RIGHT | {where: url if where == "base_url" else [url]})
    assert where in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://ehr.example/fhir/r4/",
        "http://127.0.0.1:8080/fhir",
        "https://[::1]:443/fhir",
        "https://ehr.example",
        "https://h.example/interconnect-prd_1/api/FHIR/R4",
    ],
)
def test_an_address_that_is_one_is_taken(url: str) -> None:
    """With a port, a path, a number, or neither."""
    assert Connection.model_validate(RIGHT | {"base_url": url}).base_url == url


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"certificate_key_file": "key.pem"}, "certificate_key_file needs certificate_file"),
        ({"authorities_file": "no-such.pem"}, "names a file that is not there: no-such.pem"),
        (
            {"base_url": "http://127.0.0.1/fhir", "authorities_file": "a.pem"},
            "only with an https base_url",
        ),
        ({"patient_identifier_system": ""}, "patient_identifier_system"),
    ],
)
def test_trust_that_cannot_be_is_refused(said: dict[str, Any], says: str) -> None:
    """A key without its certificate, a file that is not there, certificates without TLS."""
    with pytest.raises(ValidationError) as refused:
        Connection.model_validate(RIGHT | said)
    assert says in str(refused.value)


@pytest.mark.parametrize("said", [{"zone": "Factory"}, {"zone": "localtime"}, {"offers": []}])
def test_a_site_is_somewhere_and_offers_something(said: dict[str, Any]) -> None:
    """A zone of nowhere would put every visit at another hour."""
    right = {"id": "s", "name": "S", "zone": "America/New_York", "offers": ["dtms"], "ehr": "ehr"}
    assert Site.model_validate(right).id == "s"
    with pytest.raises(ValidationError):
        Site.model_validate(right | said)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("database_url", "mysql://h/d"),
        ("database_url", "junk"),
        ("temporal_address", "h"),
        ("temporal_address", "http://h:7233"),
        ("oidc_jwks", "https://[::1"),
        ("oidc_jwks", "http://issuer.example/keys"),
        ("oidc_jwks", ""),
        ("oidc_issuer", ""),
        ("oidc_audience", ""),
        ("api_port", 70_000),
    ],
)
def test_a_setting_that_cannot_be_right_is_named(
    name: str, value: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In one line, as it is written in the environment, and with no traceback."""
    keys = tmp_path / "keys.json"
    keys.write_text("{}")
    right: dict[str, Any] = {
        "database_url": "postgresql+psycopg://u@127.0.0.1/d",
        "temporal_address": "127.0.0.1:7233",
        "installation_file": tmp_path / "installation.yaml",
        "oidc_issuer": "https://issuer.example",
        "oidc_audience": "kairos",
        "oidc_jwks": str(keys),
        "cursor_secret": "x" * 32,
    }
    assert ApiSettings(**right).api_port == 8000
    with pytest.raises(SystemExit), settings_told_plainly():
        ApiSettings(**right | {"oidc_jwks": "/no/such/file"}).check_keys()
    with pytest.raises(SystemExit) as ended, settings_told_plainly():
        ApiSettings(**right | {name: value})
    lines = str(ended.value.code).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"KAIROS_{name.upper()}: ")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot be read"),
        ("a: [", "is not YAML"),
        ("sites: []\nsites: []\nconnections: []\n", "sites is set twice"),
        ("sites: []\n", "connections: is required"),
        ("[]", "installation file"),
    ],
)
def test_an_installation_file_is_told_plainly(text: str | None, says: str, tmp_path: Path) -> None:
    """Not there, not YAML, a key twice, a part missing."""
    file = tmp_path / "installation.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SystemExit) as ended, settings_told_plainly():
        load_installation(file)
    assert says in str(ended.value.code)


def test_a_worker_that_waits_for_temporal_stops_when_told(tmp_path: Path) -> None:
    """SIGTERM ends it, however long Temporal is away."""
    site = {"id": "s", "name": "S", "zone": "America/New_York", "offers": ["dtms"], "ehr": "ehr"}
    file = tmp_path / "installation.yaml"
    file.write_text(yaml.safe_dump({"sites": [site], "connections": [RIGHT]}))
    told = os.environ | {
        "KAIROS_DATABASE_URL": "postgresql+psycopg://u@127.0.0.1:1/d",
        "KAIROS_TEMPORAL_ADDRESS": "127.0.0.1:1",
        "KAIROS_INSTALLATION_FILE": str(file),
    }
    worker = subprocess.Popen(
        [sys.executable, "-m", "worker"], cwd=REPOSITORY, env=told, stdout=subprocess.PIPE
    )
    assert worker.stdout is not None
    try:
        line = worker.stdout.readline()
        while line and b"waits_for_temporal" not in line:
            line = worker.stdout.readline()
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=20) == 0
    finally:
        worker.kill()
        worker.stdout.close()
