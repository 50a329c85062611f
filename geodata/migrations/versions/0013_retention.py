"""What is kept how long: what was forgotten when, and how the database grows

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geodata.migrations.support import grant, grant_all_sequences, run_file, run_script

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "retention_run",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data_class", sa.Text(), nullable=False),
        sa.Column("kept_days", sa.Integer(), nullable=False),
        sa.Column("deleted", sa.Integer(), nullable=False),
        sa.Column("actor_label", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_run")),
    )
    op.create_index(op.f("ix_retention_run_data_class_id"), "retention_run", ["data_class", "id"], unique=False)
    op.create_table(
        "size_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("database_bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_size_day")),
    )
    run_file("0013_retention.sql")
    grant("SELECT, INSERT, DELETE", "retention_run")
    grant("SELECT, INSERT, UPDATE, DELETE", "size_day")
    grant("DELETE", "command")
    grant_all_sequences()


def downgrade() -> None:
    run_script(
        """
        REVOKE DELETE ON command FROM gridkeeper_app;
        DROP POLICY command_forget ON command;
        DROP POLICY draft_forget_see ON draft;
        DROP POLICY draft_forget ON draft;
        """
    )
    op.drop_table("size_day")
    op.drop_table("retention_run")
