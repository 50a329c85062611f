"""Reach: administrators of other territories, sessions, roles for oneself, keys of drafts

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

from geodata.migrations.support import run_file

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("0016_reach.sql")


def downgrade() -> None:
    run_file("0016_reach_down.sql")
