"""The schema: every way up ends at the models."""

import re
from enum import StrEnum

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, create_engine

from domain.language.names import CommandState, PathwayStatus
from store import schema
from store.ehr_tables import METADATA
from store.tables import Base, CommandRow, PathwayRow

REVISIONS = [
    "",
    *(
        script.revision
        for script in reversed(list(ScriptDirectory.from_config(schema.config()).walk_revisions()))
    ),
]


@pytest.mark.parametrize("earlier", REVISIONS)
def test_upgrade_from_each_revision_reaches_the_models(
    earlier: str, empty_database_url: str
) -> None:
    """From empty and from each earlier revision, the newest schema equals the models."""
    if earlier:
        schema.upgrade(empty_database_url, earlier)
    assert schema.upgrade(empty_database_url) == schema.newest()
    engine = create_engine(empty_database_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_constraints_and_indexes_are_those_of_the_models(
    database_url: str, empty_database_url: str
) -> None:
    """What the migrations made has the same checks, keys and indexes as what the models say.

    Alembic compares no check constraint, and the ledger's states stand in one.
    """
    engine = create_engine(empty_database_url)
    METADATA.create_all(engine)
    engine.dispose()
    migrated, modelled = held(database_url), held(empty_database_url)
    assert migrated == modelled
    assert any("CHECK" in definition for _, definition in migrated)


@pytest.mark.parametrize(
    ("table", "states"), [(PathwayRow, PathwayStatus), (CommandRow, CommandState)]
)
def test_a_state_that_the_database_takes_is_one_of_the_domain(
    table: type[Base], states: type[StrEnum]
) -> None:
    """The constraint of a table's states lists those of the domain, in their order."""
    checks = table.metadata.tables[table.__tablename__].constraints
    (check,) = (each for each in checks if isinstance(each, CheckConstraint))
    assert re.findall(r"'(\w+)'", str(check.sqltext)) == list(states)


def held(url: str) -> set[tuple[str, str]]:
    """Every constraint and index of our tables, as PostgreSQL writes it."""
    engine = create_engine(url)
    with engine.connect() as connection:
        constraints = connection.exec_driver_sql(
            "select conrelid::regclass::text, pg_get_constraintdef(oid) from pg_constraint "
            "where connamespace = 'public'::regnamespace and conrelid <> 0"
        ).all()
        indexes = connection.exec_driver_sql(
            "select tablename, indexdef from pg_indexes where schemaname = 'public'"
        ).all()
    engine.dispose()
    found = {(table, definition) for table, definition in (*constraints, *indexes)}
    return {each for each in found if "alembic_version" not in each[0]}


def test_upgrading_twice_changes_nothing(database_url: str) -> None:
    """An upgrade of the newest schema leaves it as it is."""
    assert schema.upgrade(database_url) == schema.newest()


def test_no_time_is_the_databases_own(database_url: str) -> None:
    """No column has a default, so no stored time can come from the database's clock."""
    engine = create_engine(database_url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(
            "select table_name, column_name from information_schema.columns "
            "where table_schema = 'public' and column_default is not null"
        ).all()
        triggers = connection.exec_driver_sql(
            "select trigger_name from information_schema.triggers"
        ).all()
    engine.dispose()
    assert [*found, *triggers] == []
