"""No party decides an appeal; the citizen's answer stands, and the closer does not take it

Revision ID: 0034
Revises: 0033
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from geodata.migrations.support import run_file

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_file("0034_no_party.sql")
    op.create_index(
        "uq_citizen_word_reached",
        "citizen_word",
        ["incident_id", "closed_at"],
        unique=True,
        postgresql_where=sa.text("reached"),
    )
    # The next fold begins anew: it counts other words, and no appeal whose signature does not hold.
    op.execute("DELETE FROM fact_fold")


def downgrade() -> None:
    op.drop_index("uq_citizen_word_reached", table_name="citizen_word")
    run_file("0034_no_party_down.sql")
