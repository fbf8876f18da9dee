"""What benchmarks stand on: a folder, one pathway, the database, what a process has used."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import psycopg

from benchmarks.weights import family
from clinic import Clinic
from demo.staff import Staff


@contextmanager
def a_folder() -> Iterator[Path]:
    """A folder for the clinic, which PostgreSQL's own user may pass where there is a root."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


async def pathways_of(clinic: Clinic, staff: Staff, count: int) -> list[str]:
    """Enrol patients by the API; the ids of their pathways."""
    return [await a_pathway(clinic, staff, number) for number in range(1, count + 1)]


async def a_pathway(clinic: Clinic, staff: Staff, number: int = 1) -> str:
    """Enrol one patient by the API; the id of their pathway."""
    mrn = f"BENCH-{number}"
    patient = {
        "resourceType": "Patient",
        "identifier": [{"system": "urn:kairos:demo:mrn", "value": mrn}],
        "name": [{"family": "Bench"}],
        "birthDate": "1980-01-01",
    }
    async with httpx2.AsyncClient(trust_env=False) as ehr:
        (await ehr.post(f"{clinic.addresses.ehr}/Patient", json=patient)).raise_for_status()
    found = await staff.care_manager.see("/v1/sites/manhattan/patients", identifier=mrn)
    monday = datetime.now(UTC).date() + timedelta(days=14)
    monday -= timedelta(days=monday.weekday())
    body = {
        "site": "manhattan",
        "patient": found["items"][0]["id"],
        "protocol": "esketamine-then-dtms",
        "first_visit": {"day": monday.isoformat(), "hour": "09:00"},
    }
    started = await staff.care_manager.do("/v1/pathways", body)
    return str(started["pathway"]).rpartition("/")[2]


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_of_family(pid: int) -> float:
    """Seconds of CPU that a process and its descendants have used, those that ended included."""
    used = 0.0
    for member in family(pid):
        with suppress(FileNotFoundError, ProcessLookupError):  # one that has ended just now
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
            used += sum(int(each) for each in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return used


class Store:
    """Plain statements on the clinic's database."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)

    def run(self, statements: str, values: Mapping[str, object]) -> None:
        """Run them in one transaction."""
        with self._connection.transaction():
            psycopg.ClientCursor(self._connection).execute(statements, values)

    def row(self, query: str, values: Mapping[str, object]) -> tuple[str, ...]:
        """The one row that a query gives, as text."""
        row = self._connection.execute(query, values).fetchone()
        if row is None:
            raise LookupError(query)
        return tuple(map(str, row))

    def count(self, query: str, values: Mapping[str, object]) -> int:
        """The one number that a query gives."""
        row = self._connection.execute(query, values).fetchone()
        return int(row[0]) if row else 0

    def commits(self) -> int:
        """Transactions of this database so far."""
        query = "select xact_commit + xact_rollback from pg_stat_database where datname ="
        return self.count(f"{query} current_database()", {})
