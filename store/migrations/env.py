"""Alembic's entry: runs on the connection that `store.schema` hands over."""

from alembic import context

from store.ehr_tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
with context.begin_transaction():
    context.run_migrations()
