"""Who asked stays under a request, an entry of the catalogue stays with its data

Revision ID: 0062
Revises: 0061
"""

from __future__ import annotations

from geodata.migrations.support import run_file

revision = "0062"
down_revision = "0061"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("0062_catalogue_laws.sql")


def downgrade() -> None:
    run_file("0062_catalogue_laws_down.sql")
