"""A pathway that is over goes on while somebody is still to look at something by a time.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

NAME, TABLE = "ix_pathway_going_on", "pathway"


def upgrade() -> None:
    """Go up."""
    op.drop_index(NAME, table_name=TABLE)
    op.create_index(
        NAME,
        TABLE,
        ["id"],
        unique=False,
        postgresql_where=sa.text("status = 'open' or due_at is not null"),
    )


def downgrade() -> None:
    """Go down."""
    op.drop_index(NAME, table_name=TABLE)
    op.create_index(NAME, TABLE, ["id"], unique=False, postgresql_where=sa.text("status = 'open'"))
