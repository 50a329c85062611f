"""Saved queues, warnings of a deadline, the clock of a postponement, who checks on site

Revision ID: 0026
Revises: 0025
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import grant, grant_all_sequences, run_file, run_script

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

MOMENTS = ("due_from", "due_unpaused", "warn_half_at", "warn_most_at")
OPEN = "status NOT IN ('closed', 'void')"


def upgrade() -> None:
    for column in MOMENTS:
        op.add_column("incident", sa.Column(column, sa.DateTime(timezone=True), nullable=True))
    op.add_column("incident", sa.Column("reopens", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("incident_class", sa.Column("check_on_site", sa.Boolean(), server_default="false", nullable=False))
    # By default a component is looked at where it stands.
    op.execute("UPDATE incident_class SET check_on_site = true WHERE kind = 'component'")
    op.create_index(
        "ix_incident_open_warn", "incident", ["territory_id", "warn_most_at"], postgresql_where=sa.text(OPEN)
    )
    op.create_index(
        "ix_incident_open_marked",
        "incident",
        ["territory_id"],
        postgresql_where=sa.text(f"{OPEN} AND (postponed_until IS NOT NULL OR urged_at IS NOT NULL OR reopens > 0)"),
    )
    op.create_table(
        "saved_queue",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ask", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("length(name) BETWEEN 1 AND 40", name=op.f("ck_saved_queue_name")),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_saved_queue_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_saved_queue_user_id_app_user"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_queue")),
        sa.UniqueConstraint("user_id", "territory_id", "name", name=op.f("uq_saved_queue_user_id_territory_id_name")),
    )
    op.create_index(op.f("ix_saved_queue_territory_id"), "saved_queue", ["territory_id"], unique=False)
    run_file("0026_queues.sql")
    grant("SELECT, INSERT, UPDATE, DELETE", "saved_queue")
    grant_all_sequences()


def downgrade() -> None:
    run_script("DROP TRIGGER incident_marks ON incident; DROP FUNCTION gk_incident_marks;")
    op.drop_table("saved_queue")
    op.drop_index("ix_incident_open_marked", table_name="incident")
    op.drop_index("ix_incident_open_warn", table_name="incident")
    op.drop_column("incident_class", "check_on_site")
    for column in ("reopens", *reversed(MOMENTS)):
        op.drop_column("incident", column)
