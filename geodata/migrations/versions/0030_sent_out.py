"""What somebody sent out himself is found by index

Revision ID: 0030
Revises: 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_incident_dispatched_by_reported_at",
        "incident",
        ["dispatched_by", "reported_at"],
        postgresql_where=sa.text("dispatched_by IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_incident_dispatched_by_reported_at", table_name="incident")
