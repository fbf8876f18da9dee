"""Lanes are rows that whoever delivers takes in hand; an EHR that is away is one row.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
LANE = ["connection_id", "patient_id", "id"]


def upgrade() -> None:
    """Go up."""
    op.add_column("delivery", sa.Column("not_before", MOMENT, nullable=True))
    op.drop_index("ix_delivery_lane", table_name="delivery")
    op.create_index(
        "ix_delivery_lane",
        "delivery",
        LANE,
        unique=False,
        postgresql_where=sa.text("state in ('intent', 'sent', 'unknown', 'refused', 'misfiled')"),
    )
    op.create_index(
        "ix_delivery_artefact", "delivery", ["connection_id", "artefact", "id"], unique=False
    )
    op.create_table(
        "lane",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("patient_id", sa.Text(), nullable=False),
        sa.Column("ready_at", MOMENT, nullable=True),
        sa.Column("rests_until", MOMENT, nullable=True),
        sa.Column("rests", sa.Integer(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("bell", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("connection_id", "patient_id", name=op.f("pk_lane")),
    )
    op.create_index(
        "ix_lane_ready",
        "lane",
        ["connection_id", "rank", "ready_at"],
        unique=False,
        postgresql_where=sa.text("ready_at is not null and holder is null"),
    )
    op.create_index(
        "ix_lane_held",
        "lane",
        ["connection_id"],
        unique=False,
        postgresql_where=sa.text("holder is not null"),
    )
    op.create_table(
        "outage",
        sa.Column("connection_id", sa.Text(), nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("ask_at", MOMENT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("connection_id", name=op.f("pk_outage")),
    )
    op.execute(
        "insert into lane (connection_id, patient_id, ready_at, rests, rank, bell)"
        " select connection_id, patient_id, min(changed_at), 0, 1, 1 from delivery"
        " where state in ('intent', 'sent', 'unknown') and not needs_person"
        " group by connection_id, patient_id"
    )


def downgrade() -> None:
    """Go down."""
    op.drop_table("outage")
    op.drop_table("lane")
    op.drop_index("ix_delivery_artefact", table_name="delivery")
    op.drop_index("ix_delivery_lane", table_name="delivery")
    op.create_index(
        "ix_delivery_lane",
        "delivery",
        LANE,
        unique=False,
        postgresql_where=sa.text("state in ('intent', 'sent', 'unknown')"),
    )
    op.drop_column("delivery", "not_before")
