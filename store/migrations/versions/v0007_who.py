"""Who a patient is, as last read; a pathway's last scores; jobs; how often a lane was taken.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Go up. Who somebody is is known once the patient is read again; scores, once it is swept."""
    op.create_table(
        "patient",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("birth_date", sa.Text(), nullable=True),
        sa.Column("identifier", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("read_at", MOMENT, nullable=False),
        sa.Column("changed_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("connection_id", "patient_id", name=op.f("pk_patient")),
    )
    op.create_table(
        "job",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("failing_since", MOMENT, nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job")),
    )
    op.add_column("lane", sa.Column("takes", sa.BigInteger(), nullable=True))
    op.add_column("pathway", sa.Column("scores", JSONB(), nullable=True))
    op.add_column("pathway", sa.Column("scored_at", MOMENT, nullable=True))
    op.execute("update pathway set rules = '' where status = 'open' or due_at is not null")


def downgrade() -> None:
    """Go down."""
    op.drop_column("lane", "takes")
    op.drop_column("pathway", "scored_at")
    op.drop_column("pathway", "scores")
    op.drop_table("job")
    op.drop_table("patient")
