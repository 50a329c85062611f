"""What a class takes is asked when a plan is published; fewer indexes, and conditions of triggers that cost less

Revision ID: 0047
Revises: 0046
"""

from __future__ import annotations

from geodata.migrations.support import run_file

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("0047_publish.sql")


def downgrade() -> None:
    run_file("0047_publish_down.sql")
    run_file("0041_publish.sql")
