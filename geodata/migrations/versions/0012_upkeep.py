"""Upkeep: backups taken, erasures

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

WITH_PHONES = (("person", "id"), ("incident_personal", "incident_id"))


def upgrade() -> None:
    op.create_table(
        "backup",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_label", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("keys_saved", sa.Boolean(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.Column("counts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_backup")),
    )
    op.create_index(op.f("ix_backup_at"), "backup", ["at"], unique=False)
    op.create_table(
        "erasure",
        sa.Column("subject_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=True),
        sa.Column("by_user_id", sa.Integer(), nullable=True),
        sa.Column("by_label", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "purpose IN ('request', 'left', 'order', 'retention', 'mistake')", name=op.f("ck_erasure_purpose")
        ),
        sa.CheckConstraint("reference ~ '^[A-Za-z0-9/._-]{0,40}$'", name=op.f("ck_erasure_reference")),
        sa.PrimaryKeyConstraint("subject_id", name=op.f("pk_erasure")),
    )
    run_file("0012_upkeep.sql")
    grant("SELECT, INSERT", "backup", "erasure")
    grant_all_sequences()
    record_table("backup")
    record_table("erasure", key="subject_id")
    # The keyed hash of a telephone number finds a person again as long as the master secret lives, and
    # what stands in the record stays: from here on it is not recorded.
    _record_again("phone_hash")


def downgrade() -> None:
    _record_again("")
    op.drop_table("erasure")
    op.drop_table("backup")


def _record_again(hidden: str) -> None:
    for table, key in WITH_PHONES:
        for event in ("insert", "update", "delete"):
            op.execute(f"DROP TRIGGER zz_record_{event} ON {table}")
        record_table(table, key=key, hidden=hidden)
