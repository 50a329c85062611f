"""Writing, sealing and guarding cost less: what is asked in every statement is asked by plans that are kept

Revision ID: 0029
Revises: 0028
"""

from __future__ import annotations

from geodata.migrations.support import run_file

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("0029_quick_record.sql")


def downgrade() -> None:
    run_file("0029_quick_record_down.sql")
