"""A dispatcher takes back by hand who was called in to come along

Revision ID: 0067
Revises: 0066
"""

from __future__ import annotations

from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "INSERT INTO transition (subject, act, source, target, role) VALUES"
        " ('incident', 'take_back', 'dispatched', 'dispatched', 'dispatcher'),"
        " ('incident', 'take_back', 'handling', 'handling', 'dispatcher')"
    )


def downgrade() -> None:
    op.execute("DELETE FROM transition WHERE subject = 'incident' AND act = 'take_back'")
