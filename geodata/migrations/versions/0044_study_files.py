"""Files that were made of a study: its report in each language, and its data

Revision ID: 0044
Revises: 0043
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geodata.migrations.support import grant, grant_all_sequences, run_file

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "study_file",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("study_id", sa.Integer(), nullable=False),
        sa.Column("territory_id", sa.Integer(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), server_default="", nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("made_label", sa.Text(), server_default="", nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "form IN ('html', 'pdf', 'gpkg', 'geojson', 'csv', 'note')", name=op.f("ck_study_file_form")
        ),
        sa.CheckConstraint("language IN ('', 'en', 'zh')", name=op.f("ck_study_file_language")),
        sa.ForeignKeyConstraint(
            ["study_id"], ["study.id"], name=op.f("fk_study_file_study_id_study"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["territory_id"], ["territory.id"], name=op.f("fk_study_file_territory_id_territory"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_study_file")),
        sa.UniqueConstraint("study_id", "form", "language", name=op.f("uq_study_file_study_id_form_language")),
    )
    op.create_index(op.f("ix_study_file_territory_id"), "study_file", ["territory_id"], unique=False)
    run_file("0044_study_files.sql")
    grant("SELECT, INSERT, UPDATE, DELETE", "study_file")
    grant_all_sequences()


def downgrade() -> None:
    op.drop_table("study_file")
