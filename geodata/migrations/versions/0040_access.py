"""Who reaches what: questions of access with their answers, and the norms of a territory

Revision ID: 0040
Revises: 0039
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from geodata.migrations.support import grant, grant_all_sequences, record_table, run_file

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "access_answer",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("question", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=True),
        sa.Column("data_version", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), server_default="asked", nullable=False),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("cells", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("state IN ('asked', 'answered')", name=op.f("ck_access_answer_state")),
        sa.ForeignKeyConstraint(
            ["job_id"], ["job_run.id"], name=op.f("fk_access_answer_job_id_job_run"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["study_id"], ["study.id"], name=op.f("fk_access_answer_study_id_study"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_access_answer_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_answer")),
        sa.UniqueConstraint("territory_id", "key", name=op.f("uq_access_answer_territory_id_key")),
    )
    for column in ("territory_id", "study_id", "job_id"):
        op.create_index(op.f(f"ix_access_answer_{column}"), "access_answer", [column], unique=False)
    op.create_table(
        "norm",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("facility_kind", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("level_zh", sa.Text(), server_default="", nullable=False),
        sa.Column("mode", sa.Text(), server_default="walk", nullable=False),
        sa.Column("radius_m", sa.Float(), nullable=True),
        sa.Column("minutes", sa.Float(), nullable=True),
        sa.Column("per_1000", sa.Float(), nullable=True),
        sa.Column("unit", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_zh", sa.Text(), server_default="", nullable=False),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("mode IN ('walk', 'drive')", name=op.f("ck_norm_mode")),
        sa.CheckConstraint("coalesce(radius_m, minutes, per_1000) IS NOT NULL", name=op.f("ck_norm_number")),
        sa.CheckConstraint("radius_m > 0 AND minutes > 0 AND per_1000 > 0", name=op.f("ck_norm_positive")),
        sa.CheckConstraint("source <> '' AND level <> ''", name=op.f("ck_norm_words")),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_norm_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_norm")),
        sa.UniqueConstraint(
            "territory_id", "facility_kind", "level", name=op.f("uq_norm_territory_id_facility_kind_level")
        ),
    )
    op.create_index(op.f("ix_norm_territory_id"), "norm", ["territory_id"], unique=False)
    run_file("0040_access.sql")
    record_table("norm")
    grant("SELECT, INSERT, UPDATE, DELETE", "access_answer", "norm")
    grant_all_sequences()


def downgrade() -> None:
    op.execute("DROP POLICY record_norm ON record")
    op.drop_table("norm")
    op.drop_table("access_answer")
