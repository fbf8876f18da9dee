"""What the clinic's lists show stands beside each pathway, written with its events.

Of an event only its fact is kept as JSON.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)
GOES_ON = sa.text("status = 'open' or due_at is not null")
NEVER = sa.text("coalesce(due_at, 'infinity'::timestamptz)")
NEXT = sa.text("coalesce(next_due, 'infinity'::timestamptz)")


def upgrade() -> None:
    """Go up. Every pathway that goes on is listed when the sweep finds it under other rules."""
    op.add_column("pathway", sa.Column("urgency", sa.Integer(), nullable=False, server_default="3"))
    op.alter_column("pathway", "urgency", server_default=None)
    op.add_column("pathway", sa.Column("next_says", sa.Text(), nullable=True))
    op.add_column("pathway", sa.Column("next_who", ARRAY(sa.Text()), nullable=True))
    op.add_column("pathway", sa.Column("next_due", MOMENT, nullable=True))
    op.add_column("pathway", sa.Column("task_due", MOMENT, nullable=True))
    op.add_column("pathway", sa.Column("listed", sa.Text(), nullable=True))
    op.create_index("ix_pathway_pressing", "pathway", ["site_id", "urgency", NEXT, "id"])
    op.create_index("ix_pathway_patient", "pathway", ["connection_id", "patient_id"])
    op.create_index("ix_pathway_rules", "pathway", ["rules"], postgresql_where=GOES_ON)
    op.create_table(
        "task",
        sa.Column("pathway_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        *_whose(),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("visit", sa.Text(), nullable=True),
        sa.Column("ask", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("says", sa.Text(), nullable=False),
        sa.Column("roles", ARRAY(sa.Text()), nullable=False),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("due_at", MOMENT, nullable=True),
        sa.Column("was_due", MOMENT, nullable=True),
        sa.Column("raised", sa.Integer(), nullable=False),
        sa.Column("acknowledged", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("pathway_id", "id", name=op.f("pk_task")),
        sa.ForeignKeyConstraint(["pathway_id"], ["pathway.id"], name=op.f("fk_task_pathway_id")),
    )
    op.create_index("ix_task_pressing", "task", ["site_id", "urgency", NEVER, "pathway_id", "id"])
    op.create_table(
        "visit",
        sa.Column("pathway_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        *_whose(),
        sa.Column("phase", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("starts_at", MOMENT, nullable=False),
        sa.Column("checked_in", MOMENT, nullable=True),
        sa.Column("given", sa.Integer(), nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("pathway_id", "id", name=op.f("pk_visit")),
        sa.ForeignKeyConstraint(["pathway_id"], ["pathway.id"], name=op.f("fk_visit_pathway_id")),
    )
    op.create_index("ix_visit_time", "visit", ["site_id", "starts_at", "pathway_id", "id"])
    op.add_column("delivery", sa.Column("said", sa.Text(), nullable=True))
    op.create_index(
        "ix_delivery_waiting",
        "delivery",
        ["site_id", "state", "id"],
        postgresql_where=sa.text("state <> 'confirmed'"),
    )
    op.create_index(
        "ix_delivery_person",
        "delivery",
        ["site_id", "id"],
        postgresql_where=sa.text("needs_person"),
    )
    # Who, when and which event it is stand in columns beside it.
    op.alter_column("event", "event", new_column_name="fact")
    op.execute("update event set fact = fact -> 'fact'")
    # What has ended is looked at by no sweep: its visits are listed from its projection.
    op.execute(
        "insert into visit (pathway_id, id, site_id, connection_id, patient_id, phase, status,"
        " starts_at, checked_in, given, planned)"
        " select p.id, v.key, p.site_id, p.connection_id, p.patient_id, v.value ->> 'phase',"
        " v.value ->> 'status', ((v.value -> 'at' ->> 'day') || ' ' || (v.value -> 'at' ->> 'hour')"
        ")::timestamp at time zone (p.projection ->> 'zone'),"
        " (v.value ->> 'checked_in')::timestamptz, given.number, greatest(given.number, 1)"
        " from pathway p cross join jsonb_each(p.projection -> 'visits') v"
        " cross join lateral (select count(*)::int as number"
        " from jsonb_each(p.projection -> 'sessions') s where s.value ->> 'visit' = v.key) given"
        " where p.status = 'finished' and p.due_at is null and v.value ->> 'status' <> 'cancelled'"
    )
    op.execute(
        "update pathway set next_who = '{}',"
        " next_says = 'The pathway is ' || (projection ->> 'outcome') || '.'"
        " where status = 'finished' and due_at is null and projection ->> 'outcome' is not null"
    )
    op.execute("update pathway set rules = '' where status = 'open' or due_at is not null")


def _whose() -> list[sa.Column[str]]:
    names = ("site_id", "connection_id", "patient_id")
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def downgrade() -> None:
    """Go down."""
    op.execute(
        "update event set fact = jsonb_build_object('id', event_id, 'at', at, 'by',"
        " jsonb_build_object('id', author_id, 'role', author_role), 'fact', fact)"
    )
    op.alter_column("event", "fact", new_column_name="event")
    op.drop_column("delivery", "said")
    op.drop_index("ix_delivery_person", table_name="delivery")
    op.drop_index("ix_delivery_waiting", table_name="delivery")
    op.drop_table("visit")
    op.drop_table("task")
    op.drop_index("ix_pathway_rules", table_name="pathway")
    op.drop_index("ix_pathway_patient", table_name="pathway")
    op.drop_index("ix_pathway_pressing", table_name="pathway")
    for name in ("listed", "task_due", "next_due", "next_who", "next_says", "urgency"):
        op.drop_column("pathway", name)
