"""Protocols once each, due times, the rules that decided, leases, and which database this is."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "protocol",
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_protocol")),
    )
    op.add_column("pathway", sa.Column("protocol_sha256", sa.Text(), nullable=True))
    key = "encode(sha256(convert_to(protocol::text, 'UTF8')), 'hex')"
    op.execute(
        f"insert into protocol (sha256, body) select distinct {key}, protocol from pathway"  # noqa: S608  no input
    )
    op.execute(f"update pathway set protocol_sha256 = {key}")  # noqa: S608  no input
    op.alter_column("pathway", "protocol_sha256", nullable=False)
    op.create_foreign_key(
        op.f("fk_pathway_protocol_sha256"), "pathway", "protocol", ["protocol_sha256"], ["sha256"]
    )
    op.drop_column("pathway", "protocol")
    for table in ("pathway", "event"):
        # What was decided before rules had a name: no rules of now are called so.
        op.add_column(table, sa.Column("rules", sa.Text(), nullable=True))
        op.execute(f"update {table} set rules = ''")  # noqa: S608  no input
        op.alter_column(table, "rules", nullable=False)
    op.add_column("pathway", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("pathway", sa.Column("restarted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_pathway_going_on",
        "pathway",
        ["id"],
        unique=False,
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lease")),
    )
    op.create_table(
        "origin",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("timeline", sa.Integer(), nullable=False),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_origin_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_origin")),
    )


def downgrade() -> None:
    """Go down."""
    op.drop_table("origin")
    op.drop_table("lease")
    op.drop_index(
        "ix_pathway_going_on",
        table_name="pathway",
        postgresql_where=sa.text("status = 'open'"),
    )
    op.add_column(
        "pathway", sa.Column("protocol", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.execute(
        "update pathway set protocol = "
        "(select body from protocol where sha256 = pathway.protocol_sha256)"
    )
    op.alter_column("pathway", "protocol", nullable=False)
    for column in ("restarted_at", "due_at", "rules", "protocol_sha256"):
        op.drop_column("pathway", column)
    op.drop_column("event", "rules")
    op.drop_table("protocol")
