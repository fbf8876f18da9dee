"""What many tests stand on: one real PostgreSQL for the session, an own database for each test."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from demo.parts import Postgres, RunDirectory
from domain.protocol import CombinedProtocol
from protocols.loader import load_protocols
from store import schema
from store.database import Database

REPOSITORY = Path(__file__).resolve().parents[1]
TEMPLATE = "kairos_template"


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


@pytest.fixture
def empty_database_url(postgres: Postgres) -> Iterator[str]:
    """The URL of a database without any table."""
    yield from _own_database(postgres, "template0")


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """The URL of a migrated database that this test has for itself."""
    yield from _own_database(postgres, TEMPLATE)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A pool on a migrated database that this test has for itself."""
    made = Database(database_url)
    yield made
    await made.close()


def _own_database(server: Postgres, template: str) -> Iterator[str]:
    name = f"test_{uuid4().hex}"
    # Copying the template's files is eight times as quick as writing its pages to the log.
    _administer(server.url, f"create database {name} template {template} strategy file_copy")
    yield _url(server.url, name)
    _administer(server.url, f"drop database {name} with (force)")


def _url(url: str, name: str) -> str:
    return url.replace("/kairos?", f"/{name}?")


def _administer(url: str, statement: str) -> None:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(statement))
    engine.dispose()
