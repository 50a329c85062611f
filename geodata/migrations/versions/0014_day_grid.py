"""The summary by day is found by grid, so that grids can go

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Removing a unit grid looks here for what refers to it; without this it reads the whole summary each time.
    op.create_index(op.f("ix_incident_day_grid_id"), "incident_day", ["grid_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_incident_day_grid_id"), table_name="incident_day")
