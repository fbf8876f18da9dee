"""Bring a database's schema to the newest revision, and say which one it is at."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

UPGRADE_LOCK = 7_451_201
"""Key of the advisory lock that lets one process at a time change the schema."""


def config() -> Config:
    """Alembic's configuration, without a file."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return made


def upgrade(url: str, revision: str = "head") -> str:
    """Upgrade to a revision and return it. Two processes at once take turns."""
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            connection.execute(text("select pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
            upgrade_on(connection, revision)
            return current(connection)
    finally:
        engine.dispose()


def upgrade_on(connection: Connection, revision: str = "head") -> None:
    """Upgrade on a connection whose transaction the caller owns."""
    settings = config()
    settings.attributes["connection"] = connection
    command.upgrade(settings, revision)


def current(connection: Connection) -> str:
    """Say which revision the database is at; empty for none."""
    return MigrationContext.configure(connection).get_current_revision() or ""


def newest() -> str:
    """Say which revision the code expects."""
    return ScriptDirectory.from_config(config()).get_current_head() or ""
