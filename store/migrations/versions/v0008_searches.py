"""What an EHR's searches are worth; what it answered to a write that is looked for.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Go up. Each search proves itself anew, with the first write of its type."""
    op.create_table(
        "ehr_search",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("proved_at", MOMENT, nullable=True),
        sa.Column("withdrawn_at", MOMENT, nullable=True),
        sa.Column("lag_seconds", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint(
            "connection_id", "resource_type", "way", name=op.f("pk_ehr_search")
        ),
    )
    op.add_column("delivery", sa.Column("refusal", sa.Text(), nullable=True))
    op.add_column("delivery", sa.Column("put_off", sa.Boolean(), nullable=True))
    op.add_column("delivery", sa.Column("vouched_at", MOMENT, nullable=True))
    op.add_column("capability", sa.Column("lists_less_since", MOMENT, nullable=True))
    op.execute(
        "update pathway set urgency = 4, next_says = case projection ->> 'outcome'"
        " when 'stopped' then 'The pathway was stopped.' else 'The pathway is complete.' end"
        " where status = 'finished' and urgency = 3"
    )


def downgrade() -> None:
    """Go down."""
    op.drop_column("capability", "lists_less_since")
    op.drop_column("delivery", "vouched_at")
    op.drop_column("delivery", "put_off")
    op.drop_column("delivery", "refusal")
    op.drop_table("ehr_search")
