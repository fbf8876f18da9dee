"""A pretended clock is refused wherever it could time a real dose."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from clinic.environment import installation_yaml
from settings import Settings, load_installation

GIVEN = {
    "KAIROS_DATABASE_URL": "postgresql+psycopg://postgres@/kairos?host=/tmp",
    "KAIROS_TEMPORAL_ADDRESS": "127.0.0.1:7233",
    "KAIROS_ENVIRONMENT": "rehearsal",
    "KAIROS_CLINICAL_CLOCK": "movable",
    "KAIROS_CLOCK_FILE": "clock.json",
}


@pytest.fixture
def settings_of(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Reads the settings from an environment that differs in this."""

    def read(**changes: str) -> Settings:
        everything = {**GIVEN, "KAIROS_INSTALLATION_FILE": str(tmp_path), **changes}
        for name, value in everything.items():
            monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name, raising=False)
        return Settings()

    return read


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"KAIROS_ENVIRONMENT": ""}, "KAIROS_ENVIRONMENT=rehearsal"),
        ({"KAIROS_ENVIRONMENT": "production"}, "would time doses"),
        (
            {"KAIROS_ENVIRONMENT": "", "KAIROS_CLINICAL_CLOCK": "temporal-test-server"},
            "KAIROS_ENVIRONMENT=rehearsal",
        ),
        ({"KAIROS_CLOCK_FILE": ""}, "needs KAIROS_CLOCK_FILE"),
        ({"KAIROS_TEMPORAL_ADDRESS": "temporal.hospital.org:7233"}, "on this machine"),
        ({"KAIROS_TEMPORAL_ADDRESS": "10.0.0.7:7233"}, "on this machine"),
        ({"KAIROS_DATABASE_URL": "postgresql+psycopg://u@prod.hospital/kairos"}, "DATABASE_URL"),
        ({"KAIROS_DATABASE_URL": "postgresql+psycopg://u@/kairos?host=prod"}, "DATABASE_URL"),
    ],
)
def test_a_pretended_clock_is_refused_but_in_a_rehearsal(settings_of, changes, says):
    """Each process stops at its start, and says which setting would have to be otherwise."""
    with pytest.raises(ValidationError, match=says):
        settings_of(**changes)


def test_the_machines_clock_asks_for_nothing(settings_of):
    """Production needs no word about clocks."""
    read = settings_of(
        KAIROS_ENVIRONMENT="",
        KAIROS_CLINICAL_CLOCK="",
        KAIROS_CLOCK_FILE="",
        KAIROS_TEMPORAL_ADDRESS="temporal.hospital.org:7233",
    )
    assert (read.environment, read.clinical_clock) == ("production", "system")


@pytest.mark.parametrize(
    ("base", "taken"),
    [
        ("http://127.0.0.1:8001/fhir", True),
        ("http://localhost:8001/fhir", True),
        ("http://[::1]:8001/fhir", True),
        ("https://ehr.hospital.org/fhir", False),
        ("http://10.1.2.3/fhir", False),
        ("http://127.0.0.1.hospital.org/fhir", False),
    ],
)
def test_a_rehearsal_reaches_no_ehr_elsewhere(settings_of, tmp_path: Path, base, taken):
    """An EHR that is not on this machine stops the process, by the connection's name."""
    file = tmp_path / "installation.yaml"
    file.write_text(installation_yaml(base))
    settings, installation = settings_of(), load_installation(file)
    if taken:
        settings.check_rehearsal(installation)
        return
    with pytest.raises(ValueError, match="demo-ehr"):
        settings.check_rehearsal(installation)
